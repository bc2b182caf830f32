"""A folder of records, as a user verifies it: in order, on several processes, asking others no more than once."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from protocols import strict_json
from protocols.status.bitstring import Bitstring
from protocols.status.list_credential import status_list_credential
from tests.admin.helpers import make_node
from tests.credentials.worlds import ISSUER, did, issue, record, with_status
from tests.net.helpers import serving

LATER = "2199-01-01T00:00:00Z"


async def lernode(*arguments: str | Path) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "node.cli.main", *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def status_list(url: str, *indices: int) -> dict[str, Any]:
    bits = Bitstring()
    for index in indices:
        bits.set(index, 1)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    unsigned = status_list_credential(
        url=url, issuer=did(ISSUER), purposes=("revocation",), bits=bits, valid_from=start, ttl_ms=300_000
    )
    return issue(unsigned)


def write(folder: Path, name: str, document: dict[str, Any] | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(document if isinstance(document, bytes) else strict_json.dumps(document))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Many good records, and among them what is not."""
    folder = tmp_path / "records"
    for number in range(150):
        write(folder, f"{number:03}.json", issue(record(id=f"urn:example:{number}", validUntil=LATER)))
    tampered = issue(record(validUntil=LATER))
    write(folder, "007.json", {**tampered, "name": "Another"})
    write(folder, "100.json", b"not JSON")
    write(folder, "101.json", b'{"too":"' + b"x" * (1 << 20) + b'large"}')
    write(folder, "deeper/1.json", tampered)
    write(folder, ".hidden/1.json", b"")
    write(folder, ".part", b"")
    return folder


async def test_every_file_is_verified_in_the_order_of_names_whatever_the_number_of_processes(folder: Path) -> None:
    common = ("verify", folder, "--any-issuer", "--offline", "--json", "--home", folder / "none")
    outputs = [await lernode(*common, "--jobs", jobs) for jobs in ("1", "3")]
    assert outputs[0][:2] == outputs[1][:2]
    code, out, _ = outputs[0]
    assert code == 1
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["file"] for line in lines] == [
        *(str(folder / f"{number:03}.json") for number in range(150)),
        str(folder / "deeper" / "1.json"),
    ]
    bad = {Path(line["file"]).stem: line["code"] for line in lines if not line["verified"]}
    assert bad == {"007": "proof.invalid", "100": "json.malformed", "101": "json.too_large"}
    assert all(line["result"]["verified"] == line["verified"] for line in lines)


async def test_a_person_sees_what_is_not_verified_and_how_much_is(folder: Path) -> None:
    code, out, err = await lernode("verify", folder, "--any-issuer", "--offline", "--jobs", "2")
    assert code == 1
    assert "Verifying: 76 of 151" in err
    shown = out.splitlines()
    assert [line.partition(": ")[0] for line in shown if line.startswith("✗")] == [
        f"✗ {folder / name}" for name in ("007.json", "100.json", "101.json")
    ]
    assert "148    verified" in shown
    assert shown[-1] == "NOT ALL VERIFIED"
    for name in ("007.json", "100.json", "101.json"):
        (folder / name).unlink()
    code, out, _ = await lernode("verify", folder, "--any-issuer", "--offline")
    assert (code, out.splitlines()[-1]) == (0, "ALL VERIFIED")


async def test_a_status_list_is_asked_for_once_by_each_process(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()
    lists: dict[str, bytes] = {}

    async def serve(request: web.Request) -> web.Response:
        asked[request.path] += 1
        return web.Response(body=lists[request.path], content_type="application/vc")

    await make_node(tmp_path / "n", "Verifier")
    async with serving(serve) as port:
        url = f"http://127.0.0.1:{port}/list"
        lists["/list"] = strict_json.dumps(status_list(url, 9))
        for number in range(200):
            index = 9 if number == 190 else number + 10
            document = with_status("revocation", index=index, url=url, id=f"urn:example:{number}", validUntil=LATER)
            write(tmp_path / "records", f"{number:03}.json", issue(document))
        common = ("verify", tmp_path / "records", "--any-issuer", "--json", "--home", tmp_path / "n", "--jobs")
        code, out, err = await lernode(*common, "2")
        assert code == 1, err
        lines = [json.loads(line) for line in out.splitlines()]
        assert {Path(line["file"]).stem: line["code"] for line in lines if not line["verified"]} == {
            "190": "status.revoked"
        }
        assert 1 <= asked["/list"] <= 2
        await lernode(*common, "1")
        assert asked["/list"] <= 3


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--challenge", "c"), "cli.usage"), ((), "cli.folder_empty"), (("--jobs", "0"), "cli.usage")],
)
async def test_what_cannot_be_meant_of_a_folder_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], code: str
) -> None:
    ended, out, _ = await lernode("verify", tmp_path, "--json", *arguments)
    assert (ended, json.loads(out)["code"]) == (2, code)
