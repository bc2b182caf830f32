"""Messages that wait to be delivered: one ordered lane a peer, kept until delivered or given up.

Promises: at most one message of a lane is due at any time, always the one that was put in first; a message that
is given up (dead) lets the lane go on and stays to be looked at and tried again. A message is due from the commit of
the transaction that put it in until the commit that says otherwise: a crash between delivery and that commit repeats
a delivery, never loses one.

It leaves to others: how long to wait between attempts, and which lanes a process is delivering itself (``skip_lanes``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from protocols.errors import WrongState
from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.query import Query, bounded, placeholders
from storage.values import from_micros, to_micros

__all__ = [
    "MAX_ATTEMPTS",
    "Counts",
    "Letter",
    "OutboxState",
    "Outgoing",
    "claim",
    "counts",
    "due",
    "enqueue",
    "find_by_prefix",
    "forget_dead",
    "has_queued",
    "hasten",
    "mark_delivered",
    "mark_failed",
    "next_wake",
    "oldest_age",
    "page",
    "prune_dead",
    "release",
    "requeue",
    "waiting",
]

MAX_ATTEMPTS = 24
_MESSAGE = "outbox.message"


class OutboxState(StrEnum):
    """Whether a message will still be tried."""

    QUEUED = "queued"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that was put in, as far as who delivers it needs to know.

    Attributes:
        message: the plaintext message, encoded, not yet encrypted.
        wire: the wire version that it is encoded in.
        my_verkey: the key that it leaves under; None for the one that the connection has.
        to_verkey: the key that it is for, likewise; v1 only.
        traceparent: the trace that it belongs to; None where none is known.
        attempts: how often its delivery was tried.
    """

    id: str
    connection_id: str | None
    lane: str
    message: bytes
    message_type: str
    thid: str
    wire: str
    my_verkey: str | None
    to_verkey: str | None
    traceparent: str | None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing(Letter):
    """A message on its way.

    Attributes:
        next_attempt: when it is due; None while it stands behind another message, or is dead.
        lease: what ends the claim on it, see :func:`claim` and :func:`release`; 0 where nobody claimed it.
    """

    sequence: int
    enqueued: datetime
    state: OutboxState
    next_attempt: datetime | None
    error_code: str | None
    lease: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages and lanes wait, and how many messages were given up."""

    queued: int
    dead: int
    lanes: int


async def enqueue(
    tx: Transaction,
    *,
    id: str,  # noqa: A002 - the message's own name for it
    connection_id: str | None,
    lane: str,
    message: bytes,
    message_type: str,
    thid: str,
    wire: str,
    my_verkey: str | None,
    now: datetime,
    to_verkey: str | None = None,
    traceparent: str | None = None,
) -> Letter:
    """Put a message at the end of a lane.

    Raises:
        WrongState: ``outgoing_message.exists``.
    """
    moment = to_micros(now)
    # Numbers in a lane then rise in the order of commits, whichever process puts a message in.
    await tx.lock(_lane_lock(lane))
    inserted = await tx.execute(
        "INSERT INTO outbox (id, connection_id, lane, message, message_type, thid, wire, my_verkey, to_verkey, "
        "traceparent, enqueued, state, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0) "
        "ON CONFLICT DO NOTHING",
        (
            id,
            connection_id,
            lane,
            tx.sealing.seal(_MESSAGE, id, message),
            message_type,
            thid,
            wire,
            my_verkey,
            to_verkey,
            traceparent,
            moment,
        ),
    )
    if not inserted:
        raise already_stored("outgoing message")
    await _promote(tx, lane)
    return Letter(
        id=id,
        connection_id=connection_id,
        lane=lane,
        message=message,
        message_type=message_type,
        thid=thid,
        wire=wire,
        my_verkey=my_verkey,
        to_verkey=to_verkey,
        traceparent=traceparent,
    )


async def due(
    tx: Transaction,
    now: datetime,
    limit: int = 100,
    *,
    lane: str | None = None,
    skip_lanes: Collection[str] = (),
    longest: timedelta | None = None,
) -> list[Outgoing]:
    """The messages to deliver now, the longest due first; never two of one lane.

    Args:
        lane: only that of this lane.
        skip_lanes: lanes on which a delivery is running already.
        longest: what there is at most between two attempts; see :meth:`storage.query.Query.due`.
    """
    query = Query("SELECT * FROM outbox").due("next_attempt", now, longest).equal("lane", lane)
    _without(query, skip_lanes)
    rows = await tx.all(*query.end("ORDER BY next_attempt, sequence LIMIT ?", bounded(limit)))
    return [_from_row(tx, row) for row in rows]


async def claim(
    tx: Transaction,
    now: datetime,
    lease: timedelta,
    limit: int = 100,
    *,
    lane: str | None = None,
    skip_lanes: Collection[str] = (),
    longest: timedelta | None = None,
) -> list[Outgoing]:
    """As :func:`due`, and nobody else is given these messages before ``lease`` is over by the database's clock.

    Whoever claimed a message ends the lease by noting how its delivery went; where it died, the lease ends by itself.
    """
    heads = Query("SELECT sequence FROM outbox").due("next_attempt", now, longest)
    heads.where("leased_until <= lernode_now()").equal("lane", lane)
    _without(heads, skip_lanes)
    chosen, params = heads.end(f"ORDER BY next_attempt, sequence LIMIT ?{tx.skip_locked}", bounded(limit))
    rows = await tx.all(
        f"UPDATE outbox SET leased_until = lernode_now() + ? WHERE sequence IN ({chosen}) RETURNING *",  # noqa: S608
        (lease // timedelta(microseconds=1), *params),
    )
    return sorted((_from_row(tx, row) for row in rows), key=lambda message: message.sequence)


async def release(tx: Transaction, leases: Mapping[str, int]) -> None:
    """End claims before their time, given the lease of each message; those that others have by now stay theirs."""
    rows = [(message_id, lease) for message_id, lease in sorted(leases.items())]
    await tx.execute_many("UPDATE outbox SET leased_until = 0 WHERE id = ? AND leased_until = ?", rows)


async def waiting(
    tx: Transaction, lane: str, now: datetime, limit: int, *, longest: timedelta | None = None
) -> list[Outgoing]:
    """What waits on a lane, in its order, where its first message is due; see :func:`due`."""
    head = Query("SELECT 1 FROM outbox").due("next_attempt", now, longest).equal("lane", lane)
    if await tx.one(*head.end("LIMIT 1")) is None:
        return []
    query = Query("SELECT * FROM outbox").equal("lane", lane).where("state = 'queued'")
    return [_from_row(tx, row) for row in await tx.all(*query.end("ORDER BY sequence LIMIT ?", bounded(limit)))]


async def mark_delivered(tx: Transaction, lane: str, *message_ids: str) -> bool:
    """Take messages that have arrived out of their lane, which may be done already; whether more may be due there."""
    await tx.lock(_lane_lock(lane))
    rows = await tx.all(
        f"DELETE FROM outbox WHERE lane = ? AND id IN ({placeholders(len(message_ids))}) RETURNING next_attempt",  # noqa: S608
        (lane, *message_ids),
    )
    had_head = any(row["next_attempt"] is not None for row in rows)
    return await _promote(tx, lane) or not had_head


async def mark_failed(
    tx: Transaction,
    message_id: str,
    error_code: str,
    next_attempt_at: datetime | None,
    attempts: int,
    *,
    max_attempts: int = MAX_ATTEMPTS,
) -> OutboxState:
    """Note a delivery that failed; the state of the message now.

    Args:
        next_attempt_at: when to try again; None gives the message up at once.
        attempts: how often it was tried, this time included; at ``max_attempts`` it is given up.

    Raises:
        WrongState: ``outgoing_message.unknown``, or ``outgoing_message.not_due`` for one that is not the head.
    """
    row = await tx.one("SELECT lane, next_attempt FROM outbox WHERE id = ?", (message_id,))
    if row is None:
        raise unknown("outgoing message")
    if row["next_attempt"] is None:
        raise WrongState("outgoing_message.not_due", "This message was not being delivered.", "Ask what is due.")
    await tx.lock(_lane_lock(row["lane"]))
    dead = next_attempt_at is None or attempts >= max_attempts
    state = OutboxState.DEAD if dead else OutboxState.QUEUED
    await tx.execute(
        "UPDATE outbox SET state = ?, error_code = ?, attempts = ?, next_attempt = ?, leased_until = 0 WHERE id = ?",
        (state.value, error_code, attempts, None if dead else to_micros(next_attempt_at), message_id),
    )
    await _promote(tx, row["lane"])
    return state


async def forget_dead(tx: Transaction, message_id: str) -> bool:
    """Take a message that was given up out; whether the message is not there now, so that it can be put in again."""
    await tx.execute("DELETE FROM outbox WHERE id = ? AND state = 'dead'", (message_id,))
    return await tx.one("SELECT 1 FROM outbox WHERE id = ?", (message_id,)) is None


async def hasten(tx: Transaction, lane: str | None, now: datetime) -> int:
    """Try the head of a lane, or of all, now: what it waited for is there. How many had to wait."""
    moment, statement = to_micros(now), "UPDATE outbox SET next_attempt = ? WHERE next_attempt > ?"
    if lane is None:
        return await tx.execute(statement, (moment, moment), bulk=True)
    return await tx.execute(f"{statement} AND lane = ?", (moment, moment, lane))


async def has_queued(tx: Transaction, lane: str, *, thid: str | None = None) -> bool:
    """Whether anything waits on a lane; anything of a thread, where one is named."""
    query = Query("SELECT 1 FROM outbox").where("state = 'queued'").equal("lane", lane).equal("thid", thid)
    return await tx.one(*query.end("LIMIT 1")) is not None


async def requeue(tx: Transaction, message_id: str, now: datetime) -> str:
    """Try a dead message again, from the end of its lane; which lane that is.

    Raises:
        WrongState: ``outgoing_message.unknown``, or ``outgoing_message.not_dead``.
    """
    row = await tx.one("SELECT * FROM outbox WHERE id = ?", (message_id,))
    if row is None:
        raise unknown("outgoing message")
    found = _from_row(tx, row)
    await tx.lock(_lane_lock(found.lane))  # so that of two who want it, one finds it put in again
    if not await tx.execute("DELETE FROM outbox WHERE id = ? AND state = 'dead'", (message_id,)):
        raise WrongState("outgoing_message.not_dead", "This message is still being tried.", "Wait for it.")
    await enqueue(
        tx,
        id=found.id,
        connection_id=found.connection_id,
        lane=found.lane,
        message=found.message,
        message_type=found.message_type,
        thid=found.thid,
        wire=found.wire,
        my_verkey=found.my_verkey,
        to_verkey=found.to_verkey,
        traceparent=found.traceparent,
        now=now,
    )
    return found.lane


async def prune_dead(tx: Transaction, before: datetime) -> int:
    """Forget the messages that were given up and were put in before a time; how many that were."""
    return await tx.execute("DELETE FROM outbox WHERE state = 'dead' AND enqueued < ?", (to_micros(before),), bulk=True)


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Outgoing]:
    """The messages whose id starts so, in the order of their ids."""
    query = Query("SELECT * FROM outbox").id_starting_with(prefix, limit)
    return [_from_row(tx, row) for row in await tx.all(*query)]


async def page(
    tx: Transaction, *, state: OutboxState | None = None, lane: str | None = None, after: int = 0, limit: int = 100
) -> list[Outgoing]:
    """Messages in the order in which they were put in; ``after`` is the last ``sequence`` of the page before."""
    query = Query("SELECT * FROM outbox").equal("state", state).equal("lane", lane).where("sequence > ?", after)
    return [_from_row(tx, row) for row in await tx.all(*query.end("ORDER BY sequence LIMIT ?", bounded(limit)))]


async def counts(tx: Transaction) -> Counts:
    """How full the outbox is."""
    row = await tx.one(
        "SELECT COUNT(*) AS total, COUNT(next_attempt) AS lanes, "
        "COUNT(CASE state WHEN 'dead' THEN 1 END) AS dead FROM outbox"
    )
    return Counts(0, 0, 0) if row is None else Counts(row["total"] - row["dead"], row["dead"], row["lanes"])


async def oldest_age(tx: Transaction, now: datetime) -> timedelta | None:
    """How long the oldest waiting message has waited; None where none waits."""
    row = await tx.one("SELECT MIN(enqueued) AS oldest FROM outbox WHERE state = 'queued'")
    oldest = None if row is None else from_micros(row["oldest"])
    return None if oldest is None else max(now - oldest, timedelta(0))


async def next_wake(tx: Transaction, *, skip_lanes: Collection[str] = ()) -> datetime | None:
    """When the next message is due, which may be past; None where none waits."""
    query = Query("SELECT MIN(next_attempt) AS wake FROM outbox").where("next_attempt IS NOT NULL")
    _without(query, skip_lanes)
    row = await tx.one(*query.end())
    return None if row is None else from_micros(row["wake"])


def _lane_lock(lane: str) -> str:
    return f"lane {lane}"


async def _promote(tx: Transaction, lane: str) -> bool:
    """Make the first queued message of a lane due, unless the lane has its head; whether it had not."""
    promoted = await tx.execute(
        "UPDATE outbox SET next_attempt = enqueued WHERE sequence = "
        "(SELECT MIN(sequence) FROM outbox WHERE lane = ? AND state = 'queued') AND next_attempt IS NULL",
        (lane,),
    )
    return promoted > 0


def _without(query: Query, lanes: Collection[str]) -> None:
    if lanes:
        query.where(f"lane NOT IN ({placeholders(len(lanes))})", *lanes)


def _from_row(tx: Transaction, row: Row) -> Outgoing:
    return Outgoing(
        sequence=row["sequence"],
        id=row["id"],
        connection_id=row["connection_id"],
        lane=row["lane"],
        message=tx.sealing.open(_MESSAGE, row["id"], row["message"]),
        message_type=row["message_type"],
        thid=row["thid"],
        wire=row["wire"],
        my_verkey=row["my_verkey"],
        to_verkey=row["to_verkey"],
        enqueued=from_micros(row["enqueued"]),
        state=OutboxState(row["state"]),
        attempts=row["attempts"],
        next_attempt=from_micros(row["next_attempt"]),
        error_code=row["error_code"],
        lease=row["leased_until"],
        traceparent=row["traceparent"],
    )
