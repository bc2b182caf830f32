"""A printed résumé: what is on the paper, and that its code verifies from there, whole, changed, or by its link."""

from __future__ import annotations

import io
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import base45
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from node.app import Node
from node.cli.verify_file import FilePolicy, opened
from node.paper.code_text import MAX_CHARS, PREFIX, pack, unpack
from node.paper.scan import codes_in
from node.roles.portfolio import NewStatement, Paper
from protocols.errors import BadInput
from storage import receipts
from storage.resumes import Entry, Resume
from tests.node.nodes import Nodes

ONE_BYTE = base45.b45encode(b"x").decode()
NAMES = ("سارة", "שרה", "लीना")


async def printed(node: Node, *texts: str, by_link: bool = False) -> Paper:
    entries = []
    for name in texts:
        record = await node.portfolio.state(NewStatement(name=name, text="I rebuilt the crane."))
        entries.append(Entry(record_id=record.id, text=f"About {name}"))
    resume = Resume(id="r", title="Welding", text="سيرة", entries=tuple(entries), updated=node.world.clock())
    await node.portfolio.save(resume)
    return await node.portfolio.print_pdf(
        resume,
        link_url=lambda token: f"{node.config.node.endpoint}/r/{token}",
        lifetime=timedelta(days=1),
        by_link=by_link,
    )


def picture_of(pdf: bytes, scale: float) -> list[Image.Image]:
    document = pypdfium2.PdfDocument(pdf)
    pictures = [document[number].render(scale=scale).to_pil() for number in range(len(document))]
    document.close()
    return pictures


async def verified(node: Node, data: bytes) -> bool:
    async with opened(FilePolicy(node.home, (), any_issuer=True, offline=True)) as verifier:
        return (await verifier.verify_published(data)).verified


async def test_the_code_of_a_printed_page_verifies_offline_and_fails_when_a_byte_is_changed(nodes: Nodes) -> None:
    learner = await nodes.make("learner")
    paper = await printed(learner, "Crane")
    assert paper.share is None
    found = [each.text for page in picture_of(paper.pdf, 3) for each in zxingcpp.read_barcodes(page)]
    assert found == codes_in(paper.pdf)
    (text,) = found
    assert await verified(learner, unpack(text))
    presentation = unpack(text)
    assert not await verified(learner, presentation.replace(b"rebuilt", b"rebuild"))
    async with learner.store.read() as tx:
        (receipt,) = await receipts.page(tx)
    assert receipt.document["party_identification"][0]["party_name"] == "whoever has the paper"


async def test_a_scan_of_the_paper_is_read_as_well(nodes: Nodes) -> None:
    learner = await nodes.make("learner")
    paper = await printed(learner, "Crane")
    scan = io.BytesIO()
    picture_of(paper.pdf, 4)[-1].rotate(1.5, expand=True, fillcolor="white").convert("L").save(scan, "JPEG", quality=80)
    (text,) = codes_in(scan.getvalue())
    assert await verified(learner, unpack(text))


async def test_what_does_not_fit_into_a_code_is_behind_a_link(nodes: Nodes) -> None:
    learner = await nodes.make("learner")
    paper = await printed(learner, *(sha256(bytes([number])).hexdigest() for number in range(40)))
    assert paper.share is not None
    (link,) = codes_in(paper.pdf)
    async with opened(FilePolicy(learner.home, (), any_issuer=True, offline=False)) as verifier:
        assert (await verifier.verify_published(await verifier.fetch(link))).verified


async def test_names_of_any_script_stand_in_the_text_of_the_pdf(nodes: Nodes) -> None:
    learner = await nodes.make("learner")
    paper = await printed(learner, *NAMES, by_link=True)
    document = pypdfium2.PdfDocument(paper.pdf)
    text = "".join(document[number].get_textpage().get_text_range() for number in range(len(document)))
    document.close()
    assert [name for name in NAMES if name not in text] == []


def random_bytes(count: int) -> bytes:
    return b"".join(sha256(bytes([number])).digest() for number in range(count // 32))


def test_a_code_is_unpacked_only_where_it_is_whole_and_small() -> None:
    packed = pack(b'{"a":1}')
    assert packed is not None
    assert unpack(packed) == b'{"a":1}'
    assert set(packed) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    assert pack(random_bytes(MAX_CHARS)) is None
    bomb = pack(b"0" * 1_000_000)
    assert bomb is not None
    for wrong in (bomb, packed[:-3], f"{PREFIX}***", PREFIX, f"{PREFIX}{ONE_BYTE}", "LERNODE2:AB"):
        with pytest.raises(BadInput):
            unpack(wrong)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    for wrong in (b"", b"%PDF-1.7\nnothing", b"\x89PNG\r\n\x1a\nnothing", b"GIF89a"):
        with pytest.raises(BadInput):
            codes_in(wrong)
