"""SIGTERM to real processes, on both engines: what is in hand is finished, what is new refused, and nobody waits."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from node.config import CONFIG_FILE
from node.http.admin_socket import admin_socket_path
from tests.postgresql import new_store_url
from tests.system.alone import PORTS, ended, make, ready, refusal, running, status, tell
from tests.system.processes import DEADLINE_SECONDS, Peer, connect, expect_done

pytestmark = pytest.mark.system

_MEDIA_TYPE = "application/didcomm-envelope-enc"
Answer = Callable[[web.Request], Awaitable[web.Response]]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str | None:
    return new_store_url() if request.param == "postgresql" else None


@asynccontextmanager
async def listening(peer: Peer, answer: Answer) -> AsyncIterator[None]:
    """Take what the world sends to ``peer``."""
    app = web.Application(client_max_size=4 << 20)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", peer.public_port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def to(session: aiohttp.ClientSession, peer: Peer) -> Answer:
    async def forward(request: web.Request) -> web.Response:
        headers = {"Content-Type": _MEDIA_TYPE} if request.method == "POST" else None
        url, body = peer.inner_url + request.path, await request.read()
        async with session.request(request.method, url, data=body, headers=headers) as response:
            return web.Response(status=response.status, body=await response.read(), content_type=response.content_type)

    return forward


async def begin_post(peer: Peer, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request that the node has in hand, for half of its body came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.inner_port)
    head = f"POST /didcomm HTTP/1.1\r\nHost: localhost\r\nContent-Type: {_MEDIA_TYPE}\r\nExpect: 100-continue\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body[: len(body) // 2])
    return reader, writer


async def test_a_node_says_that_it_drains_and_still_serves_and_a_second_signal_ends_it(
    tmp_path: Path, store_url: str | None
) -> None:
    college = await make(tmp_path / "college", "college", store_url, drain_seconds=600.0)
    async with running(college) as session:
        await ready(session, college)
        tell(college)
        assert await refusal(session, college, "/ready") == ("node.stopping", "5")
        assert await status(session, college, "/.well-known/did.json") == 200
        assert (await college.ask("GET", "/admin/status"))["label"] == "college"
        assert await status(session, college, "/health") == 200
        tell(college)
        assert await ended(college) == -signal.SIGTERM
        await college.start()
        await ready(session, college)


async def test_a_message_in_hand_is_carried_out_while_new_ones_are_refused(
    tmp_path: Path, store_url: str | None
) -> None:
    college = await make(tmp_path / "college", "college", store_url, behind=True, stop_seconds=600.0)
    learner = await make(tmp_path / "learner", "learner")
    sent: asyncio.Queue[bytes] = asyncio.Queue()

    async def keep(request: web.Request) -> web.Response:
        await sent.put(await request.read())
        return web.Response(status=202)

    async with listening(college, keep), running(college, learner) as session:
        invitation = await college.ask("POST", "/admin/invitations", {})
        await learner.ask("POST", "/admin/connections", {"invitation": invitation["url"]})
        async with asyncio.timeout(DEADLINE_SECONDS):
            body = await sent.get()
        reader, writer = await begin_post(college, body)
        tell(college)
        assert await refusal(session, college, "/.well-known/did.json") == ("node.stopping", "5")
        refused, problem = await college.call("POST", "/admin/invitations", {})
        assert (refused, problem["code"]) == (503, "node.stopping")
        assert await status(session, college, "/health") == 200
        writer.write(body[len(body) // 2 :])
        assert (await reader.readline()).startswith(b"HTTP/1.1 202")
        assert await ended(college) == 0
        writer.close()
        await college.start()
        (connection,) = (await college.ask("GET", "/admin/connections"))["items"]
        assert connection["invitationId"] == invitation["id"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_what_is_held_open_is_closed_with_a_reason_and_nobody_waits_for_a_client_that_does_not_go_on(
    tmp_path: Path, store_url: str | None, number: signal.Signals
) -> None:
    college = await make(tmp_path / "college", "college", store_url, stop_seconds=1.0)
    connector = aiohttp.UnixConnector(str(admin_socket_path(college.home)))
    async with running(college) as session, aiohttp.ClientSession(connector=connector) as admin:
        _reader, writer = await begin_post(college, b"x" * 100)
        events = admin.get("http://node/admin/events", headers={"Accept": "text/event-stream"})
        async with session.ws_connect(f"{college.inner_url}/didcomm") as socket, events as stream:
            tell(college, number)
            async with asyncio.timeout(DEADLINE_SECONDS):
                assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
                said = await stream.content.read()
            assert socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
            assert said.endswith(b'event: end\ndata: {"code":"node.stopping"}\n\n')
        assert await ended(college) == 0
        writer.close()


async def test_another_replica_delivers_at_once_what_the_one_that_stops_had_in_hand(tmp_path: Path) -> None:
    college = await make(tmp_path / "college", "college", new_store_url(), stop_seconds=0.1)
    learner = await make(tmp_path / "learner", "learner", behind=True)
    shutil.copytree(college.home, tmp_path / "other")
    other = Peer("other", tmp_path / "other", next(PORTS), college.public_port)
    config = other.home / CONFIG_FILE
    config.write_text(re.sub(r"(?m)^listen_port = .*", f"listen_port = {other.inner_port}", config.read_text()))
    in_hand, holds = asyncio.Event(), False

    async def forward(request: web.Request) -> web.Response:
        if holds:
            in_hand.set()
            await asyncio.Event().wait()
        return await to(session, learner)(request)

    async with listening(learner, forward), running(college, learner) as session:
        connection = await connect(college, learner)
        holds = True
        award = {"connection": connection, "achievement": "weld-101"}
        offer = await college.ask("POST", "/admin/credentials/offers", award)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await in_hand.wait()
        try:
            await other.start()
            holds = False
            tell(college)
            assert await ended(college) == 0
            # The learner answers to where the first one listened.
            async with listening(college, to(session, other)):
                await expect_done(other, offer["id"])
        finally:
            await other.kill()
