"""Ends exchanges whose last message was not answered in time, each in a unit of work of its own.

Until when an exchange can be answered stands with it in the store, so that a deadline that passes while the node is
down is kept at its next start. Of several processes one ends it. What ending means is for who registers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from node.runtime.wakeup import Crew, Work
from node.runtime.world import World
from storage import exchanges
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow

__all__ = ["Deadlines", "End"]

_PARALLEL = 4

End = Callable[[Transaction, ExchangeRow], Awaitable[object]]
"""Ends the exchange in the given unit of work."""


class Deadlines:
    """Watches the times at which exchanges end by themselves."""

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world
        self._ends: dict[str, End] = {}
        self._crew = Crew("deadlines", world.clock, _PARALLEL, self._find)
        self._following: datetime | None = None

    def register(self, protocol: str, end: End) -> None:
        """Say who ends the exchanges of a protocol (URI with major version)."""
        self._ends[protocol] = end

    def expect(self, moment: datetime) -> None:
        """There is a new deadline; for an ``after_commit`` callback."""
        if self._following is None or moment < self._following:
            self._crew.wake()

    def start(self) -> None:
        """Begin to watch in the background."""
        self._crew.start()

    async def finish(self) -> None:
        """Begin nothing more, and wait for what is in hand."""
        await self._crew.finish()

    async def stop(self) -> None:
        """Stop; what is due is due again at the next start."""
        await self._crew.stop()

    async def _find(self, busy: tuple[str, ...], room: int) -> tuple[dict[str, Work], datetime | None]:
        self._store.require_sound()
        self._following = None  # what is committed while this looks rings the bell
        async with self._store.read() as tx:
            over = await exchanges.expired(tx, self._world.clock(), limit=room, skip=busy)
            following = await exchanges.next_expiry(tx, skip=(*busy, *over))
        self._following = following
        return {exchange_id: partial(self._end, exchange_id) for exchange_id in over}, following

    async def _end(self, exchange_id: str) -> bool:
        async with self._store.write() as tx:
            row = await exchanges.take_expired(tx, exchange_id, self._world.clock())
            if row is not None:
                await self._ends[row.protocol](tx, row)
        return True
