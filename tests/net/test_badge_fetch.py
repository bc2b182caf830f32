"""Parts of badges from real servers: as young as they have to be, and honest about their age."""

from __future__ import annotations

import pytest
from aiohttp import web

from node.net.badge_fetch import BadgeFetcher
from node.net.documents import MemoryDocumentCache
from node.net.guarded_http import NetworkPolicy
from protocols.errors import BadInput, NotNow
from tests.net.helpers import Clock, client, serving


async def test_a_part_is_kept_for_minutes_and_given_with_its_age_while_its_server_is_away() -> None:
    clock, answer = Clock(), {"status": 200, "asked": 0}

    async def serve(_request: web.Request) -> web.Response:
        answer["asked"] += 1
        return web.Response(status=answer["status"], text='{"id": "x"}')

    async with serving(serve) as port, client() as http:
        url = f"http://127.0.0.1:{port}/assertions/1"
        fetcher = BadgeFetcher(http, MemoryDocumentCache(), clock=clock)
        first = await fetcher.get(url)
        clock.advance(minutes=4)
        assert await fetcher.get(url) == first
        assert answer["asked"] == 1
        assert (await fetcher.get(url, refresh=True)).fetched_at == clock()
        fetched = clock()
        clock.advance(minutes=6)
        answer["status"] = 503
        assert (await fetcher.get(url, refresh=True)).fetched_at == fetched
        answer["status"] = 410
        with pytest.raises(BadInput) as gone:
            await fetcher.get(url, refresh=True)
        assert gone.value.code == "badge.not_there"


@pytest.mark.parametrize(
    ("text", "code"), [("<html>", "badge.part"), ("[]", "badge.part"), ("eyJ.e30.x", "badge.part")]
)
async def test_what_is_no_part_of_a_badge_is_refused(text: str, code: str) -> None:
    async def serve(_request: web.Request) -> web.Response:
        return web.Response(text=text)

    async with serving(serve) as port, client() as http:
        with pytest.raises(BadInput) as caught:
            await BadgeFetcher(http, MemoryDocumentCache(), clock=Clock()).get(f"http://127.0.0.1:{port}/")
        assert caught.value.code == code


async def test_a_badge_leads_nobody_into_the_network_that_the_node_stands_in() -> None:
    async with client(NetworkPolicy()) as http:
        fetcher = BadgeFetcher(http, MemoryDocumentCache(), clock=Clock())
        for url in ("https://127.0.0.1/issuer", "http://169.254.169.254/latest", "file:///etc/passwd"):
            with pytest.raises((BadInput, NotNow)) as caught:
                await fetcher.get(url)
            assert caught.value.code.startswith("net.")
