"""Brings a store's tables to the shape that this code expects: numbered SQL files, forward only, one set for all.

Promises: all pending migrations run in one transaction, so that a failed one leaves nothing behind; a file that
changed after it was applied, and a store that is newer than the code, are refused.

The files are written in SQLite's SQL, of which ``migrations/README.md`` names the part that every engine reads; what an
engine says otherwise is translated in that engine's dialect.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Protocol

from protocols.errors import LernodeError, WrongState

__all__ = ["Migration", "Target", "bundled", "load", "migrate"]

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

    def statements(self) -> Iterator[str]:
        """Its statements: drivers' own calls for scripts would commit the transaction first."""
        statement = ""
        for piece in re.split(r"(?<=;)", self.sql):
            statement += piece
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""
        if re.sub(r"--.*", "", statement).strip():
            yield statement


class Target(Protocol):
    """A database in an open transaction that nobody else is in."""

    async def tables(self) -> set[str]:
        """The names of the tables that are there."""

    async def begin_history(self) -> None:
        """Make ready what every migration relies on, and the table ``schema_version``."""

    async def apply(self, statements: Iterable[str]) -> None:
        """Run the statements of a migration."""

    async def check(self) -> bool:
        """Whether every reference is met."""

    async def fetch(self, sql: str) -> Sequence[Any]:
        """The rows of a query."""

    async def note(self, migration: Migration) -> None:
        """Add a migration to ``schema_version``."""

    def is_fault_of_migration(self, error: Exception) -> bool:
        """Whether what the text says is at fault, rather than a full disk or a lock."""


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


async def migrate(target: Target, migrations: Sequence[Migration], *, create: bool, upgrade: bool = True) -> None:
    """Apply what is pending; whoever opened the transaction commits it, or rolls it back where this raises.

    Args:
        create: whether an empty database may become a store.
        upgrade: whether to apply what is pending; else it is only looked whether the store is of this code's kind.

    Raises:
        WrongState: ``store.newer``, ``store.missing`` (empty and not ``create``) or ``store.foreign``.
        LernodeError: ``store.migration_changed``, ``store.migration_failed``.
    """
    pending = _pending(await _applied(target, create=create), migrations)
    if not upgrade:
        return
    for migration in pending:
        try:
            await target.apply(migration.statements())
        except Exception as error:
            if not target.is_fault_of_migration(error):
                raise
            raise _failed(migration) from error
        await target.note(migration)
    if pending and not await target.check():
        raise _failed(pending[-1])


async def _applied(target: Target, *, create: bool) -> dict[int, str]:
    tables = await target.tables()
    if "schema_version" not in tables:
        if tables:
            raise WrongState(
                "store.foreign", "This is a database of another program.", "Name another place for the store."
            )
        if not create:
            raise WrongState("store.missing", "The store was never set up.", "Create it with `lernode init`.")
        await target.begin_history()
        return {}
    return {row[0]: row[1] for row in await target.fetch("SELECT version, checksum FROM schema_version")}


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


def _failed(migration: Migration) -> LernodeError:
    return LernodeError(
        "store.migration_failed",
        f"Migration {migration.version} ({migration.name}) failed; the store is as it was.",
        "Use the release that made the store, and report this.",
    )
