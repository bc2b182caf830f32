"""``lernode resume``: put together, ordered, shared and taken back from the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from node.app import Node
from protocols.credentials.issue import issue
from tests.admin.helpers import make_node
from tests.cli.test_commands import run
from tests.credentials.worlds import CREATED, ISSUER, record
from tests.node.profiles import WELDER, hold, learner_did, skill_record
from tests.opening import KEY, KEY_TEXT


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    await make_node(tmp_path / "n", "Learner")
    node = await Node.open(tmp_path / "n", KEY)
    await hold(node, skill_record(1, WELDER, subject=await learner_did(node)))
    await node.stop()
    return tmp_path / "n"


def test_a_resume_is_put_together_shared_and_taken_back(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(*words: str) -> Any:
        assert run(monkeypatch, *words, "--json", "--home", home) == 0
        return json.loads(capsys.readouterr().out)

    record = ask("records")["items"][0]["id"]
    ask("resume", "new", "Welding", "--text", "Ten years of steel.")
    ask("resume", "add", "Welding", record[:6], "--text", "My first")
    made = ask("resume", "state", "Welding", "Crane", "I rebuilt it.", "--skill", "51-4121.00", "--at", "1")
    assert [(entry["name"], entry["ownStatement"]) for entry in made["entries"]] == [
        ("Crane", True),
        ("Welding", False),
    ]
    assert [entry["name"] for entry in ask("resume", "move", "Welding", "2", "1")["entries"]] == ["Welding", "Crane"]
    assert run(monkeypatch, "records", "--home", home) == 0
    assert "own statement" in capsys.readouterr().out
    assert len(ask("resume", "remove", "Welding", "1")["entries"]) == 1
    link = ask("resume", "share", "Welding", "--days", "3")
    assert "/r/" in link["url"]
    assert ask("resume", "shares")["items"][0]["state"] == "open"
    assert ask("resume", "withdraw", link["share"]["id"][:6])["state"] == "withdrawn"
    pdf = tmp_path / "welding.pdf"
    assert run(monkeypatch, "resume", "print", "Welding", "-o", pdf, "--home", home) == 0
    assert "Its code holds the signed records." in capsys.readouterr().out
    assert run(monkeypatch, "verify", "--qr", pdf, "--any-issuer", "--offline", "--home", home) == 0
    assert "VERIFIED" in capsys.readouterr().out
    assert run(monkeypatch, "verify", "--qr", "LERNODE1:ABC", "--home", home) == 2
    assert run(monkeypatch, "receipts", "--home", home) == 0
    assert "whoever has the link" in capsys.readouterr().out
    assert run(monkeypatch, "resume", "remove", "Welding", "9", "--home", home) == 2
    assert ask("resume", "delete", "Welding", "--yes")["title"] == "Welding"
    assert run(monkeypatch, "resume", "show", "Welding", "--home", home) == 2


def test_a_single_result_of_an_sd_jwt_is_chosen_by_its_name(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = record()
    achievement = document["credentialSubject"]["achievement"]
    achievement["resultDescription"] = [
        {"id": f"urn:r:{name}", "type": ["ResultDescription"], "name": name, "resultType": "LetterGrade"}
        for name in ("Theory", "Practice")
    ]
    document["credentialSubject"]["result"] = [
        {"type": ["Result"], "resultDescription": f"urn:r:{name}", "value": "A"} for name in ("Theory", "Practice")
    ]
    pointers = [f"/credentialSubject/result/{at}" for at in (0, 1)]
    made = issue(document, "vc+sd-jwt", ISSUER, created=CREATED, selective_pointers=pointers, entropy=os.urandom)
    (tmp_path / "sd.jwt").write_bytes(made.data)
    assert run(monkeypatch, "import", tmp_path / "sd.jwt", "--unverified", "--home", home) == 0
    capsys.readouterr()
    assert run(monkeypatch, "records", "--json", "--home", home) == 0
    held = json.loads(capsys.readouterr().out)["items"][0]["id"]
    run(monkeypatch, "resume", "new", "Part", "--home", home)
    assert run(monkeypatch, "resume", "add", "Part", held, "--result", "Nothing", "--home", home) == 2
    assert run(monkeypatch, "resume", "add", "Part", held, "--result", "Practice", "--home", home) == 0
    capsys.readouterr()
    assert run(monkeypatch, "resume", "show", "Part", "--json", "--home", home) == 0
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert "/credentialSubject/result/1" in entry["reveal"]
    assert "/credentialSubject/result/0" not in entry["reveal"]


def test_a_resume_leaves_as_ler_rs_and_says_who_vouches_for_what(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(*words: str, ends: int = 0) -> Any:
        assert run(monkeypatch, *words, "--json", "--home", home) == ends
        return json.loads(capsys.readouterr().out)

    record = ask("records")["items"][0]["id"]
    ask("resume", "new", "Welding", "--text", "Ten years of steel.")
    ask("resume", "add", "Welding", record[:6])
    ask("resume", "state", "Welding", "Crane", "I rebuilt it.")
    file = tmp_path / "welding.json"
    ask("resume", "export", "Welding", "-o", str(file), "--name", "Ada Lovelace")
    assert json.loads(file.read_text())["person"]["name"]["formattedName"] == "Ada Lovelace"
    found = ask("verify", str(file), ends=1)
    assert [(each["section"], each["name"], each["word"].partition(":")[0]) for each in found["entries"]][:3] == [
        ("narratives", "Welding", "self-asserted"),
        ("narratives", "Crane", "self-asserted"),
        ("certifications", "Welding", "NOT VERIFIED"),
    ]
    assert found["verified"] is False
    assert run(monkeypatch, "verify", str(file), "--home", home) == 1
    assert "self-asserted" in capsys.readouterr().out
