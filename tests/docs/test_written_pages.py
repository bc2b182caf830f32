"""The pages that people wrote: their links lead somewhere, their commands and options exist, no machine is in them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from node.cli.main import COMMANDS, cli
from node.config import STORE_FILE, describe
from node.http.admin import OPERATIONS
from protocols.credentials.verification import Check
from scripts.reference.pages import ROOT

PAGES = sorted((*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"))
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]+)?\)")
COMMAND = re.compile(r"(?:^|[`$ ])(?:\.venv/bin/)?lernode ((?:[a-z]+)[^`\n]*)")
ids = [page.name for page in PAGES]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor[1:] in anchors(file), f"{page.name} links to {target}{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_and_their_options_exist(page: Path) -> None:
    for block in re.findall(r"```(?:sh|console)\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for command in COMMAND.findall(line):
                name, *words = shlex.split(command.split(" #")[0], comments=True)
                assert name in COMMANDS, f"{page.name}: lernode {name}"
                known = cli.get_command(click.Context(cli), name)
                assert known is not None
                if isinstance(known, click.Group) and words and not words[0].startswith("-"):
                    assert words[0] in known.commands, line
                    known = known.commands[words[0]]
                options = {option for parameter in known.params for option in parameter.opts} | {"--help"}
                assert {word.split("=")[0] for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_configuration_keys_that_are_named_exist(page: Path) -> None:
    sections = {section for section, *_ in describe()}
    keys = {f"{section}.{key}" for section, key, *_ in describe()} | {STORE_FILE}
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", page.read_text(encoding="utf-8")))
    if page.name not in {"errors.md", "verification.md"}:  # where codes have the same form
        assert {name for name in named if name.split(".")[0] in sections - {"status", "issuer"}} <= keys


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    assert re.findall(r"/(?:work|root|home)/\S+", page.read_text(encoding="utf-8")) == []


def test_every_check_is_explained() -> None:
    text = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
    assert [check.value for check in Check if f"`{check.value}`" not in text] == []


def test_paths_of_the_admin_api_that_are_named_exist() -> None:
    text = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    paths = {re.sub(r"\{\w+\}", "ID", operation.path) for operation in OPERATIONS}
    named = {re.sub(r"\$[A-Z]+", "ID", path) for path in re.findall(r"/admin/[\w/$-]+", text)}
    assert named <= paths


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in index] == []
