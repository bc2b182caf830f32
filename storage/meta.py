"""Small settings that a node keeps about itself, by name."""

from __future__ import annotations

from storage.engine import Transaction

__all__ = ["delete", "get", "put"]


async def get(tx: Transaction, key: str) -> str | None:
    """The setting, or None."""
    row = await tx.one("SELECT value FROM meta WHERE key = ?", (key,))
    return None if row is None else str(row["value"])


async def put(tx: Transaction, key: str, value: str) -> None:
    """Keep the setting, in place of what was there."""
    await tx.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


async def delete(tx: Transaction, key: str) -> None:
    """Forget the setting; nothing happens where there is none."""
    await tx.execute("DELETE FROM meta WHERE key = ?", (key,))
