"""``lernode records RECORD --reveal``: a part of a held record in a file, which verifies by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from node.app import Node
from storage import credentials
from tests.admin.helpers import make_node
from tests.cli.test_commands import run
from tests.credentials.transcripts import GRADES, issue_selective
from tests.opening import KEY, KEY_TEXT
from tests.storage.rows import held

BASE = issue_selective()


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's node with a transcript that can be shown in part."""
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    await make_node(tmp_path / "n", "Learner")
    node = await Node.open(tmp_path / "n", KEY)
    async with node.store.write() as tx:
        await credentials.add_held(tx, held("transcript", document=json.dumps(BASE).encode()))
    await node.stop()
    return tmp_path / "n"


def test_one_result_of_a_transcript_is_written_to_a_file_and_verifies(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "one.json"
    arguments = ("records", "transcript", "--reveal", "/credentialSubject/result/2", "--export", file)
    assert run(monkeypatch, *arguments, "--home", home) == 0
    text = file.read_text(encoding="utf-8")
    assert [grade for grade in GRADES if f'"{grade}"' in text] == [GRADES[2]]
    capsys.readouterr()
    arguments = ("verify", file, "--trust", BASE["issuer"]["id"], "--offline", "--json", "--home", home)
    assert run(monkeypatch, *arguments) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True


def test_a_part_that_is_not_there_is_refused_and_no_file_is_written(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "none.json"
    arguments = ("records", "transcript", "--reveal", "/nothing", "--export", file, "--json", "--home", home)
    assert run(monkeypatch, *arguments) == 2
    assert "pointer.nothing_there" in "".join(capsys.readouterr())
    assert not file.exists()


def test_what_is_revealed_is_of_one_held_record(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "records", "--reveal", "/name", "--home", home) == 2
    assert "part of one held record" in capsys.readouterr().err
