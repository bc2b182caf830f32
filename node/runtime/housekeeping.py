"""Forgets, once a day, what the configuration says is not to be kept longer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from node.config import EventsConfig, RetentionConfig
from node.runtime.turns import turn
from node.runtime.wakeup import Worker
from node.runtime.world import World
from storage import apps, audit, documents, erasure, events, inbox, jobs, meta, outbox, wallets, webhooks
from storage.engine import Store, Transaction
from storage.values import from_micros, to_micros

__all__ = ["Housekeeping"]

_log = logging.getLogger("lernode.housekeeping")
_EVERY = timedelta(days=1)
_AT_ONCE = 500
_AT_MOST = timedelta(minutes=30)
_EVERYTHING = 1 << 40
_LAST = "housekeeping.last"


_Forget = Callable[[Transaction, int], Awaitable[int]]
"""Forgets in a unit of work up to so many things, or all; how many that were."""


class _OnlyTried(Exception):
    """Ends the unit of work of a trial, so that nothing of it is done."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Housekeeping:
    """Prunes the store: old exchanges, invitations, messages, events, and copies of documents."""

    def __init__(self, store: Store, world: World, retention: RetentionConfig, kept: EventsConfig) -> None:
        self._store = store
        self._world = world
        self._retention = retention
        self._events = kept
        self._worker = Worker("housekeeping", world.clock, self._once)

    def start(self) -> None:
        """Begin to prune in the background."""
        self._worker.start()

    async def stop(self) -> None:
        """Stop; what is old is forgotten after the next start."""
        await self._worker.stop()

    async def prune(self, *, actor: str = "operator", dry_run: bool = False) -> Mapping[str, int]:
        """Forget what is older than the configuration keeps; how many things of each kind that were.

        Args:
            actor: who wants it, for the audit trail.
            dry_run: only count.
        """
        kinds = self._kinds().items()
        return {name: await self._forget(name, forget, actor, dry_run=dry_run) for name, forget in kinds}

    async def vacuum(self) -> None:
        """Give back to the system the space of what was forgotten."""
        await self._store.vacuum()

    async def _forget(self, name: str, forget: _Forget, actor: str, *, dry_run: bool) -> int:
        total = 0
        try:
            while True:  # some at a time, so that messages do not wait for long
                async with self._store.write() as tx:
                    await tx.take_time()
                    number = await forget(tx, _EVERYTHING if dry_run else _AT_ONCE)
                    if dry_run:
                        raise _OnlyTried(number)
                    if number:
                        now = self._world.clock()
                        await audit.append(tx, at=now, event="store.pruned", actor=actor, details={name: number})
                total += number
                if number < _AT_ONCE:
                    return total
        except _OnlyTried as tried:
            return tried.number

    def _kinds(self) -> Mapping[str, _Forget]:
        now, settings = self._world.clock(), self._retention
        over = now - timedelta(days=settings.exchanges_days)
        messages = now - timedelta(days=settings.messages_days)
        told = now - timedelta(days=self._events.keep_days)
        fetched = now - timedelta(days=settings.documents_days)
        kinds: dict[str, _Forget] = {
            "exchanges": lambda tx, limit: erasure.forget_finished(tx, over, limit),
            "invitations": lambda tx, _limit: erasure.forget_invitations(tx, messages),
            "given_up_messages": lambda tx, _limit: outbox.prune_dead(tx, messages),
            "seen_messages": lambda tx, _limit: inbox.prune(tx, messages),
            "done_jobs": lambda tx, _limit: jobs.prune(tx, messages),
            "documents": lambda tx, _limit: documents.prune(tx, fetched),
            "webhook_deliveries": lambda tx, _limit: webhooks.prune(tx, told),
            "events": lambda tx, _limit: events.prune(tx, told),
            "app_requests": lambda tx, _limit: apps.prune(tx, now, now - _EVERY),
            "wallet_requests": lambda tx, _limit: wallets.prune(tx, now - _EVERY),
        }
        if not settings.exchanges_days:
            del kinds["exchanges"]
        return kinds

    async def _once(self) -> datetime:
        due = await self._following()
        if due is not None:
            return due
        async with turn(self._store, "housekeeping", _AT_MOST) as is_ours:
            return await self._tidy() if is_ours else self._world.clock() + _AT_MOST

    async def _following(self) -> datetime | None:
        """When it is due next; None for now."""
        async with self._store.read() as tx:
            text = await meta.get(tx, _LAST)
        now, last = self._world.clock(), from_micros(int(text)) if text else None
        # A later time is of a clock that was ahead.
        return last + _EVERY if last is not None and last <= now < last + _EVERY else None

    async def _tidy(self) -> datetime:
        now, due = self._world.clock(), await self._following()
        if due is not None:
            return due  # another process was quicker
        counts = {name: number for name, number in (await self.prune(actor="policy")).items() if number}
        async with self._store.write() as tx:
            await meta.put(tx, _LAST, str(to_micros(now)))
        _log.info("what is old was forgotten", extra={"facts": counts})
        return now + _EVERY
