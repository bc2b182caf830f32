"""``lernode profile``, ``query`` and ``match``, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.admin.helpers import make_node
from tests.cli.conftest import Command, Typed


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    await make_node(tmp_path / "n", "Employer")
    return tmp_path / "n"


@pytest.fixture
def lernode(typed: Typed) -> Command:
    """Runs a command; its exit code, and what it writes."""

    def call(*arguments: str | Path) -> tuple[int, str]:
        code, out, _err = typed(*arguments)
        return code, out

    return call


def test_a_profile_is_kept_shown_exported_and_forgotten(lernode: Command, tmp_path: Path) -> None:
    code, shown = lernode("profile", "add", "welder", "--require", "51-4121.00", "--wish", "urn:skill:brazing")
    assert (code, "1 required, 1 wished" in shown) == (0, True)
    assert "Welders, Cutters" in lernode("profile", "show", "welder")[1]
    assert lernode("profile", "export", "welder", "-o", tmp_path / "w.json")[0] == 0
    assert lernode("profile", "add", "other", "--file", tmp_path / "w.json")[0] == 0
    found = json.loads(lernode("profile", "show", "other", "--json")[1])
    assert [each["need"] for each in found["requirements"]] == ["required", "wished"]
    assert lernode("profile", "remove", "other", "--yes")[0] == 0
    assert lernode("profile", "show", "other")[0] == 2
    assert lernode("profile", "add", "empty")[0] == 2
    assert lernode("profile", "add", "Not a name!", "--require", "urn:x:1")[0] == 2


def test_a_query_is_made_and_a_match_without_records_says_what_is_missing(lernode: Command, tmp_path: Path) -> None:
    assert lernode("profile", "add", "welder", "--require", "51-4121.00")[0] == 0
    definition = json.loads(lernode("query", "from-profile", "welder")[1])
    assert [each["id"] for each in definition["input_descriptors"]] == ["skill-1-by-url", "skill-1-by-code"]
    assert lernode("query", "from-profile", "welder", "-o", tmp_path / "q.json")[0] == 0
    code, shown = lernode("match", "welder")
    assert code == 1
    assert "No record attests it" in shown
    assert "required: 1 not met." in shown
    found = json.loads(lernode("match", "welder", "--json")[1])
    assert found["lines"][0]["outcome"] == "not-met"
    assert lernode("match", "nobody")[0] == 2


def test_a_query_may_leave_open_how_much_is_answered(lernode: Command) -> None:
    assert lernode("profile", "add", "welder", "--require", "51-4121.00", "--require", "urn:skill:brazing")[0] == 0
    (some,) = json.loads(lernode("query", "from-profile", "welder", "--at-least", "1")[1])["submission_requirements"]
    assert (some["rule"], some["min"], len(some["from_nested"])) == ("pick", 1, 2)
    assert lernode("query", "from-profile", "welder", "--at-least", "3")[0] == 2
    assert lernode("request", "nobody", "--skill", "51-4121.00", "--at-least", "1")[0] == 2


def test_what_is_missing_is_told_also_without_a_catalogue(lernode: Command) -> None:
    assert lernode("profile", "add", "welder", "--require", "51-4121.00")[0] == 0
    code, shown = lernode("pathways", "welder")
    assert code == 0
    assert "nothing closes it" in shown
    assert json.loads(lernode("pathways", "welder", "--json")[1])["open"] == [
        "Welders, Cutters, Solderers, and Brazers"
    ]
    assert lernode("catalogue", "take", "nowhere.json")[0] == 2
    assert lernode("catalogue", "forget", "did:web:nobody.example")[0] == 2
