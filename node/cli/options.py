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
from typing import TYPE_CHECKING, Any

import click
import msgspec
from click.core import ParameterSource

from node.cli.output import emit_json, line
from protocols.errors import BadInput

if TYPE_CHECKING:
    from storage.secrets import Secret

__all__ = ["Setting", "common", "only_used", "read_file_passphrase", "read_new_secret", "read_secret", "suggest"]

_MAX_SECRET_FILE = 4096
_CREDENTIAL = "lernode."  # the names of systemd credentials: lernode.passphrase and lernode.key
_COMMON = frozenset({"home", "as_json", "passphrase_file", "key_file"})
_COMMAND = re.compile(r"\blernode [a-z]+")


@dataclass(frozen=True, slots=True)
class Setting:
    """Which node is meant, and how the user wants answers."""

    home: Path
    json: bool
    passphrase_file: Path | None
    key_file: Path | None = None

    def shown_as_json(self, answer: Any) -> bool:
        """Whether the user wants the JSON document of ``--json``, which then stands on standard output already."""
        if self.json:
            emit_json(msgspec.json.encode(answer))
        return self.json


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--home``, ``--json`` and where its secret is, and a :class:`Setting` as its first argument.

    A command below it has what was given to it as its own.
    """

    @click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Folder of the node (~/.lernode).")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    @click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="File with the passphrase; or set LERNODE_PASSPHRASE, or be asked.",
    )
    @click.option(
        "--key-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="File with a key of 32 random bytes instead; or set LERNODE_KEY.",
    )
    @click.pass_context
    @functools.wraps(command)
    def wrapped(
        ctx: click.Context,
        /,
        *args: Any,
        home: Path | None,
        as_json: bool,
        passphrase_file: Path | None,
        key_file: Path | None,
        **more: Any,
    ) -> Any:
        above = ctx.find_object(Setting)
        if above is not None:
            home, as_json = home or above.home, as_json or above.json
            passphrase_file, key_file = passphrase_file or above.passphrase_file, key_file or above.key_file
        home = home or ctx.find_object(Path) or _default_home()
        setting = Setting(home, as_json, passphrase_file, key_file)
        ctx.obj = setting = replace(setting, home=setting.home.expanduser())
        return command(setting, *args, **more)

    return wrapped


def only_used(*names: str, use: str) -> None:
    """Refuse options that were given and do nothing in the way that the command is used, so that none is passed over.

    Args:
        names: of the parameters that do something there.
        use: that way, e.g. ``with --link``.

    Raises:
        BadInput: ``cli.usage``.
    """
    context = click.get_current_context()
    given = [
        max(parameter.opts, key=len)
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and parameter.name not in (*names, *_COMMON)
        and context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    ]
    if given:
        one, it = ("does", "it") if len(given) == 1 else ("do", "them")
        raise BadInput(
            "cli.usage",
            f"{' and '.join(given)} {one} nothing {use}.",
            f"Leave {it} out, or see: {context.command_path} --help",
        )


def suggest(text: str) -> None:
    """What to do next; a command in it names the node's folder where that is not the one taken without saying."""
    setting = click.get_current_context().find_object(Setting)
    if setting is not None and setting.home != _default_home().expanduser():
        home = shlex.quote(str(setting.home))
        text = _COMMAND.sub(lambda found: f"{found[0]} --home {home}", text)
    line(f"Next: {text}")


def read_secret(setting: Setting, *, new: bool = False) -> Secret:
    """What opens the node: a file, the environment, a credential of systemd, or what a person types at the terminal.

    The first that there is: ``--passphrase-file``, ``--key-file``, ``LERNODE_PASSPHRASE``, ``LERNODE_KEY``,
    ``$CREDENTIALS_DIRECTORY/lernode.passphrase``, ``$CREDENTIALS_DIRECTORY/lernode.key``.

    Args:
        new: a passphrase is being chosen, so a person types it twice.

    Raises:
        BadInput: ``cli.no_passphrase`` where there is nobody to ask, ``cli.passphrase_file``, ``store.key_unusable``.
    """
    given = _from_files(setting.passphrase_file, setting.key_file) or _from_environment("LERNODE_") or _from_systemd()
    if given is not None:
        return given
    text = "Choose a passphrase (it seals the node's keys)" if new else "Passphrase of the node"
    return _asked(text, new=new, variable="LERNODE_PASSPHRASE", option="--passphrase-file")


def read_new_secret(passphrase_file: Path | None, key_file: Path | None) -> Secret:
    """What is to open the node from now on: as :func:`read_secret`, with ``LERNODE_NEW_PASSPHRASE`` and ``_KEY``.

    Raises:
        BadInput: as :func:`read_secret`.
    """
    given = _from_files(passphrase_file, key_file) or _from_environment("LERNODE_NEW_")
    if given is not None:
        return given
    return _asked("New passphrase", new=True, variable="LERNODE_NEW_PASSPHRASE", option="--new-passphrase-file")


def read_file_passphrase(file: Path | None, what: str, variable: str, option: str, *, new: bool) -> str:
    """The passphrase of a file that is encrypted by itself, such as a backup.

    Raises:
        BadInput: ``cli.no_passphrase``, ``cli.passphrase_file``.
    """
    if file is not None:
        return _passphrase_of(file)
    text = os.environ.get(variable, "")
    if not text and sys.stdin.isatty():
        text = str(click.prompt(f"Passphrase of the {what}", hide_input=True, confirmation_prompt=new, err=True))
    if not text:
        raise BadInput(
            "cli.no_passphrase",
            f"The passphrase of the {what} is needed.",
            f"Set {variable}, or name a file with {option}.",
        )
    return text


def _from_files(passphrase_file: Path | None, key_file: Path | None) -> Secret | None:
    if passphrase_file is not None:
        return _passphrase_of(passphrase_file)
    return None if key_file is None else _key(_read(key_file))


def _from_environment(prefix: str) -> Secret | None:
    passphrase, key = os.environ.get(f"{prefix}PASSPHRASE"), os.environ.get(f"{prefix}KEY")
    if passphrase:
        return passphrase
    return _key(key.encode()) if key else None


def _from_systemd() -> Secret | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    passphrase, key = (Path(folder) / f"{_CREDENTIAL}{name}" for name in ("passphrase", "key"))
    return _from_files(passphrase if passphrase.is_file() else None, key if key.is_file() else None)


def _asked(text: str, *, new: bool, variable: str, option: str) -> str:
    if not sys.stdin.isatty():
        raise BadInput(
            "cli.no_passphrase",
            "A passphrase is needed, and nobody is there to be asked.",
            f"Set {variable}, or name a file with {option}.",
        )
    return str(click.prompt(text, hide_input=True, confirmation_prompt=new, err=True))


def _passphrase_of(path: Path) -> str:
    try:
        text = _read(path).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadInput("cli.passphrase_file", "The passphrase file cannot be read.", "Name a text file.") from None
    if not text:
        raise BadInput("cli.passphrase_file", "The passphrase file is empty.", "Write the passphrase into it.")
    return text


def _key(data: bytes) -> Secret:
    from storage.secrets import WrappingKey  # noqa: PLC0415 - only where a key is used, for quick commands

    return WrappingKey.read(data)


def _read(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError:
        raise BadInput("cli.passphrase_file", "The passphrase file cannot be read.", "Name a text file.") from None
    if len(raw) > _MAX_SECRET_FILE:
        raise BadInput("cli.passphrase_file", "The passphrase file is too large.", "Name another file.")
    return raw


def _default_home() -> Path:
    named = os.environ.get("LERNODE_HOME")
    return Path(named) if named else Path.home() / ".lernode"
