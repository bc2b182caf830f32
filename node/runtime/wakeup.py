"""Workers that sleep until there is something to do: until woken, or until a time that the store names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from node.runtime.world import Clock
from protocols.errors import LernodeError

__all__ = ["Crew", "Worker"]

_log = logging.getLogger("lernode.worker")
_LONGEST_SLEEP = timedelta(minutes=5)
_AFTER_FAILURE = 1.0


class Worker:
    """Calls ``round`` again and again; each call says when the next is due, or None for "when woken"."""

    def __init__(self, name: str, clock: Clock, once: Callable[[], Awaitable[datetime | None]]) -> None:
        self._name = name
        self._clock = clock
        self._once = once
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something to do; safe to call from an ``after_commit`` callback."""
        self._bell.set()

    def start(self) -> None:
        """Begin to work in the background."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Stop; what is in hand is cancelled, and due again at the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        code: str | None = None
        while True:
            self._bell.clear()
            try:
                due = await self._once()
            except LernodeError as error:
                if error.code != code:
                    _log.warning("%s: %s; it is tried again and again", self._name, error.code)
                code = error.code
                await asyncio.sleep(_AFTER_FAILURE)
                continue
            code = None
            pause = _LONGEST_SLEEP if due is None else min(due - self._clock(), _LONGEST_SLEEP)
            # Not wait_for: before Python 3.12 it loses a cancellation that comes with the bell, and stop would hang.
            with suppress(TimeoutError):
                async with asyncio.timeout(max(pause.total_seconds(), 0.001)):
                    await self._bell.wait()


Work = Callable[[], Awaitable[bool]]
"""Does one piece of work; whether its end may let something be done that nobody rings the bell for."""

Find = Callable[[tuple[str, ...], int], Awaitable[tuple[Mapping[str, Work], datetime | None]]]
"""Given the keys of what is in hand and how much more may be: what is due now by key, and when the next is."""


class Crew:
    """Does up to ``limit`` pieces of work at a time, and never two of one key."""

    def __init__(self, name: str, clock: Clock, limit: int, find: Find) -> None:
        self._name = name
        self._limit = limit
        self._find = find
        self._running: dict[str, asyncio.Future[bool]] = {}
        self._ending: set[asyncio.Future[bool]] = set()
        self._passed_over: set[str] = set()
        self._is_closed = True
        self._worker = Worker(name, clock, self._round)

    def wake(self) -> None:
        """There is something to do; safe to call from an ``after_commit`` callback."""
        self._worker.wake()

    def begin(self, key: str, work: Work) -> bool:
        """Do work that is known to be due, without looking for it; whether there was room, and none of its key in hand.

        For ``after_commit`` callbacks.
        """
        if self.is_full or key in self._running:
            return False
        self._take_up(key, work)
        return True

    def has_in_hand(self, key: str) -> bool:
        """Whether work of this key is being done."""
        return key in self._running

    def let_go(self, key: str) -> None:
        """The work of this key is done but for its own end: the next may begin; for ``after_commit`` callbacks."""
        if key in self._running:  # else it was stopped meanwhile
            self._ending.add(self._running[key])
            self._release(key, is_more=False)

    @property
    def is_full(self) -> bool:
        """Whether more work would have to wait here: for other work, or because no more is taken."""
        return self._is_closed or len(self._running) >= self._limit

    def start(self) -> None:
        """Begin to work in the background."""
        self._is_closed = False
        self._worker.start()

    async def finish(self) -> None:
        """Take nothing more, and wait for what is in hand."""
        self._is_closed = True
        await self._worker.stop()
        if in_hand := [*self._running.values(), *self._ending]:
            await asyncio.wait(in_hand)

    async def stop(self) -> None:
        """Stop; what is in hand is cancelled, and due again at the next start."""
        self._is_closed = True
        await self._worker.stop()
        in_hand = [*self._running.values(), *self._ending]
        for task in in_hand:
            task.cancel()
        await asyncio.gather(*in_hand, return_exceptions=True)

    async def _round(self) -> datetime | None:
        busy = tuple(self._running)
        room = self._limit - len(busy)
        self._passed_over.update(busy)  # there may be more to do under these keys: who finishes rings the bell
        if room <= 0:
            return None
        found, following = await self._find(busy, room)
        for key, work in found.items():
            if key in self._running:  # taken up while it was looked for
                self._passed_over.add(key)
            else:
                self._take_up(key, work)
        return following

    def _take_up(self, key: str, work: Work) -> None:
        task = asyncio.ensure_future(work())
        self._running[key] = task
        task.add_done_callback(partial(self._finished, key))

    def _finished(self, key: str, task: asyncio.Future[bool]) -> None:
        if task in self._ending:
            self._ending.discard(task)
            return
        if task.cancelled() or (error := task.exception()) is None:
            self._release(key, is_more=not task.cancelled() and task.result())
            return
        code = error.code if isinstance(error, LernodeError) else type(error).__name__
        _log.error("%s: a piece of work stopped: %s", self._name, code)
        # It is still due. A full disk, say, is not helped by trying at once again and again.
        asyncio.get_running_loop().call_later(_AFTER_FAILURE, partial(self._release, key, is_more=True))

    def _release(self, key: str, *, is_more: bool) -> None:
        self._running.pop(key, None)
        if key in self._passed_over or is_more:
            self._passed_over.discard(key)
            self._worker.wake()
