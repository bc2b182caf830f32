"""Nodes as real processes, each behind a relay that sees every message before it arrives."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from node.app import create
from node.cli.init import settings_of, write_catalogue
from node.config import STORE_FILE, to_toml
from node.http.admin_socket import admin_socket_path
from protocols.didcomm.message import Wire
from storage.secrets import Strength
from tests.store_files import opened

DEADLINE_SECONDS = 60.0
PASSPHRASE = "correct horse battery staple"
ACHIEVEMENTS = ("weld-101", "code-110", "data-120")
SKILL = "51-4121.00"
Handle = Callable[["Peer", bytes], Awaitable[int]]


def free_ports() -> Iterator[int]:
    """Ports of loopback that nobody listens on, at another place in each test process.

    They are under the range from which the system takes the ports of outgoing connections.
    """
    start = os.getpid() * 97 % 9_000
    for step in range(9_000):
        port = 21_000 + (start + step) % 9_000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


@dataclass
class Peer:
    """One node: its process, and where it listens behind its relay."""

    name: str
    home: Path
    inner_port: int
    public_port: int
    process: asyncio.subprocess.Process | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def inner_url(self) -> str:
        return f"http://127.0.0.1:{self.inner_port}"

    async def start(self) -> None:
        """Start ``lernode run`` and wait until it listens; one without a port, until it takes commands.

        Where it runs already, it stays. Starting and killing take turns, so that none is left behind that nobody knows.
        """
        async with self._turn:
            if self.process is None or self.process.returncode is not None:
                await self._start()

    async def _start(self) -> None:
        environment = {"LERNODE_PASSPHRASE": PASSPHRASE, "PATH": os.environ["PATH"]}
        with (self.home.parent / f"{self.name}.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "node.cli.main",
                "run",
                "--home",
                str(self.home),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
                env=environment,
            )
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                assert self.process.returncode is None, f"{self.name} ended by itself"
                with suppress(OSError):
                    _reader, writer = await self._opened()
                    writer.close()
                    return
                await asyncio.sleep(0.02)

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.inner_port:
            return await asyncio.open_connection("127.0.0.1", self.inner_port)
        return await asyncio.open_unix_connection(str(admin_socket_path(self.home)))

    async def kill(self) -> None:
        """SIGKILL: no time to finish anything."""
        async with self._turn:
            if self.process is not None and self.process.returncode is None:
                self.process.send_signal(signal.SIGKILL)
                await self.process.wait()

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call of the admin API that has to succeed."""
        status, answer = await self.call(method, path, body)
        assert status < 400, answer
        return answer

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """One call of the admin API, with the status of its answer."""
        connector = aiohttp.UnixConnector(str(admin_socket_path(self.home)))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, f"http://node{path}", json=body) as response,
        ):
            return response.status, await response.json()

    async def eventually(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """What ``look`` gives once it gives something; the node may be killed and started again meanwhile."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                with suppress(aiohttp.ClientError, OSError):
                    found = await look()
                    if found:
                        return found
                await asyncio.sleep(0.03)

    def count(self, table: str) -> int:
        """How many rows a table of the node's store has."""
        with sqlite3.connect(f"file:{self.home / STORE_FILE}?mode=ro", uri=True) as store:
            return int(store.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])

    def speak(self, wire: Wire) -> None:
        """Speak this wire on every connection, as with a peer that knows no other."""
        with opened(self.home / STORE_FILE) as store:
            store.execute("UPDATE connections SET wire = ?", (wire.value,))

    def wires(self) -> set[str]:
        """The wires in which the peers of its connections spoke last."""
        with sqlite3.connect(f"file:{self.home / STORE_FILE}?mode=ro", uri=True) as store:
            return {wire for (wire,) in store.execute("SELECT wire FROM connections")}


@dataclass
class Network:
    """Three nodes and the relays before them; ``handle`` decides what becomes of each message."""

    college: Peer
    learner: Peer
    employer: Peer
    handle: Handle
    session: aiohttp.ClientSession
    _servers: list[web.AppRunner] = field(default_factory=list)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def peers(self) -> tuple[Peer, Peer, Peer]:
        return self.college, self.learner, self.employer

    async def forward(self, peer: Peer, body: bytes) -> int:
        """Deliver a message to the node itself; 502 where it does not answer."""
        headers = {"Content-Type": "application/didcomm-envelope-enc"}
        try:
            async with self.session.post(f"{peer.inner_url}/didcomm", data=body, headers=headers) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, OSError):
            return 502

    def later(self, work: Awaitable[Any]) -> None:
        """Do something beside the message that is being handled; :meth:`settle` waits for it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)

    async def settle(self) -> None:
        """Wait for everything that :meth:`later` began."""
        while self._tasks:
            tasks, self._tasks = self._tasks, set()
            await asyncio.gather(*tasks)

    async def relay(self, peer: Peer) -> None:
        """Listen where the world believes ``peer`` to be."""

        async def message(request: web.Request) -> web.Response:
            return web.Response(status=await self.handle(peer, await request.read()))

        async def document(request: web.Request) -> web.Response:
            try:
                async with self.session.get(peer.inner_url + request.path, headers=request.headers) as response:
                    kept = {k: v for k, v in response.headers.items() if k in {"ETag", "Content-Type"}}
                    return web.Response(status=response.status, body=await response.read(), headers=kept)
            except (aiohttp.ClientError, OSError):
                return web.Response(status=502)

        app = web.Application(client_max_size=4 << 20)
        app.router.add_post("/didcomm", message)
        app.router.add_get("/{path:.*}", document)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._servers.append(runner)
        await web.TCPSite(runner, "127.0.0.1", peer.public_port).start()

    async def stop(self) -> None:
        for peer in self.peers:
            await peer.kill()
        for server in self._servers:
            await server.cleanup()


class Template:
    """The folders of three nodes, made once; a test works on copies."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports()
        self._folder = folder
        self._ports = {name: (next(ports), next(ports)) for name in ("college", "learner", "employer")}

    async def make(self) -> None:
        """Make the folders, with the cheapest sealing that is still real."""
        college_did = f"did:web:localhost%3A{self._ports['college'][1]}"
        for name, (inner, public) in self._ports.items():
            issuer = name == "college"
            trust = (college_did,) if name == "employer" else ()
            values = settings_of(name, None, public, True, issuer, trust, name == "learner")
            values["node"] |= {"listen_port": inner}
            values["delivery"] = {"first_retry_seconds": 0.05, "max_retry_seconds": 0.4}
            home = self._folder / name
            await create(home, PASSPHRASE, to_toml(values), issuer=issuer, strength=Strength.INTERACTIVE)
            if issuer:
                write_catalogue(home)

    def copy(self, folder: Path) -> dict[str, Peer]:
        """Fresh nodes in ``folder``."""
        peers = {}
        for name, (inner, public) in self._ports.items():
            shutil.copytree(self._folder / name, folder / name)
            peers[name] = Peer(name, folder / name, inner, public)
        return peers


@asynccontextmanager
async def network(
    template: Template,
    folder: Path,
    handle: Callable[[Network], Handle],
    configure: Callable[[dict[str, Peer]], None] = lambda _peers: None,
) -> Any:
    """Three running nodes whose messages all go through ``handle``.

    Args:
        configure: changes their folders before they start.
    """
    peers = template.copy(folder)
    configure(peers)
    async with aiohttp.ClientSession() as session:
        net = Network(peers["college"], peers["learner"], peers["employer"], _not_yet, session)
        net.handle = handle(net)
        try:
            for peer in net.peers:
                await net.relay(peer)
            await asyncio.gather(*(peer.start() for peer in net.peers))
            yield net
        finally:
            await net.stop()


async def _not_yet(_peer: Peer, _body: bytes) -> int:
    return 503


def shuffled(chance: random.Random, *, lost: float = 0.0) -> Callable[[Network], Handle]:
    """A network that delivers every message twice, whenever it likes, and loses some, which are then sent again."""

    def over(net: Network) -> Handle:
        async def deliver(peer: Peer, body: bytes) -> None:
            # Refused means too early: a network that reorders brings it again.
            while True:
                await asyncio.sleep(chance.uniform(0, 0.3))
                if await net.forward(peer, body) == 202:
                    return

        async def handle(peer: Peer, body: bytes) -> int:
            if chance.random() < lost:
                return 502
            for _ in range(2):
                net.later(deliver(peer, body))
            return 202

        return handle

    return over


async def connect(inviter: Peer, invited: Peer, wire: Wire = Wire.V2) -> str:
    """Let two nodes meet; the inviter's connection, once it is complete at both ends.

    Args:
        wire: what the two speak from then on; of themselves, v2.
    """
    invitation = await inviter.eventually(lambda: inviter.ask("POST", "/admin/invitations", {}))

    async def accept() -> Any:
        return await invited.ask("POST", "/admin/connections", {"invitation": invitation["url"]})

    theirs = await invited.eventually(accept)

    async def complete(peer: Peer, which: Callable[[dict[str, Any]], bool]) -> Any:
        page = await peer.ask("GET", "/admin/connections")
        return next((c["id"] for c in page["items"] if which(c) and c["state"] == "completed"), None)

    await invited.eventually(lambda: complete(invited, lambda c: bool(c["id"] == theirs["id"])))
    mine = await inviter.eventually(lambda: complete(inviter, lambda c: bool(c["invitationId"] == invitation["id"])))
    if wire is Wire.V1:
        for peer in (inviter, invited):
            peer.speak(wire)
    return str(mine)


async def once(peer: Peer, path: str, body: dict[str, Any], protocol: str, *, after: int = 0) -> str:
    """Begin the next exchange after so many, exactly once, though the node may die while it is asked to; its id."""

    async def begin() -> Any:
        page = await peer.ask("GET", "/admin/exchanges")
        begun = [e["id"] for e in page["items"] if f"/{protocol}/" in e["protocol"]]
        # The newest comes first.
        return begun[0] if len(begun) > after else (await peer.ask("POST", path, body))["id"]

    return str(await peer.eventually(begin))


async def over(peer: Peer, exchange_id: str) -> dict[str, Any]:
    """The exchange, once it has ended."""

    async def look() -> Any:
        exchange = await peer.ask("GET", f"/admin/exchanges/{exchange_id}")
        return exchange if exchange["state"] in {"done", "abandoned"} else None

    ended: dict[str, Any] = await peer.eventually(look)
    return ended


async def expect_done(peer: Peer, exchange_id: str) -> None:
    """The exchange ends well; where not, its error says why."""
    ended = await over(peer, exchange_id)
    assert (ended["state"], ended["error"]) == ("done", None), (ended["state"], ended["error"])


async def journey(net: Network, *, records: int = 1, together: int = 1, wire: Wire = Wire.V2) -> None:
    """The whole way of one or several records, up to the verified presentation; nothing is lost or doubled.

    Args:
        records: exchanges, each of as many records as ``together`` says.
    """
    at_college = await connect(net.college, net.learner, wire)
    offers = []
    for number, name in enumerate(ACHIEVEMENTS[:records]):
        also = [{"achievement": other} for other in ACHIEVEMENTS[1:together]]
        award = {"connection": at_college, "achievement": name, "also": also}
        offers.append(await once(net.college, "/admin/credentials/offers", award, "issue-credential", after=number))
    for offer in offers:
        await expect_done(net.college, offer)

    at_employer = await connect(net.employer, net.learner, wire)
    query = {"connection": at_employer, "skills": [SKILL]}
    request = await once(net.employer, "/admin/presentations/requests", query, "present-proof")
    await expect_done(net.employer, request)

    async def learner_done() -> bool:
        page = await net.learner.ask("GET", "/admin/exchanges")
        return len(page["items"]) == 3 + records and all(e["state"] in {"done", "completed"} for e in page["items"])

    await net.learner.eventually(learner_done)
    path = f"/admin/exchanges/{request}/verification"
    verification = await net.employer.eventually(lambda: net.employer.ask("GET", path))
    assert verification["verified"], json.dumps(verification["result"])
    await net.settle()
    assert all(peer.wires() == {wire.value} for peer in net.peers)
    expect_nothing_lost_or_doubled(net, records * together)


def expect_nothing_lost_or_doubled(net: Network, records: int) -> None:
    """One record and one status index a purpose for each offer, one verification, nothing left to send."""
    assert net.learner.count("held_credentials") == records
    assert net.college.count("issued_credentials") == records
    assert net.college.count("status_entries") == 2 * records, "one for each purpose"
    assert net.employer.count("verifications") == 1
