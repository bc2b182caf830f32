"""What tests of commands share: a folder of a node, and a way to run a command in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.admin.helpers import make_node
from tests.cli.test_commands import run
from tests.opening import KEY_TEXT

Command = Callable[..., tuple[int, str]]
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """An issuer's."""
    await make_node(tmp_path / "n", "College", issuer=True)
    return tmp_path / "n"


@pytest.fixture
def typed(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Runs a command; its exit code, and what it writes and what it says beside."""
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = run(monkeypatch, *arguments, "--home", home)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


@pytest.fixture
def lernode(typed: Typed) -> Command:
    """Runs a command; its exit code, and all that it shows."""

    def call(*arguments: str | Path) -> tuple[int, str]:
        code, out, err = typed(*arguments)
        return code, out + err

    return call
