"""Clients and strangers against a node that mediates: nothing of what it holds for others is touched, or grows.

The messages are those of Coordinate Mediation, Pickup and Routing in ``message_samples.py``; how they are spoilt stands
in ``test_hostile_types.py``, where no node mediates.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from node.app import Node
from protocols.coordinate_mediation.messages import Action, KeylistUpdate, MediateRequest, Update
from protocols.coordinate_mediation.messages import decode as decode_mediation
from protocols.did import peer4
from protocols.didcomm import codec, envelope_v1
from protocols.didcomm.envelope_v1 import wrap_for_routing
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import LernodeError
from protocols.keys import KeyPair
from protocols.pickup.messages import StatusRequest
from protocols.routing.messages import Forward
from protocols.routing.names import name_of
from storage import connections, exchanges, mediation
from storage.connections import Connection
from storage.exchanges import Filter
from tests.node.message_samples import CASES, RECIPIENT, Sample
from tests.node.nodes import Nodes
from tests.node.test_hostile_types import REFUSALS, Scene, at_rest, kept, say_again, spoil_every_field
from tests.node.wire_peer import Answer, WirePeer, new_id
from tests.node.wire_peer_v2 import WirePeerV2

_MAJORS = {Wire.V1: 2, Wire.V2: 3}
_ENVELOPE = envelope_v1.pack(b"{}", to=[name_of(RECIPIENT)], sender=None, entropy=os.urandom)
_FORWARD = Sample(Forward, lambda i, _: Forward(i, RECIPIENT, (_ENVELOPE,)), frozenset({"to", "msg", "next", "data"}))
_FAMILIES = ("coordinate-mediation", "messagepickup", "routing")


@dataclass
class Mediation(Scene):
    """A mediator, a client that has named a recipient, and a client that has named none."""

    route: str = ""

    async def say(self, who: WirePeer, message: PlainMessage | bytes) -> Answer:
        """As any peer; forwards as anybody sends them: for the route, and not saying who."""
        plaintext = message if isinstance(message, bytes) else self.encoded(who, message)
        return await (self.forward(plaintext) if self._is_forward(plaintext) else super().say(who, plaintext))

    def encoded(self, who: WirePeer, message: PlainMessage) -> bytes:
        return codec.encode(message) if message.name == "forward" else super().encoded(who, message)

    def is_told(self, plaintext: bytes, code: str) -> bool:
        return not self._is_forward(plaintext) and super().is_told(plaintext, code)

    async def forward(self, plaintext: bytes) -> Answer:
        return await self.post(self.peer, self.for_route(plaintext))

    def for_route(self, plaintext: bytes, sender: WirePeer | None = None) -> bytes:
        """Packed for the mediator's route: anonymously, or by a peer."""
        if isinstance(self.peer, WirePeerV2) and self.wire is Wire.V2:
            assert sender is None or isinstance(sender, WirePeerV2)
            return self.peer._pack(plaintext, sender=None if sender is None else sender.key(), to=self.route)
        return self.peer.packed(plaintext, sender=None if sender is None else sender.pair, to=self.verkey)

    @property
    def verkey(self) -> str:
        (key,) = peer4.resolve(self.route).didcomm_service().recipient_keys
        return key

    def _is_forward(self, plaintext: bytes) -> bool:
        try:
            return codec.decode(plaintext, self.wire).name == "forward"
        except LernodeError:
            return False

    async def of(self, who: WirePeer) -> tuple[object, ...]:
        """All that the mediator knows of a client: what was agreed, its recipients, what is held for it."""
        async with self.node.store.read() as tx:
            (connection,) = [each for each in await connections.page(tx) if _is_with(each, who)]
            agreed = await exchanges.page(tx, Filter(connection_id=connection.id))
            named = await mediation.recipients_of(tx, connection.id, offset=0, limit=100)
            held = await mediation.batch(tx, connection.id, limit=100, max_bytes=1 << 20)
            return (await mediation.find_client(tx, connection.id), agreed, named, held)


def _is_with(connection: Connection, who: WirePeer) -> bool:
    if connection.their_did is not None and isinstance(who, WirePeerV2):
        return peer4.shortest(connection.their_did) == who.short
    return connection.their_verkey == who.pair.verkey


async def become_client(scene: Mediation, who: WirePeer) -> str:
    """Ask to be mediated for; the route."""
    major = _MAJORS[scene.wire]
    message_id = new_id()
    assert (await scene.say(who, MediateRequest(message_id, message_id, major).encode(scene.wire))).status == 202
    grant = decode_mediation(await who.hear("mediate-grant"))
    return grant.routing_dids[0]  # type: ignore[union-attr]


async def mediation_of(nodes: Nodes, wire: Wire) -> AsyncIterator[Mediation]:
    limits = {"max_messages": 20, "max_bytes": 20_000, "max_recipients": 5, "max_clients": 2}
    node: Node = await nodes.make("mediator", mediation={"enabled": True, "grant": "invited", **limits})
    peers = [WirePeer() if wire is Wire.V1 else WirePeerV2() for _ in range(2)]
    scene = Mediation(wire, node, *peers)
    for peer in peers:
        await peer.start()
        await peer.connect(node)
        await at_rest(node)
        peer.heard()
        scene.route = await become_client(scene, peer)
    update = KeylistUpdate(new_id(), new_id(), _MAJORS[wire], (Update(RECIPIENT, Action.ADD),))
    assert (await scene.say(scene.peer, update.encode(wire))).status == 202
    assert (await scene.say(scene.peer, _FORWARD.message(wire))).status == 202
    await at_rest(node)
    scene.peer.heard()
    yield scene
    for peer in peers:
        await peer.stop()


@pytest.fixture(params=list(Wire), ids=lambda wire: wire.name)
async def scene(nodes: Nodes, request: pytest.FixtureRequest) -> AsyncIterator[Mediation]:
    async for made in mediation_of(nodes, request.param):
        yield made


def samples_on(wire: Wire) -> list[Sample]:
    """The messages of a mediator's protocols on a wire; what is forwarded is an envelope for a client."""
    found = [s for each, s in CASES if each is wire and any(f"/{f}/" in s.message(each).type for f in _FAMILIES)]
    return [sample for sample in found if sample.kind is not Forward] + [_FORWARD]


MEDIATED = [(wire, sample) for wire in Wire for sample in samples_on(wire)]


@pytest.fixture(params=MEDIATED, ids=[f"{sample.name}-{wire.name}" for wire, sample in MEDIATED])
async def case(nodes: Nodes, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Mediation, Sample]]:
    wire, sample = request.param
    async for made in mediation_of(nodes, wire):
        yield made, sample


async def test_every_field_missing_mistyped_or_oversized_is_refused_by_name_and_leaves_no_trace(
    case: tuple[Mediation, Sample],
) -> None:
    scene, sample = case
    other = await scene.of(scene.second)
    # What no more fits into a client's queue is refused for now, as the sender may come again.
    await spoil_every_field(scene, sample, REFUSALS | {503})
    assert await scene.of(scene.second) == other


async def test_a_client_touches_nothing_of_another_client(scene: Mediation) -> None:
    before = await scene.of(scene.peer)
    _, (agreed, *_), (named, *_), (held, *_) = before  # type: ignore[misc]
    assert name_of(RECIPIENT) == named
    for sample in samples_on(scene.wire):
        if sample.kind is Forward:
            continue
        # In the thread of the other's grant, for the other's recipient, and of the other's message.
        plaintext = scene.encoded(scene.second, sample.message(scene.wire, agreed.thid))
        await scene.say(scene.second, plaintext.replace(b'"one"', b'"%s"' % held.id.encode()))
        await at_rest(scene.node)
        assert await scene.of(scene.peer) == before, sample.name
    assert all(message.name != "delivery" for message in scene.second.heard())


async def test_what_a_client_says_again_changes_nothing(scene: Mediation) -> None:
    for sample in samples_on(scene.wire):
        plaintext = scene.encoded(scene.peer, sample.message(scene.wire))
        is_forward = sample.kind is Forward
        envelope = scene.for_route(plaintext) if is_forward else scene.packed(scene.peer, plaintext)
        await say_again(scene, envelope, sample.name)


async def test_who_is_no_client_and_no_peer_gets_nothing_and_leaves_nothing(scene: Mediation) -> None:
    await at_rest(scene.node)
    before = await kept(scene.node)
    for sample in samples_on(scene.wire):
        if sample.kind is Forward:
            continue
        plaintext = scene.encoded(scene.peer, sample.message(scene.wire))
        stranger = KeyPair.from_seed(os.urandom(32))
        answer = await scene.post(scene.peer, scene.packed(scene.peer, plaintext, stranger))
        assert (answer.status, scene.peer.heard()) == (400, []), sample.name
        assert await kept(scene.node) == before, sample.name


async def test_a_key_is_for_one_use(scene: Mediation) -> None:
    await at_rest(scene.node)
    before = await kept(scene.node)
    answer = await scene.post(
        scene.peer, for_connection(scene, scene.encoded(scene.peer, _FORWARD.message(scene.wire)))
    )
    assert (answer.status, answer.code) == (400, "routing.wrong_key")
    status = scene.encoded(scene.peer, StatusRequest(new_id(), new_id(), _MAJORS[scene.wire]).encode(scene.wire))
    answer = await scene.post(scene.peer, scene.for_route(status, sender=scene.peer))
    assert answer.status == 400, "the route is for forwards only"
    assert await kept(scene.node) == before


def for_connection(scene: Mediation, plaintext: bytes) -> bytes:
    """Anonymously, for the key that the mediator speaks with the client by."""
    if isinstance(scene.peer, WirePeerV2) and scene.wire is Wire.V2:
        return scene.peer.anonymous(plaintext)
    return scene.peer.packed(plaintext, sender=None)


async def test_what_is_forwarded_round_and_round_is_refused(scene: Mediation) -> None:
    await at_rest(scene.node)
    before = await kept(scene.node)
    envelope = scene.packed(scene.peer, StatusRequest(new_id(), new_id(), _MAJORS[scene.wire]).encode(scene.wire))
    for _ in range(5):
        envelope = wrapped(scene, envelope)
        answer = await scene.post(scene.peer, envelope)
        assert (answer.status, answer.code) == (400, "routing.loop")
    assert await kept(scene.node) == before


def wrapped(scene: Mediation, envelope: bytes) -> bytes:
    """For the mediator, to be passed on to the mediator."""
    if scene.wire is Wire.V1:
        key = scene.verkey
        return wrap_for_routing(envelope, to=key, routing_keys=(key,), new_id=new_id, entropy=os.urandom)
    forward = Forward(new_id(), scene.route, (envelope,)).encode(scene.wire)
    return scene.for_route(codec.encode(forward))
