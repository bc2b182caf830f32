"""Webhooks: which of the institution's systems are told, with which secret, and what they still have to be told.

Promises: a delivery is planned in the unit of work of its event and stays until its receiver confirmed it, or until
it is given up (dead), which can be looked at and tried again; at most the first delivery of a lane is due, so that
events of one lane arrive in order. URLs and secrets are sealed, each to its webhook.

It leaves to others: how long to wait between attempts, and which lanes a process is delivering itself (``skip_lanes``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded, placeholders
from storage.secrets import Vault
from storage.values import from_micros, to_micros

__all__ = [
    "CHANNEL",
    "EVERY_TOPIC",
    "Backlog",
    "Due",
    "Webhook",
    "WebhookState",
    "add",
    "backlog",
    "claim",
    "due",
    "failed",
    "find_by_prefix",
    "finish",
    "get",
    "next_wake",
    "page",
    "plan",
    "prune",
    "release",
    "remove",
    "replay",
    "resume",
    "rotate",
    "secrets_of",
    "stop",
]

_URL = "webhooks.url"
CHANNEL = "webhooks"
"""The channel on which a commit tells that there are new deliveries."""

EVERY_TOPIC = "*"


class WebhookState(StrEnum):
    """Whether a webhook is told anything: active, or stopped because its receiver is gone."""

    ACTIVE = "active"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events go.

    Attributes:
        topics: which events; :data:`EVERY_TOPIC` for all.
        previous_until: until when messages are signed with the secret before the last rotation too, or None.
        error_code: why it is stopped, or None.
    """

    id: str
    url: str
    topics: tuple[str, ...]
    state: WebhookState = WebhookState.ACTIVE
    previous_until: datetime | None = None
    error_code: str | None = None
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The first delivery of a lane, to be made now.

    Attributes:
        attempts: how often it failed.
        lease: what ends the claim on it, see :func:`claim` and :func:`release`; 0 where nobody claimed it.
    """

    webhook_id: str
    lane: str
    seq: int
    attempts: int
    lease: int = 0

    @property
    def key(self) -> str:
        """By which the lane is known among those of all webhooks."""
        return f"{self.webhook_id}/{self.lane}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What a webhook still has to be told.

    Attributes:
        oldest: when the oldest event that waits happened, or None.
        error_code: why the attempt before failed, of some lane that waits for another; None where none does.
    """

    waiting: int
    dead: int
    oldest: datetime | None
    error_code: str | None


async def add(tx: Transaction, vault: Vault, webhook: Webhook, secret: bytes) -> None:
    """Keep a new webhook."""
    await tx.execute(
        "INSERT INTO webhooks (id, url, sealed_secret, state, created) VALUES (?, ?, ?, ?, ?)",
        (
            webhook.id,
            tx.sealing.seal(_URL, webhook.id, webhook.url),
            vault.seal(_name(webhook.id), secret),
            webhook.state,
            to_micros(webhook.created),
        ),
    )
    await tx.execute_many(
        "INSERT INTO webhook_topics (webhook_id, topic) VALUES (?, ?)", [(webhook.id, t) for t in webhook.topics]
    )


async def get(tx: Transaction, webhook_id: str) -> Webhook:
    """A webhook.

    Raises:
        WrongState: ``webhook.unknown``.
    """
    row = await tx.one("SELECT * FROM webhooks WHERE id = ?", (webhook_id,))
    if row is None:
        raise unknown("webhook")
    return (await _with_topics(tx, [row]))[0]


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Webhook]:
    """The webhooks whose id starts so, in the order of their ids."""
    query = Query("SELECT * FROM webhooks").id_starting_with(prefix, limit)
    return await _with_topics(tx, await tx.all(*query))


async def page(tx: Transaction, *, limit: int = 100) -> list[Webhook]:
    """The webhooks, the oldest first."""
    rows = await tx.all("SELECT * FROM webhooks ORDER BY created, id LIMIT ?", (bounded(limit),))
    return await _with_topics(tx, rows)


async def secrets_of(tx: Transaction, vault: Vault, webhook_id: str, now: datetime) -> list[bytes]:
    """The secrets with which messages to a webhook are signed now, the newest first.

    Raises:
        WrongState: ``webhook.unknown``.
        LernodeError: ``store.secret_altered``.
    """
    row = await tx.one(
        "SELECT sealed_secret, sealed_previous, previous_until FROM webhooks WHERE id = ?", (webhook_id,)
    )
    if row is None:
        raise unknown("webhook")
    sealed = [row["sealed_secret"]]
    if row["previous_until"] is not None and row["previous_until"] > to_micros(now):
        sealed.append(row["sealed_previous"])
    return [vault.unseal(_name(webhook_id), one) for one in sealed]


async def rotate(
    tx: Transaction, vault: Vault, webhook_id: str, secret: bytes, now: datetime, *, overlap: timedelta
) -> None:
    """Give a webhook a new secret; the old one signs too for the time of ``overlap``.

    Raises:
        WrongState: ``webhook.unknown``.
    """
    changed = await tx.execute(
        "UPDATE webhooks SET sealed_previous = sealed_secret, previous_until = ?, sealed_secret = ? WHERE id = ?",
        (to_micros(now + overlap), vault.seal(_name(webhook_id), secret), webhook_id),
    )
    if not changed:
        raise unknown("webhook")


async def stop(tx: Transaction, webhook_id: str, error_code: str) -> None:
    """Tell a webhook nothing more; what waits for it stays."""
    await tx.execute("UPDATE webhooks SET state = 'stopped', error_code = ? WHERE id = ?", (error_code, webhook_id))


async def resume(tx: Transaction, webhook_id: str, now: datetime) -> None:
    """Go on with a webhook that was stopped, or that waits for its next attempt: what waits is due now.

    Raises:
        WrongState: ``webhook.unknown``.
    """
    changed = await tx.execute("UPDATE webhooks SET state = 'active', error_code = NULL WHERE id = ?", (webhook_id,))
    if not changed:
        raise unknown("webhook")
    await tx.execute("UPDATE webhook_lanes SET next_attempt = ? WHERE webhook_id = ?", (to_micros(now), webhook_id))


async def remove(tx: Transaction, webhook_id: str) -> None:
    """Forget a webhook and what it was still to be told.

    Raises:
        WrongState: ``webhook.unknown``.
    """
    await tx.execute("DELETE FROM webhook_deliveries WHERE webhook_id = ?", (webhook_id,))
    await tx.execute("DELETE FROM webhook_lanes WHERE webhook_id = ?", (webhook_id,))
    await tx.execute("DELETE FROM webhook_topics WHERE webhook_id = ?", (webhook_id,))
    if not await tx.execute("DELETE FROM webhooks WHERE id = ?", (webhook_id,)):
        raise unknown("webhook")


# Deliveries ---------------------------------------------------------------------------------------------------------


async def plan(tx: Transaction, *, first_event: str, now: datetime) -> None:
    """Plan the deliveries of this event, and of those added after it, to the active webhooks that want their topics."""
    planned = await tx.execute(
        "INSERT INTO webhook_deliveries (webhook_id, lane, seq, state) "
        "SELECT w.id, e.lane, e.seq, 'queued' FROM webhooks AS w CROSS JOIN events AS e "
        "WHERE w.state = 'active' AND e.seq >= (SELECT seq FROM events WHERE id = ?) "
        "AND EXISTS (SELECT 1 FROM webhook_topics AS t WHERE t.webhook_id = w.id AND t.topic IN (e.topic, '*'))",
        (first_event,),
    )
    if planned > 0:
        await tx.execute(
            "INSERT INTO webhook_lanes (webhook_id, lane, attempts, next_attempt) "
            "SELECT DISTINCT webhook_id, lane, 0, CAST(? AS BIGINT) FROM webhook_deliveries "
            "WHERE seq >= (SELECT seq FROM events WHERE id = ?) "
            # Not nothing: who is about to end the lane has to wait, and then sees that there is more.
            "ON CONFLICT (webhook_id, lane) DO UPDATE SET next_attempt = webhook_lanes.next_attempt",
            (to_micros(now), first_event),
        )
        tx.notify(CHANNEL)


async def due(
    tx: Transaction,
    webhook_id: str,
    now: datetime,
    limit: int,
    *,
    skip_lanes: Collection[str] = (),
    longest: timedelta | None = None,
) -> list[Due]:
    """The deliveries to make now, the longest due first; never two of one lane.

    Args:
        longest: what there is at most between two attempts; see :meth:`storage.query.Query.due`.
    """
    query = _lanes_of(
        "SELECT l.webhook_id, l.lane, l.attempts, (SELECT MIN(d.seq) FROM webhook_deliveries AS d "
        "WHERE d.webhook_id = l.webhook_id AND d.lane = l.lane AND d.state = 'queued') AS seq FROM webhook_lanes AS l",
        webhook_id,
        skip_lanes,
    ).due("l.next_attempt", now, longest)
    rows = await tx.all(*query.end("ORDER BY l.next_attempt, l.lane LIMIT ?", bounded(limit)))
    return [Due(webhook_id=r["webhook_id"], lane=r["lane"], seq=r["seq"], attempts=r["attempts"]) for r in rows]


async def claim(
    tx: Transaction,
    webhook_id: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    *,
    skip_lanes: Collection[str] = (),
    longest: timedelta | None = None,
) -> list[Due]:
    """As :func:`due`, and nobody else is given these lanes before ``lease`` is over by the database's clock.

    Whoever claimed a delivery ends the lease by noting how it went; where it died, the lease ends by itself.
    """
    lanes = _lanes_of("SELECT l.lane FROM webhook_lanes AS l", webhook_id, skip_lanes)
    lanes.due("l.next_attempt", now, longest).where("l.leased_until <= lernode_now()")
    chosen, params = lanes.end(f"ORDER BY l.next_attempt, l.lane LIMIT ?{tx.skip_locked}", bounded(limit))
    claimed = await tx.all(
        "UPDATE webhook_lanes SET leased_until = lernode_now() + ? WHERE webhook_id = ? "  # noqa: S608
        f"AND lane IN ({chosen}) RETURNING lane, attempts, leased_until",
        (lease // timedelta(microseconds=1), webhook_id, *params),
    )
    if not claimed:
        return []
    first = Query("SELECT lane, MIN(seq) AS seq FROM webhook_deliveries").where("webhook_id = ?", webhook_id)
    first.where("state = 'queued'").where(f"lane IN ({placeholders(len(claimed))})", *(row["lane"] for row in claimed))
    seqs = {row["lane"]: row["seq"] for row in await tx.all(*first.end("GROUP BY lane"))}
    return [
        Due(
            webhook_id=webhook_id,
            lane=row["lane"],
            seq=seqs[row["lane"]],
            attempts=row["attempts"],
            lease=row["leased_until"],
        )
        for row in claimed
    ]


async def release(tx: Transaction, leases: Mapping[str, int]) -> None:
    """End claims before their time, given the lease of each by its :attr:`Due.key`; what others have stays theirs."""
    places = [(key.partition("/"), lease) for key, lease in sorted(leases.items())]
    rows = [(webhook_id, lane, lease) for (webhook_id, _, lane), lease in places]
    await tx.execute_many(
        "UPDATE webhook_lanes SET leased_until = 0 WHERE webhook_id = ? AND lane = ? AND leased_until = ?", rows
    )


async def next_wake(tx: Transaction, webhook_id: str, *, skip_lanes: Collection[str] = ()) -> datetime | None:
    """When the next delivery to this webhook is due, which may be past; None where none waits."""
    query = _lanes_of("SELECT MIN(l.next_attempt) AS wake FROM webhook_lanes AS l", webhook_id, skip_lanes)
    row = await tx.one(*query.end())
    return None if row is None else from_micros(row["wake"])


async def finish(tx: Transaction, done: Due, now: datetime, *, error_code: str | None = None) -> None:
    """Take a delivery out of its lane: it was confirmed, or with an ``error_code`` it is given up and stays as dead."""
    place = (done.webhook_id, done.lane, done.seq)
    # First, so that whoever plans another delivery of the lane is either seen here or begins the lane anew.
    await tx.execute("UPDATE webhook_lanes SET leased_until = 0 WHERE webhook_id = ? AND lane = ?", place[:2])
    if error_code is None:
        await tx.execute("DELETE FROM webhook_deliveries WHERE webhook_id = ? AND lane = ? AND seq = ?", place)
    else:
        await tx.execute(
            "UPDATE webhook_deliveries SET state = 'dead', error_code = ? "
            "WHERE webhook_id = ? AND lane = ? AND seq = ?",
            (error_code, *place),
        )
    goes_on = await tx.execute(
        "UPDATE webhook_lanes SET attempts = 0, next_attempt = ?, error_code = NULL WHERE webhook_id = ? AND lane = ? "
        "AND EXISTS (SELECT 1 FROM webhook_deliveries AS d WHERE d.webhook_id = webhook_lanes.webhook_id "
        "AND d.lane = webhook_lanes.lane AND d.state = 'queued')",
        (to_micros(now), done.webhook_id, done.lane),
    )
    if not goes_on:
        await tx.execute("DELETE FROM webhook_lanes WHERE webhook_id = ? AND lane = ?", (done.webhook_id, done.lane))


async def failed(tx: Transaction, tried: Due, error_code: str, next_attempt: datetime) -> None:
    """Note an attempt that failed; the lane waits until ``next_attempt``."""
    await tx.execute(
        "UPDATE webhook_lanes SET attempts = ?, next_attempt = ?, error_code = ?, leased_until = 0 "
        "WHERE webhook_id = ? AND lane = ?",
        (tried.attempts + 1, to_micros(next_attempt), error_code, tried.webhook_id, tried.lane),
    )


async def replay(tx: Transaction, webhook_id: str, now: datetime, *, after: int | None = None) -> int:
    """Deliver again what was given up, or every kept event that follows number ``after``; how many that are.

    Raises:
        WrongState: ``webhook.unknown``.
    """
    webhook = await get(tx, webhook_id)
    if after is None:
        again = await tx.execute(
            "UPDATE webhook_deliveries SET state = 'queued', error_code = NULL WHERE webhook_id = ? AND state = 'dead'",
            (webhook_id,),
        )
    else:
        query = Query("SELECT CAST(? AS TEXT), lane, seq, 'queued' FROM events").where("seq > ?", after)
        if EVERY_TOPIC not in webhook.topics:
            query.where(f"topic IN ({placeholders(len(webhook.topics))})", *webhook.topics)
        select, params = query.end()
        again = await tx.execute(
            " ".join(
                [
                    "INSERT INTO webhook_deliveries (webhook_id, lane, seq, state)",
                    select,
                    "ON CONFLICT (webhook_id, lane, seq) DO UPDATE SET state = 'queued', error_code = NULL",
                ]
            ),
            (webhook_id, *params),
        )
    await tx.execute(
        "INSERT INTO webhook_lanes (webhook_id, lane, attempts, next_attempt) SELECT DISTINCT webhook_id, lane, 0, "
        "CAST(? AS BIGINT) "
        "FROM webhook_deliveries WHERE webhook_id = ? AND state = 'queued' "
        "ON CONFLICT (webhook_id, lane) DO UPDATE SET next_attempt = webhook_lanes.next_attempt",
        (to_micros(now), webhook_id),
    )
    return again


async def backlog(tx: Transaction, webhook_id: str) -> Backlog:
    """How far behind a webhook is."""
    row = await tx.one(
        "SELECT COUNT(CASE d.state WHEN 'queued' THEN 1 END) AS waiting, "
        "COUNT(CASE d.state WHEN 'dead' THEN 1 END) AS dead, "
        "MIN(CASE d.state WHEN 'queued' THEN e.at END) AS oldest "
        "FROM webhook_deliveries AS d JOIN events AS e ON e.seq = d.seq WHERE d.webhook_id = ?",
        (webhook_id,),
    )
    error = await tx.one("SELECT MAX(error_code) AS error FROM webhook_lanes WHERE webhook_id = ?", (webhook_id,))
    if row is None or error is None:
        return Backlog(waiting=0, dead=0, oldest=None, error_code=None)
    return Backlog(
        waiting=row["waiting"], dead=row["dead"], oldest=from_micros(row["oldest"]), error_code=error["error"]
    )


async def prune(tx: Transaction, before: datetime) -> int:
    """Give up for good deliveries of events of before a time that are dead, or wait for a stopped webhook; how many."""
    moment = to_micros(before)
    gone = await tx.execute(
        "DELETE FROM webhook_deliveries WHERE seq IN (SELECT seq FROM events WHERE at < ?) AND (state = 'dead' "
        "OR webhook_id IN (SELECT id FROM webhooks WHERE state = 'stopped'))",
        (moment,),
    )
    if gone:
        await tx.execute(
            "DELETE FROM webhook_lanes WHERE NOT EXISTS (SELECT 1 FROM webhook_deliveries AS d WHERE "
            "d.webhook_id = webhook_lanes.webhook_id AND d.lane = webhook_lanes.lane AND d.state = 'queued')"
        )
    return gone


def _lanes_of(select: str, webhook_id: str, skip_lanes: Collection[str]) -> Query:
    query = Query(select).where("l.webhook_id = ?", webhook_id)
    if skip_lanes:
        query.where(f"l.lane NOT IN ({placeholders(len(skip_lanes))})", *skip_lanes)
    return query


async def _with_topics(tx: Transaction, rows: Sequence[Row]) -> list[Webhook]:
    ids = [row["id"] for row in rows]
    topics: dict[str, list[str]] = {webhook_id: [] for webhook_id in ids}
    if ids:
        query = Query("SELECT webhook_id, topic FROM webhook_topics")
        query.where(f"webhook_id IN ({placeholders(len(ids))})", *ids)
        for row in await tx.all(*query.end("ORDER BY webhook_id, topic")):
            topics[row["webhook_id"]].append(row["topic"])
    return [
        Webhook(
            id=row["id"],
            url=tx.sealing.open(_URL, row["id"], row["url"]).decode(),
            topics=tuple(topics[row["id"]]),
            state=WebhookState(row["state"]),
            previous_until=from_micros(row["previous_until"]),
            error_code=row["error_code"],
            created=from_micros(row["created"]),
        )
        for row in rows
    ]


def _name(webhook_id: str) -> str:
    return f"webhooks/{webhook_id}"
