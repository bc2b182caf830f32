"""What this node holds for others as their mediator: clients, their recipients, and one queue a client.

Promises: a recipient belongs to one client; a queue keeps its order; what a client may have is decided by its own row,
so that no statement looks at another client's messages; the counts of a client are true after each unit of work. The
envelopes are opaque: there is no key for them here.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded, placeholders
from storage.values import from_micros, to_micros

__all__ = [
    "Added", "Client", "Held", "Holding", "Quota", "acknowledge", "add_client", "add_recipient", "batch", "end_client",
    "expire", "find_client", "hold", "last_position", "oldest", "page_clients", "recipient_of", "recipients_of",
    "remove_recipient", "times", "totals",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What one client may have."""

    messages: int
    total_bytes: int
    recipients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Somebody whom this node mediates for; ``total_bytes`` and ``messages`` are what is held now."""

    connection_id: str
    recipients: int
    messages: int
    total_bytes: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """One held message.

    Attributes:
        id: unique for this node; under it the message is acknowledged.
        position: its place in the client's queue.
    """

    id: str
    position: int
    recipient: str
    envelope: bytes


class Holding(StrEnum):
    """What became of a message for somebody."""

    HELD = "held"
    KNOWN = "known"
    FULL = "full"


class Added(StrEnum):
    """What became of a recipient that a client named."""

    ADDED = "added"
    KNOWN = "known"
    TAKEN = "taken"
    FULL = "full"


async def add_client(tx: Transaction, connection_id: str, now: datetime, *, limit: int) -> bool:
    """Mediate for a peer; whether there was room for one more. Adding a client twice is harmless."""
    await tx.lock("mediation clients")
    if await find_client(tx, connection_id) is not None:
        return True
    row = await tx.one("SELECT COUNT(*) AS clients FROM mediation_clients")
    if row is not None and row["clients"] >= limit:
        return False
    await tx.execute(
        "INSERT INTO mediation_clients (connection_id, next_position, recipients, held_messages, held_bytes, since) "
        "VALUES (?, 1, 0, 0, 0, ?)",
        (connection_id, to_micros(now)),
    )
    return True


async def find_client(tx: Transaction, connection_id: str) -> Client | None:
    """A client, or None."""
    row = await tx.one("SELECT * FROM mediation_clients WHERE connection_id = ?", (connection_id,))
    return None if row is None else _client(row)


async def totals(tx: Transaction) -> tuple[int, int, int]:
    """How many clients there are, and how many messages and bytes are held for them."""
    row = await tx.one(
        "SELECT COUNT(*) AS clients, COALESCE(SUM(held_messages), 0) AS held, COALESCE(SUM(held_bytes), 0) AS size "
        "FROM mediation_clients"
    )
    return (0, 0, 0) if row is None else (row["clients"], row["held"], row["size"])


async def page_clients(tx: Transaction, *, after: str | None = None, limit: int = 100) -> list[Client]:
    """Clients, the newest first; ``after`` is the connection of the last one of the page before."""
    query = Query("SELECT * FROM mediation_clients")
    if after is not None:
        query.where(
            "(since, connection_id) < (SELECT since, connection_id FROM mediation_clients WHERE connection_id = ?)",
            after,
        )
    rows = await tx.all(*query.end("ORDER BY since DESC, connection_id DESC LIMIT ?", bounded(limit)))
    return [_client(row) for row in rows]


async def end_client(tx: Transaction, connection_id: str) -> None:
    """Forget a client, its recipients and what is held for it.

    Raises:
        WrongState: ``mediation_client.unknown``.
    """
    await tx.execute("DELETE FROM mediated_messages WHERE connection_id = ?", (connection_id,))
    await tx.execute("DELETE FROM mediated_recipients WHERE connection_id = ?", (connection_id,))
    if not await tx.execute("DELETE FROM mediation_clients WHERE connection_id = ?", (connection_id,)):
        raise unknown("mediation client")


async def add_recipient(tx: Transaction, connection_id: str, name: str, quota: Quota, now: datetime) -> Added:
    """Note that messages for ``name`` belong to a client; who named it first, has it."""
    inserted = await tx.execute(
        "INSERT INTO mediated_recipients (name, connection_id, added) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (name, connection_id, to_micros(now)),
    )
    if not inserted:
        return Added.KNOWN if await recipient_of(tx, name) == connection_id else Added.TAKEN
    counted = await tx.execute(
        "UPDATE mediation_clients SET recipients = recipients + 1 WHERE connection_id = ? AND recipients < ?",
        (connection_id, quota.recipients),
    )
    if not counted:
        await tx.execute("DELETE FROM mediated_recipients WHERE name = ?", (name,))
        return Added.FULL
    return Added.ADDED


async def remove_recipient(tx: Transaction, connection_id: str, name: str) -> bool:
    """Take no more messages for ``name``; whether it was the client's. What is held stays until it is picked up."""
    removed = await tx.execute(
        "DELETE FROM mediated_recipients WHERE name = ? AND connection_id = ?", (name, connection_id)
    )
    if removed:
        await tx.execute(
            "UPDATE mediation_clients SET recipients = recipients - 1 WHERE connection_id = ?", (connection_id,)
        )
    return removed == 1


async def recipients_of(tx: Transaction, connection_id: str, *, offset: int, limit: int) -> list[str]:
    """A client's recipients, the oldest first."""
    rows = await tx.all(
        "SELECT name FROM mediated_recipients WHERE connection_id = ? ORDER BY added, name LIMIT ? OFFSET ?",
        (connection_id, bounded(limit), offset),
    )
    return [row["name"] for row in rows]


async def recipient_of(tx: Transaction, name: str) -> str | None:
    """The client to whom messages for ``name`` belong, by its connection; None where nobody is known by it."""
    row = await tx.one("SELECT connection_id FROM mediated_recipients WHERE name = ?", (name,))
    return None if row is None else str(row["connection_id"])


async def hold(
    tx: Transaction,
    connection_id: str,
    recipient: str,
    envelope: bytes,
    quota: Quota,
    now: datetime,
    *,
    id: str,  # noqa: A002 - the name under which it is acknowledged
) -> Holding:
    """Keep an envelope at the end of a client's queue, unless it is there already or the client's share is full."""
    # Whoever else puts something in this queue waits here, so that positions and counts hold.
    await tx.one(*Query("SELECT 1 FROM mediation_clients").where("connection_id = ?", connection_id).end(tx.row_lock))
    digest = hashlib.sha256(envelope).digest()
    known = await tx.one("SELECT 1 FROM mediated_messages WHERE recipient = ? AND digest = ?", (recipient, digest))
    if known is not None:
        return Holding.KNOWN
    size = len(envelope)
    counted = await tx.execute(
        "UPDATE mediation_clients SET next_position = next_position + 1, held_messages = held_messages + 1, "
        "held_bytes = held_bytes + ? WHERE connection_id = ? AND held_messages < ? AND held_bytes + ? <= ?",
        (size, connection_id, quota.messages, size, quota.total_bytes),
    )
    if not counted:
        return Holding.FULL
    await tx.execute(
        "INSERT INTO mediated_messages (id, connection_id, position, recipient, digest, size, received, envelope) "
        "VALUES (?, ?, (SELECT next_position - 1 FROM mediation_clients WHERE connection_id = ?), ?, ?, ?, ?, ?)",
        (id, connection_id, connection_id, recipient, digest, size, to_micros(now), envelope),
    )
    return Holding.HELD


async def batch(
    tx: Transaction,
    connection_id: str,
    *,
    limit: int,
    max_bytes: int,
    recipient: str | None = None,
    after: int = 0,
) -> list[Held]:
    """The next messages of a queue in order: at least one where there is one, then as many as fit.

    Args:
        recipient: only those for this recipient.
        after: only those that stand behind this position.
    """
    query = Query("SELECT position, size FROM mediated_messages").where("connection_id = ?", connection_id)
    query.equal("recipient", recipient).where("position > ?", after)
    sizes = await tx.all(*query.end("ORDER BY position LIMIT ?", bounded(limit)))
    fitting: list[int] = []
    total = 0
    for row in sizes:
        total += row["size"]
        if fitting and total > max_bytes:
            break
        fitting.append(row["position"])
    if not fitting:
        return []
    query = Query("SELECT id, position, recipient, envelope FROM mediated_messages")
    query.where("connection_id = ?", connection_id).where(f"position IN ({placeholders(len(fitting))})", *fitting)
    rows = await tx.all(*query.end("ORDER BY position"))
    return [Held(row["id"], row["position"], row["recipient"], row["envelope"]) for row in rows]


async def last_position(tx: Transaction, connection_id: str) -> int:
    """The position of what came last for a client, held or not."""
    row = await tx.one("SELECT next_position FROM mediation_clients WHERE connection_id = ?", (connection_id,))
    return 0 if row is None else int(row["next_position"]) - 1


async def times(
    tx: Transaction, connection_id: str, recipient: str | None = None
) -> tuple[int, int, datetime | None, datetime | None]:
    """How many messages and bytes wait, and when the oldest and the newest came."""
    if recipient is None:
        client = await find_client(tx, connection_id)
        count, size = (client.messages, client.total_bytes) if client is not None else (0, 0)
    else:
        row = await tx.one(
            "SELECT COUNT(*) AS count, COALESCE(SUM(size), 0) AS size FROM mediated_messages "
            "WHERE connection_id = ? AND recipient = ?",
            (connection_id, recipient),
        )
        count, size = (0, 0) if row is None else (row["count"], row["size"])
    ends: list[datetime | None] = []
    for direction in ("ASC", "DESC"):
        query = Query("SELECT received FROM mediated_messages").where("connection_id = ?", connection_id)
        query.equal("recipient", recipient)
        row = await tx.one(*query.end(f"ORDER BY position {direction} LIMIT 1"))
        ends.append(None if row is None else from_micros(row["received"]))
    return count, size, ends[0], ends[1]


async def acknowledge(tx: Transaction, connection_id: str, message_ids: Sequence[str]) -> int:
    """Forget messages that their client has; how many these were. Those of other clients stay."""
    return await _remove(
        tx,
        Query(_SELECT_SIZES)
        .where(f"connection_id = ? AND id IN ({placeholders(len(message_ids))})", connection_id, *message_ids)
        .end(),
    )


async def expire(tx: Transaction, before: datetime, *, limit: int = 500) -> int:
    """Forget what came before a time, the oldest first; how many that were."""
    query = Query(_SELECT_SIZES).where("received < ?", to_micros(before))
    return await _remove(tx, query.end("ORDER BY received LIMIT ?", bounded(limit)))


async def oldest(tx: Transaction) -> datetime | None:
    """When the oldest message came; None where none is held."""
    row = await tx.one("SELECT MIN(received) AS received FROM mediated_messages")
    return None if row is None else from_micros(row["received"])


_SELECT_SIZES = "SELECT id, connection_id, size FROM mediated_messages"


async def _remove(tx: Transaction, found: tuple[str, tuple[str | int | bytes | None, ...]]) -> int:
    """Delete these rows, and count them off their clients."""
    rows = await tx.all(*found)
    of_client: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        of_client[row["connection_id"]].append(row["size"])
    await tx.execute_many("DELETE FROM mediated_messages WHERE id = ?", [(row["id"],) for row in rows])
    await tx.execute_many(
        "UPDATE mediation_clients SET held_messages = held_messages - ?, held_bytes = held_bytes - ? "
        "WHERE connection_id = ?",
        [(len(sizes), sum(sizes), connection_id) for connection_id, sizes in of_client.items()],
    )
    return len(rows)


def _client(row: Row) -> Client:
    return Client(
        connection_id=row["connection_id"],
        recipients=row["recipients"],
        messages=row["held_messages"],
        total_bytes=row["held_bytes"],
        since=from_micros(row["since"]),
    )
