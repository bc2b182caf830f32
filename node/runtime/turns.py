"""What one process of a node does for all of them: once a day, and not by each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from storage import turns
from storage.engine import Store

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
    async with store.write() as tx:
        is_ours = await turns.take(tx, name, at_most)
    try:
        yield is_ours
    finally:
        if is_ours:
            async with store.write() as tx:
                await turns.give_back(tx, name)
