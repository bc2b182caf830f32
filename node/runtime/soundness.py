"""Looks whether the store's own file is whole: before the node serves, and again and again while it runs.

A look at every page takes as long as the file is large, so only a file that is small is waited for. Of a larger one
both ends of each table are looked at first, whatever its size, and all of it in the background: after each start, and
every ``database.check_days``. Damage that is found there is the store's trouble, as any that the node stumbles over:
a page is never read unless its checksum is right, looked at before or not. A database on a server is the server's to
check; where it does not, that is said.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from node.config import DatabaseConfig
from node.runtime.wakeup import Worker
from node.runtime.world import World
from storage import errors, meta
from storage.engine import Look, Store, Transaction
from storage.values import from_micros, to_micros

__all__ = ["Soundness", "last_checked"]

_log = logging.getLogger("lernode.store")
_MIB = 1 << 20
_LAST = "store.checked"


async def last_checked(tx: Transaction) -> datetime | None:
    """When every page of the file was looked at last, and nothing found."""
    text = await meta.get(tx, _LAST)
    return from_micros(int(text)) if text else None


class Soundness:
    """Checks the store's file."""

    def __init__(self, store: Store, world: World, config: DatabaseConfig) -> None:
        self._store = store
        self._world = world
        self._config = config
        self._is_checked = False
        self._worker = Worker("soundness", world.clock, self._once)

    async def begin(self) -> None:
        """Look before anything is served.

        Raises:
            LernodeError: ``store.corrupt``.
        """
        if not self._config.check_on_start:
            return
        size = self._store.size_bytes()
        if size is None:
            await self._ask_server()
        elif size <= self._config.check_first_mib * _MIB:
            await self._check()
        else:
            await self._look(Look.ENDS)

    def start(self) -> None:
        """Begin to check in the background."""
        if self._config.check_on_start and self._store.size_bytes() is not None:
            self._worker.start()

    async def stop(self) -> None:
        """Stop; a check that runs is broken off."""
        await self._worker.stop()

    async def _once(self) -> datetime | None:
        if self._store.trouble is not None:
            return None
        if self._is_checked:
            async with self._store.read() as tx:
                last = await last_checked(tx)
            now, every = self._world.clock(), timedelta(days=self._config.check_days)
            # A later time is of a clock that was ahead.
            if last is not None and last <= now < last + every:
                return last + every
        await self._check()
        return None

    async def _check(self) -> None:
        await self._look(Look.PAGES)
        self._is_checked = True
        async with self._store.write() as tx:
            await meta.put(tx, _LAST, str(to_micros(self._world.clock())))
        _log.info("every page of the store's file was checked")

    async def _ask_server(self) -> None:
        async with self._store.read() as tx:
            safeguards = await tx.safeguards()
        if safeguards["data checksums"] == "off":
            _log.warning("the database server has no data checksums, so a damaged page may be read unnoticed")

    async def _look(self, look: Look) -> None:
        async with self._store.read() as tx:
            if await tx.damage(look):
                raise errors.meant(errors.CORRUPT)
