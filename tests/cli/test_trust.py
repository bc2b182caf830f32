"""``lernode trust``: rules added, used, explained and removed, as a person does it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.admin.helpers import make_node
from tests.cli.test_commands import run
from tests.opening import KEY_TEXT

Trust = Callable[..., tuple[int, str]]
COLLEGE = "did:web:college.example"


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    await make_node(tmp_path / "n", "Employer", trust=("did:web:configured.example",))
    return tmp_path / "n"


@pytest.fixture
def trust(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Trust:
    """Runs the command; its exit code, and all that it shows."""
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)

    def call(*arguments: str | Path) -> tuple[int, str]:
        code = run(monkeypatch, "trust", *arguments, "--home", home)
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return call


def as_json(shown: str) -> Any:
    return json.JSONDecoder().raw_decode(shown)[0]  # what follows went to standard error


def test_a_rule_is_added_explained_and_forgotten(trust: Trust) -> None:
    code, shown = trust("add", COLLEGE, "--for", "Certificate", "--until", "2027-08-31", "--note", "Visited", "--json")
    assert code == 0, shown
    rule = as_json(shown)
    assert rule["validUntil"] == "2027-08-31T23:59:59Z"

    code, shown = trust("explain", COLLEGE, "--type", "Certificate")
    assert code == 0
    assert f"rule {rule['id'][:8]} of this node says so" in shown
    assert "Visited" in shown
    code, shown = trust("explain", COLLEGE, "--type", "Diploma")
    assert code == 1
    assert "the achievement is of another type" in shown
    code, shown = trust("explain", COLLEGE, "--type", "Certificate", "--at", "2027-09-01")
    assert code == 1
    assert "after that ended" in shown
    assert trust("explain", "did:web:configured.example", "--type", "Diploma")[0] == 0

    code, shown = trust("list")
    assert code == 0
    assert "did:web:configured.example" in shown
    assert "type Certificate" in shown
    assert trust("remove", rule["id"][:8])[0] == 0
    assert trust("explain", COLLEGE, "--type", "Certificate")[0] == 1
    assert trust("remove", rule["id"][:8])[0] == 2


BACKWARDS = [COLLEGE, "--from", "2027-01-01", "--until", "2026-01-01"]


@pytest.mark.parametrize("wrong", [["college.example"], ["did:web:"], BACKWARDS])
def test_a_rule_that_makes_no_sense_is_refused(trust: Trust, wrong: list[str]) -> None:
    assert trust("add", *wrong)[0] == 2
    assert as_json(trust("list", "--json")[1])["rules"]["items"] == []


@pytest.fixture
async def issuer(tmp_path: Path) -> Path:
    await make_node(tmp_path / "i", "Consortium", issuer=True)
    return tmp_path / "i"


def test_the_commands_that_make_signed_documents_say_where_these_are(
    issuer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    accreditation = tmp_path / "college.json"
    command = ["trust", "accredit", COLLEGE, "--for", "Certificate", "-o", accreditation, "--home", issuer]
    assert run(monkeypatch, *command) == 0
    assert json.loads(accreditation.read_bytes())["credentialSubject"][0]["id"] == COLLEGE
    assert run(monkeypatch, *command) == 2, "it overwrites nothing"
    assert run(monkeypatch, "trust", "publish", "colleges", "--home", issuer) == 2, "there is no rule yet"
    assert run(monkeypatch, "trust", "add", COLLEGE, "--home", issuer) == 0
    assert run(monkeypatch, "trust", "publish", "colleges", "--title", "Colleges", "--home", issuer) == 0
    assert run(monkeypatch, "trust", "list", "--home", issuer) == 0
    shown = capsys.readouterr().out
    assert "/trust/colleges" in shown
    assert run(monkeypatch, "trust", "follow", accreditation, "--publisher", COLLEGE, "--home", issuer) != 0
