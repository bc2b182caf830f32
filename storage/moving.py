"""Copies a whole store into another, on whichever engine, and compares what came out.

Promises: the other store has to be new, and after a failure has nothing; a table counts as copied when the SHA-256 of
its rows, in the order of its key, is the same on both sides. Contents are copied as they are sealed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from protocols.errors import LernodeError, WrongState
from storage import frameworks
from storage.engine import Row, Store, Transaction
from storage.migrate import bundled
from storage.query import placeholders

__all__ = ["Copied", "copy", "pages", "tables_in_order"]

_PAGE = 500
_TABLE = re.compile(r"^CREATE TABLE (\w+) \(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Copied:
    """A table that was copied: how many rows, and the SHA-256 of them all, hex."""

    table: str
    rows: int
    digest: str


async def copy(source: Store, target: Store) -> list[Copied]:
    """Copy every table, all or nothing.

    Raises:
        WrongState: ``store.not_empty`` where the target holds something.
        LernodeError: ``store.copy_differs`` where what was written is not what was read.
    """
    async with source.read() as reading, target.write() as writing:
        await reading.take_time()
        await writing.take_time()
        tables = [name for name in tables_in_order() if name in set(await reading.tables())]
        for table in tables:
            if await writing.one(f"SELECT 1 FROM {table} LIMIT 1"):  # noqa: S608
                raise WrongState("store.not_empty", "The other store holds something already.", "Name a new one.")
        copied = []
        for table in tables:
            there = await _copy(reading, writing, table)
            if there != await _digest(writing, table):
                raise LernodeError("store.copy_differs", f"The table {table} came out different.", "Report this.")
            copied.append(there)
        await frameworks.index_words(writing)
        await writing.renumber()
    return copied


def tables_in_order() -> list[str]:
    """In the order of their making: what is referred to comes first."""
    return list(dict.fromkeys(name for migration in bundled() for name in _TABLE.findall(migration.sql)))


async def _copy(reading: Transaction, writing: Transaction, table: str) -> Copied:
    async for page in pages(reading, table):
        names = list(page[0].keys())
        await writing.execute_many(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({placeholders(len(names))})",  # noqa: S608
            [tuple(row[name] for name in names) for row in page],
        )
    return await _digest(reading, table)


async def _digest(tx: Transaction, table: str) -> Copied:
    hashed, count = hashlib.sha256(), 0
    async for page in pages(tx, table):
        for row in page:
            # Engines may hold the columns of a table in another order.
            hashed.update(repr([(name, row[name]) for name in sorted(row.keys())]).encode())
        count += len(page)
    return Copied(table, count, hashed.hexdigest())


async def pages(tx: Transaction, table: str) -> AsyncIterator[list[Row]]:
    key = await tx.key_of(table)
    columns = ", ".join(key)
    select, order = f"SELECT * FROM {table}", f"ORDER BY {columns} LIMIT {_PAGE}"  # noqa: S608
    page = await tx.all(f"{select} {order}")
    while page:
        yield page
        last = tuple(page[-1][name] for name in key)
        page = await tx.all(f"{select} WHERE ({columns}) > ({placeholders(len(key))}) {order}", last)
