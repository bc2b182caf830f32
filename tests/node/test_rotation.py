"""One end of a connection goes on under another DID: by DID Rotate in v1, by from_prior in v2."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from node.app import Node
from node.roles.issuer import Award
from protocols.did import peer4
from protocols.did_rotate.messages import Hangup, Rotate
from protocols.didcomm.from_prior import make_from_prior
from protocols.didcomm.message import PlainMessage
from protocols.errors import WrongState
from protocols.keys import KeyPair, SoftwareSigner
from storage import connections
from storage.connections import Connection
from storage.engine import Transaction
from tests.node.conftest import Town
from tests.node.nodes import WELDING, Nodes, eventually, exchange_in, held, tables
from tests.node.test_hostile import settled
from tests.node.test_wires import PING, V1_PING
from tests.node.wire_peer import WirePeer, new_id
from tests.node.wire_peer_v2 import WirePeerV2


async def only(node: Node) -> Connection:
    async with node.store.read() as tx:
        (connection,) = await connections.page(tx)
    return connection


async def follows(node: Node, my_did: str) -> Connection:
    """The node's connection with the peer that goes by this DID, once it knows."""

    async def probe(tx: Transaction) -> Connection | None:
        return next((c for c in await connections.page(tx) if c.their_did == my_did), None)

    return await eventually(node, probe)


async def test_two_nodes_go_on_after_each_has_rotated(town: Town) -> None:
    before = town.college_to_learner
    mine = await town.college.rotation.rotate(before.id)
    assert mine.my_did != before.my_did
    theirs = await follows(town.learner, mine.my_did)

    async def confirmed(tx: Transaction) -> bool | None:
        return (await connections.get(tx, before.id)).my_prior_verkey is None or None

    await eventually(town.college, confirmed)
    other = await town.learner.rotation.rotate(theirs.id)
    await follows(town.college, other.my_did)
    offered = await town.college.issuer.offer(before.id, Award(achievement_id=WELDING))
    assert (await exchange_in(town.college, offered.id)).state == "done"
    assert len(await held(town.learner)) == 1


async def test_what_was_sent_before_a_rotation_still_arrives(town: Town) -> None:
    await town.nodes.stop(town.learner)
    offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=WELDING))
    await town.college.rotation.rotate(town.college_to_learner.id)
    with pytest.raises(WrongState) as twice:
        await town.college.rotation.rotate(town.college_to_learner.id)
    assert twice.value.code == "did_rotate.wrong_state"
    learner = await town.nodes.again(town.learner)
    assert (await exchange_in(town.college, offered.id)).state == "done"
    assert len(await held(learner)) == 1


async def test_a_peer_of_v1_is_asked_and_what_it_sends_to_either_did_is_taken(nodes: Nodes, peer: WirePeer) -> None:
    node = await nodes.make("node")
    await peer.connect(node)
    before = await only(node)
    await node.rotation.rotate(before.id)
    rotate = await peer.hear("rotate")
    assert (await only(node)).my_did == before.my_did
    ack = PlainMessage("https://didcomm.org/did-rotate/1.0/ack", new_id(), rotate.id)
    assert (await peer.say(node, ack)).status == 202
    after = await only(node)
    assert after.my_did == rotate.body["to_did"]
    old = peer.their_verkey
    for verkey in (after.my_verkey, old):
        message_id = new_id()
        ping = PlainMessage(V1_PING, message_id, message_id, body={"response_requested": True})
        assert (await peer.say(node, ping, to=verkey)).status == 202
        assert (await peer.hear("ping_response")).thid == message_id


async def test_a_peer_of_v1_that_cannot_use_the_new_did_keeps_the_old_one(nodes: Nodes, peer: WirePeer) -> None:
    node = await nodes.make("node")
    await peer.connect(node)
    before = await only(node)
    await node.rotation.rotate(before.id)
    rotate = await peer.hear("rotate")
    body = {"description": {"code": "e.did.method_unsupported", "en": "No did:peer:4 here."}}
    report = PlainMessage("https://didcomm.org/did-rotate/1.0/problem-report", new_id(), new_id(), rotate.id, body)
    assert (await peer.say(node, report)).status == 202
    assert (await only(node)).my_did == before.my_did
    await node.rotation.rotate(before.id)
    assert (await peer.hear("rotate")).body["to_did"] != rotate.body["to_did"]


async def rotated(nodes: Nodes, peer: WirePeer) -> tuple[Node, str, KeyPair]:
    """A node whose peer of v1 has gone on to another DID, that DID, and its key."""
    node = await nodes.make("node")
    await peer.connect(node)
    new = KeyPair.from_seed(os.urandom(32))
    did = peer4.create(new.public, endpoint=f"{peer.url}/in")
    message_id = new_id()
    assert (await peer.say(node, Rotate(message_id, message_id, did))).status == 202
    assert (await peer.hear("ack")).thid == message_id
    return node, did, new


async def test_a_peer_of_v1_that_rotates_is_followed_and_answered_under_its_prior_did(
    nodes: Nodes, peer: WirePeer
) -> None:
    node, did, new = await rotated(nodes, peer)
    old = peer.pair
    assert (await only(node)).their_did == did
    late = PlainMessage(V1_PING, new_id(), new_id(), body={"response_requested": False})
    assert (await peer.say(node, late, sender=old)).status == 202
    peer.pair = new
    ping_id = new_id()
    ping = PlainMessage(V1_PING, ping_id, ping_id, body={"response_requested": True})
    assert (await peer.say(node, ping)).status == 202
    assert (await peer.hear("ping_response")).thid == ping_id


async def test_a_key_that_a_peer_of_v1_has_left_neither_leads_the_node_on_nor_ends_the_connection(
    nodes: Nodes, peer: WirePeer
) -> None:
    node, did, _new = await rotated(nodes, peer)
    old = peer.pair
    elsewhere = peer4.create(KeyPair.from_seed(os.urandom(32)).public, endpoint=f"{peer.url}/in")
    for message in (Rotate(new_id(), new_id(), elsewhere), Hangup(new_id())):
        refused = await peer.say(node, message, sender=old)
        assert (refused.status, refused.code) == (400, "did_rotate.former_did")
    now = await only(node)
    assert (now.state, now.their_did) == ("completed", did)
    again = new_id()
    assert (await peer.say(node, Rotate(again, again, did), sender=old)).status == 202, "its ack may be lost"
    assert (await only(node)).their_did == did


@pytest.mark.parametrize(
    ("did", "code"),
    [
        ("did:example:123", "e.did.method_unsupported"),
        ("did:peer:4zQmNobodyKnows", "e.did.unresolvable"),
        ("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "e.did.doc_unsupported"),
    ],
)
async def test_a_did_that_cannot_be_used_is_refused_by_the_codes_of_the_rfc(
    nodes: Nodes, peer: WirePeer, did: str, code: str
) -> None:
    node = await nodes.make("node")
    await peer.connect(node)
    await settled(node)
    before = await tables(node.store)
    message_id = new_id()
    assert (await peer.say(node, Rotate(message_id, message_id, did))).status == 400
    report = await peer.hear("problem-report")
    assert (report.type, report.pthid) == ("https://didcomm.org/did-rotate/1.0/problem-report", message_id)
    assert report.body["description"]["code"] == code
    assert await tables(node.store) == before


def signed_by(pair: KeyPair, did: str, new: str) -> str:
    return make_from_prior(new, SoftwareSigner(pair, f"{did}#{peer4.FRAGMENT}"), now=datetime.now(UTC))


async def test_a_peer_of_v2_that_rotates_is_followed(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await nodes.make("node")
    await modern.connect(node)
    prior, prior_pair = modern.short, modern.pair
    modern.pair = KeyPair.from_seed(os.urandom(32))
    modern.did = modern.new_did(modern.pair)
    ping = modern.message(PING, from_=modern.did, from_prior=signed_by(prior_pair, prior, modern.did))
    packed = modern.sealed(ping, sender=modern.key(modern.did))
    assert (await modern.post(node, packed)).status == 202
    assert (await modern.hear("ping-response")).to == (modern.short,)
    assert (await only(node)).their_did == modern.did
    await settled(node)
    before = await tables(node.store)
    assert (await modern.post(node, packed)).status == 202
    assert await tables(node.store) == before


async def test_a_did_that_a_peer_of_v2_has_left_leads_nowhere(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await nodes.make("node")
    await modern.connect(node)
    prior, stolen = modern.short, modern.pair
    modern.pair = KeyPair.from_seed(os.urandom(32))
    modern.did = modern.new_did(modern.pair)
    ping = modern.message(PING, from_=modern.did, from_prior=signed_by(stolen, prior, modern.did))
    assert (await modern.tell(node, ping, sender=modern.key(modern.did))).status == 202
    await modern.hear("ping-response")
    thief = KeyPair.from_seed(os.urandom(32))
    elsewhere = modern.new_did(thief)
    lead = modern.message(PING, from_=elsewhere, from_prior=signed_by(stolen, prior, elsewhere))
    refused = await modern.tell(node, lead, sender=modern.key(elsewhere, thief))
    assert (refused.status, refused.code) == (400, "message.unknown_sender")
    assert (await only(node)).their_did == modern.did


async def test_a_rotation_that_the_prior_did_has_not_signed_is_refused(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await nodes.make("node")
    await modern.connect(node)
    await settled(node)
    prior = modern.short
    thief = KeyPair.from_seed(os.urandom(32))
    did = modern.new_did(thief)
    before = await tables(node.store)
    for from_prior, code in (
        (signed_by(thief, prior, did), "envelope.signature"),
        (signed_by(modern.pair, prior, modern.new_did(KeyPair.from_seed(os.urandom(32)))), "message.from_prior"),
        (signed_by(thief, modern.new_did(KeyPair.from_seed(os.urandom(32))), did), "envelope.signature"),
        (signed_by(thief, did, peer4.short_form(did)), "message.from_prior"),
    ):
        ping = modern.message(PING, from_=did, from_prior=from_prior)
        assert (await modern.tell(node, ping, sender=modern.key(did, thief))).code == code
    assert await tables(node.store) == before
