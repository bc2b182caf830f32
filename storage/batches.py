"""Batches: which row of which list has which record.

Promises: a row has one record for ever, so that a batch which was cut short can be sent again whole. A row is known by
its key alone; nothing else of the list is kept, for a list of learners is not this node's to keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from protocols.errors import WrongState
from storage.engine import Transaction
from storage.query import Query, placeholders
from storage.values import from_micros, to_micros

__all__ = ["Batch", "add_rows", "begin", "issued_ids"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One list of learners for one achievement.

    Attributes:
        name: by which whoever issues knows the list again.
        begun: when its first row was asked for.
    """

    name: str
    achievement_id: str
    begun: datetime


async def begin(tx: Transaction, name: str, achievement_id: str, now: datetime) -> Batch:
    """The batch of that name; begun now if it was not before.

    Raises:
        WrongState: ``batch.other_achievement`` where it was begun for another one.
    """
    row = await tx.one("SELECT achievement_id, begun FROM batches WHERE name = ?", (name,))
    if row is None:
        await tx.execute(
            "INSERT INTO batches (name, achievement_id, begun) VALUES (?, ?, ?)",
            (name, achievement_id, to_micros(now)),
        )
        return Batch(name=name, achievement_id=achievement_id, begun=now)
    if row["achievement_id"] != achievement_id:
        raise WrongState(
            "batch.other_achievement", "The batch was begun for another achievement.", "Give this one another name."
        )
    return Batch(name=name, achievement_id=achievement_id, begun=from_micros(row["begun"]))


async def issued_ids(tx: Transaction, name: str, keys: Sequence[str]) -> dict[str, str]:
    """The ids of the records that these rows of a batch have, by key."""
    query = Query("SELECT key, issued_id FROM batch_rows").equal("batch", name)
    query.where(f"key IN ({placeholders(len(keys))})", *keys)
    return {row["key"]: row["issued_id"] for row in await tx.all(*query.end())}


async def add_rows(tx: Transaction, name: str, issued: Mapping[str, str]) -> None:
    """Note the ids of the records that rows of a batch got, by key.

    Raises:
        WrongState: ``store.conflict`` where a row has one already.
    """
    await tx.execute_many(
        "INSERT INTO batch_rows (batch, key, issued_id) VALUES (?, ?, ?)",
        [(name, key, issued_id) for key, issued_id in issued.items()],
    )
