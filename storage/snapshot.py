"""A whole store as rows, table by table, from either engine into either.

Promises: what :func:`dump` gives is one consistent snapshot, and :func:`load` puts it into an empty store of the same
schema in one unit of work, whole or not at all. Sealed values stay sealed; the vault goes with them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from protocols.errors import BadInput, WrongState
from storage import frameworks
from storage.engine import Parameter, Transaction
from storage.migrate import bundled
from storage.moving import pages, tables_in_order

__all__ = ["Rows", "dump", "is_empty", "load", "schema"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table."""

    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Parameter, ...]]


def schema() -> str:
    """What names the schema that this code writes: two stores with the same can take each other's rows."""
    return ",".join(f"{migration.version}:{migration.checksum[:16]}" for migration in bundled())


async def dump(tx: Transaction) -> AsyncIterator[Rows]:
    """Every row of the store, as of the moment at which ``tx`` began, what is referred to first, in parts."""
    await tx.take_time()
    for table in tables_in_order():
        async for page in pages(tx, table):
            columns = tuple(page[0].keys())
            yield Rows(table, columns, [tuple(row[name] for name in columns) for row in page])


async def is_empty(tx: Transaction) -> bool:
    """Whether nothing was ever put into the store."""
    for table in tables_in_order():
        if await tx.one(f"SELECT 1 FROM {table} LIMIT 1"):  # noqa: S608
            return False
    return True


async def load(tx: Transaction, parts: AsyncIterator[Rows]) -> int:
    """Put rows into an empty store; how many.

    Raises:
        WrongState: ``store.not_empty``.
        BadInput: ``store.foreign_rows`` for a table or column that the schema does not have.
    """
    await tx.take_time()
    if not await is_empty(tx):
        raise WrongState("store.not_empty", "There is something in this store already.", "Name an empty place.")
    known, count = frozenset(tables_in_order()), 0
    async for part in parts:
        if part.table not in known or not all(re.fullmatch(r"[a-z_]+", name) for name in part.columns):
            raise BadInput("store.foreign_rows", "There are rows of another program.", "Use a backup of lernode.")
        marks = ", ".join("?" * len(part.columns))
        names = ", ".join(part.columns)
        await tx.execute_many(f"INSERT INTO {part.table} ({names}) VALUES ({marks})", part.rows)  # noqa: S608
        count += len(part.rows)
    await frameworks.index_words(tx)
    await tx.renumber()
    return count
