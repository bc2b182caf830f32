"""Which wire a connection speaks, and what one endpoint makes of envelopes of both versions."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable

import pytest

from node.app import Node
from node.roles.issuer import Award
from protocols import strict_json
from protocols.did import peer4
from protocols.didcomm import codec_v2, return_route, signed_v2
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.keys import KeyPair, SoftwareSigner
from storage import connections
from storage.connections import Connection
from tests.node.conftest import Town
from tests.node.nodes import WELDING, Nodes, connect, exchange_in, held, tables
from tests.node.test_hostile import settled
from tests.node.wire_peer import Answer, WirePeer, new_id
from tests.node.wire_peer_v2 import WirePeerV2, altered

PING = "https://didcomm.org/trust-ping/2.0/ping"
V1_PING = "https://didcomm.org/trust_ping/1.0/ping"


async def only_connection(node: Node) -> Connection:
    async with node.store.read() as tx:
        (connection,) = await connections.page(tx)
    return connection


async def wire_of(node: Node) -> str:
    return (await only_connection(node)).wire


async def connected(nodes: Nodes, peer: WirePeer) -> Node:
    node = await nodes.make("node", issuer=True)
    await peer.connect(node)
    await settled(node)
    return node


async def test_two_nodes_choose_v2_and_know_each_others_documents(nodes: Nodes) -> None:
    college, learner = await nodes.make("college"), await nodes.make("learner")
    for connection in await connect(college, learner):
        assert (connection.wire, connection.knows_my_did) == (Wire.V2, True)


async def test_a_record_goes_to_a_peer_of_each_wire_from_the_same_node(nodes: Nodes, peer: WirePeer) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    await peer.connect(college)
    async with college.store.read() as tx:
        old = next(c for c in await connections.page(tx) if c.their_did == peer.did)
    assert old.wire == Wire.V1
    offers = [await college.issuer.offer(c.id, Award(achievement_id=WELDING)) for c in (to_learner, old)]
    assert (await exchange_in(college, offers[0].id)).state == "done"
    assert len(await held(learner)) == 1
    assert (await peer.hear("offer-credential")).type == "https://didcomm.org/issue-credential/2.0/offer-credential"


async def test_what_leaves_says_from_whom_and_for_whom_and_when(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await connected(nodes, modern)
    answer = await modern.tell(node, modern.message(PING, {"response_requested": True}))
    assert answer.status == 202
    response = await modern.hear("ping-response")
    assert response.from_ == peer4.short_form(modern.their_did)
    assert response.to == (modern.short,)
    assert response.created_time is not None and abs(response.created_time - time.time()) < 60


async def test_a_peer_is_answered_on_the_wire_that_it_speaks(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await connected(nodes, modern)
    assert await wire_of(node) == Wire.V2
    message_id = new_id()
    old_ping = PlainMessage(V1_PING, message_id, message_id, body={"response_requested": True})
    assert (await modern.say(node, old_ping)).status == 202
    assert (await modern.hear("ping_response")).wire is Wire.V1
    assert await wire_of(node) == Wire.V1
    assert (await modern.tell(node, modern.message(PING))).status == 202
    assert (await modern.hear("ping-response")).wire is Wire.V2


async def test_receipt_is_acknowledged_where_it_is_asked_for(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await connected(nodes, modern)
    message = modern.message(PING, {"response_requested": False}, please_ack=frozenset({AckOn.RECEIPT}))
    assert (await modern.tell(node, message)).status == 202
    assert (await modern.hear("empty")).ack == (message.id,)


async def test_a_problem_report_ends_the_thread_that_it_names(town: Town, modern: WirePeerV2) -> None:
    await modern.connect(town.college)
    async with town.college.store.read() as tx:
        mine = next(c for c in await connections.page(tx) if c.their_did == modern.did)
    offered = await town.college.issuer.offer(mine.id, Award(achievement_id=WELDING))
    await modern.hear("offer-credential")
    body = {"code": "e.p.req.not-wanted", "comment": "No, thanks."}
    report = modern.message("https://didcomm.org/report-problem/2.0/problem-report", body, pthid=offered.thid)
    assert (await modern.tell(town.college, report)).status == 202
    assert (await exchange_in(town.college, offered.id)).state == "abandoned"


async def test_a_refused_message_that_asks_for_its_answer_is_refused_at_once(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await connected(nodes, modern)
    unknown = return_route.asking(modern.message("https://didcomm.org/no-such-protocol/1.0/hello", {}))
    assert (await modern.tell(node, unknown)).code == "message.unknown_type"
    assert (await modern.hear("problem-report")).pthid == unknown.id
    assert len(node.channels) == 0
    await node.discovery.ask((await only_connection(node)).id, ["*"], 2)
    await modern.hear("queries")


# What is refused, and leaves nothing behind ------------------------------------------------------------------------


async def from_another(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.tell(node, altered(peer.message(PING), from_="did:web:somebody.example"))


async def from_nobody(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.tell(node, altered(peer.message(PING), from_=None))


async def to_another(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.tell(node, altered(peer.message(PING), to=("did:web:somebody.example",)))


async def expired(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.tell(node, altered(peer.message(PING), expires_time=int(time.time()) - 1))


async def unauthenticated(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.post(node, peer.anonymous(altered(peer.message(PING), from_=None)))


async def signed_only(node: Node, peer: WirePeerV2) -> Answer:
    signer = SoftwareSigner(peer.pair, f"{peer.short}#{peer4.FRAGMENT}")
    packed = signed_v2.sign(codec_v2.encode(peer.message(PING)), signer)
    return await peer.post(node, packed, signed_v2.MEDIA_TYPE)


async def stranger(node: Node, peer: WirePeerV2) -> Answer:
    other = KeyPair.from_seed(os.urandom(32))
    did = peer.new_did(other)
    return await peer.tell(node, altered(peer.message(PING), from_=did), sender=peer.key(did, other))


async def unknown_short_form(node: Node, peer: WirePeerV2) -> Answer:
    other = KeyPair.from_seed(os.urandom(32))
    did = peer4.short_form(peer.new_did(other))
    return await peer.tell(node, altered(peer.message(PING), from_=did), sender=peer.key(did, other))


async def somebody_elses_name(node: Node, peer: WirePeerV2) -> Answer:
    """The peer's DID over a key that it does not list."""
    return await peer.tell(node, peer.message(PING), sender=peer.key(pair=KeyPair.from_seed(os.urandom(32))))


async def for_an_unknown_key(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.tell(node, peer.message(PING), to=peer.new_did(KeyPair.from_seed(os.urandom(32))))


async def tampered(node: Node, peer: WirePeerV2) -> Answer:
    packed = strict_json.loads_object(peer.sealed(peer.message(PING)))
    first = "A" if packed["ciphertext"][0] != "A" else "B"
    return await peer.post(node, strict_json.dumps({**packed, "ciphertext": first + packed["ciphertext"][1:]}))


async def not_a_message(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.tell(node, b'["hello"]')


async def without_id(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.tell(node, b'{"type":"%s","body":{}}' % PING.encode())


async def of_the_other_wire(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.tell(node, peer.message(V1_PING))


async def did_exchange(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.tell(node, peer.message("https://didcomm.org/didexchange/1.1/complete", pthid="x"))


async def plain(node: Node, peer: WirePeerV2) -> Answer:
    return await peer.post(node, codec_v2.encode(peer.message(PING)))


REFUSED: list[tuple[Callable[[Node, WirePeerV2], Awaitable[Answer]], str]] = [
    (from_another, "message.addressing"),
    (from_nobody, "message.addressing"),
    (to_another, "message.addressing"),
    (expired, "message.expired"),
    (unauthenticated, "message.anonymous"),
    (signed_only, "message.unencrypted"),
    (stranger, "message.unknown_sender"),
    (unknown_short_form, "envelope.sender"),
    (somebody_elses_name, "envelope.unreadable"),
    (for_an_unknown_key, "envelope.not_for_us"),
    (tampered, "envelope.unreadable"),
    (not_a_message, "envelope.malformed"),
    (without_id, "message.id"),
    (of_the_other_wire, "message.type"),
    (did_exchange, "message.type"),
    (plain, "envelope.malformed"),
]


@pytest.mark.parametrize(("attack", "code"), REFUSED, ids=lambda v: getattr(v, "__name__", None))
async def test_a_bad_message_of_v2_is_refused_by_name_and_changes_nothing(
    nodes: Nodes, modern: WirePeerV2, attack: Callable[[Node, WirePeerV2], Awaitable[Answer]], code: str
) -> None:
    node = await connected(nodes, modern)
    before = await tables(node.store)
    assert await attack(node, modern) == Answer(400, "application/problem+json", code)
    assert await tables(node.store) == before


async def test_a_repeated_message_is_done_once_whichever_bytes_carry_it(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await connected(nodes, modern)
    message = modern.message(PING, {"response_requested": False})
    packed = modern.sealed(message)
    assert (await modern.post(node, packed)).status == 202
    before = await tables(node.store)
    for envelope in (packed, modern.sealed(message)):
        assert (await modern.post(node, envelope)).status == 202
    assert await tables(node.store) == before
