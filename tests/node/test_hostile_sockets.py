"""WebSockets that break their protocol, or say nothing of use, while a client of the same mediator is served live."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import pytest

from protocols.keys import KeyPair
from protocols.pickup import messages as pickup
from tests.node.nodes import DEADLINE_SECONDS, Nodes, settled, tables
from tests.node.test_mediator import Scene, heard, say, sealed_for, socket_of
from tests.node.wire_peer import WirePeer, new_id

_MOST_SOCKETS = 8
_MASK = b"\1\2\3\4"

_UPGRADE = """GET /didcomm HTTP/1.1\r
Host: {host}\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: {key}\r
\r
"""


def frame(first: int, payload: bytes = b"", *, length: bytes | None = None, masked: bool = True) -> bytes:
    """A frame of RFC 6455 §5.2, whatever its first byte and length say."""
    said = bytes([len(payload)]) if length is None else length
    head = bytes([first, said[0] | (0x80 if masked else 0)]) + said[1:]
    return head + (_MASK + bytes(b ^ _MASK[i % 4] for i, b in enumerate(payload)) if masked else payload)


BREACHES = {
    "not masked": frame(0x82, b"{}", masked=False) * 40,
    "an opcode that is reserved": frame(0x8B, b"{}"),
    "an extension that was not agreed on": frame(0xC2, b"{}"),
    "a ping longer than it may be": frame(0x89, b"x" * 126, length=b"\x7e\x00\x7e"),
    "a ping in pieces": frame(0x09, b"x"),
    "a continuation of nothing": frame(0x80, b"x"),
    "text that is not UTF-8": frame(0x81, b"\xff\xfe"),
    "a close without a reason that can be read": frame(0x88, b"\x03"),
    "more bytes than there are": frame(0x82, b"x" * 100, length=b"\x7f" + b"\x7f" + b"\xff" * 7),
    "pieces without end": frame(0x02, b"x" * 100) + frame(0x00, b"x" * 65_000, length=b"\x7e\xfd\xe8") * 20,
    "noise": bytes(range(256)) * 20,
    "HTTP": b"POST /didcomm HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}" * 40,
}
"""What is sent after the handshake, each a reason to close."""


@pytest.fixture
async def scene(nodes: Nodes, peer: WirePeer) -> AsyncIterator[tuple[Scene, str]]:
    """A mediator with few sockets, and a client of it with one key."""
    key = KeyPair.from_seed(os.urandom(32)).verkey
    network = {"max_websockets": _MOST_SOCKETS}
    node = await nodes.make("mediator", mediation={"enabled": True, "grant": "invited"}, network=network)
    await peer.connect(node)
    made = Scene(node, peer)
    await made.become_client(key)
    await settled(node)
    yield made, key


async def go_live(scene: Scene, socket: aiohttp.ClientWebSocketResponse) -> None:
    status = await say(scene, socket, pickup.LiveDeliveryChange(new_id(), new_id(), 2, True))
    assert status.body["live_delivery"] is True


async def served(scene: Scene, key: str, socket: aiohttp.ClientWebSocketResponse) -> None:
    """What comes for the client is handed over by its socket, and forgotten once it has it."""
    assert await scene.forward(key, sealed_for(key)) == (202, None)
    delivery = pickup.decode(await heard(scene, socket))
    assert isinstance(delivery, pickup.Delivery)
    received = pickup.MessagesReceived(new_id(), new_id(), 2, tuple(name for name, _ in delivery.messages))
    assert (await say(scene, socket, received)).body["message_count"] == 0


class Refused(Exception):
    """The handshake is answered with another status than 101."""


async def raw_socket(scene: Scene) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A TCP connection on which the handshake of RFC 6455 is done."""
    host = urlsplit(scene.node.config.node.endpoint or "").netloc
    reader, writer = await asyncio.open_connection("127.0.0.1", int(host.rsplit(":", 1)[1]))
    writer.write(_UPGRADE.format(host=host, key=base64.b64encode(os.urandom(16)).decode()).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 101"):
        writer.transport.abort()
        raise Refused(answer.split(b" ", 2)[1].decode())
    return reader, writer


async def until_closed(reader: asyncio.StreamReader) -> None:
    """Wait for the frame with which the other side closes, or the end."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        with suppress(ConnectionError):
            said = await reader.read(4096)
            assert not said or said[0] == 0x88, said


@pytest.mark.parametrize("breach", BREACHES)
async def test_who_breaks_the_protocol_is_cut_off_and_nobody_else_is(scene: tuple[Scene, str], breach: str) -> None:
    mediator, key = scene
    async with socket_of(mediator) as socket:
        await go_live(mediator, socket)
        await settled(mediator.node)
        before = await tables(mediator.node.store)
        for _ in range(_MOST_SOCKETS + 2):  # more than are open at once: those that were closed are free again
            reader, writer = await raw_socket(mediator)
            with suppress(ConnectionError):
                writer.write(BREACHES[breach])
                await writer.drain()
                await until_closed(reader)
            writer.close()
        assert await tables(mediator.node.store) == before
        await served(mediator, key, socket)


async def test_sockets_that_go_away_in_the_middle_of_a_frame_leave_their_places(scene: tuple[Scene, str]) -> None:
    mediator, key = scene
    async with socket_of(mediator) as socket:
        await go_live(mediator, socket)
        for _ in range(3 * _MOST_SOCKETS):
            async with asyncio.timeout(DEADLINE_SECONDS):
                _, writer = await a_free_place(mediator)
            writer.write(frame(0x02, b"half of a message") + b"\x80\xfe\xff")
            await writer.drain()
            writer.transport.abort()
        await served(mediator, key, socket)


async def a_free_place(scene: Scene) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket, once the node has noticed that another is gone."""
    while True:
        try:
            return await raw_socket(scene)
        except Refused:
            await asyncio.sleep(0.01)


async def test_more_sockets_than_there_may_be_take_none_from_who_has_one_and_keep_nobody_out(
    scene: tuple[Scene, str],
) -> None:
    mediator, key = scene
    async with socket_of(mediator) as socket:
        await go_live(mediator, socket)
        opened = [await raw_socket(mediator) for _ in range(40)]
        await asyncio.gather(*(until_closed(reader) for reader, _ in opened[: 1 - _MOST_SOCKETS]))
        await served(mediator, key, socket)
    async with socket_of(mediator) as again:
        await go_live(mediator, again)
        await served(mediator, key, again)
        for _, writer in opened:
            writer.transport.abort()


async def test_envelopes_of_others_and_nonsense_on_a_clients_own_socket_change_nothing(
    scene: tuple[Scene, str],
) -> None:
    mediator, key = scene
    stranger = KeyPair.from_seed(os.urandom(32))
    status = pickup.StatusRequest(new_id(), new_id(), 2)
    async with socket_of(mediator) as socket:
        await go_live(mediator, socket)
        await settled(mediator.node)
        before = await tables(mediator.node.store)
        for nonsense in (
            b"", b"\0" * 1000, b"{}", b"[]", b"{" * 100_000, os.urandom(50_000), sealed_for(stranger.verkey),
            mediator.client.packed(status, sender=stranger), mediator.client.packed(status, sender=None),
        ):  # fmt: skip
            await socket.send_bytes(nonsense)
        await socket.send_str("\u2603" * 1000)
        await served(mediator, key, socket)
        await settled(mediator.node)
        after = await tables(mediator.node.store)
    assert {name for name in before if before[name][0] != after[name][0]} <= {"inbox"}
