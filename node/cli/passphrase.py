"""``lernode passphrase``: let something else open the node."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from node.app import rewrap
from node.cli.options import Setting, common, read_new_secret, read_secret, suggest
from node.cli.output import line
from node.cli.progress import waiting
from storage.secrets import WrappingKey

__all__ = ["passphrase"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(short_help="Change the passphrase, or the key, that opens the node.")
@common
@click.option("--new-passphrase-file", type=_FILE, help="File with the new one; or set LERNODE_NEW_PASSPHRASE.")
@click.option("--new-key-file", type=_FILE, help="File with a key of 32 random bytes; or set LERNODE_NEW_KEY.")
def passphrase(setting: Setting, new_passphrase_file: Path | None, new_key_file: Path | None) -> None:
    """Change what opens the node: a passphrase, or a key in a file, the environment or a credential of systemd.

    \b
    Examples:
      lernode passphrase
      openssl rand -hex 32 > node.key && lernode passphrase --new-key-file node.key
      lernode passphrase --key-file node.key --new-passphrase-file passphrase.txt

    It may be done while the node runs. Nothing is sealed anew, so it takes the same time whatever the store holds.

    Next: make a backup; copies of before still open with what opened the node then.
    """
    old = read_secret(setting)
    new = read_new_secret(new_passphrase_file, new_key_file)
    asyncio.run(_change(setting, old, new))
    kind = "key" if isinstance(new, WrappingKey) else "passphrase"
    if setting.shown_as_json({"opensWith": kind}):
        return
    line(f"The node opens with the new {kind}.", style="green")
    suggest("lernode backup FILE")


async def _change(setting: Setting, old: str | WrappingKey, new: str | WrappingKey) -> None:
    async with waiting("Changing the passphrase"):
        await rewrap(setting.home, old, new)
