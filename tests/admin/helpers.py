"""A real node in a temporary folder, with its admin API on a real socket."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from node.app import Node, create
from node.cli.init import settings_of
from node.config import to_toml
from node.http.admin import admin_app
from node.http.admin_socket import open_admin_socket
from storage.secrets import Secret, Strength
from tests.opening import KEY


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def make_node(
    home: Path,
    label: str,
    *,
    issuer: bool = False,
    trust: tuple[str, ...] = (),
    port: int | None = None,
    secret: Secret = KEY,
) -> int:
    """Make a node on loopback; its port."""
    port = port or free_port()
    values = settings_of(label, None, port, True, issuer, trust, False)
    await create(home, secret, to_toml(values), issuer=issuer, strength=Strength.INTERACTIVE)
    if issuer:
        catalogue = resources.files("node.records").joinpath("demo_catalogue.json").read_bytes()
        (home / "catalogue.json").write_bytes(catalogue)
    return port


class Client:
    """Asks the admin API."""

    def __init__(self, session: aiohttp.ClientSession, stop_server: Callable[[], Awaitable[None]]) -> None:
        self.session = session
        self.stop_server = stop_server

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        async with self.session.request(method, f"http://node{path}", **more) as response:
            return response.status, json.loads(await response.read())

    async def get(self, path: str) -> Any:
        status, answer = await self.ask("GET", path)
        assert status == 200, answer
        return answer

    async def post(self, path: str, **body: Any) -> Any:
        status, answer = await self.ask("POST", path, json=body)
        assert status in {200, 201}, answer
        return answer


@asynccontextmanager
async def administered(node: Node) -> AsyncIterator[Client]:
    """The admin API of a node that runs, on its socket."""
    runner = web.AppRunner(admin_app(node, token=None), shutdown_timeout=1.0)
    await runner.setup()
    try:
        opened = await open_admin_socket(runner, node.home)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(opened.path))) as session:
            yield Client(session, runner.cleanup)
        await opened.close()
    finally:
        await runner.cleanup()


@asynccontextmanager
async def served(home: Path, *, token: str | None = None) -> AsyncIterator[tuple[Node, Client]]:
    """The node in ``home``, opened but not listening for peers, with its admin API on its socket."""
    node = await Node.open(home, KEY)
    await node.start(listen=False)
    runner = web.AppRunner(admin_app(node, token=token), shutdown_timeout=1.0)
    await runner.setup()
    try:
        opened = await open_admin_socket(runner, home)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(opened.path))) as session:
            yield node, Client(session, runner.cleanup)
        await opened.close()
    finally:
        await runner.cleanup()
        await node.stop()
