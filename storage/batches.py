"""Batches: which row of which list has which record.

Promises: a row has one record for ever, so that a batch which was cut short can be sent again whole. A row is known by
its key alone, of which a keyed hash is kept; nothing else of the list is, for a list of learners is not this node's to
keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from protocols.errors import WrongState
from storage.engine import Transaction
from storage.query import Query, placeholders
from storage.values import from_micros, to_micros

__all__ = ["Batch", "add_rows", "begin", "issued_ids", "name_of_row"]

_BATCH = "batches.name"


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
    batch = tx.sealing.blind(_BATCH, name)
    achievement = tx.sealing.blind("batches.achievement", achievement_id)
    await tx.lock(f"batch {batch.hex()}")
    row = await tx.one("SELECT achievement_key, begun FROM batches WHERE batch_key = ?", (batch,))
    if row is None:
        await tx.execute(
            "INSERT INTO batches (batch_key, achievement_key, begun) VALUES (?, ?, ?)",
            (batch, achievement, to_micros(now)),
        )
        return Batch(name=name, achievement_id=achievement_id, begun=now)
    if row["achievement_key"] != achievement:
        raise WrongState(
            "batch.other_achievement", "The batch was begun for another achievement.", "Give this one another name."
        )
    return Batch(name=name, achievement_id=achievement_id, begun=from_micros(row["begun"]))


async def issued_ids(tx: Transaction, name: str, keys: Sequence[str]) -> dict[str, str]:
    """The ids of the records that these rows of a batch have, by key."""
    asked = {_row_key(tx, name, key): key for key in keys}
    query = Query("SELECT row_key, issued_id FROM batch_rows").equal("batch_key", tx.sealing.blind(_BATCH, name))
    query.where(f"row_key IN ({placeholders(len(asked))})", *asked)
    return {asked[row["row_key"]]: row["issued_id"] for row in await tx.all(*query.end())}


async def add_rows(tx: Transaction, name: str, issued: Mapping[str, str]) -> None:
    """Note the ids of the records that rows of a batch got, by key.

    Raises:
        WrongState: ``store.conflict`` where a row has one already.
    """
    await tx.execute_many(
        "INSERT INTO batch_rows (batch_key, row_key, issued_id) VALUES (?, ?, ?)",
        [(tx.sealing.blind(_BATCH, name), _row_key(tx, name, key), issued_id) for key, issued_id in issued.items()],
    )


def name_of_row(tx: Transaction, name: str, key: str) -> str:
    """By what the status indices of a row's record are asked for: always the same, and it tells nothing of the key."""
    return f"batch:{_row_key(tx, name, key).hex()}"


def _row_key(tx: Transaction, name: str, key: str) -> bytes:
    # With the list's own hash in it, one learner's key in two lists gives no link between them.
    return tx.sealing.blind(f"batch_rows.{tx.sealing.blind(_BATCH, name).hex()}", key)
