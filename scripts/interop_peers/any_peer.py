"""Walk with any peer, from its invitation: what is asked of the human on the other side is said as it comes.

The invitation is of Out-of-Band 1.1 or 2.0, and may come with an offer or a request. The node lives in this process,
in a folder that is thrown away afterwards. It says yes to what the peer offers and asks for, and believes no other
issuer than itself.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from node.app import Node, create
from node.cli.init import write_catalogue
from node.config import CONFIG_FILE, to_toml
from node.roles.issuer import Award
from node.roles.threads import ISSUE_CREDENTIAL, PRESENT_PROOF
from node.runtime.world import World
from protocols.credentials.model import Version
from protocols.exchange.presentation_exchange import for_achievement
from protocols.out_of_band.machine import Role
from protocols.trust_ping.messages import Ping
from scripts.interop_peers.invitation_report import Message, PeerReport
from scripts.interop_peers.redaction import shown
from scripts.interop_peers.report import Run, Step, StepFailed
from storage import connections, exchanges
from storage.dids import DidPurpose
from storage.exchanges import ExchangeRow, Filter

__all__ = ["Manner", "walk_with_any_peer"]

T = TypeVar("T")
_ACHIEVEMENT = "weld-101"
_LOOK_EVERY_SECONDS = 0.1
_OVER = frozenset({"done", "abandoned"})
_OF_RECORDS = frozenset({ISSUE_CREDENTIAL.protocol, PRESENT_PROOF.protocol})
_TO, _FROM = "lernode -> peer", "peer -> lernode"


@dataclass(frozen=True, slots=True)
class Manner:
    """How to walk.

    Attributes:
        endpoint: the URL under which the peer reaches this machine; None for this machine only.
        seconds: how long each step may take, and how long the peer's own offers and requests are waited for.
        securing: how what is offered is secured.
        data_model: that it is written in.
        with_status: whether it can be revoked.
    """

    endpoint: str | None = None
    port: int = 8400
    seconds: float = 60.0
    securing: str = "Ed25519Signature2020"
    data_model: Version = Version.V1_1
    with_status: bool = True


async def walk_with_any_peer(
    invitation: str, manner: Manner, tell: Callable[[str], None], told: Callable[[Step], None]
) -> PeerReport:
    """Walk every step that one side can begin.

    Args:
        invitation: URL or JSON.
        tell: called with what the human on the other side has to do now.
        told: called with each step as it ends.
    """
    messages: list[Message] = []

    def witness(way: Any, message: Any) -> None:
        messages.append(Message(way, message.type, message.thid, world.clock(), shown(message)))

    world = World(witness=witness)
    run = Run("peer", told)
    with tempfile.TemporaryDirectory(prefix="lernode-interop-") as folder:
        node = await _start(Path(folder) / "node", manner, world)
        try:
            await _Walk(node, run, manner, tell, messages).all(invitation)
        finally:
            await node.stop()
    return PeerReport(run, messages, world.clock())


async def _start(home: Path, manner: Manner, world: World) -> Node:
    settings: dict[str, dict[str, Any]] = {
        "node": {
            "label": "lernode (interoperability)",
            "listen_port": manner.port,
            "endpoint": manner.endpoint or f"http://localhost:{manner.port}",
        },
        "issuer": {"catalogue": "catalogue.json", "securing": manner.securing},
        "status": {"purposes": ["revocation"] if manner.with_status else []},
        "policy": {"accept_offers": True, "share_records": True},
        "verify": {"require_domain": False},
    }
    if manner.endpoint is None:
        settings["network"] = {"allow_http": True, "allowed_networks": ["127.0.0.0/8", "::1/128"]}
    secret = secrets.token_urlsafe(24)
    await create(home, secret, to_toml(settings), issuer=True)
    write_catalogue(home)
    node = await Node.open(home, secret)
    try:
        async with node.store.write() as tx:
            made = await node.identity.create(tx, "key", DidPurpose.ISSUER)
            await node.identity.choose(tx, made.did)
    finally:
        await node.stop()
    believing = to_toml({**settings, "trust": {"issuers": [made.did]}})
    (home / CONFIG_FILE).write_text(believing, encoding="utf-8")
    node = await Node.open(home, secret, world=world)
    await node.start()
    return node


class _Walk:
    def __init__(
        self, node: Node, run: Run, manner: Manner, tell: Callable[[str], None], messages: Sequence[Message]
    ) -> None:
        self._node = node
        self._messages = messages
        self._run = run
        self._manner = manner
        self._tell = tell
        self._begun: set[str] = set()

    async def all(self, invitation: str) -> None:
        """Every step; the first is needed by all others."""
        connection = await self._try(_TO, "invitation accepted, connection complete", self._connect(invitation))
        if connection is None:
            return
        await self._try(_TO, "trust ping, answered", self._ping(connection))
        for major in await self._versions_of_features(connection):
            await self._try(_TO, f"discover features {major}.0, disclosed", self._features(connection, major))
        self._tell("Accept the offer of a record in your agent (its name: Structural Welding, Level 1).")
        await self._try(_TO, "record offered, requested, issued and acknowledged", self._offer(connection))
        self._tell("Answer the request for proof of it in your agent with the record that you got.")
        await self._try(_TO, "presentation requested, received and verified", self._request(connection))
        self._tell("Decline the second offer in your agent.")
        await self._try(_TO, "offer declined with a problem report", self._declined(connection))
        self._tell(
            f"Offer this node a record, and ask it for one, within {self._manner.seconds:.0f} seconds. It says yes."
        )
        await self._of_the_peer(connection)
        await self._try(_TO, "connection ended", self._end(connection))

    async def _connect(self, invitation: str) -> str:
        made = await self._node.peering.accept(invitation, reuse=False)

        async def look() -> str | None:
            async with self._node.store.read() as tx:
                found = await connections.get(tx, made.id)
            if found.state == "abandoned":
                raise ValueError("The connection was given up.")
            return found.id if found.state == "completed" else None

        return await self._eventually(look, "complete connection")

    async def _versions_of_features(self, connection: str) -> tuple[int, ...]:
        """Who invites by Out-of-Band 2.0 speaks DIDComm v2, which has no discover features 1.0."""
        async with self._node.store.read() as tx:
            peer = await connections.get(tx, connection)
        return (2,) if peer.role == Role.RECEIVER.value else (2, 1)

    async def _ping(self, connection: str) -> None:
        ping = self._node.world.new_id()
        async with self._node.store.write() as tx:
            peer = await connections.get(tx, connection)
            await self._node.outbox.put(tx, peer, Ping(ping, ping))

        async def look() -> bool | None:
            return any(one.way == "received" and one.thread == ping for one in self._messages) or None

        await self._eventually(look, "answer to the ping")

    async def _features(self, connection: str, major: int) -> None:
        row = await self._ended(await self._node.discovery.ask(connection, ["*"], major))
        if row.state != "done":
            raise ValueError(f"Ended with {row.state}: {row.error_code}")

    async def _offer(self, connection: str) -> None:
        row = await self._ended(await self._offered(connection))
        if row.state != "done":
            raise ValueError(f"Ended with {row.state}: {row.error_code}")

    async def _request(self, connection: str) -> None:
        """For what was issued before, as no other issuer is believed."""
        async with self._node.store.read() as tx:
            achievement = await self._node.achievements.awardable(tx, _ACHIEVEMENT)
        wanted = for_achievement(
            achievement.id,
            name=achievement.name,
            purpose="To see whether it works.",
            definition_id=self._node.world.new_id(),
        )
        asked = await self._node.verifier.request(connection, wanted)
        self._begun.add(asked.id)
        row = await self._ended(asked)
        if row.state != "done":
            raise ValueError(f"Ended with {row.state}: {row.error_code}")

    async def _declined(self, connection: str) -> None:
        row = await self._ended(await self._offered(connection))
        if row.state != "abandoned":
            raise ValueError(f"Ended with {row.state}")

    async def _of_the_peer(self, connection: str) -> None:
        """What the peer has begun by then, by its invitation or since; nothing is no failure, and is not walked."""
        await asyncio.sleep(self._manner.seconds)
        found = await self._rows(connection)
        theirs = [row for row in found if row.protocol in _OF_RECORDS and row.id not in self._begun]
        if not theirs:
            self._run.not_walked(_FROM, "offers and requests of the peer")
        for row in theirs:
            name = f"{row.protocol.removeprefix('https://didcomm.org/')} as {row.role}"
            await self._try(_FROM, name, self._went_well(row))

    async def _went_well(self, row: ExchangeRow) -> None:
        if row.state != "done":
            raise ValueError(f"Ended with {row.state}: {row.error_code}")

    async def _end(self, connection: str) -> None:
        await self._node.ending.end(connection)

    async def _offered(self, connection: str) -> ExchangeRow:
        award = Award(achievement_id=_ACHIEVEMENT, data_model=self._manner.data_model)
        row = await self._node.issuer.offer(connection, award)
        self._begun.add(row.id)
        return row

    async def _rows(self, connection: str) -> list[ExchangeRow]:
        async with self._node.store.read() as tx:
            return await exchanges.page(tx, Filter(connection_id=connection), limit=100)

    async def _ended(self, row: ExchangeRow) -> ExchangeRow:
        async def look() -> ExchangeRow | None:
            async with self._node.store.read() as tx:
                found = await exchanges.get(tx, row.id)
            return found if found.state in _OVER else None

        return await self._eventually(look, "end of the exchange")

    async def _eventually(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        try:
            async with asyncio.timeout(self._manner.seconds):
                while (found := await look()) is None:
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
                return found
        except TimeoutError:
            raise TimeoutError(f"no {what} within {self._manner.seconds:.0f} s") from None

    async def _try(self, direction: str, name: str, work: Awaitable[T]) -> T | None:
        try:
            return await self._run.step(direction, name, work)
        except StepFailed:
            return None
