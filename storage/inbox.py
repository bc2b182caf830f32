"""Which messages were received already, so that a repeated one changes nothing."""

from __future__ import annotations

import hashlib
from datetime import datetime

from storage.engine import Transaction
from storage.values import to_micros

__all__ = ["prune", "seen"]


async def seen(tx: Transaction, sender: str, message_id: str, now: datetime) -> bool:
    """Whether this sender's message was recorded before; if not, it is recorded now, in this unit of work.

    Args:
        sender: the key, or the DID, that authenticated it.
    """
    # The sender chooses the id; its digest has one size.
    digest = hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).digest()
    recorded = await tx.execute(
        "INSERT INTO inbox (sender_verkey, message_digest, received) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (sender, digest, to_micros(now)),
    )
    return recorded == 0


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget what was received before a time; how many that were."""
    return await tx.execute("DELETE FROM inbox WHERE received < ?", (to_micros(before),), bulk=True)
