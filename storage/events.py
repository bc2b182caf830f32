"""Events: what happened, for the institution's own systems, written with what they tell of.

Promises: an event is there if and only if what it tells of is, for both are one unit of work; its number is higher
than that of every event committed before, also after old ones were forgotten; it holds ids and states, no personal
data (its writer sees to that). What it tells is sealed to the rest of its row, so that none of it changes unnoticed.
Adding one also plans its delivery to every webhook that wants its topic.

It leaves to others: what events there are (``node/events``), and their delivery (``webhooks.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage import webhooks
from storage.engine import Parameter, Row, Transaction
from storage.query import Query, bounded, placeholders
from storage.values import from_micros, to_json, to_micros

__all__ = ["CHANNEL", "Event", "add", "bounds", "page", "place", "prune", "seq_of"]

_DATA = "events.data"
CHANNEL = "events"
"""The channel on which a commit tells that there are new events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        seq: its place in the order of all events; 0 for one that is not stored.
        type: what happened, e.g. ``"exchange.changed"``.
        topic: the word by which readers choose, e.g. ``"exchanges"``.
        lane: what it is about; events of one lane are delivered in order.
        data: ids and states, JSON values.
    """

    seq: int = 0
    id: str
    at: datetime
    type: str
    topic: str
    lane: str
    data: Mapping[str, Any]


async def add(tx: Transaction, *added: Event) -> None:
    """Keep events, in order, and plan their deliveries; they get their numbers when this unit of work commits."""
    for event in added:
        tx.at_end(_write, event)


async def _write(tx: Transaction, added: list[Event]) -> None:
    await tx.execute_many(
        "INSERT INTO events (seq, id, at, type, topic, lane, data) "
        "VALUES ((SELECT COALESCE(MAX(seq), 0) + 1 FROM events), ?, ?, ?, ?, ?, ?)",
        [_fields(tx, event) for event in added],
    )
    await webhooks.plan(tx, first_event=added[0].id, now=added[0].at)
    tx.notify(CHANNEL)


async def page(tx: Transaction, *, after: int, topics: Collection[str] = (), limit: int = 100) -> list[Event]:
    """Events in order, from the one that follows number ``after``; of these topics, or of all."""
    query = Query("SELECT * FROM events").where("seq > ?", after)
    if topics:
        query.where(f"topic IN ({placeholders(len(topics))})", *topics)
    return [_from_row(tx, row) for row in await tx.all(*query.end("ORDER BY seq LIMIT ?", bounded(limit)))]


async def bounds(tx: Transaction) -> tuple[int, int]:
    """The numbers of the oldest and the newest event that are kept; (0, 0) where there is none."""
    row = await tx.one("SELECT COALESCE(MIN(seq), 0) AS oldest, COALESCE(MAX(seq), 0) AS newest FROM events")
    return (0, 0) if row is None else (row["oldest"], row["newest"])


async def seq_of(tx: Transaction, event_id: str) -> int | None:
    """The number of an event, or None where it is not kept."""
    row = await tx.one("SELECT seq FROM events WHERE id = ?", (event_id,))
    return None if row is None else int(row["seq"])


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget events of before a time that no webhook still waits for; how many that were.

    The newest is always kept, for its number says where the next begins.
    """
    return await tx.execute(
        "DELETE FROM events WHERE at < ? AND seq < (SELECT MAX(seq) FROM events) "
        "AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS d WHERE d.seq = events.seq)",
        (to_micros(before),),
        bulk=True,
    )


def place(row: Row) -> str:
    """What the data of an event is sealed to: all that never changes in its row."""
    return _place(row["id"], row["at"], row["type"], row["topic"], row["lane"])


def _place(event_id: str, at: int, kind: str, topic: str, lane: str) -> str:
    return to_json([event_id, at, kind, topic, lane])


def _fields(tx: Transaction, event: Event) -> tuple[Parameter, ...]:
    named = (event.id, to_micros(event.at), event.type, event.topic, event.lane)
    return (*named, tx.sealing.seal_json(_DATA, _place(*named), event.data))


def _from_row(tx: Transaction, row: Row) -> Event:
    """An event as a query over its table gives it."""
    return Event(
        seq=row["seq"],
        id=row["id"],
        at=from_micros(row["at"]),
        type=row["type"],
        topic=row["topic"],
        lane=row["lane"],
        data=tx.sealing.open_json(_DATA, place(row), row["data"]),
    )
