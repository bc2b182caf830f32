"""What the node says, and logs, of requests that fail."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from node.http.problem import problem_middleware
from tests.node.nodes import DEADLINE_SECONDS


async def test_a_client_that_leaves_early_is_no_fault_of_the_node(caplog: pytest.LogCaptureFixture) -> None:
    left, ended = asyncio.Event(), asyncio.Event()

    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await left.wait()
        try:
            while True:
                await response.write(b"on and on")
                await asyncio.sleep(0)
        finally:
            ended.set()

    async def fail(_request: web.Request) -> web.StreamResponse:
        raise ConnectionResetError  # of the node's own, towards somebody else

    app = web.Application(middlewares=[problem_middleware])
    app.router.add_get("/pour", pour)
    app.router.add_get("/fail", fail)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with asyncio.timeout(DEADLINE_SECONDS):
        async with aiohttp.ClientSession() as session:
            answer = await session.get(f"{base}/pour")
            answer.close()
            left.set()
            await ended.wait()
            assert not [record for record in caplog.records if record.levelname == "ERROR"]
            async with session.get(f"{base}/fail") as answer:
                assert (answer.status, (await answer.json())["code"]) == (500, "http.internal")
        await runner.cleanup()
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == ["lernode.http"]
