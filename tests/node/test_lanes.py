"""Several messages under way to a peer at once: in order whatever the network does, where the peer keeps to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Literal

import aiohttp
import pytest
from aiohttp import web

from node.app import Node
from node.net.order import HEADER
from node.roles.issuer import Award
from node.runtime.world import World
from protocols.didcomm.message import PlainMessage
from storage import outbox
from storage.engine import Transaction
from tests.node.nodes import WELDING, Nodes, connect, eventually, free_port, settled

Pass = Callable[[], Awaitable[web.Response]]


class Network:
    """Passes on what comes for a node; a test may do more to it.

    Attributes:
        most: how many requests were under way at once.
    """

    def __init__(self) -> None:
        self.port, self._inner = free_port(), free_port()
        self.most = self._now = 0
        self.passes_places = True
        self.treat: Callable[[Pass], Awaitable[web.Response]] = lambda on: on()

    @property
    def sections(self) -> dict[str, dict[str, object]]:
        """The configuration of the node behind it."""
        return {"node": {"listen_port": self._inner, "endpoint": f"http://localhost:{self.port}"}}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        app = web.Application(client_max_size=4 << 20)
        app.router.add_post("/didcomm", self._take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        async with aiohttp.ClientSession() as self._session:
            yield
        await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: request.headers[name] for name in ("Content-Type", HEADER) if name in request.headers}
        if not self.passes_places:
            headers.pop(HEADER, None)
        self._now += 1
        self.most = max(self.most, self._now)

        async def on() -> web.Response:
            url = f"http://127.0.0.1:{self._inner}/didcomm"
            try:
                async with self._session.post(url, data=body, headers=headers) as answer:
                    kept = {name: answer.headers[name] for name in ("Content-Type", HEADER) if name in answer.headers}
                    return web.Response(status=answer.status, body=await answer.read(), headers=kept)
            except OSError:
                return web.Response(status=502)

        try:
            return await self.treat(on)
        finally:
            self._now -= 1


class Told:
    """Which messages left, in the order in which they were put in, and which came."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.received: list[str] = []

    def witness(self, way: Literal["sent", "received"], message: PlainMessage) -> None:
        if message.name == "offer-credential":
            (self.sent if way == "sent" else self.received).append(message.id)


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    made = Network()
    async with made.running():
        yield made


async def _offer(college: Node, connection_id: str, count: int) -> None:
    await asyncio.gather(*(college.issuer.offer(connection_id, Award(achievement_id=WELDING)) for _ in range(count)))


async def _arrived(college: Node, told: Told, count: int) -> None:
    async def probe(tx: Transaction) -> bool:
        return len(set(told.received)) == count and not await outbox.page(tx)

    await eventually(college, probe)
    await settled(college)


async def test_a_network_that_holds_up_breaks_and_swaps_requests_changes_neither_order_nor_number(
    nodes: Nodes, network: Network
) -> None:
    told, random, fates = Told(), Random(11), set[str]()
    world = World(witness=told.witness)
    learner = await nodes.make("learner", world=world, **network.sections)
    college = await nodes.make("college", issuer=True, world=world)
    to_learner, _ = await connect(college, learner)

    async def treat(on: Pass) -> web.Response:
        fate = random.random()
        for _ in range(random.randrange(40)):
            await asyncio.sleep(0)
        if fate < 0.05:
            fates.add("lost")
            return web.Response(status=503)
        answer = await on()
        if fate > 0.95:
            fates.add("answer lost")
            return web.Response(status=504)
        return answer

    network.treat = treat
    for count in (15, 1, 15):
        await _offer(college, to_learner.id, count)
        await _arrived(college, told, len(told.sent))
    assert fates == {"lost", "answer lost"}
    assert network.most > 1
    assert len(told.sent) == 31
    assert list(dict.fromkeys(told.received)) == told.sent


async def test_more_than_is_kept_in_memory_arrives_in_order_too(nodes: Nodes, network: Network) -> None:
    told, gate = Told(), asyncio.Event()
    world = World(witness=told.witness)
    learner = await nodes.make("learner", world=world, **network.sections)
    college = await nodes.make("college", issuer=True, world=world)
    to_learner, _ = await connect(college, learner)

    async def treat(on: Pass) -> web.Response:
        await gate.wait()
        return await on()

    network.treat = treat
    for _ in range(6):
        await _offer(college, to_learner.id, 50)
    gate.set()
    await _arrived(college, told, 300)
    assert list(dict.fromkeys(told.received)) == told.sent
    assert network.most > 1


async def test_who_does_not_see_the_places_is_sent_one_message_after_the_other(nodes: Nodes, network: Network) -> None:
    told = Told()
    world = World(witness=told.witness)
    learner = await nodes.make("learner", world=world, **network.sections)
    college = await nodes.make("college", issuer=True, world=world)
    network.passes_places = False
    to_learner, _ = await connect(college, learner)
    await _offer(college, to_learner.id, 20)
    await _arrived(college, told, 20)
    assert network.most == 1
    assert told.received == told.sent


async def test_what_is_under_way_when_a_node_stops_is_delivered_after_its_start_and_changes_nothing_twice(
    nodes: Nodes, network: Network
) -> None:
    told, gate = Told(), asyncio.Event()
    gate.set()
    world = World(witness=told.witness)
    learner = await nodes.make("learner", world=world, **network.sections)
    college = await nodes.make("college", issuer=True, world=world)
    to_learner, _ = await connect(college, learner)
    await _offer(college, to_learner.id, 2)
    await _arrived(college, told, 2)
    under_way = asyncio.Event()

    async def treat(on: Pass) -> web.Response:
        answer = await on()
        if network._now > 3:
            under_way.set()
        await gate.wait()
        return answer

    gate.clear()
    network.treat = treat
    await _offer(college, to_learner.id, 20)
    await under_way.wait()
    await nodes.stop(college)
    gate.set()
    college = await nodes.again(college)
    await _arrived(college, told, 22)
    assert list(dict.fromkeys(told.received)) == told.sent
    async with learner.store.read() as tx:
        row = await tx.one("SELECT COUNT(*) AS number FROM exchanges WHERE role = 'holder'")
    assert row is not None
    assert row["number"] == 22
