"""The network before a node: it loses, doubles, delays and reorders messages, and can be cut.

A message that is held counts as delivered for its sender, as at a mediator; the relay then delivers it by itself, after
others, until the node takes it. So every message that a node was told has arrived, does arrive.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web

from node.net.order import HEADER
from scripts.torturing.plan import Fate

__all__ = ["Relay"]

_ENVELOPE = "application/didcomm-envelope-enc"
_SECONDS = 10.0
_AGAIN_SECONDS = 0.2
_MOST_BYTES = 4 << 20
_TAKEN = 202


class Relay:
    """Listens where the world believes a node to be."""

    def __init__(self, port: int, inner_url: str, fates: Iterator[tuple[Fate, float]] | None) -> None:
        """
        Args:
            fates: what becomes of each message; None for a network without faults other than cuts.
        """
        self.counts: Counter[str] = Counter()
        self._port = port
        self._inner = inner_url
        self._fates = fates
        self._cut: bool | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._later: set[asyncio.Task[Any]] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS))
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_post("/didcomm", self._message)
        app.router.add_get("/{path:.*}", self._document)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        """Stop; what is held is gone then."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
            await self._session.close()

    def cut(self, *, silent: bool) -> None:
        """Let nothing through: swallow it or refuse it."""
        self._cut = silent
        self._open.clear()

    def mend(self) -> None:
        """Let everything through again."""
        self._cut = None
        self._open.set()

    async def heal(self) -> None:
        """Have no faults from now on, and deliver what is held; gives up only where the node never takes it."""
        self._fates = None
        self.mend()
        while self._later:
            await asyncio.wait(self._later)

    async def _message(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self._cut is not None:
            return await self._swallow(request)
        self.counts["messages"] += 1
        fate, seconds = (Fate.DELIVER, 0.0) if self._fates is None else next(self._fates)
        if fate is not Fate.DELIVER:
            self.counts[fate.value] += 1
        if fate is Fate.LOSE:
            return _abort(request)
        if fate is Fate.HOLD:
            self._do_later(self._bring(body, seconds))
            return web.Response(status=_TAKEN)
        if fate is Fate.DELAY:
            await asyncio.sleep(seconds)
        place = {HEADER: request.headers[HEADER]} if HEADER in request.headers else {}
        if fate is Fate.DOUBLE:
            self._do_later(self._forward(body, place))
        if fate is Fate.REPEAT:
            self._do_later(self._repeat(body, seconds))
        answer = await self._forward(body, place)
        if fate is Fate.LOSE_ANSWER or answer is None:
            return _abort(request)
        return answer

    async def _document(self, request: web.Request) -> web.StreamResponse:
        if self._cut is not None:
            return await self._swallow(request)
        asked = {name: value for name, value in request.headers.items() if name in {"Accept", "If-None-Match"}}
        try:
            async with self._session.get(self._inner + request.path, headers=asked) as response:
                kept = {name: value for name, value in response.headers.items() if name in {"ETag", "Content-Type"}}
                return web.Response(status=response.status, body=await response.read(), headers=kept)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return _abort(request)

    async def _swallow(self, request: web.Request) -> web.StreamResponse:
        self.counts["cut off"] += 1
        if self._cut:
            await self._open.wait()
        return _abort(request)

    async def _forward(self, body: bytes, place: Mapping[str, str]) -> web.Response | None:
        """The node's answer, or None where there is none."""
        try:
            async with self._session.post(
                f"{self._inner}/didcomm", data=body, headers={"Content-Type": _ENVELOPE, **place}
            ) as response:
                await response.read()
                kept = {HEADER: response.headers[HEADER]} if HEADER in response.headers else {}
                return web.Response(status=response.status, headers=kept)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None

    async def _repeat(self, body: bytes, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while await self._forward(body, {}) is None:
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _bring(self, body: bytes, seconds: float) -> None:
        await asyncio.sleep(seconds)
        # What is refused may have come too early.
        while (answer := await self._forward(body, {})) is None or answer.status != _TAKEN:
            self.counts["brought again"] += 1
            await asyncio.sleep(_AGAIN_SECONDS)

    def _do_later(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _abort(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer."""
    with suppress(AttributeError):
        request.transport.abort()  # type: ignore[union-attr]
    return web.Response(status=502)
