"""A mediator by its wire: what it answers its clients, and what it refuses without keeping anything of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from node.app import Node
from protocols import strict_json
from protocols.coordinate_mediation import messages as coordinate
from protocols.coordinate_mediation.messages import Action, KeylistQuery, KeylistUpdate, MediateRequest, Update
from protocols.did import peer4
from protocols.didcomm import codec_v1
from protocols.didcomm.envelope_v1 import MEDIA_TYPE, pack, unpack
from protocols.didcomm.message import PlainMessage, ProtocolMessage, Wire
from protocols.didcomm.return_route import asking
from protocols.keys import KeyPair
from protocols.pickup import messages as pickup
from protocols.routing.messages import Forward
from protocols.trust_ping.messages import Ping
from storage import exchanges, mediation
from tests.node.nodes import DEADLINE_SECONDS, Nodes, settled, tables
from tests.node.wire_peer import WirePeer, new_id

QUOTAS = {"max_messages": 3, "max_bytes": 4096, "max_recipients": 2}
COUNT = "mediated_messages"


@dataclass
class Scene:
    """A mediator and a client of it that speaks the wire by itself."""

    node: Node
    client: WirePeer
    routing_key: str = ""

    async def ask(self, message: ProtocolMessage) -> PlainMessage | None:
        """Send with return-route; what the response carries."""
        session = self.client._session
        assert session is not None
        body = self.client.packed(asking(message.encode(Wire.V1)), sender=self.client.pair)
        url = f"{self.node.config.node.endpoint}/didcomm"
        async with session.post(url, data=body, headers={"Content-Type": MEDIA_TYPE}) as answer:
            assert answer.status in {200, 202}, await answer.text()
            raw = await answer.read()
        return self.opened(raw) if raw else None

    def opened(self, raw: bytes) -> PlainMessage:
        return codec_v1.decode(unpack(raw, self.client).plaintext)

    async def become_client(self, *keys: str) -> None:
        granted = await self.ask(MediateRequest("m" + new_id(), new_id(), 1))
        assert granted is not None
        grant = coordinate.decode(granted)
        assert isinstance(grant, coordinate.MediateGrant)
        assert grant.endpoint == f"{self.node.config.node.endpoint}/didcomm"
        (self.routing_key,) = grant.routing_keys
        await self.name(*keys)

    async def name(self, *keys: str, action: Action = Action.ADD) -> list[str]:
        answer = await self.ask(KeylistUpdate(new_id(), new_id(), 1, tuple(Update(key, action) for key in keys)))
        assert answer is not None
        message = coordinate.decode(answer)
        assert isinstance(message, coordinate.KeylistUpdateResponse)
        return [each.result.value for each in message.updated]

    async def forward(self, to: str, envelope: bytes, *, key: str | None = None) -> tuple[int, str | None]:
        """What anybody may send: an anonymous forward."""
        message = codec_v1.encode(Forward(new_id(), to, (envelope,)).encode(Wire.V1))
        return await self.anonymously(message, key=key)

    async def anonymously(self, plaintext: bytes, *, key: str | None = None) -> tuple[int, str | None]:
        packed = pack(plaintext, to=[key or self.routing_key], sender=None, entropy=os.urandom)
        answer = await self.client.post(self.node, packed)
        return answer.status, answer.code

    async def held(self) -> int:
        return (await tables(self.node.store))[COUNT][0]


def sealed_for(verkey: str, content: bytes = b"{}") -> bytes:
    return pack(content, to=[verkey], sender=None, entropy=os.urandom)


@pytest.fixture
async def scene(nodes: Nodes, peer: WirePeer) -> AsyncIterator[Scene]:
    node = await nodes.make("mediator", mediation={"enabled": True, "grant": "invited", **QUOTAS})
    await peer.connect(node)
    yield Scene(node, peer)


@pytest.fixture
def key() -> str:
    return KeyPair.from_seed(os.urandom(32)).verkey


async def test_a_client_picks_up_what_anybody_sent_for_its_keys(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    envelope = sealed_for(key)
    assert await scene.forward(key, envelope) == (202, None)
    status = pickup.decode(await scene.ask(pickup.StatusRequest(new_id(), new_id(), 2)) or _nothing())
    assert isinstance(status, pickup.Status)
    assert (status.message_count, status.total_bytes, status.live_delivery) == (1, len(envelope), False)
    delivery = pickup.decode(await scene.ask(pickup.DeliveryRequest(new_id(), new_id(), 2, 10)) or _nothing())
    assert isinstance(delivery, pickup.Delivery)
    ((name, content),) = delivery.messages
    assert strict_json.loads(content) == strict_json.loads(envelope)
    assert await scene.held() == 1, "it is kept until it is acknowledged"
    after = pickup.decode(await scene.ask(pickup.MessagesReceived(new_id(), new_id(), 2, (name,))) or _nothing())
    assert isinstance(after, pickup.Status)
    assert (after.message_count, await scene.held()) == (0, 0)


def _nothing() -> PlainMessage:
    raise AssertionError("the response carries no message")


async def test_pickup_for_one_recipient_gives_only_what_is_for_it(scene: Scene, key: str) -> None:
    other = KeyPair.from_seed(os.urandom(32)).verkey
    await scene.become_client(key, other)
    for name in (key, other):
        await scene.forward(name, sealed_for(name))
    request = pickup.DeliveryRequest(new_id(), new_id(), 2, 10, other)
    delivery = pickup.decode(await scene.ask(request) or _nothing())
    assert isinstance(delivery, pickup.Delivery)
    assert (len(delivery.messages), delivery.recipient) == (1, other)


async def test_a_keylist_can_be_asked_for_and_changed(scene: Scene, key: str) -> None:
    await scene.become_client()
    assert await scene.name(key, key) == ["success", "no_change"]
    listed = coordinate.decode(await scene.ask(KeylistQuery(new_id(), new_id(), 1, 10)) or _nothing())
    assert isinstance(listed, coordinate.Keylist)
    assert [coordinate.name_of(each) for each in listed.recipients] == [key]
    assert await scene.name(key, action=Action.REMOVE) == ["success"]
    assert await scene.name(key, action=Action.REMOVE) == ["no_change"]
    assert await scene.forward(key, sealed_for(key)) == (400, "routing.unknown_recipient")


async def test_nobody_can_take_a_key_that_another_has_named(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    thief = WirePeer()
    await thief.start()
    try:
        await thief.connect(scene.node)
        second = Scene(scene.node, thief)
        await second.become_client()
        assert await second.name(key) == ["client_error"]
        assert await second.name(scene.routing_key) == ["client_error"], "nor one of the mediator's own"
    finally:
        await thief.stop()


async def test_who_is_no_client_gets_nothing(scene: Scene, key: str) -> None:
    for message, code in (
        (KeylistUpdate(new_id(), new_id(), 1, (Update(key, Action.ADD),)), "coordinate_mediation.unexpected_message"),
        (KeylistQuery(new_id(), new_id(), 1), "coordinate_mediation.unexpected_message"),
        (pickup.StatusRequest(new_id(), new_id(), 2), "mediator.no_client"),
        (pickup.DeliveryRequest(new_id(), new_id(), 2, 1), "mediator.no_client"),
        (pickup.MessagesReceived(new_id(), new_id(), 2, ("a",)), "mediator.no_client"),
    ):
        answer = await scene.client.say(scene.node, message)
        assert (answer.status, answer.code) == (400, code)


async def test_a_node_that_does_not_mediate_says_so(nodes: Nodes, peer: WirePeer) -> None:
    node = await nodes.make("node")
    await peer.connect(node)
    scene = Scene(node, peer)
    denied = await scene.ask(MediateRequest(new_id(), new_id(), 1))
    assert denied is not None
    assert denied.name == "mediate-deny"


async def test_a_person_decides_where_the_configuration_says_so(nodes: Nodes, peer: WirePeer) -> None:
    node = await nodes.make("mediator", mediation={"enabled": True})
    await peer.connect(node)
    scene = Scene(node, peer)
    request = MediateRequest(new_id(), new_id(), 1)
    assert await scene.ask(request) is None
    async with node.store.read() as tx:
        (row,) = await exchanges.page(tx, exchanges.Filter(waiting=True))
    await node.mediator.grant(row.id)
    assert (await peer.hear("mediate-grant")).thid == request.thid


async def test_what_no_more_fits_is_refused_for_now(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    for _ in range(QUOTAS["max_messages"]):
        assert await scene.forward(key, sealed_for(key)) == (202, None)
    assert await scene.forward(key, sealed_for(key)) == (503, "mediator.queue_full")
    assert await scene.held() == QUOTAS["max_messages"]


async def test_so_many_bytes_and_no_more(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    assert await scene.forward(key, sealed_for(key, b"x" * 4096)) == (503, "mediator.queue_full")
    assert await scene.held() == 0


async def test_the_same_envelope_twice_is_held_once(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    envelope = sealed_for(key)
    for _ in range(2):
        assert await scene.forward(key, envelope) == (202, None)
    assert await scene.held() == 1


async def hostile_forwards(scene: Scene, key: str) -> list[tuple[tuple[int, str | None], str]]:
    stranger = KeyPair.from_seed(os.urandom(32)).verkey
    connection_key = scene.client.their_verkey
    plain = strict_json.dumps({"@type": "https://didcomm.org/trust_ping/1.0/ping", "@id": "1"})
    wrapped = pack(
        codec_v1.encode(Forward("1", key, (sealed_for(key),)).encode(Wire.V1)),
        to=[scene.routing_key], sender=None, entropy=os.urandom,
    )  # fmt: skip
    big = sealed_for(key, b"x" * 583_000)
    return [
        (await scene.forward(stranger, sealed_for(stranger)), "routing.unknown_recipient"),
        (await scene.forward(scene.routing_key, sealed_for(key)), "routing.loop"),
        (await scene.forward(connection_key, sealed_for(key)), "routing.loop"),
        (await scene.forward(key, sealed_for(scene.routing_key)), "routing.loop"),
        (await scene.forward(key, wrapped), "routing.loop"),
        (await scene.forward(key, sealed_for(key), key=connection_key), "routing.wrong_key"),
        (await scene.forward("nobody", sealed_for(key)), "routing.recipient"),
        (await scene.anonymously(_forward(key, {"@type": "x", "@id": "1"})), "routing.not_encrypted"),
        (await scene.anonymously(_forward(key, strict_json.loads(plain))), "routing.not_encrypted"),
        (await scene.anonymously(_forward(key, "text")), "message.malformed"),
        (await scene.anonymously(_forward(key, None)), "message.malformed"),
        (await scene.anonymously(_forward(7, strict_json.loads(sealed_for(key)))), "message.malformed"),
        (await scene.forward(key, big), "routing.too_large"),
        (await scene.anonymously(plain), "message.anonymous"),
    ]


def _forward(to: object, message: object) -> bytes:
    return strict_json.dumps({"@type": "https://didcomm.org/routing/1.0/forward", "@id": "1", "to": to, "msg": message})


async def test_hostile_forwards_are_refused_by_name_and_leave_nothing(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    await settled(scene.node)
    before = await tables(scene.node.store)
    for (status, code), expected in await hostile_forwards(scene, key):
        assert (status, code) == (400, expected)
    assert await tables(scene.node.store) == before


async def test_what_is_too_old_is_forgotten(nodes: Nodes, peer: WirePeer, key: str) -> None:
    node = await nodes.make("mediator", mediation={"enabled": True, "grant": "invited", "max_age_seconds": 0})
    await peer.connect(node)
    scene = Scene(node, peer)
    await scene.become_client(key)
    assert await scene.forward(key, sealed_for(key)) == (202, None)
    await nodes.stop(node)
    scene.node = await nodes.again(node)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await scene.held():
            await asyncio.sleep(0.01)


async def test_a_client_that_is_ended_is_told_and_nothing_of_it_stays(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    await scene.forward(key, sealed_for(key))
    async with scene.node.store.read() as tx:
        (client,) = await mediation.page_clients(tx)
    await scene.node.mediator.end(client.connection_id)
    assert (await scene.client.hear("mediate-deny")).name == "mediate-deny"
    assert await scene.held() == 0
    assert await scene.forward(key, sealed_for(key)) == (400, "routing.unknown_recipient")


# WebSockets -------------------------------------------------------------------------------------------------------


async def say(scene: Scene, socket: aiohttp.ClientWebSocketResponse, message: ProtocolMessage) -> PlainMessage:
    body = scene.client.packed(asking(message.encode(Wire.V1)), sender=scene.client.pair)
    await socket.send_bytes(body)
    return await heard(scene, socket)


async def heard(scene: Scene, socket: aiohttp.ClientWebSocketResponse) -> PlainMessage:
    return scene.opened((await socket.receive(timeout=DEADLINE_SECONDS)).data)


def socket_of(scene: Scene):  # type: ignore[no-untyped-def]
    assert scene.client._session is not None
    return scene.client._session.ws_connect(f"{scene.node.config.node.endpoint}/didcomm", max_msg_size=0)


async def test_live_mode_hands_over_what_comes_and_keeps_it_until_acknowledged(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    await scene.forward(key, sealed_for(key))
    async with socket_of(scene) as socket:
        status = await say(scene, socket, pickup.LiveDeliveryChange(new_id(), new_id(), 2, True))
        assert (status.body["live_delivery"], status.body["message_count"]) == (True, 1)
        await scene.forward(key, sealed_for(key))
        delivery = pickup.decode(await heard(scene, socket))
        assert isinstance(delivery, pickup.Delivery)
        assert len(delivery.messages) == 1, "only what came since"
        assert await scene.held() == 2
        received = pickup.MessagesReceived(new_id(), new_id(), 2, (delivery.messages[0][0],))
        assert (await say(scene, socket, received)).body["message_count"] == 1
    async with socket_of(scene) as socket:
        status = await say(scene, socket, pickup.StatusRequest(new_id(), new_id(), 2))
        assert status.body["live_delivery"] is False, "a new channel starts without"


async def test_what_is_asked_by_http_meanwhile_does_not_end_live_mode(scene: Scene, key: str) -> None:
    """As Credo does, which announces each new key by plain HTTP while its WebSocket is open."""
    await scene.become_client()
    async with socket_of(scene) as socket:
        await say(scene, socket, pickup.LiveDeliveryChange(new_id(), new_id(), 2, True))
        assert await scene.name(key) == ["success"], "in the response to the request"
        await scene.forward(key, sealed_for(key))
        assert (await heard(scene, socket)).name == "delivery"
        status = await say(scene, socket, pickup.StatusRequest(new_id(), new_id(), 2))
        assert status.body["live_delivery"] is True
        async with socket_of(scene) as newer:
            status = await say(scene, newer, pickup.StatusRequest(new_id(), new_id(), 2))
            assert status.body["live_delivery"] is False, "a WebSocket replaces the one before"


async def test_clients_are_told_where_they_can_hold_a_websocket_open(scene: Scene, nodes: Nodes) -> None:
    """Agents of others open none that the document does not name."""
    endpoint = f"{scene.node.config.node.endpoint}/didcomm"
    document = peer4.resolve(scene.client.their_did)
    assert document.socket_endpoint() == endpoint.replace("http", "ws")
    assert document.didcomm_service().endpoint == endpoint
    assert document.didcomm_v2_services()[0].endpoint == endpoint
    other = await nodes.make("node")
    await scene.client.connect(other)
    assert peer4.resolve(scene.client.their_did).socket_endpoint() is None, "who does not mediate needs none"


async def test_live_mode_over_http_is_refused_as_the_rfc_says(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    report = await scene.ask(pickup.LiveDeliveryChange(new_id(), new_id(), 2, True))
    assert report is not None
    assert report.body["description"]["code"] == "e.m.live-mode-not-supported"


async def test_a_socket_without_return_route_carries_nothing_back(scene: Scene, key: str) -> None:
    await scene.become_client(key)
    message = pickup.StatusRequest(new_id(), new_id(), 2).encode(Wire.V1)
    async with socket_of(scene) as socket:
        await socket.send_bytes(scene.client.packed(message, sender=scene.client.pair))
        assert (await scene.client.hear("status")).name == "status", "it goes to the client's endpoint"


async def test_a_socket_that_sends_one_bad_message_after_another_is_closed(scene: Scene) -> None:
    async with socket_of(scene) as socket:
        for _ in range(20):
            if not socket.closed:
                await socket.send_bytes(b"nonsense")
        answer = await socket.receive(timeout=DEADLINE_SECONDS)
    assert answer.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_a_message_over_the_limit_closes_the_socket(scene: Scene) -> None:
    async with socket_of(scene) as socket:
        await socket.send_bytes(b"x" * ((1 << 20) + 1))
        answer = await socket.receive(timeout=DEADLINE_SECONDS)
    assert (answer.type, answer.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.MESSAGE_TOO_BIG)


async def test_only_so_many_sockets_are_open(nodes: Nodes, peer: WirePeer) -> None:
    node = await nodes.make("mediator", network={"max_websockets": 1})
    await peer.connect(node)
    scene = Scene(node, peer)
    async with socket_of(scene) as socket:
        await say(scene, socket, Ping(new_id(), new_id()))
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            async with socket_of(scene):
                pass
        assert error.value.status == 503


async def test_the_endpoint_without_an_upgrade_is_for_posting(scene: Scene) -> None:
    assert scene.client._session is not None
    async with scene.client._session.get(f"{scene.node.config.node.endpoint}/didcomm") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
