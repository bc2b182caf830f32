"""``lernode skills``: the table, one skill, and the files to look at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from node.app import Node
from tests.admin.helpers import make_node
from tests.cli.test_commands import run
from tests.node.profiles import WELDER, alignment, hold, skill_record
from tests.opening import KEY, KEY_TEXT


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    await make_node(tmp_path / "n", "Learner")
    node = await Node.open(tmp_path / "n", KEY)
    result = [{"type": ["Result"], "value": "B"}]
    reading = alignment("قراءة", targetCode="R-1", targetFramework="Ours")
    await hold(node, skill_record(1, WELDER, result=result), skill_record(2, WELDER, reading, year=2025))
    await node.stop()
    return tmp_path / "n"


def test_skills_are_listed_and_one_is_shown_with_its_records(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "skills", "--home", home) == 0
    listed = capsys.readouterr().out
    assert "2 of 2" in listed
    assert "Ours (not known here)" in listed
    assert run(monkeypatch, "skills", "51-4121.00", "--home", home) == 0
    shown = capsys.readouterr().out
    assert "Result: B" in shown
    assert "Riverside (undecided)" in shown
    assert run(monkeypatch, "skills", "--as", "esco", "--home", home) == 0
    assert "No held record attests a skill of esco." in capsys.readouterr().out
    assert run(monkeypatch, "skills", "juggling", "--home", home) == 2


def test_picture_and_page_are_written_to_new_files_only(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    svg, page = tmp_path / "skills.svg", tmp_path / "skills.html"
    assert run(monkeypatch, "skills", "--svg", svg, "--html", page, "--home", home) == 0
    assert "قراءة" in svg.read_text(encoding="utf-8")
    assert "قراءة" in page.read_text(encoding="utf-8")
    assert run(monkeypatch, "skills", "--svg", svg, "--home", home) == 2
    capsys.readouterr()
    assert run(monkeypatch, "skills", "--json", "--home", home) == 0
    assert [item["count"] for item in json.loads(capsys.readouterr().out)["items"]] == [2, 1]
