"""The profile of the node's owner, as apps read and change it (OB 3.0 §B, Profile); sealed."""

from __future__ import annotations

from datetime import datetime

from storage.engine import Transaction
from storage.values import to_micros

__all__ = ["find", "put", "remove"]

_ID = "owner"
_DOCUMENT = "own_profiles.document"


async def find(tx: Transaction) -> bytes | None:
    """The profile as JSON; None where nobody has put one."""
    row = await tx.one("SELECT document FROM own_profiles WHERE id = ?", (_ID,))
    return None if row is None else tx.sealing.open(_DOCUMENT, _ID, row["document"])


async def put(tx: Transaction, document: bytes, now: datetime) -> None:
    """Keep this profile instead."""
    await tx.execute(
        "INSERT INTO own_profiles (id, document, changed) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET document = excluded.document, changed = excluded.changed",
        (_ID, tx.sealing.seal(_DOCUMENT, _ID, document), to_micros(now)),
    )


async def remove(tx: Transaction) -> None:
    """Forget the profile."""
    await tx.execute("DELETE FROM own_profiles WHERE id = ?", (_ID,))
