"""Work that may need the network and so stands outside the transaction of a message: verifying, above all.

A job is planned in the transaction of the step that wants it. Its worker does the slow part first and then commits
the result, the next step of the exchange and the end of the job in one transaction; a crash repeats the work, and
never its consequences.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from node.runtime.leases import Leases
from node.runtime.tracing import Tracer
from node.runtime.wakeup import Crew, Work
from node.runtime.world import World
from protocols.errors import LernodeError, NotNow
from storage import jobs
from storage.engine import Store, Transaction
from storage.jobs import Job

__all__ = ["LAST_ATTEMPT", "JobWork", "Jobs"]

_log = logging.getLogger("lernode.jobs")
_PARALLEL = 8
_MAX_ATTEMPTS = 18
_GROWTH = 1.5
_LONGEST_WAIT = 600.0
"""With these, nine tries are in the first minute, and the last is half an hour after the first."""
_LONGEST = timedelta(seconds=_LONGEST_WAIT)
_CHANNEL = "jobs"
_LEASE = timedelta(seconds=60)
"""Longer than a verification takes, with all that it fetches."""

LAST_ATTEMPT = _MAX_ATTEMPTS - 1
"""``attempts`` of a job that is not tried again after it fails now."""

JobWork = Callable[[Job], Awaitable[Callable[[Transaction], Awaitable[None]]]]
"""Does the slow part of a job, and gives what must be committed together with its end."""


class Jobs:
    """Runs due jobs, a few at a time."""

    def __init__(self, store: Store, world: World, tracer: Tracer) -> None:
        self._store = store
        self._world = world
        self._tracer = tracer
        self._kinds: dict[str, JobWork] = {}
        self._leases = Leases(store, _CHANNEL, jobs.release)
        self._crew = Crew("jobs", world.clock, _PARALLEL, self._find)

    def register(self, kind: str, work: JobWork) -> None:
        """Say who does the jobs of this kind."""
        self._kinds[kind] = work

    async def plan(
        self,
        tx: Transaction,
        kind: str,
        exchange_id: str | None,
        *,
        subject: str = "",
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Plan the job ``kind`` of an exchange, or of ``subject``, in this unit of work; twice is harmless."""
        await jobs.add(
            tx,
            id=self._world.new_id(),
            kind=kind,
            exchange_id=exchange_id,
            subject=subject,
            payload=payload or {},
            run_at=self._world.clock(),
            traceparent=self._tracer.current(),
        )
        tx.after_commit(self._crew.wake)
        if self._crew.is_full:
            tx.notify(_CHANNEL)  # another process may have its hands free

    def start(self) -> None:
        """Begin to work in the background."""
        self._store.listen(_CHANNEL, self._crew.wake)
        self._crew.start()

    async def finish(self) -> None:
        """Begin no more jobs, and wait for those in hand."""
        await self._crew.finish()

    async def stop(self) -> None:
        """Stop; unfinished jobs are due again at the next start, or now at another process of this node."""
        await self._crew.stop()
        await self._leases.give_back()

    async def _find(self, busy: tuple[str, ...], room: int) -> tuple[dict[str, Work], datetime | None]:
        self._store.require_sound()
        now = self._world.clock()
        async with self._store.write() if self._store.shared else self._store.read() as tx:
            if self._store.shared:
                ready = await jobs.claim(tx, now, _LEASE, room, skip=busy, longest=_LONGEST)
                self._leases.hold(tx, {job.id: job.lease for job in ready})
            else:
                ready = await jobs.due(tx, now, room, skip=busy, longest=_LONGEST)
            following = await jobs.next_wake(tx, skip=(*busy, *(job.id for job in ready)))
        if self._store.shared:
            # What another process has in hand is looked at again when its lease is over, and not before.
            following = now + _LEASE if following is None or following <= now else min(following, now + _LEASE)
        return {job.id: partial(self._do, job) for job in ready}, following

    async def _do(self, job: Job) -> bool:
        is_more = False
        try:
            with self._tracer.span("job", parent=job.traceparent) as span:
                span.say("lernode.job.kind", job.kind)
                span.say("lernode.attempt", job.attempts + 1)
                commit = await self._kinds[job.kind](job)
                async with self._store.write() as tx:
                    await commit(tx)
                    await jobs.done(tx, job.id)
        except NotNow as error:
            await self._again(job, error)
            is_more = True
        except LernodeError as error:
            _log.error("job %s gave up: %s", job.kind, error.code)
            async with self._store.write() as tx:
                await jobs.bury(tx, job.id, error.code)
        self._leases.end(job.id)
        return is_more

    async def _again(self, job: Job, error: NotNow) -> None:
        async with self._store.write() as tx:
            if job.attempts + 1 >= _MAX_ATTEMPTS:
                await jobs.bury(tx, job.id, error.code)
                return
            when = self._world.clock() + timedelta(seconds=min(_GROWTH**job.attempts, _LONGEST_WAIT))
            await jobs.retry(tx, job.id, error.code, when)
