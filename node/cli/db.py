"""``lernode db``: the node's store itself, while the node does not run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
import msgspec

from node.cli.options import Setting, common, read_secret
from node.cli.output import fields, line, table
from node.cli.progress import waiting
from node.config import STORE_FILE, Config, load
from node.runtime.home_lock import HomeLock
from node.runtime.opening import is_in_home, open_node_store
from node.runtime.world import World
from protocols.errors import BadInput, LernodeError
from storage import audit, errors, invariants, keys, moving
from storage.engine import Store
from storage.migrate import bundled
from storage.secrets import Vault

__all__ = ["db"]

_BROKEN_EXIT = 1


@click.group(short_help="Look at the node's store, check it, or move it to another engine.")
@common
def db(setting: Setting) -> None:
    """Work on the store of a node that does not run.

    \b
    Examples:
      lernode db status
      lernode db check
      lernode db move --to postgresql://lernode@db/lernode
      lernode db move --to-file

    Next: lernode run
    """
    del setting


@db.command()
@common
def status(setting: Setting) -> None:
    """Say where the store is, and at which version; nothing is changed.

    \b
    Example:
      lernode db status

    Next, where migrations wait: lernode db upgrade, after a backup.
    """
    _tell(setting, asyncio.run(_versions(setting, upgrade=False)))


@db.command()
@common
def upgrade(setting: Setting) -> None:
    """Bring the tables to the shape that this release expects, as lernode run does when it starts.

    \b
    Example:
      lernode db upgrade
    """
    _tell(setting, asyncio.run(_versions(setting, upgrade=True)))


@db.command()
@common
def check(setting: Setting) -> None:
    """Check that nothing is lost, doubled or altered: the database's own pages, and every row. Exit code 1 if so.

    \b
    Example:
      lernode db check

    Next, where something is found: put back the last backup.
    """
    found, safeguards = asyncio.run(_check(setting))
    broken = [{"what": what, "where": where} for where, what in found]
    if not setting.shown_as_json({"broken": broken, "safeguards": safeguards}):
        fields(safeguards.items())
        if found:
            table(("WHERE", "WHAT IS WRONG"), found)
        else:
            line("Nothing is lost, doubled or altered.", style="green")
    if found:
        raise SystemExit(_BROKEN_EXIT)


@db.command()
@common
@click.option(
    "--to", "url", metavar="URL", help="A PostgreSQL database without tables: postgresql://user@host/database."
)
@click.option("--to-file", is_flag=True, help="The file in the node's folder.")
def move(setting: Setting, url: str | None, to_file: bool) -> None:
    """Copy the whole store to another engine and compare every table; the old one stays as it is.

    Stop every process of the node first. The password of the database is read as the configuration says.

    \b
    Examples:
      lernode db move --to postgresql://lernode@db/lernode
      lernode db move --to-file
    """
    if (url is None) != to_file:
        raise BadInput("cli.move", "Say where the store is to go.", "Give either --to URL or --to-file.")
    copied = asyncio.run(_move(setting, url or ""))
    if setting.shown_as_json(copied):
        return
    table(("TABLE", "ROWS", "SHA-256"), ((each.table, str(each.rows), each.digest[:16]) for each in copied))
    line("Every table is the same on both sides.", style="green")
    line(f'Next: set url = "{url or ""}" in the section [database] of lernode.toml, then lernode run')


class _Versions(msgspec.Struct):
    """Where a store is, its version, and the migrations that wait."""

    store: str
    version: int
    pending: list[str]


@asynccontextmanager
async def _opened(home: Path, config: Config, *, create: bool = False, upgrade: bool = True) -> AsyncIterator[Store]:
    lock = HomeLock(home) if is_in_home(config) else None
    try:
        store = await open_node_store(home, config, create=create, upgrade=upgrade)
        try:
            yield store
        finally:
            await store.close()
    finally:
        if lock is not None:
            lock.release()


async def _versions(setting: Setting, *, upgrade: bool) -> _Versions:
    config = load(setting.home)
    async with (
        waiting("Opening the store"),
        _opened(setting.home, config, upgrade=upgrade) as store,
        store.read() as tx,
    ):
        rows = await tx.all("SELECT version FROM schema_version")
    applied = {row["version"] for row in rows}
    place = config.database.url.partition("?")[0] or str(setting.home / STORE_FILE)
    return _Versions(place, max(applied), [m.name for m in bundled() if m.version not in applied])


def _tell(setting: Setting, found: _Versions) -> None:
    if setting.shown_as_json(found):
        return
    fields({"store": found.store, "version": str(found.version), "to apply": ", ".join(found.pending) or None}.items())


async def _check(setting: Setting) -> tuple[list[tuple[str, str]], dict[str, str]]:
    secret = read_secret(setting)
    async with waiting("Checking every row"), _opened(setting.home, load(setting.home)) as store:
        vault = await Vault.unlock(store, secret)
        async with store.read() as tx:
            safeguards = await tx.safeguards()
        found: list[tuple[str, str]] = []
        try:
            async with store.read() as tx:
                await tx.take_time()
                found += [("database", what) for what in await tx.damage()]
                found += [(f"keys/{name}", "The key was altered or moved.") for name in await keys.altered(tx, vault)]
                found += [(broken.where, broken.what) async for broken in invariants.check(tx)]
        except LernodeError as error:
            if error.code not in errors.OF_THE_STORE:
                raise
            found.append(("database", error.message))
        return found, safeguards


async def _move(setting: Setting, url: str) -> list[moving.Copied]:
    config = load(setting.home)
    there = msgspec.structs.replace(config, database=msgspec.structs.replace(config.database, url=url))
    async with (
        waiting("Copying every table"),
        _opened(setting.home, config) as source,
        _opened(setting.home, there, create=True) as target,
    ):
        copied = await moving.copy(source, target)
        async with target.write() as tx:
            to = "postgresql" if url else "sqlite"
            await audit.append(tx, at=World().clock(), event="store.moved", actor="operator", details={"to": to})
        return copied
