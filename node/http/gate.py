"""Counts the requests in hand, and once it is closed lets no new one in: they can go to another replica, or come again.

What tells how the node is (``/health``, ``/ready``, ``/metrics``) is answered to the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from node.runtime.readiness import stopping

__all__ = ["HEALTH_PATH", "METRICS_PATH", "READY_PATH", "Gate"]

HEALTH_PATH, READY_PATH, METRICS_PATH = "/health", "/ready", "/metrics"
_ALWAYS = frozenset({HEALTH_PATH, READY_PATH, METRICS_PATH})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """One for all the applications of a node."""

    def __init__(self) -> None:
        self._is_open = True
        self._in_hand = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._closing: list[Callable[[], None]] = []

    def when_closing(self, callback: Callable[[], None]) -> None:
        """Call this once the gate closes; for requests that last until somebody ends them."""
        self._closing.append(callback)

    def close(self) -> None:
        """Let nobody in any more; closing twice is harmless."""
        self._is_open = False
        while self._closing:
            self._closing.pop()()

    async def emptied(self) -> None:
        """Wait until nothing is in hand."""
        await self._empty.wait()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Passes a request on.

        Raises:
            NotNow: ``node.stopping``.
        """
        if request.path in _ALWAYS:
            return await handler(request)
        if not self._is_open:
            raise stopping()
        self._in_hand += 1
        self._empty.clear()
        try:
            return await handler(request)
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._empty.set()
