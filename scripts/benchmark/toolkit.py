"""SQLAlchemy's core beside the store's own engines, for what one message asks of a store: ``python -m`` this module.

The work is done by the store's own modules on both sides; what differs is who runs the statements. SQLAlchemy gets them
as they are (``exec_driver_sql``), without building or compiling them, which is the least that it can cost. It has to be
installed beside lernode (``pip install sqlalchemy[asyncio] aiosqlite``), which does not depend on it; see
docs/scaling.md. Of an SQLite store it has a copy, for the driver that it knows keeps no checksums of pages.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, cast

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from protocols.errors import LernodeError
from protocols.keys import KeyPair
from storage import audit, connections, exchanges, inbox, keys, outbox
from storage.connections import Connection
from storage.engine import Parameter, Row, Transaction, Usage
from storage.engines import open_store
from storage.exchanges import ExchangeRow
from storage.postgresql_dialect import numbered
from storage.sealing import Sealing
from storage.secrets import Vault

_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_PAIR = KeyPair.from_seed(bytes(32))
_PROTOCOL = "https://didcomm.org/issue-credential/2.0"
_ROUNDS, _MESSAGES = 7, 40
_WIRE = "didcomm/aip2;env=rfc19"
Open = Callable[[], AbstractAsyncContextManager[Transaction]]


class _Toolkit(Transaction):
    """A transaction whose statements SQLAlchemy runs."""

    def __init__(self, connection: AsyncConnection, sealing: Sealing, *, marks: bool) -> None:
        super().__init__(Usage(), sealing, writable=True)
        self._connection = connection
        self._written = (lambda sql: sql) if marks else numbered

    def _meant_by(self, error: BaseException) -> LernodeError | None:
        """Nothing goes wrong here."""

    async def _execute(self, sql: str, params: Sequence[Parameter]) -> int:
        return int((await self._connection.exec_driver_sql(self._written(sql), tuple(params))).rowcount)

    async def _execute_many(self, sql: str, rows: Sequence[Sequence[Parameter]]) -> int:
        return int((await self._connection.exec_driver_sql(self._written(sql), [tuple(row) for row in rows])).rowcount)

    async def _fetch(self, sql: str, params: Sequence[Parameter]) -> list[Row]:
        found = await self._connection.exec_driver_sql(self._written(sql), tuple(params))
        return cast(list[Row], [_Row(row) for row in found.mappings().all()])

    async def tables(self) -> list[str]:
        raise NotImplementedError

    async def key_of(self, table: str) -> tuple[str, ...]:
        raise NotImplementedError

    async def _lock(self, name: str) -> None:
        if self._written is numbered:
            await self._fetch("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", (name,))


class _Row(dict[str, Any]):
    """A mapping that can be hashed, as the store's rows can."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.values()))


def _toolkit(engine: AsyncEngine, sealing: Sealing, *, marks: bool) -> Open:
    @asynccontextmanager
    async def begin() -> AsyncIterator[Transaction]:
        async with engine.begin() as connection:
            tx = _Toolkit(connection, sealing, marks=marks)
            yield tx
            await tx.finish()

    return begin


async def _message(read: Open, write: Open, number: int) -> None:
    """What a node asks of its store for one message that it takes and one that it sends."""
    async with read() as tx:
        await connections.find_by_verkeys(tx, _PAIR.verkey, "theirs")
    async with write() as tx:
        await inbox.seen(tx, "theirs", f"m{number}", _NOW)
        await connections.get(tx, "c1")
        row = await exchanges.find(tx, "c1", "t", _PROTOCOL)
        if row is None:
            raise RuntimeError("The exchange is gone.")
        await exchanges.save(tx, replace(row, state=f"s{number}"))
        await audit.append(tx, at=_NOW, event="e", actor="c1", subjects=("e1", "c1"))
        await outbox.enqueue(
            tx, id=f"o{number}", connection_id="c1", lane="c1", message=bytes(2000), message_type="t", thid="t",
            wire=_WIRE, my_verkey=None, now=_NOW,
        )  # fmt: skip
    async with read() as tx:
        await outbox.due(tx, _NOW, 16)
        await outbox.next_wake(tx, skip_lanes=("c1",))
    async with read() as tx:
        await connections.find(tx, "c1")
    async with write() as tx:
        await outbox.mark_delivered(tx, "c1", f"o{number}")


async def _fill(write: Open, sealing: Sealing) -> None:
    async with write() as tx:
        await keys.add(tx, cast(Vault, _Unsealed()), _PAIR, "connection", _NOW)
        await connections.add(
            tx,
            Connection(
                id="c1", state="completed", role="requester", my_did="did:peer:4a", my_verkey=_PAIR.verkey,
                their_verkey="theirs", thid="t", wire=_WIRE, created=_NOW, updated=_NOW,
            ),
        )  # fmt: skip
        await exchanges.insert(
            tx,
            ExchangeRow(
                id="e1", protocol=_PROTOCOL, role="issuer", connection_id="c1", thid="t", state="s", data=bytes(3000),
                created=_NOW, updated=_NOW,
            ),
        )  # fmt: skip


class _Unsealed:
    def seal(self, _name: str, secret: bytes) -> bytes:
        return secret


async def _compare(name: str, where: str | Path, url: str) -> None:
    sealing, numbers, marks = Sealing(bytes(32), os.urandom), count(), url.startswith("sqlite")
    store = await open_store(where, create=True)
    store.unlock(sealing)
    await _fill(store.write, sealing)
    if isinstance(where, Path):
        await store.close()
        _copy(where, Path(url.partition("///")[2]))
        store = await open_store(where)
        store.unlock(sealing)
    engine = create_async_engine(url)
    if marks:

        def durable(connection: Any, _record: object) -> None:
            connection.isolation_level = None
            cursor = connection.cursor()
            for pragma in ("synchronous = FULL", "foreign_keys = ON"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        def begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        event.listen(engine.sync_engine, "connect", durable)
        event.listen(engine.sync_engine, "begin", begin)

    toolkit = _toolkit(engine, sealing, marks=marks)
    sides: dict[str, Callable[[int], Awaitable[None]]] = {
        "own": lambda n: _message(store.read, store.write, n),
        "SQLAlchemy": lambda n: _message(toolkit, toolkit, n),
    }
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(_ROUNDS):
        for side, work in sides.items():
            began = time.perf_counter()
            for _ in range(_MESSAGES):
                await work(next(numbers))
            rates[side].append(_MESSAGES / (time.perf_counter() - began))
    ratio = statistics.median(b / a for a, b in zip(rates["own"], rates["SQLAlchemy"], strict=True))
    own, theirs = (statistics.median(rates[side]) for side in sides)
    print(f"{name}: own {own:.0f} messages/s, SQLAlchemy {theirs:.0f} messages/s, {ratio:.2f} of it")
    await store.close()
    await engine.dispose()


def _copy(path: Path, target: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        copy.executescript("\n".join(source.iterdump()))
        copy.execute("PRAGMA journal_mode = WAL")


async def _main(postgresql: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, copy = Path(folder) / "store.db", Path(folder) / "copy.db"
        await _compare("SQLite", path, f"sqlite+aiosqlite:///{copy}")
    if postgresql is not None:
        await _compare("PostgreSQL", postgresql, postgresql.replace("postgresql://", "postgresql+asyncpg://", 1))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1] if len(sys.argv) > 1 else None))
