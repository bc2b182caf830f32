"""Who may use the VC API: with a token; without one only where conformance is on, and then nothing else is open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from node.app import Node, create
from node.config import parse, to_toml
from node.http.admin import admin_app, vc_api_app
from protocols.errors import BadInput
from tests.admin.helpers import free_port
from tests.opening import KEY
from tests.vc_api.documents import credential

_TOKEN = "right-token-of-16"
_ASKED = ("/credentials/issue", "/credentials/verify", "/credentials/status", "/credentials/derive", "/presentations")


@asynccontextmanager
async def _port(home: Path, *, conformance: bool, token: str | None) -> AsyncIterator[aiohttp.ClientSession]:
    port = free_port()
    settings = {"vc_api": {"conformance": conformance}}
    await create(home, KEY, to_toml(settings), issuer=True)
    node = await Node.open(home, KEY)
    try:
        app = admin_app(node, token=token) if token else vc_api_app(node)
        await node.serve(app, "127.0.0.1", port)
        async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{port}") as session:
            yield session
    finally:
        await node.stop()


async def test_without_conformance_the_token_is_needed(tmp_path: Path) -> None:
    async with _port(tmp_path / "n", conformance=False, token=_TOKEN) as session:
        for path in _ASKED:
            async with session.post(path, json={}) as response:
                assert response.status == 401
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        async with session.post("/credentials/issue", json={"credential": credential()}, headers=headers) as response:
            assert response.status == 201


async def test_with_conformance_the_vc_api_is_open_and_the_admin_api_is_not(tmp_path: Path) -> None:
    async with _port(tmp_path / "n", conformance=True, token=_TOKEN) as session:
        async with session.post("/credentials/issue", json={"credential": credential()}) as response:
            assert response.status == 201
        for path in ("/admin/status", "/openapi.json", "/admin/nothing", "/credentials/../admin/status"):
            async with session.get(path) as response:
                assert response.status == 401


async def test_without_a_token_conformance_opens_the_vc_api_only(tmp_path: Path) -> None:
    async with _port(tmp_path / "n", conformance=True, token=None) as session:
        async with session.post("/credentials/issue", json={"credential": credential()}) as response:
            assert response.status == 201
        async with session.get("/admin/status") as response:
            assert response.status == 404
        async with session.get("/openapi.json") as response:
            assert not any(path.startswith("/admin") for path in (await response.json())["paths"])


@pytest.mark.parametrize(("token", "refusal"), [(None, 403), (_TOKEN, 401)])
async def test_a_host_name_that_was_made_to_lead_here_opens_nothing(
    tmp_path: Path, token: str | None, refusal: int
) -> None:
    async with _port(tmp_path / "n", conformance=True, token=token) as session:
        for host, status in (("evil.example", refusal), ("localhost:1", 201), ("[::1]", 201)):
            body = {"credential": credential()}
            async with session.post("/credentials/issue", json=body, headers={"Host": host}) as response:
                assert response.status == status, host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "admin.example", ""])
def test_conformance_is_refused_where_others_could_reach_the_port(host: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse({"admin": {"host": host}, "vc_api": {"conformance": True}})
    assert refused.value.code == "config.conformance_exposed"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_conformance_is_allowed_on_loopback(host: str) -> None:
    assert parse({"admin": {"host": host}, "vc_api": {"conformance": True}}).vc_api.conformance
