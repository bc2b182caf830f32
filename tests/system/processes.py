"""Nodes as processes of their own, the relay through which a node is reached, and their admin API."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from node.app import STORE_FILE
from node.http.admin_socket import admin_socket_path, is_answered
from protocols.issue_credential import machine as issue_credential
from protocols.present_proof import machine as present_proof
from storage import credentials, exchanges, outbox, verifications
from storage.engine import Store
from tests.node.nodes import PASSPHRASE, WELDING, asks_for, free_port, make_home, settings

REPOSITORY = Path(__file__).resolve().parents[2]
ISSUE = "https://didcomm.org/issue-credential/2"
PRESENT = "https://didcomm.org/present-proof/2"
CONNECT = "https://didcomm.org/didexchange/1"
DEADLINE_SECONDS = 40.0
Forward = Callable[[bytes], Awaitable[int]]


class Relay:
    """What stands at a node's public address; tests set ``on_message`` to disturb what it hands on."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self.arrived = 0
        self.on_message: Callable[[int, bytes, Forward], Awaitable[int]] | None = None
        self._target = f"http://127.0.0.1:{target_port}"
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/{rest:.*}", self._take)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def forward(self, body: bytes) -> int:
        """Hand an envelope to the node; its HTTP status, 503 where it does not answer."""
        assert self._session is not None
        headers = {"Content-Type": "application/didcomm-envelope-enc"}
        try:
            async with self._session.post(f"{self._target}/didcomm", data=body, headers=headers) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 503

    async def _take(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            body = await request.read()
            self.arrived += 1
            if self.on_message is None:
                return web.Response(status=await self.forward(body))
            return web.Response(status=await self.on_message(self.arrived, body, self.forward))
        assert self._session is not None
        try:
            async with self._session.get(f"{self._target}{request.path_qs}") as answer:
                copied = {k: v for k, v in answer.headers.items() if k in {"Content-Type", "ETag", "Cache-Control"}}
                return web.Response(status=answer.status, body=await answer.read(), headers=copied)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return web.Response(status=503)


class NodeProcess:
    """One ``lernode run``, which can be killed and started again."""

    def __init__(self, home: Path, relay: Relay, port: int) -> None:
        self.home = home
        self.relay = relay
        self.port = port
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        return (self.home.parent / f"{self.home.name}.log").read_text()

    async def start(self) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "LERNODE_PASSPHRASE": PASSPHRASE, "HOME": str(self.home)}
        with (self.home.parent / f"{self.home.name}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "node.cli.main", "run", "--home", str(self.home)),
                cwd=REPOSITORY,
                env=environment,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not (is_answered(admin_socket_path(self.home)) and await self._serves()):
                assert self._process.returncode is None, self.log
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """SIGKILL: nothing of the process gets to say goodbye."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def terminate(self) -> int:
        """SIGTERM, and the exit status."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
        return await self._process.wait()

    async def restart(self) -> None:
        await self.kill()
        await self.start()

    async def ask(self, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any] | None:
        """One admin request; None where the node dies over it."""
        connector = aiohttp.UnixConnector(str(admin_socket_path(self.home)))
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session,
                session.request(method, f"http://node{path}", json=body, params=query) as answer,
            ):
                found: dict[str, Any] = await answer.json(content_type=None)
                assert answer.status < 400, found
                return found
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """GET, again until the node answers."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (found := await self.ask("GET", path, **query)) is None:
                await asyncio.sleep(0.02)
        return found

    async def once(self, path: str, body: Any, count: Callable[[], Awaitable[int]]) -> None:
        """POST what must be done once: where the answer got lost, look whether it is done (``count``) first."""
        before = await count()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await self.ask("POST", path, body) is None and await count() == before:
                await asyncio.sleep(0.02)

    async def exchanges(self, protocol: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("/admin/exchanges", protocol=protocol))["items"]
        return found

    async def until_over(self, protocol: str, number: int = 1, state: str = "done") -> None:
        """Wait until that many exchanges are there, all in ``state``."""
        states: list[str] = []
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while len(states) != number or set(states) != {state}:
                    await asyncio.sleep(0.02)
                    states = [e["state"] for e in await self.exchanges(protocol)]
        except TimeoutError:
            raise AssertionError(f"{self.home.name} {protocol}: {states}\n{self.log[-3000:]}") from None

    async def until_delivered(self) -> None:
        """Wait until nothing is left in the outbox."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (await self.get("/admin/status"))["outbox"]["waiting"]:
                await asyncio.sleep(0.02)

    async def _serves(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True


class Pair:
    """A college that issues and verifies, and a learner who answers by policy; each behind its relay."""

    def __init__(self, college: NodeProcess, learner: NodeProcess) -> None:
        self.college = college
        self.learner = learner

    def other(self, node: NodeProcess) -> NodeProcess:
        return self.learner if node is self.college else self.college

    async def connect(self) -> None:
        await self.college.once("/admin/invitations", {}, lambda: self._count(self.college, "/admin/invitations"))
        invited = (await self.college.get("/admin/invitations"))["items"][0]
        await self.learner.once(
            "/admin/connections",
            {"invitation": invited["url"]},
            lambda: self._count(self.learner, "/admin/connections"),
        )
        for node in (self.learner, self.college):
            await node.until_over(CONNECT, state="completed")

    async def offer(self) -> None:
        peer = await self._peer()
        body = {"connection": peer, "achievement": WELDING}
        await self.college.once("/admin/credentials/offers", body, lambda: self._exchanges(self.college, ISSUE))

    async def request(self) -> None:
        body = {"connection": await self._peer(), "definition": asks_for()}
        await self.college.once("/admin/presentations/requests", body, lambda: self._exchanges(self.college, PRESENT))

    async def journey(self) -> None:
        """All ten messages."""
        await self.connect()
        await self.offer()
        for node in (self.learner, self.college):
            await node.until_over(ISSUE)
        await self.request()
        for node in (self.college, self.learner):
            await node.until_over(PRESENT)
        for node in (self.college, self.learner):
            await node.until_delivered()

    async def expect_outcome(self, records: int = 1, presentations: int = 1) -> None:
        """Stop both, and look into their stores: everything happened once."""
        for node in (self.college, self.learner):
            assert await node.terminate() == 0, node.log[-3000:]
            assert '"level": "error"' not in node.log, node.log[-3000:]
        await _expect_issuer(self.college, records, presentations)
        await _expect_holder(self.learner, records, presentations)

    async def _peer(self) -> str:
        found: str = (await self.college.get("/admin/connections"))["items"][0]["id"]
        return found

    async def _count(self, node: NodeProcess, path: str) -> int:
        return len((await node.get(path))["items"])

    async def _exchanges(self, node: NodeProcess, protocol: str) -> int:
        return len(await node.exchanges(protocol))


async def _expect_issuer(node: NodeProcess, records: int, presentations: int) -> None:
    store = await Store.open(node.home / STORE_FILE)
    try:
        async with store.read() as tx:
            signed = await credentials.list_issued(tx)
            entries = await tx.all("SELECT purpose, COUNT(*) FROM status_entries GROUP BY purpose")
            rows = await exchanges.page(tx)
            waiting = await outbox.counts(tx)
            peers = await tx.all("SELECT state FROM connections")
            results = [
                await verifications.latest(tx, row.id) for row in rows if row.role == present_proof.Role.VERIFIER.value
            ]
    finally:
        await store.close()
    assert len(signed) == records
    assert {tuple(row) for row in entries} == {("revocation", records), ("suspension", records)}
    assert len([r for r in rows if r.role == issue_credential.Role.ISSUER.value]) == records
    assert [tuple(row) for row in peers] == [("completed",)]
    assert (waiting.queued, waiting.dead) == (0, 0)
    assert [r is not None and r.verified for r in results] == [True] * presentations


async def _expect_holder(node: NodeProcess, records: int, presentations: int) -> None:
    store = await Store.open(node.home / STORE_FILE)
    try:
        async with store.read() as tx:
            kept = await credentials.list_held(tx)
            rows = await exchanges.page(tx)
            waiting = await outbox.counts(tx)
            peers = await tx.all("SELECT state FROM connections")
    finally:
        await store.close()
    assert len(kept) == len({k.credential_id for k in kept}) == records
    assert [r.state for r in rows if r.protocol == PRESENT] == ["done"] * presentations
    assert [tuple(row) for row in peers] == [("completed",)]
    assert (waiting.queued, waiting.dead) == (0, 0)


async def make_pair(folder: Path) -> Pair:
    """Two homes and their relays; nothing runs yet."""
    ports = {name: free_port() for name in ("college", "learner")}
    relays = {name: Relay(port) for name, port in ports.items()}
    trusted = f"did:web:localhost%3A{relays['college'].port}"
    sections: dict[str, dict[str, Any]] = {
        "college": {"trust": {"issuers": (trusted,)}},
        "learner": {"policy": {"accept_offers": True, "share_records": True}},
    }
    made = {}
    for name, relay in relays.items():
        values = settings(name, ports[name], endpoint=relay.url, **sections[name])
        await make_home(folder / name, values, issuer=name == "college")
        made[name] = NodeProcess(folder / name, relay, ports[name])
    return Pair(made["college"], made["learner"])
