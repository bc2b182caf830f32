"""Three replicas of an issuer on one PostgreSQL, a learner and a verifier on SQLite, and TLS before all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from node.http import schemas as s
from scripts.benchmark.processes import NodeProcess, free_ports
from scripts.topology.certificates import make_certificates
from scripts.topology.servers import Balancer, Database
from storage.secrets import Strength

__all__ = ["REPLICAS", "Topology", "connect", "eventually", "running"]

T = TypeVar("T")
REPLICAS = 3
_PATIENCE_SECONDS = 120.0
_LOOK_EVERY_SECONDS = 0.05


@dataclass(frozen=True)
class Topology:
    """What runs.

    Attributes:
        replicas: of the issuer, by the names that the balancer has for them.
        issuer_host: under which the balancer gives its requests to one of them.
    """

    balancer: Balancer
    replicas: dict[str, NodeProcess]
    learner: NodeProcess
    verifier: NodeProcess
    issuer_host: str

    @property
    def issuer_did(self) -> str:
        """Of which all replicas have the keys."""
        return f"did:web:{self.issuer_host.replace(':', '%3A')}"

    @property
    def nodes(self) -> list[NodeProcess]:
        """All processes of lernode."""
        return [*self.replicas.values(), self.learner, self.verifier]


@asynccontextmanager
async def running(
    folder: Path, strength: Strength, *, replicas: int = REPLICAS, on_server: bool = True
) -> AsyncIterator[Topology]:
    """Everything made in an empty folder, started, and taken in by the balancer.

    Args:
        replicas: how many of the issuer there are, at most :data:`REPLICAS`.
        on_server: whether the issuer's store is on PostgreSQL; in a file there can be one replica.

    Raises:
        Missing: a program is not installed.
    """
    first = free_ports(REPLICAS + 6)
    inner = dict(zip((*_names(), "learner", "verifier"), range(first, first + REPLICAS + 2), strict=True))
    hosts = {name: f"localhost:{first + REPLICAS + 2 + n}" for n, name in enumerate(("issuer", "learner", "verifier"))}
    authority, certificates = make_certificates(folder)
    environment = {
        "PUBLIC_BIND": ",".join(f"127.0.0.1:{host.rpartition(':')[2]}" for host in hosts.values()),
        "CERTIFICATES": str(certificates),
        "LEARNER_HOST": hosts["learner"],
        "VERIFIER_HOST": hosts["verifier"],
        **{name.upper().replace("-", "_"): f"127.0.0.1:{port}" for name, port in inner.items()},
    }
    database = Database(folder / "postgresql") if on_server else None
    balancer = Balancer(folder, environment, first + REPLICAS + 5)

    def node(name: str, host: str, **sections: dict[str, Any]) -> NodeProcess:
        settings: dict[str, dict[str, Any]] = {
            "node": {"endpoint": f"https://{host}", "drain_seconds": 2},
            "network": {"allow_http": False},
            "trust": {"issuers": [f"did:web:{hosts['issuer'].replace(':', '%3A')}"]},
            "delivery": {"first_retry_seconds": 0.1, "max_retry_seconds": 1.0, "lease_seconds": 3.0},
            **sections,
        }
        trusted = {"SSL_CERT_FILE": str(authority)}
        issues = name.startswith("issuer")
        return NodeProcess(
            folder / name, inner[name], issuer=issues, settings=settings, environment=trusted, strength=strength
        )

    one, *others = _names()[:replicas]
    store = {} if database is None else {"database": {"url": database.url}}
    issuer = node(one, hosts["issuer"], status={"ttl_seconds": 1}, **store)
    learner, verifier = (node(name, hosts[name]) for name in ("learner", "verifier"))
    try:
        if database is not None:
            await database.start()
        await asyncio.gather(learner.make(), verifier.make())
        await issuer.make()
        processes = {one: issuer, **{name: issuer.replica(name, inner[name]) for name in others}}
        topology = Topology(balancer, processes, learner, verifier, hosts["issuer"])
        try:
            await asyncio.gather(balancer.start(), *(each.start() for each in topology.nodes))
            await asyncio.gather(*(balancer.until(name, is_in=True) for name in (*processes, "learner", "verifier")))
            yield topology
        finally:
            await asyncio.gather(*(each.stop() for each in topology.nodes), balancer.stop())
    finally:
        if database is not None:
            await database.stop()


async def connect(inviter: NodeProcess, invited: NodeProcess) -> str:
    """Let two nodes meet; the inviter's connection."""
    invitation = await inviter.api.post("/admin/invitations", s.InvitationView, s.NewInvitation())
    await invited.api.post("/admin/connections", s.ConnectionView, s.AcceptInvitation(invitation=invitation.url))

    async def made() -> str | None:
        page = await inviter.api.get("/admin/connections", s.Page[s.ConnectionView])
        return next((c.id for c in page.items if c.invitation_id == invitation.id and c.state == "completed"), None)

    return await eventually(made)


async def eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    """What ``look`` gives once it gives something."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while (found := await look()) is None:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        return found


def _names() -> list[str]:
    return [f"issuer-{number}" for number in range(1, REPLICAS + 1)]
