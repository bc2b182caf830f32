"""Frameworks from node to node: published, taken, and refused where they are not as they were signed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from node.app import Node
from node.roles.frameworks import HowToImport, Imported
from node.roles.trust import NewRule
from node.skills.package import MANIFEST_LINE
from protocols import strict_json
from protocols.errors import BadInput, LernodeError
from storage import frameworks
from storage.dids import DidPurpose
from storage.frameworks import Item, Relation
from tests.node.nodes import Nodes
from tests.shared_data import shared_path
from tests.skills import samples


async def import_file(node: Node, path: Path, name: str, licence: str = "CC-BY-4.0") -> None:
    await node.frameworks.import_file(path, HowToImport(name=name, licence=licence), stem=name)


async def import_text(node: Node, text: str, name: str = "welding") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.csv")
        path.write_text(text)
        await import_file(node, path, name)


async def whole(node: Node, name: str) -> tuple[list[Item], list[Relation]]:
    async with node.store.read() as tx:
        version = await frameworks.latest(tx, name)
        items = [item for _, item in await frameworks.page(tx, version.id)]
        return items, [relation for _, relation in await frameworks.relations(tx, version.id)]


async def package(node: Node, name: str = "welding") -> bytes:
    _, publication = await node.packages.publish(name)
    return (
        publication.manifest + b"\n" + b"".join([piece async for piece in node.packages.lines(publication.version_id)])
    )


async def take(node: Node, content: bytes, publisher: str | None = None) -> Imported:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "package")
        path.write_bytes(content)
        return await node.packages.take_file(path, publisher=publisher, name=None)


async def did_of(node: Node) -> str:
    async with node.store.read() as tx:
        return (await node.identity.default(tx, DidPurpose.ISSUER)).did


CSV = "code,name,parent,description\nW,Welding,,Joining metal\nW.1,Fillet “welds”,W,\n"


async def test_a_small_college_takes_its_states_framework_from_a_neighbours_node(nodes: Nodes) -> None:
    state, college = await nodes.make("state", issuer=True), await nodes.make("college")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "onet.zip")
        path.write_bytes(samples.archive(samples.ONET))
        await import_file(state, path, "onet")
    await state.packages.publish("onet")
    url = state.packages.url("onet")
    taken = await college.packages.take_url(url, publisher=None, name=None)
    assert (taken.version.framework_id, taken.version.title, taken.version.licence) == ("onet", "O*NET", "CC-BY-4.0")
    assert taken.version.signed_by == await did_of(state)
    assert await whole(college, "onet") == await whole(state, "onet")
    assert (await college.packages.take_url(url, publisher=None, name=None)).unchanged


async def test_a_real_framework_arrives_as_it_was(nodes: Nodes) -> None:
    state, college = await nodes.make("state", issuer=True), await nodes.make("college")
    await import_file(state, shared_path("frameworks/onet-occupations.tsv"), "occupations")
    content = await package(state, "occupations")
    taken = await take(college, content, await did_of(state))
    assert taken.version.items == 1016
    assert await whole(college, "occupations") == await whole(state, "occupations")


async def test_a_later_version_is_taken_with_the_differences_and_can_be_given_on(nodes: Nodes) -> None:
    state, college, school = (
        await nodes.make("state", issuer=True),
        await nodes.make("college", issuer=True),
        await nodes.make("school"),
    )
    await import_text(state, CSV)
    await take(college, await package(state), await did_of(state))
    await import_text(state, CSV + "W.2,Groove welds,W,\n")
    later = await take(college, await package(state), await did_of(state))
    assert later.version.number == 2
    assert later.difference is not None
    assert later.difference.counts["added"] == 1
    given_on = await take(school, await package(college), await did_of(college))
    assert given_on.version.signed_by == await did_of(college)
    assert await whole(school, "welding") == await whole(state, "welding")


async def test_from_a_file_the_signer_has_to_be_named_or_trusted(nodes: Nodes) -> None:
    state, college = await nodes.make("state", issuer=True), await nodes.make("college", issuer=True)
    await import_text(state, CSV)
    content, did = await package(state), await did_of(state)
    with pytest.raises(BadInput) as caught:
        await take(college, content)
    assert caught.value.code == "publication.publisher_unnamed"
    with pytest.raises(BadInput) as caught:
        await take(college, content, await did_of(college))
    assert caught.value.code == "publication.publisher_other"
    await college.trust.add(NewRule(did=did))
    assert (await take(college, content)).version.signed_by == did


def _another_title(content: bytes) -> bytes:
    return content.replace(b'"name":"welding"', b'"name":"wedding"', 1)


def _another_word(content: bytes) -> bytes:
    return content.replace(b"Joining metal", b"Joining petal", 1)


def _one_line_less(content: bytes) -> bytes:
    return content[: content.rindex(b"\n", 0, -1) + 1]


def _one_line_more(content: bytes) -> bytes:
    return content + b"\n"


def _another_size(content: bytes) -> bytes:
    manifest, _, rest = content.partition(b"\n")
    document = strict_json.loads_object(manifest)
    document["credentialSubject"]["size"] += 1
    return strict_json.dumps(document) + b"\n" + rest


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_another_title, "publication.unverified"),
        (_another_size, "publication.unverified"),
        (_another_word, "framework.package_altered"),
        (_one_line_less, "framework.package_altered"),
        (_one_line_more, "framework.package_altered"),
        (lambda content: b"", "framework.manifest_malformed"),
        (lambda content: b"{" + b" " * MANIFEST_LINE + content, "framework.manifest_malformed"),
        (lambda content: b"[]\n" + content, "json.not_object"),
        (lambda content: b'{"type": "x"}\n' + content, "publication.unverified"),
    ],
)
async def test_what_is_not_as_it_was_signed_is_refused_and_nothing_of_it_kept(
    nodes: Nodes, spoil: Callable[[bytes], bytes], code: str
) -> None:
    state, college = await nodes.make("state", issuer=True), await nodes.make("college")
    await import_text(state, CSV)
    content = await package(state)
    assert spoil(content) != content
    with pytest.raises(LernodeError) as caught:
        await take(college, spoil(content), await did_of(state))
    assert caught.value.code == code
    async with college.store.read() as tx:
        assert await frameworks.versions(tx) == await frameworks.drafts(tx) == []


async def test_what_is_not_published_or_may_not_be_given_on_is_not_given(nodes: Nodes) -> None:
    state, college = await nodes.make("state", issuer=True), await nodes.make("college")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.csv")
        path.write_text(CSV)
        await import_file(state, path, "welding", licence="")
    with pytest.raises(BadInput) as caught:
        await state.packages.publish("welding")
    assert caught.value.code == "framework.no_licence"
    with pytest.raises(BadInput) as caught:
        await college.packages.take_url(state.packages.url("welding"), publisher=None, name=None)
    assert caught.value.code == "net.unexpected_status"


async def test_a_package_is_not_imported_past_its_signature(nodes: Nodes) -> None:
    state, college = await nodes.make("state", issuer=True), await nodes.make("college")
    await import_text(state, CSV)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "package")
        path.write_bytes(await package(state))
        with pytest.raises(BadInput) as caught:
            await college.frameworks.import_file(path, HowToImport(), stem="welding")
    assert caught.value.code == "framework.is_package"
