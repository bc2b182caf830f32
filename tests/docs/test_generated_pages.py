"""The generated pages say what the code says, and a code of an error means one thing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.reference.error_sites import BUILT, BUILT_REASONS, Site, error_sites, reason_sites
from scripts.reference.pages import PAGES, ROOT
from scripts.reference.state_machines import MACHINES, diagram

CODE = re.compile(r"[a-z0-9_]+\.(?:[A-Za-z0-9_.]|<\w+>)+")


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"docs/{name} is out of date; write it anew with: scripts/docs"


def test_the_command_says_that_all_pages_are_up_to_date() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "scripts.reference", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_a_code_is_raised_with_one_class_only() -> None:
    kinds: dict[str, set[str]] = {}
    for site in error_sites(ROOT):
        kinds.setdefault(site.code, set()).add(site.kind)
    assert {code: found for code, found in kinds.items() if len(found) > 1} == {}


def test_a_code_that_a_check_shares_with_an_error_ends_the_check_one_way() -> None:
    endings: dict[str, set[str]] = {}
    for site in reason_sites(ROOT):
        endings.setdefault(site.code, set()).add(f"{site.hint} {site.kind}")
    assert {code: found for code, found in endings.items() if len(found) > 1} == {}


def test_every_code_has_an_area_and_a_name() -> None:
    codes = [site.code for site in (*error_sites(ROOT), *reason_sites(ROOT))]
    assert [code for code in codes if CODE.fullmatch(code) is None] == []


def test_what_is_said_by_hand_of_built_codes_is_still_in_the_code() -> None:
    found = {(site.file, site.code) for site in error_sites(ROOT)}
    assert {(file, code) for (file, _), codes in BUILT.items() for code in codes} - found == set()
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "protocols").rglob("*.py"))
    names = {code.rpartition(".")[2].removeprefix("not_") for codes in BUILT_REASONS.values() for code in codes}
    assert {name for name in names if f'"{name}"' not in sources and f'"not_{name}"' not in sources} == set()


def test_every_thing_that_can_be_unknown_or_stored_twice_is_listed() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "storage").rglob("*.py"))
    for call, ending in (("unknown", "unknown"), ("already_stored", "exists")):
        called = {thing.replace(" ", "_") for thing in re.findall(rf'\b{call}\("([a-z ]+)"\)', text)}
        listed = {
            code.partition(".")[0]
            for (file, expression), codes in BUILT.items()
            if file == "storage/errors.py" and f".{ending}" in expression
            for code in codes
        }
        assert called == listed


def test_a_code_built_in_a_new_way_must_be_said_by_hand(tmp_path: Path) -> None:
    for package in ("protocols", "storage", "node"):
        (tmp_path / package).mkdir()
    (tmp_path / "node" / "new.py").write_text("def f(x):\n    raise BadInput(x + '.y', 'It is so.', 'Do this.')\n")
    with pytest.raises(LookupError, match=r"node/new\.py"):
        error_sites(tmp_path)


def test_the_sentences_of_an_error_are_found_also_where_they_stand_in_variables(tmp_path: Path) -> None:
    for package in ("protocols", "storage", "node"):
        (tmp_path / package).mkdir()
    (tmp_path / "node" / "new.py").write_text(
        "def f(x):\n    why = 'First.'\n    hint = f'Use {x}.'\n    raise NotNow('a.b', why, hint)\n"
    )
    assert error_sites(tmp_path) == [Site("node/new.py", "a.b", "NotNow", "First.", "Use ….")]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.title)
def test_a_diagram_has_every_transition(machine: object) -> None:
    transitions = machine.transitions  # type: ignore[attr-defined]
    for role in {role for role, _, _ in transitions}:
        arrows = "\n".join(diagram(transitions, role))
        for (who, state, event), target in transitions.items():
            if who == role:
                source, goal = (re.sub(r"\W", "_", name.value) for name in (state, target))
                (arrow,) = [line for line in arrows.splitlines() if line.strip().startswith(f"{source} --> {goal}:")]
                assert event.value in arrow
