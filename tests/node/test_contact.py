"""Invitations of Out-of-Band 2.0: a connection in DIDComm v2 from the first message on."""

from __future__ import annotations

from typing import Any

import pytest

from node.app import Node
from node.roles.issuer import Award
from protocols.did import peer2, peer4
from protocols.didcomm import codec
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.errors import BadInput
from protocols.issue_credential.ld_proof import LdProofVcDetail
from protocols.issue_credential.messages import OfferCredential
from protocols.out_of_band import link
from protocols.out_of_band.messages import Invitation
from storage import connections, exchanges
from storage.connections import Connection
from storage.engine import Transaction
from tests.credentials.worlds import ISSUER, did
from tests.node.nodes import WELDING, Nodes, connection_in, eventually, exchange_in, held, tables
from tests.node.records import unsigned
from tests.node.test_hostile import settled
from tests.node.test_wires import PING
from tests.node.wire_peer import new_id
from tests.node.wire_peer_v2 import WirePeerV2


async def newest(node: Node, *states: str) -> Connection:
    """The node's newest connection, once it is in one of these states."""

    async def probe(tx: Transaction) -> Connection | None:
        return next((c for c in await connections.page(tx) if c.state in states), None)

    return await eventually(node, probe)


async def invited(node: Node, peer: WirePeerV2, **how: bool) -> str:
    """An invitation of the node, whose DID the peer now writes to; the invitation's id."""
    made = await node.peering.invite(wire=Wire.V2, **how)
    invitation = link.from_text(made.url)
    (did,) = invitation.services
    assert isinstance(did, str)
    peer.their_did = did
    return made.id


async def test_two_nodes_connect_without_a_handshake_and_a_record_goes_over(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    made = await college.peering.invite(wire=Wire.V2)
    theirs = await connection_in(learner, (await learner.peering.accept(made.url)).id)
    mine = await newest(college, "completed")
    assert (mine.wire, theirs.wire, mine.their_verkey) == (Wire.V2, Wire.V2, None)
    assert mine.my_did == theirs.their_did
    assert mine.their_did == theirs.my_did
    offered = await college.issuer.offer(mine.id, Award(achievement_id=WELDING))
    assert (await exchange_in(college, offered.id)).state == "done"
    assert len(await held(learner)) == 1
    assert (await learner.peering.accept(made.url)).id == theirs.id


async def test_those_who_answer_one_invitation_for_many_see_a_did_of_their_own(nodes: Nodes) -> None:
    college, first, second = [await nodes.make(name) for name in ("college", "first", "second")]
    made = await college.peering.invite(wire=Wire.V2, multi_use=True)
    seen = set()
    for guest in (first, second):
        connection = await connection_in(guest, (await guest.peering.accept(made.url)).id)
        assert connection.their_did != link.from_text(made.url).services[0]
        seen.add(connection.their_did)
    async with college.store.read() as tx:
        assert {c.my_did for c in await connections.page(tx)} == seen
    assert len(seen) == 2


@pytest.mark.parametrize("inviting_with", [peer2, peer4])
async def test_a_peer_that_invites_is_answered_under_a_did_of_a_method_that_it_knows(
    nodes: Nodes, modern: WirePeerV2, inviting_with: object
) -> None:
    node = await nodes.make("node")
    if inviting_with is peer2:
        modern.use_peer2()
    connection = await node.peering.accept(modern.invitation())
    ping = await modern.hear("ping")
    assert ping.pthid == connection.invitation_id
    assert ping.from_ is not None and ping.from_.startswith("did:peer:" + ("2" if inviting_with is peer2 else "4"))
    modern.their_did = ping.from_
    response = modern.message("https://didcomm.org/trust-ping/2.0/ping-response", thid=ping.id)
    assert (await modern.tell(node, response)).status == 202
    assert (await connection_in(node, connection.id)).their_did == modern.did


async def test_an_invitation_that_says_no_way_to_answer_is_refused(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await nodes.make("node")
    modern.did = peer4.create(modern.pair.public, endpoint=modern.url)
    with pytest.raises(BadInput) as refused:
        await node.peering.accept(modern.invitation())
    assert refused.value.code == "invitation.no_service"


async def test_a_person_says_whether_a_peer_comes_in(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await nodes.make("node", policy={"accept_connections": False})
    for accept in (True, False):
        modern.pair = type(modern.pair).from_seed(modern.pair.public)
        modern.did = modern.new_did(modern.pair)
        pthid = await invited(node, modern)
        ping = modern.message(PING, {"response_requested": True}, pthid=pthid, from_=modern.did)
        assert (await modern.tell(node, ping, sender=modern.key(modern.did))).status == 202
        waiting = await newest(node, "request-received")
        async with node.store.read() as tx:
            row = await exchanges.find(tx, waiting.id, waiting.thid, "https://didcomm.org/out-of-band/2")
        assert row is not None and row.waiting_for == "accept-connection"
        if accept:
            await node.peering.accept_connection(row.id)
            await modern.hear("ping-response")
            assert (await connection_in(node, waiting.id)).state == "completed"
        else:
            await node.peering.decline_connection(row.id, "Not now.")
            assert (await modern.hear("problem-report")).body["code"] == "e.p.req.not-accepted"
            assert (await connection_in(node, waiting.id, "abandoned")).their_did == modern.did


async def test_a_first_message_of_any_protocol_connects_and_is_carried_out(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await nodes.make("node")
    pthid = await invited(node, modern)
    body = {"queries": [{"feature-type": "protocol", "match": "*"}]}
    queries = modern.message("https://didcomm.org/discover-features/2.0/queries", body, pthid=pthid, from_=modern.did)
    assert (await modern.tell(node, queries, sender=modern.key(modern.did))).status == 202
    assert (await modern.hear("disclose")).thid == queries.id
    assert (await newest(node, "completed")).their_did == modern.did


async def test_an_invitation_for_one_lets_one_in_and_a_repetition_changes_nothing(
    nodes: Nodes, modern: WirePeerV2
) -> None:
    node = await nodes.make("node")
    pthid = await invited(node, modern)
    ping = modern.message(PING, {"response_requested": True}, pthid=pthid, from_=modern.did)
    packed = modern.sealed(ping, sender=modern.key(modern.did))
    assert (await modern.post(node, packed)).status == 202
    await modern.hear("ping-response")
    await settled(node)
    before = await tables(node.store)
    assert (await modern.post(node, packed)).status == 202
    second = WirePeerV2()
    second.their_did = modern.their_did
    await second.start()
    late = second.message(PING, pthid=pthid, from_=second.did)
    assert (await second.tell(node, late, sender=second.key(second.did))).code == "invitation.closed"
    await second.stop()
    assert await tables(node.store) == before


async def test_an_answer_to_no_invitation_or_to_another_leaves_nothing(nodes: Nodes, modern: WirePeerV2) -> None:
    node = await nodes.make("node")
    await invited(node, modern)
    another = (await node.peering.invite(wire=Wire.V2)).id
    before = await tables(node.store)
    for pthid in ("unknown", another):
        ping = modern.message(PING, pthid=pthid, from_=modern.did)
        answer = await modern.tell(node, ping, sender=modern.key(modern.did))
        assert answer.code == "out_of_band.wrong_invitation"
    assert await tables(node.store) == before


def with_offer(peer: WirePeerV2, **changes: Any) -> tuple[str, PlainMessage]:
    """An invitation of the peer that has an offer attached, as a link; and the offer."""
    detail = LdProofVcDetail.of(unsigned(did(ISSUER)), proof_type="DataIntegrityProof", cryptosuite="eddsa-rdfc-2022")
    offer_id = new_id()
    offer = OfferCredential(id=offer_id, thid=offer_id, details=(detail,)).encode(Wire.V2)
    attached = Attachment.of_json(codec.encode_object(offer) | changes, id="offer")
    invitation = Invitation(new_id(), (peer.did,), accept=("didcomm/v2",), requests=(attached,), wire=Wire.V2)
    return link.to_link(invitation, "https://peer.example/"), offer


async def test_an_offer_attached_to_an_invitation_is_answered_once_the_peer_is_there(
    nodes: Nodes, modern: WirePeerV2
) -> None:
    learner = await nodes.make("learner", policy={"accept_offers": True})
    url, offer = with_offer(modern)
    await learner.peering.accept(url)
    await learner.peering.accept(url)
    ping = await modern.hear("ping")
    assert (ping.pthid, ping.from_ is not None) == (link.from_text(url).id, True)
    assert modern.heard() == []
    modern.their_did = ping.from_ or ""
    await modern.tell(learner, modern.message(DIDCOMM_ORG + "trust-ping/2.0/ping-response", thid=ping.id))
    request = await modern.hear("request-credential")
    assert request.thid == offer.id
    assert (await newest(learner, "completed")).invitation_id == link.from_text(url).id
    other, _ = with_offer(modern)
    await learner.peering.accept(other)
    assert {(await modern.hear(name)).pthid for name in ("ping", "request-credential")} == {link.from_text(other).id}


@pytest.mark.parametrize("changes", [{"attachments": []}, {"attachments": [{"id": "x", "data": {"json": {}}}]}])
async def test_an_invitation_with_a_broken_offer_is_refused_before_anything_is_answered(
    nodes: Nodes, modern: WirePeerV2, changes: dict[str, Any]
) -> None:
    learner = await nodes.make("learner")
    url, _ = with_offer(modern, **changes)
    with pytest.raises(BadInput) as refused:
        await learner.peering.accept(url)
    assert refused.value.code == "invitation.request_unusable"
    async with learner.store.read() as tx:
        assert await connections.page(tx) == []
