"""Signed heads of the audit trail: what this node has said, day by day, that its trail was.

Who can write the store can write the trail anew; they cannot sign as the node without its keys, and they cannot change
a head that was kept elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.engine import Transaction
from storage.values import from_micros, to_micros

__all__ = ["SignedHead", "add", "hash_at", "latest", "page"]


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A statement about the trail up to an entry.

    Attributes:
        seq: the number of the entry.
        statement: a JWT that says its hash.
    """

    seq: int
    at: datetime
    statement: str


async def add(tx: Transaction, head: SignedHead) -> None:
    """Keep a signed head; nothing happens where this entry has one."""
    await tx.execute(
        "INSERT INTO audit_heads (seq, at, statement) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (head.seq, to_micros(head.at), head.statement),
    )


async def latest(tx: Transaction) -> SignedHead | None:
    """The last one, or None."""
    row = await tx.one("SELECT * FROM audit_heads ORDER BY seq DESC LIMIT 1")
    return None if row is None else SignedHead(row["seq"], from_micros(row["at"]), row["statement"])


async def page(tx: Transaction, *, after: int = 0, limit: int = 500) -> list[SignedHead]:
    """Signed heads in order; ``after`` is the last ``seq`` of the page before."""
    rows = await tx.all("SELECT * FROM audit_heads WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
    return [SignedHead(row["seq"], from_micros(row["at"]), row["statement"]) for row in rows]


async def hash_at(tx: Transaction, seq: int) -> bytes | None:
    """The hash of an entry of the trail, or None where there is no such entry."""
    row = await tx.one("SELECT hash FROM audit WHERE seq = ?", (seq,))
    return None if row is None else bytes(row["hash"])
