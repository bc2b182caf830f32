"""One node as a real process, on either engine, and what a test asks of it from outside."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from node.app import create
from node.cli.init import settings_of, write_catalogue
from node.config import to_toml
from storage.secrets import Strength
from tests.system.processes import DEADLINE_SECONDS, PASSPHRASE, Peer, free_ports

PORTS = free_ports()


async def make(home: Path, name: str, store: str | None = None, *, behind: bool = False, **node: float) -> Peer:
    """A node that does not run yet: the college issues, others hold and verify and accept what they are offered.

    Args:
        store: the URL of its store; in its folder where this is missing.
        behind: it listens at another port than the world believes, where a test may listen in its place.
        node: of that section of the configuration.
    """
    inner = next(PORTS)
    public = next(PORTS) if behind else inner
    issuer = name == "college"
    values = settings_of(name, None, public, True, issuer, (), not issuer, store)
    values["node"] |= {"listen_port": inner, **node}
    values["delivery"] = {"first_retry_seconds": 0.05, "max_retry_seconds": 0.4, "lease_seconds": 600.0}
    await create(home, PASSPHRASE, to_toml(values), issuer=issuer, strength=Strength.INTERACTIVE)
    if issuer:
        write_catalogue(home)
    return Peer(name, home, inner, public)


@asynccontextmanager
async def running(*peers: Peer) -> AsyncIterator[aiohttp.ClientSession]:
    """The nodes, started; killed at the end."""
    try:
        await asyncio.gather(*(peer.start() for peer in peers))
        async with aiohttp.ClientSession() as session:
            yield session
    finally:
        await asyncio.gather(*(peer.kill() for peer in peers))


def tell(peer: Peer, number: signal.Signals = signal.SIGTERM) -> None:
    """Send a signal."""
    assert peer.process is not None
    peer.process.send_signal(number)


async def ended(peer: Peer) -> int:
    """How the process ended, once it did."""
    assert peer.process is not None
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await peer.process.wait()


async def status(session: aiohttp.ClientSession, peer: Peer, path: str) -> int:
    """The status of a GET at the public port."""
    async with session.get(peer.inner_url + path) as response:
        return response.status


async def ready(session: aiohttp.ClientSession, peer: Peer) -> None:
    """Wait until the node says that it may be sent work."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await status(session, peer, "/ready") != 200:
            await asyncio.sleep(0.02)


async def refusal(session: aiohttp.ClientSession, peer: Peer, path: str) -> tuple[str, str | None]:
    """Code and Retry-After of the first refusal of ``path``, asked for again and again."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            async with session.get(peer.inner_url + path) as response:
                if response.status == 503:
                    assert response.content_type == "application/problem+json"
                    return (await response.json())["code"], response.headers.get("Retry-After")
                assert response.status == 200
            await asyncio.sleep(0.02)
