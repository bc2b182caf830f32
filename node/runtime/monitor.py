"""Brings the gauges up to date from the store, when somebody looks at them."""

from __future__ import annotations

from node.runtime.metrics import Metrics
from node.runtime.world import World
from storage import mediation, outbox
from storage.engine import Store

__all__ = ["Monitor"]


class Monitor:
    """Reads what only the store knows: how full the outbox is and how long it waits, and what is held for others."""

    def __init__(self, store: Store, metrics: Metrics, world: World) -> None:
        self._store = store
        self._metrics = metrics
        self._world = world

    async def refresh(self) -> None:
        """Set the gauges to what is true now."""
        async with self._store.read() as tx:
            counts = await outbox.counts(tx)
            age = await outbox.oldest_age(tx, self._world.clock())
            clients, held, size = await mediation.totals(tx)
        self._metrics.mediation_clients.set(clients)
        self._metrics.mediation_held.set(held)
        self._metrics.mediation_bytes.set(size)
        self._metrics.outbox_waiting.set(counts.queued)
        self._metrics.outbox_dead.set(counts.dead)
        self._metrics.outbox_oldest.set(age.total_seconds() if age else 0)
