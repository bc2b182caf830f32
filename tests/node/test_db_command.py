"""``lernode db``: what a person does with the store of a node that does not run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from node.cli.main import cli
from node.config import STORE_FILE
from tests.node.nodes import free_port, make_home, settings
from tests.opening import KEY_TEXT
from tests.postgresql import empty_place_url
from tests.store_files import changed


@pytest.fixture
def home(tmp_path: Path) -> Path:
    asyncio.run(make_home(tmp_path / "college", settings("college", free_port()), issuer=True))
    return tmp_path / "college"


def run(home: Path, *words: str, code: int = 0, **environment: str) -> Any:
    variables = {"LERNODE_KEY": KEY_TEXT, **environment}
    result = CliRunner().invoke(cli, ["--home", str(home), "db", *words, "--json"], env=variables)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def _without_audit(copied: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in copied if each["table"] != "audit"]


def test_a_node_moves_to_a_server_and_back(home: Path) -> None:
    url = empty_place_url()
    there = run(home, "move", "--to", url)
    assert {each["table"]: each["rows"] for each in there}["vault"] == 1
    assert run(home, "status", LERNODE_DATABASE_URL=url)["pending"] == []
    checked = run(home, "check", LERNODE_DATABASE_URL=url)
    assert checked["broken"] == []
    assert checked["safeguards"]["data checksums"] == "on"
    assert "amcheck" in checked["safeguards"]
    (home / STORE_FILE).rename(home / "before.sqlite")
    back = run(home, "move", "--to-file", LERNODE_DATABASE_URL=url)
    # Of the first move, the store that it made has an entry.
    assert _without_audit(back) == _without_audit(there)
    assert [each["rows"] for each in back if each["table"] == "audit"] == [3]
    assert run(home, "check") == {"broken": [], "safeguards": {"data checksums": "on"}}


def test_status_changes_nothing_and_upgrade_applies_what_waits(home: Path) -> None:
    newest = run(home, "status")["version"]
    taken_back = "DELETE FROM schema_version WHERE name = 'new_keys'; DROP INDEX keys_by_time; DROP INDEX dids_by_time"
    changed(home / STORE_FILE, taken_back)
    for _ in range(2):
        assert run(home, "status")["pending"] == ["new_keys"]
    assert run(home, "upgrade") == {"store": str(home / STORE_FILE), "version": newest, "pending": []}


def test_damage_is_found_and_ends_with_a_code_of_its_own(home: Path) -> None:
    changed(home / STORE_FILE, "PRAGMA foreign_keys = OFF; DELETE FROM keys")
    broken = run(home, "check", code=1)["broken"]
    assert broken and all(each["where"].startswith("keys/") for each in broken)
