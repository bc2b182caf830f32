"""``lernode backup`` and ``lernode restore``: the whole node in one encrypted file, and back."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from node.cli.options import Setting, common, read_file_passphrase, suggest
from node.cli.output import fields, line
from node.cli.progress import waiting
from node.config import CONFIG_FILE, load
from node.runtime import backups
from node.runtime.age_files import AgeLock, AgeSecret, Recipient
from node.runtime.backups import Backup, Contents
from node.runtime.opening import open_node_store
from node.runtime.world import World
from protocols import strict_json
from protocols.errors import BadInput, WrongState
from storage import audit

__all__ = ["backup", "restore"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_VARIABLE = "LERNODE_BACKUP_PASSPHRASE"


@click.command(short_help="Write the whole node into one encrypted file.")
@common
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--recipient", metavar="AGE1...", help="Encrypt to this public key of age, not to a passphrase.")
@click.option("--backup-passphrase-file", type=_FILE, help=f"Passphrase of the file; or set {_VARIABLE}.")
def backup(setting: Setting, file: Path, recipient: str | None, backup_passphrase_file: Path | None) -> None:
    """Write a consistent copy of the node, store and configuration, while it runs or not, and read it back.

    \b
    Examples:
      lernode backup college.age
      lernode backup college.age --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p

    The file is of the open format age. Its records and keys open with what opens the node, too: keep both.

    Next: lernode restore FILE --home FOLDER, to try that it works.
    """
    lock = Recipient(recipient) if recipient else _passphrase(backup_passphrase_file, new=True)
    size = asyncio.run(_write(setting, file, lock))
    if setting.shown_as_json({"file": str(file), "bytes": size}):
        return
    line(f"Written and read back: {file}", style="green")
    fields([("bytes", size)])
    suggest(f"lernode restore {file}")


@click.command(short_help="Make a node anew from a backup.")
@common
@click.argument("file", type=_FILE)
@click.option("--identity-file", type=_FILE, help="Identity of age, for a backup that was encrypted to its recipient.")
@click.option("--backup-passphrase-file", type=_FILE, help=f"Passphrase of the file; or set {_VARIABLE}.")
@click.option("--database", metavar="URL", help="Restore into this PostgreSQL; else into the one of the backup.")
@click.option("--sqlite", is_flag=True, help="Restore into a file in the node's folder.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(
    setting: Setting,
    file: Path,
    identity_file: Path | None,
    backup_passphrase_file: Path | None,
    database: str | None,
    sqlite: bool,
    yes: bool,
) -> None:
    """Show what a backup holds, and make the node in --home from it; what is there already is never overwritten.

    \b
    Examples:
      lernode restore college.age --home ~/college
      lernode restore college.age --home ~/college --database postgresql://lernode@db.example/lernode

    Stop the node that was copied before the restored one runs: two of them would answer for one DID.

    Next: lernode run
    """
    secret: AgeSecret = identity_file.read_bytes() if identity_file else _passphrase(backup_passphrase_file, new=False)
    copy = backups.Backup(file, secret)
    contents = backups.inspect(copy)
    _show(setting, contents)
    if (setting.home / CONFIG_FILE).exists():
        raise WrongState("config.exists", f"There is a node in {setting.home} already.", "Choose another --home.")
    if not yes and not _agreed(setting):
        raise click.exceptions.Exit(1)
    count = asyncio.run(_restore(setting.home, copy, contents, database, sqlite))
    if not setting.json:
        line(f"Restored {count} rows into {setting.home}.", style="green")
        suggest("lernode run")


async def _write(setting: Setting, file: Path, lock: AgeLock) -> int:
    config = load(setting.home)
    store = await open_node_store(setting.home, config)
    try:
        async with waiting("Writing the backup"):
            now = World().clock()
            size = await backups.write(store, setting.home, file, lock, now, label=config.node.label)
            await backups.note(store, now, actor="operator")
            return size
    finally:
        await store.close()


async def _restore(home: Path, copy: Backup, contents: Contents, database: str | None, sqlite: bool) -> int:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in contents.files.items():
        if name != CONFIG_FILE and not (home / name).exists():
            _draft(home / name, text).rename(home / name)
    draft = _draft(home / CONFIG_FILE, _config_of(contents, database, sqlite))
    store = await open_node_store(home, load(home, file=draft.name), create=True)
    try:
        async with waiting("Restoring"):
            count = await backups.restore(copy, store)
            async with store.write() as tx:
                details = {"made": contents.made.isoformat()}
                await audit.append(tx, at=World().clock(), event="store.restored", actor="operator", details=details)
    finally:
        await store.close()
    # Its presence says that the node is complete: whoever is stopped before begins again.
    draft.rename(home / CONFIG_FILE)
    return count


def _config_of(contents: Contents, database: str | None, sqlite: bool) -> str:
    """The configuration of the backup, with the place of the store set anew where that was asked for."""
    text = contents.files.get(CONFIG_FILE, "")
    if database is None and not sqlite:
        return text
    lines = [each for each in text.splitlines() if not each.startswith("url = ")]
    place = lines.index("[database]") if "[database]" in lines else len(lines)
    if place == len(lines):
        lines.append("[database]")
    lines.insert(place + 1, f"url = {strict_json.dumps({'u': database or ''}).decode()[5:-1]}")
    return "\n".join(lines) + "\n"


def _draft(path: Path, text: str) -> Path:
    """A file that is to have the name ``path`` once it is complete."""
    draft = path.with_name(f".{path.name}.part")
    descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return draft


def _show(setting: Setting, contents: Contents) -> None:
    of = contents.rows.get
    facts = {
        "node": contents.label,
        "endpoint": contents.endpoint,
        "made": contents.made.isoformat(timespec="seconds"),
        "peers": of("connections", 0),
        "held": of("held_credentials", 0),
        "issued": of("issued_credentials", 0),
        "waitingMessages": of("outbox", 0),
        "auditEntries": of("audit", 0),
    }
    if setting.shown_as_json(facts):
        return
    line("The backup holds:")
    fields(facts.items())


def _agreed(setting: Setting) -> bool:
    if not sys.stdin.isatty():
        raise BadInput("cli.not_confirmed", "Restoring makes a node, and nobody is there to be asked.", "Add --yes.")
    return click.confirm(f"Restore it into {setting.home}?", err=True)


def _passphrase(file: Path | None, *, new: bool) -> str:
    return read_file_passphrase(file, "backup", _VARIABLE, "--backup-passphrase-file", new=new)
