"""The commands as a user runs them: their help, their errors, and what they do where no node runs."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.cli.main import COMMANDS, cli, main
from tests.admin.helpers import make_node
from tests.credentials import worlds as credentials
from tests.opening import KEY_TEXT


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    await make_node(tmp_path / "n", "College", issuer=True)
    return tmp_path / "n"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["lernode", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_by_example(name: str) -> None:
    command = cli.get_command(cli.make_context("lernode", ["--help"], resilient_parsing=True), name)
    assert command is not None
    assert command.help is not None
    assert f"lernode {name}" in command.help
    assert command.short_help == COMMANDS[name][1]


def test_the_overview_loads_no_heavy_module() -> None:
    code = "import sys, node.cli.main; print(sorted({'aiohttp', 'pyld', 'apsw', 'msgspec'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_without_a_node_it_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "status", "--home", tmp_path) == 2
    assert "next: Make one with: lernode init" in capsys.readouterr().err


def test_a_wrong_option_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "status", "--nope", "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] == "cli.usage"


def test_dids_are_made_and_chosen_without_a_running_node(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "did", "create", "--method", "jwk", "--key", "p384", "--issuer", "--home", home) == 0
    made, about = capsys.readouterr().out.splitlines()
    assert made.startswith("did:jwk:")
    assert about.startswith("  issuer, did:jwk, p384, active")
    assert run(monkeypatch, "did", "--home", home, "default", made) == 0
    assert "issuer, default, did:jwk" in capsys.readouterr().out
    assert run(monkeypatch, "did", "--home", home, "--json") == 0
    listed = {own["did"]: own for own in json.loads(capsys.readouterr().out)["items"]}
    assert listed[made]["isDefault"]
    web = next(did for did in listed if did.startswith("did:web:"))
    assert run(monkeypatch, "did", "add-key", web, "--key", "p256", "--home", home, "--json") == 0
    assert [key["kind"] for key in json.loads(capsys.readouterr().out)["keys"]] == ["ed25519", "p256"]
    assert run(monkeypatch, "did", "add-key", made, "--key", "p256", "--home", home) == 2
    assert "did:jwk has one key" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["records", "accept", "receipts"])
def test_an_empty_name_is_refused_with_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(monkeypatch, command, "", "--home", home) == 2
    assert "empty" in capsys.readouterr().err


def test_a_did_is_resolved_with_its_metadata(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    did = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b"
    assert run(monkeypatch, "did", "resolve", did, "--home", home) == 0
    assert did in capsys.readouterr().out
    assert run(monkeypatch, "did", "resolve", "did:key:@", "--home", home, "--json") == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["content"]) == (400, None)
    assert shown["resolutionMetadata"]["error"]["type"] == "https://www.w3.org/ns/did#INVALID_DID"
    assert run(monkeypatch, "did", "resolve", did, "--version-id", "1-x", "--home", home) == 1
    assert "FEATURE_NOT_SUPPORTED" in capsys.readouterr().out


def test_issue_export_verify_and_revoke_without_a_running_node(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "record.json"
    arguments = ("issue", "weld-101", "--to", "did:example:ada", "--name", "Ada", "--out", file, "--json")
    assert run(monkeypatch, *arguments, "--home", home) == 0
    issued = json.loads(capsys.readouterr().out)
    assert json.loads(file.read_bytes()) == issued["document"]
    assert run(monkeypatch, "verify", file, "--any-issuer", "--offline", "--json", "--home", home) == 1
    result = json.loads(capsys.readouterr().out)
    assert result["verified"] is False
    assert run(monkeypatch, "revoke", issued["id"][:8], "--json", "--home", home) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "revoked"
    assert run(monkeypatch, "reinstate", issued["id"], "--home", home) == 1
    assert run(monkeypatch, "log", "verify", "--home", home) == 0


def test_terms_evidence_and_refresh_service_of_a_verified_record_are_shown(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = {"id": "https://college.example/video", "type": ["Evidence"], "name": "Video", "narrative": "A weld."}
    signed = credentials.issue(credentials.record(evidence=[evidence]), created=datetime(2026, 1, 2, tzinfo=UTC))
    file = tmp_path / "record.json"
    file.write_text(json.dumps(signed), encoding="utf-8")
    arguments = ("verify", file, "--trust", signed["issuer"]["id"], "--offline", "--home", home)
    assert run(monkeypatch, *arguments) == 0
    assert "evidence: Evidence · https://college.example/video · name: Video" in capsys.readouterr().out
    assert run(monkeypatch, *arguments, "--json") == 0
    (shown,) = json.loads(capsys.readouterr().out)["attached"]
    assert shown["texts"] == [["name", "Video"], ["narrative", "A weld."]]
    file.write_text(json.dumps({**signed, "name": "Another"}), encoding="utf-8")
    assert run(monkeypatch, *arguments, "--json") == 1
    assert json.loads(capsys.readouterr().out)["attached"] == []


def test_a_message_is_set_on_a_record_and_shown(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LERNODE_STATUS_PURPOSES", "revocation,message,refresh")
    monkeypatch.setenv("LERNODE_STATUS_MESSAGES", "pending,accepted")
    arguments = ("issue", "weld-101", "--to", "did:example:ada", "--out", tmp_path / "record.json", "--json")
    assert run(monkeypatch, *arguments, "--home", home) == 0
    record = json.loads(capsys.readouterr().out)["id"][:8]
    assert run(monkeypatch, "mark", record, "accepted", "--home", home) == 0
    assert "has the message “accepted”" in capsys.readouterr().out
    assert run(monkeypatch, "mark", record, "--refresh", "--home", home) == 0
    assert "has a newer version" in capsys.readouterr().out
    assert run(monkeypatch, "records", "--issued", record, "--home", home) == 0
    shown = capsys.readouterr().out
    assert "status: message     accepted" in shown
    assert "status: revocation  unset" in shown
    for wrong in ((), ("accepted", "--refresh"), ("lost",)):
        assert run(monkeypatch, "mark", record, *wrong, "--home", home) == 2


def test_nothing_is_issued_to_a_file_that_is_there_already(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "record.json"
    file.write_text("mine", encoding="utf-8")
    assert run(monkeypatch, "issue", "weld-101", "--to", "ada@example.org", "--out", file, "--home", home) == 2
    assert "Choose another name" in capsys.readouterr().err
    assert run(monkeypatch, "records", "--issued", "--json", "--home", home) == 0
    assert json.loads(capsys.readouterr().out)["items"] == []
    assert file.read_text(encoding="utf-8") == "mine"


def test_a_bad_row_of_a_list_is_named_by_its_line_and_the_others_are_issued(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learners = tmp_path / "learners.csv"
    learners.write_text("name,email\nAda,ada@example.org\nBob,not an address\nCy,cy@example.org\n", encoding="utf-8")
    common = ("issue", "weld-101", "--csv", learners, "--json", "--home", home)
    assert run(monkeypatch, *common, "--out", tmp_path / "strict", "--strict") == 1
    assert json.loads(capsys.readouterr().out)["issued"] == []
    assert list((tmp_path / "strict").iterdir()) == []
    assert run(monkeypatch, *common, "--out", tmp_path / "out") == 1
    outcome = json.loads(capsys.readouterr().out)
    assert [problem["line"] for problem in outcome["problems"]] == [3]
    assert [row["line"] for row in outcome["issued"]] == [2, 4]
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_list_that_is_issued_again_gives_nobody_a_second_record(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learners = tmp_path / "learners.csv"
    learners.write_text("name,did\n" + "".join(f"L{n},did:example:{n}\n" for n in range(5)), encoding="utf-8")
    common = ("issue", "weld-101", "--csv", learners, "--json", "--home", home)
    assert run(monkeypatch, *common) == 0
    first = json.loads(capsys.readouterr().out)
    assert [(row["line"], row["file"], row["isNew"]) for row in first["issued"]] == [
        (line, None, True) for line in range(2, 7)
    ]
    out = tmp_path / "out"
    for _ in range(2):
        assert run(monkeypatch, *common, "--out", out) == 0
        again = json.loads(capsys.readouterr().out)
        assert [row["record"] for row in again["issued"]] == [row["record"] for row in first["issued"]]
        assert not any(row["isNew"] for row in again["issued"])
    files = sorted(out.iterdir())
    assert [str(file) for file in files] == [row["file"] for row in again["issued"]]
    files[0].write_text("mine", encoding="utf-8")
    assert run(monkeypatch, *common, "--out", out) == 1
    assert [(p["line"], p["code"]) for p in json.loads(capsys.readouterr().out)["problems"]] == [(2, "cli.file_exists")]
    assert files[0].read_text(encoding="utf-8") == "mine"
    # Another end of validity is another award.
    assert run(monkeypatch, *common, "--valid-until", "2099-01-01") == 0
    assert all(row["isNew"] for row in json.loads(capsys.readouterr().out)["issued"])


def test_an_invitation_can_be_shown_as_a_code(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = tmp_path / "code.svg"
    assert run(monkeypatch, "invite", "--qr-file", code, "--json", "--home", home) == 0
    assert json.loads(capsys.readouterr().out)["url"].startswith("http://localhost")
    assert b"<svg" in code.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("issue weld-101 --to ada@example.org --data-model 1.1", "--data-model does nothing for a file"),
        ("issue weld-101 --to did:key:z --email ada@example.org", "--email does nothing for a file"),
        ("issue weld-101 --to ada@example.org --comment Hi --expires 3", "--comment and --expires do nothing"),
        ("issue weld-101 --to Ada --didcomm v2", "--didcomm does nothing for a connection"),
        ("issue weld-101 --to Ada --out ada.json --qr", "--qr and --out do nothing for a connection"),
        ("issue weld-101 --link --wait 5", "--wait does nothing with --link"),
        ("issue weld-101 --csv CSV --name Ada", "--name does nothing with --csv"),
        ("request Ada --type X --didcomm v2", "--didcomm does nothing without --link"),
        ("request Ada --type X --multi-use --qr", "--multi-use and --qr do nothing without --link"),
        ("request --link --type X --wait 5", "--wait does nothing with --link"),
        ("present --yes", "--yes does nothing without the id of a request"),
        ("present 9b1e --decline no --choose a=b", "--choose does nothing with --decline"),
        ("accept --new", "--new does nothing where nothing is named"),
        ("accept 3f2a --new", "--new does nothing for what waits here"),
        ("accept 3f2a --yes --decline no", "--yes does nothing with --decline"),
    ],
)
def test_no_option_is_passed_over_in_silence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    words = [str(home / "lernode.toml") if word == "CSV" else word for word in arguments.split()]
    assert run(monkeypatch, *words, "--home", home) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("more", [("--to", "ada@example.org"), ("--to", "Ada", "--result", "B")])
def test_several_achievements_can_only_be_offered_and_without_a_result(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    assert run(monkeypatch, "issue", "weld-101", "code-110", *more, "--home", home) == 2
    assert "Only an offer may be of several achievements" in capsys.readouterr().err
