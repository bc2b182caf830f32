"""A connection that one of the two ends is over at both ends (RFC 0794 §Hangup)."""

from __future__ import annotations

import pytest

from node.roles.issuer import Award
from protocols.didcomm.message import PlainMessage
from protocols.errors import WrongState
from storage import connections
from storage.engine import Transaction
from tests.node.conftest import Town
from tests.node.nodes import WELDING, Nodes, connect, connection_in, eventually, give, held, other_end, settled, tables
from tests.node.wire_peer import WirePeer, new_id

HANGUP = "https://didcomm.org/did-rotate/1.0/hangup"
PING = "https://didcomm.org/trust_ping/1.0/ping"


async def test_it_is_over_at_both_ends_and_what_was_given_stays(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    await town.college.ending.end(town.college_to_learner.id)

    async def over(tx: Transaction) -> bool | None:
        return any(c.state == "ended" for c in await connections.page(tx)) or None

    await eventually(town.learner, over)
    assert len(await held(town.learner)) == 1
    with pytest.raises(WrongState) as ended:
        await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=WELDING))
    assert ended.value.code == "connection.ended"
    with pytest.raises(WrongState) as twice:
        await town.college.ending.end(town.college_to_learner.id)
    assert twice.value.code == "did_rotate.wrong_state"
    revoked = await town.college.issuer.set_status(record.id, "revocation", True, None)
    assert revoked.state.value == "revoked"


async def test_nothing_waits_for_a_person_any_more(careful_town: Town) -> None:
    town = careful_town
    offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=WELDING))
    mine = await other_end(town.learner, offered, "offer-received")
    await town.learner.ending.end(mine.connection_id)
    with pytest.raises(WrongState) as over:
        await town.learner.holder.accept_offer(mine.id)
    assert over.value.code == "exchange.not_waiting"
    again = await other_end(town.learner, offered, "offer-received")
    assert (again.waiting_for, again.error_code) == (None, "connection.ended")


async def test_what_a_peer_says_after_the_end_is_refused_and_changes_nothing(nodes: Nodes, peer: WirePeer) -> None:
    node = await nodes.make("node")
    await peer.connect(node)
    hangup_id = new_id()
    hangup = PlainMessage(HANGUP, hangup_id, hangup_id)
    assert (await peer.say(node, hangup)).status == 202
    await settled(node)
    before = await tables(node.store)
    assert (await peer.say(node, hangup)).status == 202, "a repeated delivery is taken for what it is"
    for type_uri in (PING, HANGUP, "https://didcomm.org/didexchange/1.1/complete"):
        message_id = new_id()
        message = PlainMessage(type_uri, message_id, message_id, message_id)
        assert (await peer.say(node, message)).code == "message.connection_ended"
    assert await tables(node.store) == before


async def test_the_two_connect_again_by_a_new_invitation(nodes: Nodes) -> None:
    college, learner = await nodes.make("college"), await nodes.make("learner")
    invited = await college.peering.invite(lasting=True, multi_use=True)
    first = await connection_in(learner, (await learner.peering.accept(invited.url)).id)
    await learner.ending.end(first.id)
    second = await connection_in(learner, (await learner.peering.accept(invited.url)).id)
    assert second.id != first.id
    to_learner, _ = await connect(college, learner)
    assert to_learner.state == "completed"
