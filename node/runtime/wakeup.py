"""A worker that sleeps until there is something to do: until woken, or until a time that the store names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

from node.runtime.world import Clock
from protocols.errors import LernodeError

__all__ = ["Worker"]

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
        while True:
            self._bell.clear()
            try:
                due = await self._once()
            except LernodeError as error:
                _log.warning("%s: %s", self._name, error.code)
                await asyncio.sleep(_AFTER_FAILURE)
                continue
            pause = _LONGEST_SLEEP if due is None else min(due - self._clock(), _LONGEST_SLEEP)
            # Not wait_for: before Python 3.12 it loses a cancellation that comes with the bell, and stop would hang.
            with suppress(TimeoutError):
                async with asyncio.timeout(max(pause.total_seconds(), 0.001)):
                    await self._bell.wait()
