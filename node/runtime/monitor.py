"""Brings the gauges up to date from the store, when somebody looks at them."""

from __future__ import annotations

import math

from node.runtime.metrics import Metrics
from node.runtime.soundness import last_checked
from node.runtime.world import World
from storage import exchanges, mediation, outbox, status_lists, webhooks
from storage.engine import Store
from storage.exchanges import Filter

__all__ = ["Monitor"]


class Monitor:
    """Reads what only the store knows: what waits and how long, what is held for others, how old status lists are."""

    def __init__(self, store: Store, metrics: Metrics, world: World) -> None:
        self._store = store
        self._metrics = metrics
        self._world = world

    async def refresh(self) -> None:
        """Set the gauges to what is true now."""
        now = self._world.clock()
        async with self._store.read() as tx:
            counts = await outbox.counts(tx)
            age = await outbox.oldest_age(tx, now)
            clients, held, size = await mediation.totals(tx)
            told = [await webhooks.backlog(tx, one.id) for one in await webhooks.page(tx)]
            decisions = await exchanges.count(tx, Filter(waiting=True))
            signed = await status_lists.oldest_signed(tx)
            checked = await last_checked(tx)
        self._metrics.mediation_clients.set(clients)
        self._metrics.mediation_held.set(held)
        self._metrics.mediation_bytes.set(size)
        self._metrics.outbox_waiting.set(counts.queued)
        self._metrics.outbox_dead.set(counts.dead)
        self._metrics.outbox_oldest.set(age.total_seconds() if age else 0)
        self._metrics.webhooks_waiting.set(sum(one.waiting for one in told))
        self._metrics.webhooks_dead.set(sum(one.dead for one in told))
        ages = [(now - one.oldest).total_seconds() for one in told if one.oldest is not None]
        self._metrics.webhooks_oldest.set(max(ages, default=0))
        self._metrics.database_checked.set((now - checked).total_seconds() if checked else math.nan)
        self._metrics.exchanges_waiting.set(decisions)
        for purpose, moment in signed.items():
            self._metrics.status_list_age.labels(purpose).set((now - moment).total_seconds())
