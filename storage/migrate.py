"""Brings a store's tables to the shape that this code expects: numbered SQL files, forward only.

Promises: all pending migrations run in one transaction, so that a failed one leaves nothing behind; a file that
changed after it was applied, and a store that is newer than the code, are refused.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import aiosqlite

from protocols.errors import LernodeError, WrongState

__all__ = ["Migration", "bundled", "load", "migrate"]

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; ``version`` counts from 1 without gaps."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load(folder: Traversable) -> tuple[Migration, ...]:
    """The migrations ``NNNN_name.sql`` of a folder, in order.

    Raises:
        LernodeError: ``store.migration_gap`` where a number is missing or taken twice.
    """
    found = []
    for entry in folder.iterdir():
        if match := _NAME.fullmatch(entry.name):
            # Line ends must not change the checksum between checkouts.
            sql = entry.read_text(encoding="utf-8").replace("\r\n", "\n")
            found.append(Migration(int(match[1]), match[2], sql))
    found.sort(key=lambda m: m.version)
    if [m.version for m in found] != list(range(1, len(found) + 1)):
        raise LernodeError("store.migration_gap", "The numbers of the migrations have a gap.", "Reinstall lernode.")
    return tuple(found)


def bundled() -> tuple[Migration, ...]:
    """The migrations that come with this code."""
    return load(files("storage") / "migrations")


async def migrate(connection: aiosqlite.Connection, migrations: Sequence[Migration], *, create: bool) -> None:
    """Apply what is pending, all or nothing.

    Args:
        connection: in autocommit mode, outside a transaction.
        create: whether an empty file may become a store.

    Raises:
        WrongState: ``store.newer``, ``store.missing`` (empty and not ``create``) or ``store.foreign``.
        LernodeError: ``store.migration_changed``, ``store.migration_failed``.
    """
    # A migration may rebuild a table that others refer to; references are checked as a whole before the commit.
    await connection.execute("PRAGMA foreign_keys = OFF")
    await connection.execute("BEGIN IMMEDIATE")
    try:
        applied = await _applied(connection, create=create)
        pending = _pending(applied, migrations)
        for migration in pending:
            await _apply(connection, migration)
        if pending and await connection.execute_fetchall("PRAGMA foreign_key_check"):
            raise _failed(pending[-1])
        await connection.commit()
    finally:
        await connection.rollback()
    await connection.execute("PRAGMA foreign_keys = ON")


async def _applied(connection: aiosqlite.Connection, *, create: bool) -> dict[int, str]:
    rows = await connection.execute_fetchall("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {row[0] for row in rows}
    if "schema_version" not in tables:
        if tables:
            raise WrongState(
                "store.foreign", "This file is a database of another program.", "Name another file for the store."
            )
        if not create:
            raise WrongState("store.missing", "The store was never set up.", "Create it with `lernode init`.")
        await connection.execute(
            "CREATE TABLE schema_version "
            "(version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT"
        )
        return {}
    applied = await connection.execute_fetchall("SELECT version, checksum FROM schema_version")
    return {row[0]: row[1] for row in applied}


def _pending(applied: dict[int, str], migrations: Sequence[Migration]) -> list[Migration]:
    known = {m.version: m for m in migrations}
    if not applied.keys() <= known.keys():
        raise WrongState(
            "store.newer", "The store was written by a newer lernode than this one.", "Upgrade lernode, then try again."
        )
    for version, checksum in applied.items():
        if known[version].checksum != checksum:
            raise LernodeError(
                "store.migration_changed",
                f"Migration {version} is not the one that this store was made with.",
                "Install the lernode release that made the store.",
            )
    return [m for m in migrations if m.version not in applied]


async def _apply(connection: aiosqlite.Connection, migration: Migration) -> None:
    try:
        for statement in _statements(migration.sql):
            await connection.execute(statement)
    except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
        # What the text says is the migration's fault; a full disk or a lock is not.
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT):
            raise
        raise _failed(migration) from error
    await connection.execute(
        "INSERT INTO schema_version (version, name, checksum) VALUES (?, ?, ?)",
        (migration.version, migration.name, migration.checksum),
    )


def _failed(migration: Migration) -> LernodeError:
    return LernodeError(
        "store.migration_failed",
        f"Migration {migration.version} ({migration.name}) failed; the store is as it was.",
        "Use the release that made the store, and report this.",
    )


def _statements(sql: str) -> Iterator[str]:
    """Split a script by statement: the driver's own script call would commit the transaction first."""
    statement = ""
    for piece in re.split(r"(?<=;)", sql):
        statement += piece
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if re.sub(r"--.*", "", statement).strip():
        yield statement
