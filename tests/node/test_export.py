"""A learner's records leave in one encrypted file that anybody's tools open, and come back."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyrage
import pytest
from click.testing import CliRunner, Result

from node.app import Node
from node.cli.main import cli
from node.records import bundle
from node.roles.issuer import Award
from node.runtime import age_files
from protocols import strict_json
from protocols.credentials.issue import issue
from protocols.errors import BadInput
from storage.dids import DidPurpose
from storage.invariants import check
from tests.node.conftest import Town
from tests.node.nodes import CARPENTRY, asks_for, exchange_in, give, held
from tests.opening import KEY, KEY_TEXT

FILE_PASSPHRASE = "a lake in the mountains"
IDENTITY = pyrage.x25519.Identity.generate()  # opens at once what a passphrase takes a second for


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    monkeypatch.setenv("LERNODE_EXPORT_PASSPHRASE", FILE_PASSPHRASE)


async def lernode(home: Path, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, cli, [arguments[0], "--home", str(home), *arguments[1:]])


@pytest.fixture
def identity_file(tmp_path: Path) -> Path:
    file = tmp_path / "identity"
    file.write_text(f"{IDENTITY}\n")
    return file


async def exported(town: Town, file: Path) -> list[bytes]:
    """Two records, one of which was shown, in a file; the learner's node is stopped."""
    documents = await shown(town)
    result = await lernode(town.learner.home, "export", str(file))
    assert result.exit_code == 0, result.output
    return documents


async def shown(town: Town) -> list[bytes]:
    """Two records, one of which was shown; the learner's node is stopped."""
    await give(town.college, town.college_to_learner.id)
    await give(town.college, town.college_to_learner.id, CARPENTRY)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    assert (await exchange_in(town.employer, asked.id)).state == "done"
    documents = [record.document for record in await held(town.learner)]
    await town.nodes.stop(town.learner)
    return documents


async def documents_of(home: Path) -> set[bytes]:
    node = await Node.open(home, KEY)
    try:
        async with node.store.read() as tx:
            assert [broken async for broken in check(tx)] == []
        return {record.document for record in await held(node)}
    finally:
        await node.stop()


async def test_it_opens_with_standard_tools(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "ada.zip.age"
    documents = await exported(town, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes().startswith(b"age-encryption.org/v1\n")
    with zipfile.ZipFile(io.BytesIO(age_files.decrypt(file.read_bytes(), FILE_PASSPHRASE))) as archive:
        index = json.loads(archive.read("index.json"))
        assert [archive.read(record["file"]) for record in index["records"]] == documents
        assert {record["name"] for record in index["records"]} == {
            "Structural Welding, Level 1", "Carpentry, Level 1"
        }  # fmt: skip
        assert [name for name in archive.namelist() if name.startswith("receipts/")]
        peers = json.loads(archive.read("connections.json"))["connections"]
        assert {peer["label"] for peer in peers} == {"college", "employer"}
        page = archive.read("README.html").decode()
        assert "Structural Welding" in page
        assert "lernode import" in page


async def test_age_itself_opens_one_for_a_recipient(town: Town, tmp_path: Path, identity_file: Path) -> None:
    if shutil.which("age") is None:
        pytest.skip("age is not installed; scripts/test installs it where it may (Debian: age)")
    await give(town.college, town.college_to_learner.id)
    await town.nodes.stop(town.learner)
    file, opened = tmp_path / "ada.zip.age", tmp_path / "ada.zip"
    result = await lernode(town.learner.home, "export", str(file), "--recipient", str(IDENTITY.to_public()))
    assert result.exit_code == 0, result.output
    command = ["age", "-d", "-i", str(identity_file), "-o", str(opened), str(file)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    assert zipfile.ZipFile(opened).testzip() is None
    await town.nodes.stop(town.employer)
    result = await lernode(town.employer.home, "import", str(file), "--identity-file", str(identity_file), "--json")
    assert json.loads(result.output)["new"] == 1


async def test_records_come_back_once_and_duplicates_are_told(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "ada.zip.age"
    documents = await exported(town, file)
    other = await town.nodes.make("other")
    await town.nodes.stop(other)
    first = await lernode(other.home, "import", str(file), "--json")
    assert (json.loads(first.output) | {"unverified": []}) == {
        "new": 2, "known": 0, "unverified": [], "refused": [], "resumes": 0, "profiles": 0
    }  # fmt: skip
    again = await lernode(other.home, "import", str(file), "--json")
    assert (json.loads(again.output)["new"], json.loads(again.output)["known"]) == (0, 2)
    assert await documents_of(other.home) == set(documents)


async def test_resumes_and_job_profiles_come_back_once(town: Town, tmp_path: Path, identity_file: Path) -> None:
    await give(town.college, town.college_to_learner.id)
    home, file = town.learner.home, tmp_path / "ada.zip.age"
    await town.nodes.stop(town.learner)

    async def ask(home: Path, *words: str) -> Any:
        result = await lernode(home, *words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.output)

    record = (await ask(home, "records"))["items"][0]["id"]
    await ask(home, "resume", "new", "Welding", "--text", "Ten years of steel.")
    await ask(home, "resume", "add", "Welding", record, "--text", "My first")
    await ask(home, "resume", "state", "Welding", "Crane", "I rebuilt it.", "--at", "1")
    await ask(home, "profile", "add", "welder", "--require", "51-4121.00")
    await ask(home, "export", str(file), "--recipient", str(IDENTITY.to_public()))
    other = await town.nodes.make("other")
    await town.nodes.stop(other)
    taking = ("import", str(file), "--identity-file", str(identity_file))
    first = await ask(other.home, *taking)
    assert (first["new"], first["resumes"], first["profiles"]) == (2, 1, 1)
    again = await ask(other.home, *taking)
    assert (again["known"], again["resumes"], again["profiles"]) == (2, 0, 0)
    came = await ask(other.home, "resume", "show", "Welding")
    assert came["text"] == "Ten years of steel."
    assert [(each["name"], each["ownStatement"], each["text"]) for each in came["entries"]] == [
        ("Crane", True, ""),
        ("Structural Welding, Level 1", False, "My first"),
    ]
    assert (await ask(other.home, "profile", "show", "welder"))["requirements"][0]["skill"]["code"] == "51-4121.00"
    await ask(other.home, "resume", "remove", "Welding", "1")
    assert (await ask(other.home, *taking))["resumes"] == 1
    assert len((await ask(other.home, "resume"))["items"]) == 2


async def test_tokens_and_marks_go_along_with_an_export(town: Town, tmp_path: Path, identity_file: Path) -> None:
    """What came in by a file: a JWT that was verified, and a record whose issuer the learner does not trust."""
    async with town.learner.store.read() as tx:
        did = (await town.learner.identity.default(tx, DidPurpose.HOLDER)).did
    async with town.college.store.read() as tx:
        own = await town.college.identity.default(tx, DidPurpose.ISSUER)
        signer = await town.college.identity.signer(tx, own)
    award = Award(achievement_id=CARPENTRY, subject_did=did)
    record = strict_json.loads_object((await town.college.issuer.issue(award)).document)
    bare = {name: value for name, value in record.items() if name not in {"proof", "relatedResource"}}
    jwt = issue(bare, "vc+jwt", signer, created=town.college.world.clock()).data
    files = {tmp_path / "a.jwt": jwt, tmp_path / "b.json": strict_json.dumps(record)}
    for file, content in files.items():
        file.write_bytes(content)
    await town.nodes.stop(town.learner)
    refused = await lernode(town.learner.home, "import", *map(str, files), "--json")
    assert refused.exit_code == 1
    assert {each["code"] for each in json.loads(refused.output)["refused"]} == {"record.not_verified"}
    first = await lernode(town.learner.home, "import", *map(str, files), "--unverified", "--json")
    assert [each["code"] for each in json.loads(first.output)["unverified"]] == ["trust.undecided"] * 2
    listed = await lernode(town.learner.home, "records")
    assert listed.output.count("unverified") == 2
    export = tmp_path / "ada.zip.age"
    to = ("--recipient", str(IDENTITY.to_public()))
    assert (await lernode(town.learner.home, "export", str(export), *to)).exit_code == 0
    other = await town.nodes.make("other")
    await town.nodes.stop(other)
    moved = await lernode(other.home, "import", str(export), "--identity-file", str(identity_file), "--json")
    assert [each["code"] for each in json.loads(moved.output)["unverified"]] == ["trust.undecided"] * 2
    assert await documents_of(other.home) == set(files.values())


async def test_a_changed_record_is_refused_and_the_others_taken(
    town: Town, tmp_path: Path, identity_file: Path
) -> None:
    documents = await shown(town)
    forged = json.loads(documents[0]) | {"name": "Doctor of Everything"}

    async def records() -> AsyncIterator[tuple[str, bytes, str | None]]:
        yield "1", json.dumps(forged).encode(), None
        yield "2", documents[1], None

    async def receipts() -> AsyncIterator[tuple[str, bytes]]:
        for each in list[tuple[str, bytes]]():
            yield each

    content = bundle.Bundle(label="Ada", records=records(), receipts=receipts(), connections=[])
    packed, _ = await bundle.write(content, town.college.world.clock())
    file = tmp_path / "forged.zip.age"
    file.write_bytes(pyrage.encrypt(packed, [IDENTITY.to_public()]))
    other = await town.nodes.make("other")
    await town.nodes.stop(other)
    result = await lernode(other.home, "import", str(file), "--identity-file", str(identity_file), "--json")
    outcome = json.loads(result.output)
    assert result.exit_code == 1
    assert [refused["code"] for refused in outcome["refused"]] == ["record.not_genuine"]
    assert await documents_of(other.home) == {documents[1]}


@pytest.mark.parametrize("index", [None, {"format": "other"}, {"format": "lernode-export", "version": 1, "records": 7}])
def test_what_is_no_export_is_refused(index: dict[str, Any] | None) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        if index is not None:
            archive.writestr("index.json", json.dumps(index))
    for content in (packed.getvalue(), b"no archive"):
        with pytest.raises(BadInput) as caught:
            list(bundle.read(content))
        assert caught.value.code == "export.unreadable"
