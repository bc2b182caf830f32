"""Real nodes in this process, on loopback sockets, and what tests ask them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from node.app import Node, create
from node.config import Config, load, to_toml
from node.roles.issuer import Award
from node.runtime.world import World
from protocols import strict_json
from protocols.exchange.presentation_exchange import for_skill
from storage import connections, credentials, exchanges, meta, outbox
from storage.connections import Connection
from storage.credentials import HeldCredential, IssuedCredential
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow
from storage.secrets import Secret, Strength
from tests.opening import KEY

T = TypeVar("T")

WELDING = "https://college.example/achievements/welding-1"
CARPENTRY = "https://college.example/achievements/carpentry-1"
SKILL = "51-4121.00"
DEADLINE_SECONDS = 20.0
OVER = frozenset({"done", "abandoned"})


def achievement(achievement_id: str, name: str, code: str, skill: str) -> dict[str, Any]:
    return {
        "id": achievement_id,
        "type": ["Achievement"],
        "name": name,
        "description": f"{name}, as taught in the workshop.",
        "criteria": {"narrative": "Passed the practical test."},
        "achievementType": "Certificate",
        "alignment": [
            {
                "type": ["Alignment"],
                "targetName": skill,
                "targetUrl": f"https://www.onetonline.org/link/summary/{code}",
                "targetCode": code,
                "targetFramework": "O*NET-SOC",
            }
        ],
    }


CATALOGUE = [
    achievement(WELDING, "Structural Welding, Level 1", SKILL, "Welders, Cutters, Solderers, and Brazers"),
    achievement(CARPENTRY, "Carpentry, Level 1", "47-2031.00", "Carpenters"),
]


def _ports() -> Iterator[int]:
    # Under the range that the system gives out itself, and at a different place in each test process.
    first, count = 12_000, 9_000
    start = os.getpid() * 131 % count
    for step in range(count):
        port = first + (start + step) % count
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


_free = _ports()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    return next(_free)


class Clock:
    """The real time, and how far it was put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **by: float) -> None:
        self.ahead += timedelta(**by)


def settings(label: str, port: int, *, endpoint: str | None = None, **sections: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a node on loopback; ``sections`` are laid over it."""
    values: dict[str, dict[str, Any]] = {
        "node": {"label": label, "listen_port": port, "endpoint": endpoint or f"http://localhost:{port}"},
        "network": {"allow_http": True, "allowed_networks": ("127.0.0.0/8",), "timeout_seconds": 5},
        "issuer": {"catalogue": "catalogue.json"},
        "delivery": {"first_retry_seconds": 0.05, "max_retry_seconds": 0.2},
    }
    for name, section in sections.items():
        values[name] = values.get(name, {}) | section
    return values


async def make_home(
    home: Path, values: dict[str, Any], *, issuer: bool = False, world: World | None = None, secret: Secret = KEY
) -> None:
    """A node's folder, made as ``lernode init`` makes it, with the cheapest sealing that is still real."""
    await create(home, secret, to_toml(values), issuer=issuer, strength=Strength.INTERACTIVE, world=world)
    (home / "catalogue.json").write_bytes(strict_json.dumps(CATALOGUE))


class Nodes:
    """Makes nodes and stops them.

    Args:
        new_store: gives the URL of a place for each node's store; in its folder where this is missing.
        secret: opens them.
    """

    def __init__(self, folder: Path, new_store: Callable[[], str] | None = None, secret: Secret = KEY) -> None:
        self._folder = folder
        self._secret = secret
        self._new_store = new_store
        self._running: list[Node] = []

    async def make(
        self,
        label: str,
        *,
        issuer: bool | dict[str, Any] = False,
        world: World | None = None,
        **sections: dict[str, Any],
    ) -> Node:
        """A node that runs; as ``issuer`` it issues, with that section of the configuration if so."""
        home = self._folder / label
        if isinstance(issuer, dict):
            sections["issuer"] = issuer
        if self._new_store is not None:
            sections["database"] = {"url": self._new_store()}
        values = settings(label, free_port(), **sections)
        await make_home(home, values, issuer=issuer is not False, world=world, secret=self._secret)
        return await self._start(home, world)

    async def replica(self, node: Node, label: str) -> Node:
        """One more process of the same node: its configuration, and a port of its own."""
        home = self._folder / label
        shutil.copytree(node.home, home)
        config = load(home)
        config = msgspec.structs.replace(config, node=msgspec.structs.replace(config.node, listen_port=free_port()))
        return await self._start(home, node.world, config)

    @property
    def running(self) -> tuple[Node, ...]:
        """Those that run."""
        return tuple(self._running)

    async def stop(self, node: Node) -> None:
        """Stop one; it can be started again."""
        self._running.remove(node)
        await node.stop()

    async def again(self, node: Node) -> Node:
        """Start a stopped node again, from its folder."""
        return await self._start(node.home, node.world)

    async def stop_all(self) -> None:
        while self._running:
            await self._running.pop().stop()

    async def _start(self, home: Path, world: World | None, config: Config | None = None) -> Node:
        node = await Node.open(home, self._secret, config=config, world=world)
        self._running.append(node)
        await node.start()
        return node


async def eventually(node: Node, probe: Callable[[Transaction], Awaitable[T | None]]) -> T:
    """What ``probe`` finds in the node's store, once it finds it."""
    found: T | None = None
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not found:
            async with node.store.read() as tx:
                found = await probe(tx)
            if not found:
                await asyncio.sleep(0.01)
    return found


async def connection_in(node: Node, connection_id: str, state: str = "completed") -> Connection:
    async def probe(tx: Transaction) -> Connection | None:
        found = await connections.get(tx, connection_id)
        return found if found.state == state else None

    return await eventually(node, probe)


async def connect(inviter: Node, guest: Node) -> tuple[Connection, Connection]:
    """Connect two nodes by a fresh invitation; the inviter's end and the guest's."""
    invited = await inviter.peering.invite()
    theirs = await connection_in(guest, (await guest.peering.accept(invited.url)).id)

    async def probe(tx: Transaction) -> Connection | None:
        found = await connections.find_by_invitation(tx, invited.id)
        return next((c for c in found if c.state == "completed"), None)

    return await eventually(inviter, probe), theirs


async def exchange_in(node: Node, exchange_id: str, *states: str) -> ExchangeRow:
    """The exchange once it is in one of ``states``; over, where none is named."""
    wanted = frozenset(states) or OVER

    async def probe(tx: Transaction) -> ExchangeRow | None:
        found = await exchanges.get(tx, exchange_id)
        return found if found.state in wanted else None

    return await eventually(node, probe)


async def other_end(node: Node, row: ExchangeRow, *states: str) -> ExchangeRow:
    """The peer's exchange of the same thread, once it is there (and in one of ``states``)."""

    async def probe(tx: Transaction) -> ExchangeRow | None:
        found = [r for r in await exchanges.page(tx) if r.thid == row.thid and r.protocol == row.protocol]
        return next((r for r in found if not states or r.state in states), None)

    return await eventually(node, probe)


async def held(node: Node) -> list[HeldCredential]:
    async with node.store.read() as tx:
        return await credentials.list_held(tx)


async def issued(node: Node) -> list[IssuedCredential]:
    async with node.store.read() as tx:
        return await credentials.list_issued(tx)


async def give(college: Node, connection_id: str, achievement_id: str = WELDING) -> IssuedCredential:
    """Offer a record to a holder that accepts by itself, and wait until it has it."""
    offered = await college.issuer.offer(connection_id, Award(achievement_id=achievement_id))
    assert (await exchange_in(college, offered.id)).state == "done"
    async with college.store.read() as tx:
        (record,) = await credentials.issued_of_exchange(tx, offered.id)
    return record


def asks_for(code: str = SKILL) -> dict[str, Any]:
    """A definition that asks for one skill."""
    return for_skill([code], name="A skill", purpose="To hire you", definition_id=f"skill-{code}")


def check(result: dict[str, Any], name: str) -> dict[str, Any]:
    """One check of the first record of a verification result, by name."""
    found: dict[str, Any] = next(c for c in result["credentials"][0]["checks"] if c["check"] == name)
    return found


async def settled(node: Node) -> None:
    """Wait until nothing is left to be delivered, so that the store changes no more by itself."""

    async def probe(tx: Transaction) -> bool:
        is_tidied = await meta.get(tx, "housekeeping.last") is not None
        return (await outbox.counts(tx)).queued == 0 and is_tidied

    await eventually(node, probe)


async def tables(store: Store) -> dict[str, tuple[int, str]]:
    """Every table of a store: how many rows, and a digest of all that stands in them."""
    async with store.read() as tx:
        names = await tx.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        found = {}
        for (name,) in (tuple(row) for row in names):
            # Housekeeping notes at some moment after the start that it has looked.
            others = " WHERE key NOT LIKE 'housekeeping.%'" if name == "meta" else ""
            rows = sorted(repr(tuple(row)) for row in await tx.all(f"SELECT * FROM {name}{others}"))
            found[name] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    return found
