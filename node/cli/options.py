"""The options that all commands share, and the secret that opens a node."""

from __future__ import annotations

import functools
import os
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from node.cli.output import line
from protocols.errors import BadInput

__all__ = ["Setting", "common", "read_passphrase", "suggest"]

_MAX_PASSPHRASE_FILE = 4096
_COMMAND = re.compile(r"\blernode [a-z]+")


@dataclass(frozen=True, slots=True)
class Setting:
    """Which node is meant, and how the user wants answers."""

    home: Path
    json: bool
    passphrase_file: Path | None


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--home``, ``--json`` and ``--passphrase-file``, and a :class:`Setting` as its first argument.

    A command below it has what was given to it as its own.
    """

    @click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Folder of the node (~/.lernode).")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    @click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="File with the passphrase; or set LERNODE_PASSPHRASE, or be asked.",
    )
    @click.pass_context
    @functools.wraps(command)
    def wrapped(
        ctx: click.Context, /, *args: Any, home: Path | None, as_json: bool, passphrase_file: Path | None, **more: Any
    ) -> Any:
        above = ctx.find_object(Setting)
        if above is not None:
            setting = Setting(home or above.home, as_json or above.json, passphrase_file or above.passphrase_file)
        else:
            setting = Setting(home or ctx.find_object(Path) or _default_home(), as_json, passphrase_file)
        ctx.obj = setting = replace(setting, home=setting.home.expanduser())
        return command(setting, *args, **more)

    return wrapped


def suggest(text: str) -> None:
    """What to do next; a command in it names the node's folder where that is not the one taken without saying."""
    setting = click.get_current_context().find_object(Setting)
    if setting is not None and setting.home != _default_home().expanduser():
        home = shlex.quote(str(setting.home))
        text = _COMMAND.sub(lambda found: f"{found[0]} --home {home}", text)
    line(f"Next: {text}")


def read_passphrase(setting: Setting, *, new: bool = False) -> str:
    """The passphrase of the node: from the file, the environment, or the person at the terminal.

    Args:
        new: a passphrase is being chosen, so a person types it twice.

    Raises:
        BadInput: ``cli.no_passphrase`` where there is nobody to ask, ``cli.passphrase_file``.
    """
    if setting.passphrase_file is not None:
        return _from_file(setting.passphrase_file)
    given = os.environ.get("LERNODE_PASSPHRASE")
    if given:
        return given
    if not sys.stdin.isatty():
        raise BadInput(
            "cli.no_passphrase",
            "The passphrase of the node is needed, and nobody is there to be asked.",
            "Set LERNODE_PASSPHRASE, or name a file with --passphrase-file.",
        )
    text = "Choose a passphrase (it seals the node's keys)" if new else "Passphrase of the node"
    return str(click.prompt(text, hide_input=True, confirmation_prompt=new, err=True))


def _from_file(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if len(raw) > _MAX_PASSPHRASE_FILE:
            raise BadInput("cli.passphrase_file", "The passphrase file is too large.", "Name another file.")
        text = raw.decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise BadInput("cli.passphrase_file", "The passphrase file cannot be read.", "Name a text file.") from None
    if not text:
        raise BadInput("cli.passphrase_file", "The passphrase file is empty.", "Write the passphrase into it.")
    return text


def _default_home() -> Path:
    named = os.environ.get("LERNODE_HOME")
    return Path(named) if named else Path.home() / ".lernode"
