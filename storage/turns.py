"""Whose turn it is, among the processes of one node, to do what only one of them has to do.

Promises: a turn is given to one process at a time, until it gives it back or its time is over by the database's clock,
so that the turn of a process that died goes to another.
"""

from __future__ import annotations

from datetime import timedelta

from storage.engine import Transaction

__all__ = ["give_back", "take"]


async def take(tx: Transaction, name: str, at_most: timedelta) -> bool:
    """Take the turn for a piece of work; whether nobody else has it.

    Args:
        at_most: after which another process may take it; longer than the work.
    """
    microseconds = at_most // timedelta(microseconds=1)
    taken = await tx.execute(
        "INSERT INTO turns (name, taken_until) VALUES (?, lernode_now() + ?) ON CONFLICT (name) DO UPDATE "
        "SET taken_until = excluded.taken_until WHERE turns.taken_until <= lernode_now()",
        (name, microseconds),
    )
    return taken == 1


async def give_back(tx: Transaction, name: str) -> None:
    """Let others take the turn; only who has it."""
    await tx.execute("DELETE FROM turns WHERE name = ?", (name,))
