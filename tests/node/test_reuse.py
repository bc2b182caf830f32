"""A new invitation of a peer that a node is connected with uses that connection again (RFC 0434)."""

from __future__ import annotations

from typing import Any

import pytest

from node.app import Node
from protocols.didcomm.message import PlainMessage
from storage import connections, exchanges, invitations
from storage.connections import Connection
from storage.engine import Transaction
from storage.exchanges import ExchangeRow
from storage.invitations import InvitationState
from tests.node.nodes import Nodes, connect, connection_in, eventually, exchange_in, tables
from tests.node.wire_peer import WirePeer, new_id

BASE = "https://didcomm.org/out-of-band/1.1"


async def all_connections(node: Node) -> list[Connection]:
    async with node.store.read() as tx:
        return await connections.page(tx)


async def asked(node: Node) -> list[ExchangeRow]:
    async with node.store.read() as tx:
        return [row for row in await exchanges.page(tx) if row.protocol == "https://didcomm.org/out-of-band/1"]


async def two_nodes(nodes: Nodes) -> tuple[Node, Node, Connection]:
    """A college and a learner who is connected by a lasting invitation; the learner's end."""
    college, learner = await nodes.make("college"), await nodes.make("learner")
    invited = await college.peering.invite(lasting=True, multi_use=True)
    mine = await connection_in(learner, (await learner.peering.accept(invited.url)).id)

    async def complete(tx: Transaction) -> Connection | None:
        return next((c for c in await connections.page(tx) if c.state == "completed"), None)

    await eventually(college, complete)
    return college, learner, mine


async def test_the_second_invitation_of_a_peer_keeps_the_connection_at_both_ends(nodes: Nodes) -> None:
    college, learner, mine = await two_nodes(nodes)
    second = await college.peering.invite(lasting=True)
    assert (await learner.peering.accept(second.url)).id == mine.id
    (row,) = await asked(learner)
    assert (await exchange_in(learner, row.id)).role == "receiver"
    async with college.store.read() as tx:
        assert (await invitations.get(tx, second.id)).state is InvitationState.USED
    assert [len(await all_connections(node)) for node in (college, learner)] == [1, 1]


async def test_accepting_twice_asks_once(nodes: Nodes) -> None:
    college, learner, mine = await two_nodes(nodes)
    second = await college.peering.invite(lasting=True)
    accepted = [await learner.peering.accept(second.url) for _ in range(2)]
    assert [connection.id for connection in accepted] == [mine.id, mine.id]
    assert len(await asked(learner)) == 1


async def test_a_person_may_want_another_connection(nodes: Nodes) -> None:
    college, learner, mine = await two_nodes(nodes)
    second = await college.peering.invite(lasting=True)
    other = await connection_in(learner, (await learner.peering.accept(second.url, reuse=False)).id)
    assert other.id != mine.id
    assert await asked(learner) == []


async def test_invitations_with_keys_of_their_own_do_not_tell_whose_they_are(nodes: Nodes) -> None:
    college, learner = await nodes.make("college"), await nodes.make("learner")
    _, first = await connect(college, learner)
    _, second = await connect(college, learner)
    assert first.id != second.id
    assert first.inviter != second.inviter


async def test_a_connection_that_is_not_complete_is_not_used(nodes: Nodes) -> None:
    college, learner = await nodes.make("college"), await nodes.make("learner")
    urls = [(await college.peering.invite(lasting=True)).url for _ in range(2)]
    await nodes.stop(college)
    first, second = [await learner.peering.accept(url) for url in urls]
    assert first.id != second.id


@pytest.mark.parametrize(
    ("name", "thread", "code"),
    [
        ("handshake-reuse", {"pthid": "unknown"}, "out_of_band.wrong_invitation"),
        ("handshake-reuse", {}, "message.malformed"),
        ("handshake-reuse", {"thid": "other", "pthid": "unknown"}, "message.malformed"),
        ("handshake-reuse-accepted", {"thid": "other", "pthid": "unknown"}, "out_of_band.unexpected_message"),
        ("handshake-reuse-accepted", {"thid": "other"}, "message.malformed"),
    ],
)
async def test_what_does_not_fit_is_refused_and_stores_nothing(
    nodes: Nodes, peer: WirePeer, name: str, thread: dict[str, Any], code: str
) -> None:
    node = await nodes.make("node")
    await peer.connect(node)
    before = await tables(node.store)
    message_id = new_id()
    message = PlainMessage(f"{BASE}/{name}", message_id, thread.get("thid", message_id), thread.get("pthid"))
    assert (await peer.say(node, message)).code == code
    assert await tables(node.store) == before


async def test_an_invitation_for_one_is_not_used_by_two(nodes: Nodes, peer: WirePeer) -> None:
    college, learner, _ = await two_nodes(nodes)
    await peer.connect(college)
    second = await college.peering.invite(lasting=True)
    await learner.peering.accept(second.url)
    (row,) = await asked(learner)
    await exchange_in(learner, row.id)
    message_id = new_id()
    reuse = PlainMessage(f"{BASE}/handshake-reuse", message_id, message_id, second.id)
    assert (await peer.say(college, reuse)).code == "out_of_band.wrong_invitation"


async def test_an_acceptance_in_the_thread_of_another_peer_is_refused(nodes: Nodes, peer: WirePeer) -> None:
    college, learner, mine = await two_nodes(nodes)
    await nodes.stop(college)
    college = await nodes.again(college)
    second = await college.peering.invite(lasting=True)
    await nodes.stop(college)
    assert (await learner.peering.accept(second.url)).id == mine.id
    (row,) = await asked(learner)
    await peer.connect(learner)
    accepted = PlainMessage(f"{BASE}/handshake-reuse-accepted", new_id(), row.thid, second.id)
    assert (await peer.say(learner, accepted)).code == "out_of_band.unexpected_message"
    assert (await asked(learner))[0].state == "prepare-response"
