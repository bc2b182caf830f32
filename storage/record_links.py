"""Links by which a peer fetches the record of an exchange; who has the token may, until it expires or is done."""

from __future__ import annotations

from datetime import datetime

from storage.engine import Transaction
from storage.values import to_micros

__all__ = ["add", "behind"]

_TOKEN = "record_links.token"  # noqa: S105 - the name of a column


async def add(tx: Transaction, token: str, exchange_id: str, position: int, expires: datetime) -> None:
    """Let who has the token fetch the record in this place of the exchange; the token itself is not kept."""
    await tx.execute(
        "INSERT INTO record_links (token_key, exchange_id, position, expires) VALUES (?, ?, ?, ?)",
        (tx.sealing.blind(_TOKEN, token), exchange_id, position, to_micros(expires)),
    )


async def behind(tx: Transaction, token: str, now: datetime) -> tuple[str, int] | None:
    """The exchange whose record the token is for, and its place in it, while it leads anywhere."""
    row = await tx.one(
        "SELECT exchange_id, position FROM record_links WHERE token_key = ? AND expires > ?",
        (tx.sealing.blind(_TOKEN, token), to_micros(now)),
    )
    return None if row is None else (row["exchange_id"], row["position"])
