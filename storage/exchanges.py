"""Exchanges: one row a protocol thread with a peer, saved only by who read its latest version."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from protocols.errors import WrongState
from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.query import Query, bounded, placeholders
from storage.values import from_micros, to_micros

__all__ = [
    "ExchangeRow", "Filter", "asked_together", "count", "expired", "find", "find_by_prefix", "get", "insert",
    "next_expiry", "page", "save", "stop_waiting", "take_expired", "threads_asked",
]  # fmt: skip

_DATA = "exchanges.data"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRow:
    """An exchange as it is kept.

    Attributes:
        protocol: the protocol URI with its major version.
        data: the machine's exchange value, JSON.
        error_code: why it ended badly, or None.
        waiting_for: the :class:`protocols.machine.Decision` that a person owes, or None.
        expires: until when it can be answered, or None.
        version: counts saves; set by this module.
    """

    id: str
    protocol: str
    role: str
    connection_id: str
    thid: str
    state: str
    data: bytes
    error_code: str | None = None
    waiting_for: str | None = None
    created: datetime
    updated: datetime
    expires: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which exchanges are meant; None does not filter.

    Attributes:
        waiting: only those in which a person owes some decision.
        waiting_for: only those in which a person owes this decision.
    """

    protocol: str | None = None
    role: str | None = None
    state: str | None = None
    connection_id: str | None = None
    waiting: bool = False
    waiting_for: str | None = None

    def apply(self, query: Query) -> Query:
        """The query with these conditions."""
        query.equal("protocol", self.protocol).equal("role", self.role).equal("state", self.state)
        query.equal("connection_id", self.connection_id).equal("waiting_for", self.waiting_for)
        return query.where("waiting_for IS NOT NULL") if self.waiting else query


_EVERYTHING = Filter()


async def insert(tx: Transaction, row: ExchangeRow) -> None:
    """Keep a new exchange.

    Raises:
        WrongState: ``exchange.exists`` where the id, or the thread of this protocol and connection, is taken.
    """
    inserted = await tx.execute(
        "INSERT INTO exchanges (id, protocol, role, connection_id, thid, state, data, error_code, waiting_for, "
        "created, updated, expires, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            row.id,
            row.protocol,
            row.role,
            row.connection_id,
            row.thid,
            row.state,
            tx.sealing.seal(_DATA, row.id, row.data),
            row.error_code,
            row.waiting_for,
            to_micros(row.created),
            to_micros(row.updated),
            to_micros(row.expires),
            row.version,
        ),
    )
    if not inserted:
        raise already_stored("exchange")


async def save(tx: Transaction, row: ExchangeRow) -> ExchangeRow:
    """Keep what may change of an exchange: state, data, error, decision owed, times; the row as it is now.

    Raises:
        WrongState: ``exchange.changed`` where somebody saved it since ``row`` was read, or ``exchange.unknown``.
    """
    changed = await tx.execute(
        "UPDATE exchanges SET state = ?, data = ?, error_code = ?, waiting_for = ?, updated = ?, expires = ?, "
        "version = ? WHERE id = ? AND version = ?",
        (
            row.state,
            tx.sealing.seal(_DATA, row.id, row.data),
            row.error_code,
            row.waiting_for,
            to_micros(row.updated),
            to_micros(row.expires),
            row.version + 1,
            row.id,
            row.version,
        ),
    )
    if not changed:
        await get(tx, row.id)
        raise WrongState("exchange.changed", "The exchange went on meanwhile.", "Look at it again, then decide.")
    return replace(row, version=row.version + 1)


async def get(tx: Transaction, exchange_id: str) -> ExchangeRow:
    """An exchange.

    Raises:
        WrongState: ``exchange.unknown``.
    """
    row = await tx.one("SELECT * FROM exchanges WHERE id = ?", (exchange_id,))
    if row is None:
        raise unknown("exchange")
    return _from_row(tx, row)


async def find(tx: Transaction, connection_id: str, thid: str, protocol: str) -> ExchangeRow | None:
    """The exchange of a thread with this peer; a thread of another peer is never found."""
    row = await tx.one(
        "SELECT * FROM exchanges WHERE connection_id = ? AND protocol = ? AND thid = ?",
        (connection_id, protocol, thid),
    )
    return None if row is None else _from_row(tx, row)


async def asked_together(tx: Transaction, thid: str) -> list[ExchangeRow]:
    """The exchanges in which this side asked several peers the same in one thread, in the order of their ids."""
    rows = await tx.all("SELECT * FROM exchanges WHERE role = 'asker' AND thid = ? ORDER BY id LIMIT 1000", (thid,))
    return [_from_row(tx, row) for row in rows]


async def threads_asked(tx: Transaction, *, limit: int = 100) -> list[str]:
    """The threads in which this side asked peers, the latest first."""
    rows = await tx.all(
        "SELECT thid FROM exchanges WHERE role = 'asker' GROUP BY thid ORDER BY MAX(created) DESC, thid LIMIT ?",
        (bounded(limit),),
    )
    return [row["thid"] for row in rows]


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[ExchangeRow]:
    """The exchanges whose id starts so, in the order of their ids."""
    query = Query("SELECT * FROM exchanges").id_starting_with(prefix, limit)
    return [_from_row(tx, row) for row in await tx.all(*query)]


async def page(
    tx: Transaction, which: Filter = _EVERYTHING, *, after: str | None = None, limit: int = 100
) -> list[ExchangeRow]:
    """Exchanges, the newest first; ``after`` is the id of the last one of the page before."""
    query = which.apply(Query("SELECT * FROM exchanges"))
    return [_from_row(tx, row) for row in await tx.all(*query.newest_first("exchanges", "created", after, limit))]


async def stop_waiting(tx: Transaction, connection_id: str, error_code: str, now: datetime) -> int:
    """Let no exchange with this peer wait for a person any more, and say why; how many did."""
    return await tx.execute(
        "UPDATE exchanges SET waiting_for = NULL, expires = NULL, error_code = ?, updated = ?, version = version + 1 "
        "WHERE connection_id = ? AND waiting_for IS NOT NULL",
        (error_code, to_micros(now), connection_id),
    )


async def expired(tx: Transaction, now: datetime, *, limit: int, skip: Collection[str] = ()) -> list[str]:
    """The ids of exchanges that can be answered no more and have not ended, the longest over first."""
    query = _without(Query("SELECT id FROM exchanges").where("expires <= ?", to_micros(now)), skip)
    return [row["id"] for row in await tx.all(*query.end("ORDER BY expires, id LIMIT ?", bounded(limit)))]


async def take_expired(tx: Transaction, exchange_id: str, now: datetime) -> ExchangeRow | None:
    """The exchange, for this unit of work alone to end; None where it is not over, or another has it in hand."""
    query = Query("SELECT * FROM exchanges").equal("id", exchange_id).where("expires <= ?", to_micros(now))
    row = await tx.one(*query.end(tx.skip_locked))
    return None if row is None else _from_row(tx, row)


async def next_expiry(tx: Transaction, *, skip: Collection[str] = ()) -> datetime | None:
    """When the next exchange ends by itself, which may be past; None where none does."""
    query = _without(Query("SELECT MIN(expires) AS following FROM exchanges").where("expires IS NOT NULL"), skip)
    row = await tx.one(*query.end())
    return None if row is None else from_micros(row["following"])


async def count(tx: Transaction, which: Filter = _EVERYTHING) -> int:
    """How many exchanges there are."""
    row = await tx.one(*which.apply(Query("SELECT COUNT(*) AS number FROM exchanges")).end())
    return 0 if row is None else int(row["number"])


def _without(query: Query, ids: Collection[str]) -> Query:
    return query.where(f"id NOT IN ({placeholders(len(ids))})", *ids) if ids else query


def _from_row(tx: Transaction, row: Row) -> ExchangeRow:
    return ExchangeRow(
        id=row["id"],
        protocol=row["protocol"],
        role=row["role"],
        connection_id=row["connection_id"],
        thid=row["thid"],
        state=row["state"],
        data=tx.sealing.open(_DATA, row["id"], row["data"]),
        error_code=row["error_code"],
        waiting_for=row["waiting_for"],
        created=from_micros(row["created"]),
        updated=from_micros(row["updated"]),
        expires=from_micros(row["expires"]),
        version=row["version"],
    )
