"""A system of an institution that listens for webhooks, on a real socket, and answers as a test wants it to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from protocols import strict_json
from tests.node.nodes import DEADLINE_SECONDS, free_port

Reply = Callable[["Delivery"], Awaitable[int] | int]


@dataclass(frozen=True)
class Delivery:
    """One request that arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return strict_json.loads_object(self.body)

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def lane(self) -> str:
        return str(self.event.get("partitionkey", ""))

    @property
    def sequence(self) -> int:
        return int(self.event["sequence"])

    def is_signed_with(self, secret: str) -> bool:
        """Whether one of the signatures is made with ``secret``, computed here anew as Standard Webhooks says."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return expected in self.headers["webhook-signature"].split(" ")


class Receiver:
    """Notes every request, and answers with what ``reply`` gives."""

    def __init__(self, reply: Reply = lambda _delivery: 204, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}/hook"
        self.reply = reply
        self.seen: list[Delivery] = []
        self.taken: list[Delivery] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def until(self, enough: Callable[[Receiver], bool]) -> None:
        """Wait until ``enough`` has arrived."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: enough(self))

    async def _take(self, request: web.Request) -> web.Response:
        delivery = Delivery({name.lower(): value for name, value in request.headers.items()}, await request.read())
        self.seen.append(delivery)
        await self._tell()
        status = self.reply(delivery)
        if not isinstance(status, int):
            status = await status
        if 200 <= status < 300:
            self.taken.append(delivery)
        await self._tell()
        return web.Response(status=status)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def in_order(taken: list[Delivery]) -> bool:
    """Whether the first arrivals of each lane came in the order of their numbers."""
    lanes: dict[str, list[int]] = {}
    for delivery in taken:
        numbers = lanes.setdefault(delivery.lane, [])
        if delivery.sequence not in numbers:
            numbers.append(delivery.sequence)
    return all(numbers == sorted(numbers) for numbers in lanes.values())
