"""Which messages were received already, so that a repeated one changes nothing, and when they were last answered."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from storage.engine import Transaction
from storage.values import to_micros

__all__ = ["prune", "seen", "take_repeat"]


async def seen(tx: Transaction, sender: str, message_id: str, now: datetime) -> bool:
    """Whether this sender's message was recorded before; if not, it is recorded now, in this unit of work.

    Args:
        sender: the key, or the DID, that authenticated it.
    """
    recorded = await tx.execute(
        "INSERT INTO inbox (sender_verkey, message_digest, received) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (sender, _digest(message_id), to_micros(now)),
    )
    return recorded == 0


async def take_repeat(tx: Transaction, sender: str, message_id: str, now: datetime, pause: timedelta) -> bool:
    """Whether a repeated message may be answered once more: not within ``pause`` of the last time that this was true.

    That time, and not the first, is from then on when it was received; so it is known for as long as it is repeated.
    """
    taken = await tx.execute(
        "UPDATE inbox SET received = ? WHERE sender_verkey = ? AND message_digest = ? "
        # A time far to come is of a clock that was ahead; one that is near, of another process that was quicker.
        "AND (received <= ? OR received > ?)",
        (to_micros(now), sender, _digest(message_id), to_micros(now - pause), to_micros(now + pause)),
    )
    return taken > 0


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget what was received before a time; how many that were."""
    return await tx.execute("DELETE FROM inbox WHERE received < ?", (to_micros(before),), bulk=True)


def _digest(message_id: str) -> bytes:
    # The sender chooses the id; its digest has one size.
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).digest()
