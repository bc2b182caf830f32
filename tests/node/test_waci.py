"""WACI-DIDComm: an invitation of Out-of-Band 2.0 says by its goal code what it is for, and who answers it proposes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from node.app import Node
from node.roles.issuer import Award
from node.roles.lifetime import Terms
from node.runtime.world import World
from protocols import strict_json
from protocols.didcomm.message import Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.errors import WrongState
from protocols.out_of_band import link
from protocols.out_of_band.messages import Invitation
from storage import exchanges
from tests.node.nodes import WELDING, Clock, Nodes, asks_for, connect, exchange_in, tables
from tests.node.test_contact import newest
from tests.node.test_hostile import settled
from tests.node.test_links import PROVING, begun_in, waiting_in
from tests.node.wire_peer import new_id
from tests.node.wire_peer_v2 import WirePeerV2

PROPOSE = DIDCOMM_ORG + "present-proof/3.0/propose-presentation"
DEFINITIONS = "dif/presentation-exchange/definitions@v1.0"


def answering(url: str, peer: WirePeerV2) -> str:
    """The peer has read the invitation, and writes to its DID; the invitation's id."""
    invitation = link.from_text(url)
    (did,) = invitation.services
    assert isinstance(did, str)
    peer.their_did = did
    return invitation.id


async def propose(node: Node, peer: WirePeerV2, pthid: str) -> Any:
    """The peer answers an invitation as WACI-DIDComm says; no body, no attachment."""
    return await peer.tell(node, peer.message(PROPOSE, pthid=pthid, from_=peer.did), sender=peer.key(peer.did))


async def test_two_nodes_ask_and_show_by_an_invitation_of_the_profile(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    did = "did:web:" + college.config.node.endpoint.removeprefix("http://").replace(":", "%3A")
    learner = await nodes.make("learner", policy={"accept_offers": True})
    employer = await nodes.make("employer", trust={"issuers": (did,)})
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    await exchange_in(college, offered.id, "done")

    made = await employer.links.request(asks_for(), Terms(comment="For the job"), wire=Wire.V2)
    invitation = link.from_text(made.url)
    assert (invitation.wire, invitation.goal_code, invitation.requests) == (Wire.V2, "streamlined-vp", ())
    connection = await learner.peering.accept(made.url)
    mine = await waiting_in(learner, PROVING)
    assert (mine.connection_id, mine.waiting_for) == (connection.id, "share-records")
    said = strict_json.loads_object(mine.data)
    assert (said["pthid"], said["comment"]) == (made.id, "For the job")
    await learner.holder.present(mine.id)
    (theirs,) = await begun_in(employer, PROVING)
    assert theirs.thid == mine.thid
    assert (await exchange_in(employer, theirs.id)).state == "done"
    assert (await exchange_in(learner, mine.id)).state == "done"
    assert (await employer.verifier.verify_again(theirs.id)).verified
    assert (await newest(employer, "completed")).their_did == (await newest(learner, "completed")).my_did


async def test_a_poster_asks_each_who_proposes_by_itself(nodes: Nodes) -> None:
    employer = await nodes.make("employer")
    learners = [await nodes.make(f"learner-{n}") for n in range(3)]
    poster = await employer.links.request(asks_for(), Terms(), multi_use=True, wire=Wire.V2)
    await asyncio.gather(*(learner.peering.accept(poster.url) for learner in learners))
    asked = [strict_json.loads_object((await waiting_in(learner, PROVING)).data) for learner in learners]
    ours = await begun_in(employer, PROVING, 3)
    assert {value["thid"] for value in asked} == {row.thid for row in ours}
    assert len({value["challenge"] for value in asked}) == len({row.connection_id for row in ours}) == 3


async def test_a_wallet_that_knows_the_profile_alone_is_asked(nodes: Nodes, modern: WirePeerV2) -> None:
    employer = await nodes.make("employer")
    made = await employer.links.request(asks_for(), Terms(), wire=Wire.V2)
    assert (await propose(employer, modern, answering(made.url, modern))).status == 202
    request = await modern.hear("request-presentation")
    (attachment,) = request.attachments
    assert attachment["format"] == DEFINITIONS
    content = attachment["data"]["json"]
    assert content["presentation_definition"]["id"] == asks_for()["id"]
    assert content["options"]["challenge"]
    (row,) = await begun_in(employer, PROVING)
    assert (row.state, row.thid, row.waiting_for) == ("request-sent", request.thid, None)


async def test_a_verifier_of_the_profile_is_answered_by_a_proposal(nodes: Nodes, modern: WirePeerV2) -> None:
    learner = await nodes.make("learner")
    invitation = Invitation(new_id(), (modern.did,), goal_code="streamlined-vp", accept=("didcomm/v2",), wire=Wire.V2)
    connection = await learner.peering.accept(link.to_link(invitation, "https://peer.example/"))
    proposal = await modern.hear("propose-presentation")
    assert (proposal.pthid, proposal.thid, proposal.attachments) == (invitation.id, proposal.id, ())
    assert proposal.from_ is not None
    modern.their_did = proposal.from_
    attachment = {
        "id": "a",
        "media_type": "application/json",
        "format": DEFINITIONS,
        "data": {"json": {"options": {"challenge": "once"}, "presentation_definition": asks_for()}},
    }
    request = modern.message(
        DIDCOMM_ORG + "present-proof/3.0/request-presentation", thid=proposal.id, attachments=(attachment,)
    )
    assert (await modern.tell(learner, request)).status == 202
    mine = await waiting_in(learner, PROVING)
    assert (mine.connection_id, mine.state) == (connection.id, "request-received")
    assert (await newest(learner, "completed")).id == connection.id


async def test_one_invitation_is_one_request_and_a_counter_proposal_waits_for_a_person(
    nodes: Nodes, modern: WirePeerV2
) -> None:
    employer = await nodes.make("employer")
    made = await employer.links.request(asks_for(), Terms(), wire=Wire.V2)
    pthid = answering(made.url, modern)
    await propose(employer, modern, pthid)
    request = await modern.hear("request-presentation")
    again = modern.message(PROPOSE, pthid=pthid, thid=request.thid)
    assert (await modern.tell(employer, again)).status == 202
    another = modern.message(PROPOSE, pthid=pthid)
    assert (await modern.tell(employer, another)).status == 202
    rows = await begun_in(employer, PROVING, 2)
    assert {row.waiting_for for row in rows} == {"answer-presentation-proposal"}
    second = WirePeerV2()
    await second.start()
    answering(made.url, second)
    assert (await propose(employer, second, pthid)).code == "invitation.closed"
    await second.stop()


async def test_an_invitation_that_is_over_lets_nobody_in(nodes: Nodes, modern: WirePeerV2) -> None:
    clock = Clock()
    employer = await nodes.make("employer", world=replace(World(), clock=clock))
    made = await employer.links.request(asks_for(), Terms(expires_in=3600), multi_use=True, wire=Wire.V2)
    pthid = answering(made.url, modern)
    await propose(employer, modern, pthid)
    await modern.hear("request-presentation")
    clock.advance(hours=2)
    late = modern.message(PROPOSE, pthid=pthid)
    assert (await modern.tell(employer, late)).status == 202
    async with employer.store.read() as tx:
        found = await exchanges.find(tx, (await newest(employer, "completed")).id, late.thid, PROVING)
    assert found is not None
    assert found.waiting_for == "answer-presentation-proposal"
    second = WirePeerV2()
    await second.start()
    answering(made.url, second)
    assert (await propose(employer, second, pthid)).code == "invitation.closed"
    await second.stop()


async def test_hostile_proposals_get_a_code_and_leave_nothing(nodes: Nodes, modern: WirePeerV2) -> None:
    employer = await nodes.make("employer")
    made = await employer.links.request(asks_for(), Terms(), wire=Wire.V2)
    pthid = answering(made.url, modern)
    await settled(employer)
    before = await tables(employer.store)
    assert (await propose(employer, modern, "somebody-elses")).code == "out_of_band.wrong_invitation"
    assert (await propose(employer, modern, pthid + "x")).code == "out_of_band.wrong_invitation"
    bad = {"id": "a", "format": DEFINITIONS, "data": {"json": {"input_descriptors": json.loads('"all"')}}}
    message = modern.message(PROPOSE, pthid=pthid, from_=modern.did, attachments=(bad,))
    assert (await modern.tell(employer, message, sender=modern.key(modern.did))).code == "present_proof.malformed"
    assert await tables(employer.store) == before
    assert (await propose(employer, modern, pthid)).status == 202
    await modern.hear("request-presentation")


async def test_no_such_link_is_made_where_a_person_decides_who_comes_in(nodes: Nodes) -> None:
    employer = await nodes.make("employer", policy={"accept_connections": False})
    with pytest.raises(WrongState) as refused:
        await employer.links.request(asks_for(), Terms(), wire=Wire.V2)
    assert refused.value.code == "invitation.person_decides"
