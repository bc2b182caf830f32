"""Finds out by itself that a store which took no writes takes them again: the disk has room, the server is back.

A small row may find a place on a disk that is full for everything else, so what is tried needs some room.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from node.runtime.wakeup import Worker
from node.runtime.world import World
from storage import meta
from storage.engine import TROUBLE, Store

__all__ = ["Recovery"]

_log = logging.getLogger("lernode.store")
_EVERY = timedelta(seconds=1)
_PROBE = "store.probe"
_PROBE_BYTES = 1 << 18


class Recovery:
    """Tries to write again and again for as long as the store is in trouble."""

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world
        self._worker = Worker("recovery", world.clock, self._once)

    def start(self) -> None:
        """Begin to watch in the background."""
        self._store.listen(TROUBLE, self._worker.wake)
        self._worker.start()

    async def stop(self) -> None:
        """Stop."""
        await self._worker.stop()

    async def _once(self) -> datetime | None:
        if self._store.trouble is None:
            return None
        if self._store.shortage() is None:
            async with self._store.write() as tx:
                await meta.put(tx, _PROBE, self._world.entropy(_PROBE_BYTES // 2).hex())
            async with self._store.write() as tx:
                await meta.delete(tx, _PROBE)
            self._store.recover()
            _log.info("the store takes writes again")
        return self._world.clock() + _EVERY
