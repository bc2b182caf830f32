"""A client that follows the events gets each once and in order, goes on where it left off, and costs little."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from node.app import Node
from node.http.admin import admin_app
from node.http.event_stream import MAX_STREAMS
from node.runtime.world import World
from storage import events
from tests.node.nodes import DEADLINE_SECONDS, Clock, Nodes, free_port
from tests.node.test_webhooks import tell

TOKEN = "a token that nobody can guess"


@dataclass(frozen=True)
class Sent:
    """One server-sent event."""

    id: int | None
    event: str
    data: dict[str, Any]


class Stream:
    """Reads server-sent events as a browser would."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> Sent | str:
        """The next event, or the next comment."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                line = (await self.response.content.readline()).decode()
                assert line, "the stream ended"
                if line.startswith(": "):
                    return line.strip()
                if line == "\n" and "data" in fields:
                    number = int(fields["id"]) if "id" in fields else None
                    return Sent(number, fields["event"], json.loads(fields["data"]))
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value

    async def states(self, count: int) -> list[str]:
        found: list[str] = []
        while len(found) < count:
            sent = await self.next()
            if isinstance(sent, Sent):
                found.append(sent.data["data"]["state"])
        return found


class Admin:
    """The admin API of a node on a port of its own."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    @asynccontextmanager
    async def stream(self, query: str = "", **headers: str) -> AsyncIterator[Stream]:
        sent = {"Accept": "text/event-stream", **headers}
        async with self.session.get(f"{self.base}/admin/events{query}", headers=sent) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            yield Stream(response)

    async def refused(self, query: str = "", **headers: str) -> tuple[int, str]:
        sent = {"Accept": "text/event-stream", **headers}
        async with self.session.get(f"{self.base}/admin/events{query}", headers=sent) as response:
            return response.status, (await response.json())["code"]


@asynccontextmanager
async def admin_of(node: Node) -> AsyncIterator[Admin]:
    port = free_port()
    await node.serve(admin_app(node, token=TOKEN), "127.0.0.1", port)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=bearer) as session:
        yield Admin(session, f"http://localhost:{port}")


async def test_a_new_client_gets_what_happens_from_now_on_as_the_webhooks_do(nodes: Nodes) -> None:
    node = await nodes.make("college")
    await tell(node, "lane", "before")
    async with admin_of(node) as admin, admin.stream() as stream:
        await tell(node, "lane", "after")
        sent = await stream.next()
        assert isinstance(sent, Sent)
        assert (sent.id, sent.event) == (2, "exchange.changed")
        assert sent.data["type"] == "lernode.exchange.changed"
        assert sent.data["data"]["state"] == "after"


async def test_a_client_that_comes_again_goes_on_after_the_last_event_it_saw(nodes: Nodes) -> None:
    node = await nodes.make("college")
    for number in range(250):
        await tell(node, "lane", str(number))
    async with admin_of(node) as admin:
        async with admin.stream("?after=0") as stream:
            assert await stream.states(150) == [str(n) for n in range(150)]
        async with admin.stream(**{"Last-Event-ID": "150"}) as stream:
            assert await stream.states(100) == [str(n) for n in range(150, 250)]
            await tell(node, "lane", "new")
            assert await stream.states(1) == ["new"]


async def test_a_client_chooses_topics(nodes: Nodes) -> None:
    node = await nodes.make("college", issuer=True)
    async with admin_of(node) as admin, admin.stream("?after=0&topics=verifications,exchanges") as stream:
        await node.peering.invite()
        async with node.store.write() as tx:
            from node.events.emit import emit
            from node.events.types import RecordStored

            await emit(tx, node.world, RecordStored(record_id="r"))
        await tell(node, "lane", "chosen")
        assert await stream.states(1) == ["chosen"]


async def test_what_is_not_kept_any_more_is_said_to_be_missing(nodes: Nodes) -> None:
    clock = Clock()
    node = await nodes.make("college", world=World(clock=clock))
    for number in range(5):
        await tell(node, "lane", str(number))
    clock.advance(days=1)
    async with node.store.write() as tx:
        await events.prune(tx, clock())
    async with admin_of(node) as admin:
        for last_seen in ("2", "77"):
            async with admin.stream(**{"Last-Event-ID": last_seen}) as stream:
                gap = await stream.next()
                assert gap == Sent(None, "gap", {"after": 4})
                assert await stream.states(1) == ["4"]
        async with admin.stream(**{"Last-Event-ID": "4"}) as stream:
            assert await stream.states(1) == ["4"]


async def test_a_silent_stream_says_that_it_is_still_there(nodes: Nodes) -> None:
    node = await nodes.make("college", events={"heartbeat_seconds": 0.02})
    async with admin_of(node) as admin, admin.stream() as stream:
        assert await stream.next() == ": heartbeat"
        assert await stream.next() == ": heartbeat"


async def test_a_client_that_does_not_read_costs_no_memory(nodes: Nodes) -> None:
    """What is written to it stops at what the sockets hold, far before the end of what there is."""
    node = await nodes.make("college")
    padding = "x" * 2000
    async with node.store.write() as tx:
        from node.events.emit import emit
        from node.events.types import ExchangeChanged

        data = ExchangeChanged(exchange_id="e", connection_id="c", protocol="p", role="r", state=padding)
        for _ in range(10):
            await emit(tx, node.world, *[data] * 500)
    async with admin_of(node) as admin, admin.stream("?after=0"):
        (follower,) = node.event_streams
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                before = follower.place
                await asyncio.sleep(0.3)
                if before == follower.place > 0:
                    break
        assert follower.place < 4500, "10 MB were not taken, so they were not read either"
    async with asyncio.timeout(DEADLINE_SECONDS):
        while node.event_streams:
            await asyncio.sleep(0.01)


async def test_what_cannot_be_followed_is_refused_by_name(nodes: Nodes) -> None:
    node = await nodes.make("college")
    async with admin_of(node) as admin:
        assert await admin.refused("?topics=exchange") == (400, "event.topic_unknown")
        assert await admin.refused("?after=-1") == (400, "http.query_malformed")
        assert await admin.refused(**{"Last-Event-ID": "x"}) == (400, "http.query_malformed")
        assert await admin.refused(Authorization="Bearer wrong") == (401, "http.unauthorised")


async def test_only_so_many_clients_may_follow(nodes: Nodes) -> None:
    from contextlib import AsyncExitStack

    node = await nodes.make("college")
    async with admin_of(node) as admin, AsyncExitStack() as streams:
        for _ in range(MAX_STREAMS):
            await streams.enter_async_context(admin.stream())
        assert await admin.refused() == (503, "events.too_many_streams")


async def test_a_node_that_stops_ends_its_streams(nodes: Nodes) -> None:
    node = await nodes.make("college")
    async with admin_of(node) as admin, admin.stream() as stream:
        await nodes.stop(node)
        async with asyncio.timeout(DEADLINE_SECONDS):
            rest = await stream.response.content.read()
        assert rest == b'retry: 3000\n\nevent: end\ndata: {"code":"node.stopping"}\n\n'
