"""``lernode cohort``: a report on a terminal, for a spreadsheet and for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from node.app import Node
from tests.admin.helpers import make_node
from tests.cli.test_commands import run
from tests.node.cohort_records import document, enrol, issue
from tests.opening import KEY, KEY_TEXT

Lernode = Callable[..., tuple[int, str]]
FORMULA = '=HYPERLINK("https://evil.example","Ada")'


@pytest.fixture
async def lernode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lernode:
    """Runs a command at a college with 12 welders, of whom one has a strange name."""
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    await make_node(tmp_path / "n", "College")
    node = await Node.open(tmp_path / "n", KEY)
    await enrol(node, 11, ["W"])
    await issue(node, document("did:example:ada", ["W", "B"], name=FORMULA))
    await node.stop()

    def call(*arguments: str | Path) -> tuple[int, str]:
        code = run(monkeypatch, *arguments, "--home", tmp_path / "n")
        return code, capsys.readouterr().out

    return call


def test_a_report_is_a_table_json_or_a_file_for_a_spreadsheet(lernode: Lernode, tmp_path: Path) -> None:
    code, shown = lernode("cohort", "report")
    assert (code, "12 learners, 12 records." in shown) == (0, True)
    found = json.loads(lernode("cohort", "report", "--json")[1])
    assert [(each["code"], each["learners"]) for each in found["skills"]] == [("W", 12), ("B", 1)]
    out = tmp_path / "skills.csv"
    assert lernode("cohort", "report", "--out", out)[0] == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["skill"], row["learners"]) for row in rows] == [("Skill W", "12"), ("Skill B", "1")]
    assert lernode("cohort", "report", "--out", out)[0] == 2, "nothing is overwritten"


def test_no_name_of_a_learner_is_a_formula_in_a_spreadsheet(lernode: Lernode, tmp_path: Path) -> None:
    out = tmp_path / "class.csv"
    assert lernode("cohort", "report", "--learners", "--out", out)[0] == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["subject"]: row for row in csv.DictReader(file)}
    assert len(rows) == 12
    assert rows["did:example:ada"]["name"] == f"'{FORMULA}"
    assert rows["did:example:ada"]["codes"] == "W; B"


def test_learners_are_written_as_json_lines_but_not_as_a_table(lernode: Lernode, tmp_path: Path) -> None:
    out = tmp_path / "class.jsonl"
    assert lernode("cohort", "report", "--learners", "--out", out)[0] == 0
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [each["name"] for each in lines if each["name"]] == [FORMULA]
    assert lernode("cohort", "report", "--learners")[0] == 2
    assert lernode("cohort", "report", "--out", tmp_path / "class.xls")[0] == 2


def test_the_policy_says_who_may_ask_and_is_set(lernode: Lernode) -> None:
    code, shown = lernode("cohort", "policy")
    assert (code, "Nobody may ask." in shown) == (0, True)
    assert "25 learners" in lernode("cohort", "policy", "--minimum", "25", "--budget", "3", "--period", "90")[1]
    found = json.loads(lernode("cohort", "policy", "--json")[1])
    assert (found["minimum"], found["budget"], found["period"], found["spent"]) == (25, "3", 90, "0")
    assert lernode("cohort", "policy", "--budget", "99")[0] == 2
    assert lernode("cohort", "allow", "Nobody")[0] == 2
    assert lernode("cohort", "refuse", "Nobody")[0] == 2


def test_a_question_needs_a_peer_and_skills(lernode: Lernode) -> None:
    assert lernode("cohort", "ask", "Nobody", "--skill", "W")[0] == 2
    assert lernode("cohort", "ask", "Nobody")[0] == 2
    assert lernode("cohort", "result", "3f2a")[0] == 2
    assert "QUESTION" in lernode("cohort", "result")[1]
    assert "No question waits" in lernode("cohort", "waiting")[1]
