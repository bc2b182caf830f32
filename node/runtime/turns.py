"""What one process of a node does for all of them: once a day, and not by each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from storage import turns
from storage.engine import Store, finished

__all__ = ["turn"]


@asynccontextmanager
async def turn(store: Store, name: str, at_most: timedelta) -> AsyncIterator[bool]:
    """Whether it is this process that does it, meanwhile; always, where no other shares the store.

    Args:
        at_most: what it takes, and more; a process that died has the turn for so long.
    """
    if not store.shared:
        yield True
        return
    until: int | None = None
    try:
        async with store.write() as tx:
            until = await turns.take(tx, name, at_most)
        yield until is not None
    finally:  # also where it is cancelled just when it was taken
        if until is not None:
            await finished(_give_back(store, name, until))


async def _give_back(store: Store, name: str, until: int) -> None:
    async with store.write() as tx:
        await turns.give_back(tx, name, until)
