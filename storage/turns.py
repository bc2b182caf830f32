"""Whose turn it is, among the processes of one node, to do what only one of them has to do.

Promises: a turn is given to one process at a time, until it gives it back or its time is over by the database's clock,
so that the turn of a process that died goes to another.
"""

from __future__ import annotations

from datetime import timedelta

from storage.engine import Transaction

__all__ = ["give_back", "take"]


async def take(tx: Transaction, name: str, at_most: timedelta) -> int | None:
    """Take the turn for a piece of work: until when it is ours, as :func:`give_back` wants it; None if another has it.

    Args:
        at_most: after which another process may take it; longer than the work.
    """
    microseconds = at_most // timedelta(microseconds=1)
    row = await tx.one(
        "INSERT INTO turns (name, taken_until) VALUES (?, lernode_now() + ?) ON CONFLICT (name) DO UPDATE "
        "SET taken_until = excluded.taken_until WHERE turns.taken_until <= lernode_now() RETURNING taken_until",
        (name, microseconds),
    )
    return None if row is None else row["taken_until"]


async def give_back(tx: Transaction, name: str, until: int) -> None:
    """Let others take the turn, unless another has it by now."""
    await tx.execute("DELETE FROM turns WHERE name = ? AND taken_until = ?", (name, until))
