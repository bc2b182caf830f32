"""Schemas from real servers: kept for a while, and still there while their server is away."""

from __future__ import annotations

import pytest
from aiohttp import web

from node.net.documents import MemoryDocumentCache
from node.net.resource_fetch import ResourceFetcher
from protocols.errors import BadInput, NotNow
from tests.net.helpers import Clock, client, serving


class Library:
    """A web server with one schema."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.headers: dict[str, str] = {}

    async def __call__(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status, body=b"{}", headers=self.headers)


@pytest.mark.parametrize(
    ("control", "hours"), [(None, 24), ("max-age=7200", 2), ("max-age=99999999", 30 * 24), ("no-store", 0)]
)
async def test_a_schema_is_asked_for_again_after_its_time(control: str | None, hours: int) -> None:
    library, clock = Library(), Clock()
    library.headers = {"Cache-Control": control} if control else {}
    async with serving(library) as port, client() as http:
        url = f"http://127.0.0.1:{port}/schema.json"
        fetcher = ResourceFetcher(http, MemoryDocumentCache(), clock=clock)
        assert await fetcher.kept(url) is None
        assert await fetcher.get(url) == await fetcher.kept(url) == b"{}"
        if hours:
            clock.advance(hours=hours, seconds=-1)
            await fetcher.get(url)
            assert library.asked == 1
        clock.advance(seconds=1)
        await fetcher.get(url)
        assert library.asked == 2


async def test_a_kept_schema_serves_while_its_server_is_away() -> None:
    library, clock = Library(), Clock()
    async with serving(library) as port, client() as http:
        url = f"http://127.0.0.1:{port}/schema.json"
        fetcher = ResourceFetcher(http, MemoryDocumentCache(), clock=clock)
        library.status = 503
        with pytest.raises(NotNow) as away:
            await fetcher.get(url)
        assert away.value.code == "resource.unreachable"
        library.status = 404
        with pytest.raises(BadInput) as gone:
            await fetcher.get(url)
        assert gone.value.code == "resource.not_found"
        library.status = 200
        await fetcher.get(url)
        clock.advance(days=40)
        library.status = 503
        assert await fetcher.get(url) == b"{}"
