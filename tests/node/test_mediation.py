"""A learner without any listening port, its mediator and a college: what is sent while it is away, comes."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

import pytest
from aiohttp import web

from node.app import Node
from node.roles.issuer import Award
from protocols.coordinate_mediation.messages import MediateGrant
from protocols.didcomm.envelope_v1 import MEDIA_TYPE
from protocols.didcomm.message import ProtocolMessage, Wire
from protocols.errors import WrongState
from protocols.keys import KeyPair
from protocols.pickup import messages as pickup
from protocols.trust_ping.messages import Ping
from storage import connections, mediation, mediators
from storage.engine import Transaction
from storage.mediators import Mediator, NameState
from tests.node.nodes import (
    DEADLINE_SECONDS,
    WELDING,
    Nodes,
    connect,
    connection_in,
    eventually,
    exchange_in,
    held,
    settled,
)
from tests.node.wire_peer import WirePeer, new_id

SILENT = {"listen_port": 0}


async def learner_of(nodes: Nodes, mediator: Node, *, live: bool = False, **sections: Any) -> Node:
    """A learner that does not listen, and has been granted mediation."""
    settings: dict[str, Any] = {"mediation": {"live": live, "poll_seconds": 1}, **sections}
    policy = {"accept_offers": True, "share_records": True}
    learner = await nodes.make("learner", node=SILENT, policy=policy, **settings)
    await mediated_by(mediator, learner)
    return learner


async def mediated_by(mediator: Node, learner: Node) -> Mediator:
    invited = await mediator.peering.invite()
    connection = await learner.peering.accept(invited.url, direct=True)
    await connection_in(learner, connection.id)
    await learner.mediated.request(connection.id)
    return await granted(learner)


async def granted(learner: Node) -> Mediator:
    async def probe(tx: Transaction) -> Mediator | None:
        return await mediators.in_use(tx)

    return await eventually(learner, probe)


async def held_for_others(mediator: Node) -> int:
    async with mediator.store.read() as tx:
        clients = await mediation.page_clients(tx)
    return sum(client.messages for client in clients)


async def nothing_held(mediator: Node) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await held_for_others(mediator):
            await asyncio.sleep(0.01)


@pytest.fixture
async def mediator(nodes: Nodes) -> Node:
    return await nodes.make("mediator", mediation={"enabled": True, "grant": "invited"})


@pytest.fixture
async def college(nodes: Nodes) -> Node:
    return await nodes.make("college", issuer=True)


async def test_a_learner_without_a_port_gets_its_records_by_polling(
    nodes: Nodes, mediator: Node, college: Node
) -> None:
    learner = await learner_of(nodes, mediator)
    assert (await granted(learner)).routing_did is not None, "two lernodes agree in version 3.0, over DIDComm v2"
    to_learner, _ = await connect(college, learner)
    assert to_learner.wire == Wire.V2.value
    assert to_learner.their_endpoint == f"{mediator.config.node.endpoint}/didcomm"
    assert len(to_learner.their_routing_keys) == 1
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    assert (await exchange_in(college, offered.id)).state == "done"
    assert len(await held(learner)) == 1
    await nothing_held(mediator)


async def test_a_record_issued_while_the_learner_is_off_waits_for_it(
    nodes: Nodes, mediator: Node, college: Node
) -> None:
    learner = await learner_of(nodes, mediator)
    to_learner, _ = await connect(college, learner)
    await nodes.stop(learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    await settled(college)
    assert await held_for_others(mediator) == 1
    await nodes.stop(mediator)
    mediator = await nodes.again(mediator)
    learner = await nodes.again(learner)
    assert (await exchange_in(college, offered.id)).state == "done"
    assert len(await held(learner)) == 1
    await nothing_held(mediator)


async def test_with_a_websocket_records_come_at_once(nodes: Nodes, mediator: Node, college: Node) -> None:
    learner = await learner_of(nodes, mediator, mediation={"live": True, "poll_seconds": 3600})
    to_learner, _ = await connect(college, learner)
    async with asyncio.timeout(DEADLINE_SECONDS):
        offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
        assert (await exchange_in(college, offered.id)).state == "done"
    assert len(await held(learner)) == 1
    await nothing_held(mediator)


async def test_a_college_can_mediate_for_the_learners_that_it_issues_to(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True, mediation={"enabled": True, "grant": "invited"})
    learner = await learner_of(nodes, college, live=True)
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    assert (await exchange_in(college, offered.id)).state == "done"
    assert len(await held(learner)) == 1
    await nothing_held(college)


async def test_the_websocket_is_opened_again_when_the_mediator_is_back(
    nodes: Nodes, mediator: Node, college: Node
) -> None:
    learner = await learner_of(nodes, mediator, live=True)
    to_learner, _ = await connect(college, learner)
    await nodes.stop(mediator)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    mediator = await nodes.again(mediator)
    assert (await exchange_in(college, offered.id)).state == "done"
    assert len(await held(learner)) == 1


async def test_a_mediator_that_is_left_forgets_what_it_was_told(nodes: Nodes, mediator: Node, college: Node) -> None:
    learner = await learner_of(nodes, mediator, live=True)
    await connect(college, learner)
    async with learner.store.read() as tx:
        (mine,) = await mediators.page(tx)
    await learner.mediated.leave(mine.connection_id, forget=True)

    async def forgotten(tx: Transaction) -> bool:
        (client,) = await mediation.page_clients(tx)
        return client.recipients == 0

    await eventually(mediator, forgotten)

    async def told(tx: Transaction) -> bool:
        return not await mediators.names(tx, mine.connection_id, NameState.REMOVING)

    await eventually(learner, told)
    assert not learner.mediated.is_live(mine.connection_id)


async def test_without_a_mediator_a_silent_node_makes_no_invitation(nodes: Nodes) -> None:
    learner = await nodes.make("learner", node=SILENT)
    with pytest.raises(WrongState) as error:
        await learner.peering.invite()
    assert error.value.code == "invitation.unreachable"


async def test_an_invitation_is_given_out_when_the_mediator_knows_its_key(nodes: Nodes, mediator: Node) -> None:
    learner = await learner_of(nodes, mediator, live=True)
    invited = await learner.peering.invite()
    async with mediator.store.read() as tx:
        assert await mediation.recipient_of(tx, invited.verkey) is not None
    guest = await nodes.make("guest")
    connection = await guest.peering.accept(invited.url)
    await connection_in(guest, connection.id)


async def test_a_connection_that_ends_is_taken_back_from_the_mediator(
    nodes: Nodes, mediator: Node, college: Node
) -> None:
    learner = await learner_of(nodes, mediator)
    _, to_college = await connect(college, learner)
    await learner.ending.end(to_college.id)

    async def taken_back(tx: Transaction) -> bool:
        return await mediation.recipient_of(tx, to_college.my_verkey) is None

    await eventually(mediator, taken_back)


class ForgettingNothing(WirePeer):
    """A mediator that delivers the same message whenever it is asked, whatever was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.deliveries = 0

    async def _take(self, request: web.Request) -> web.Response:
        message = await self.opened(await request.read())
        if message.protocol != f"{pickup.FAMILY}/2":
            self._inbox.put_nowait(message)
            return web.Response(status=202)
        if message.name == "delivery-request":
            self.deliveries += 1
            held = self.packed(Ping("always the same", "always the same"), sender=self.pair)
            answer: ProtocolMessage = pickup.Delivery(new_id(), message.thid, 2, (("1", held),))
        else:
            answer = pickup.Status(new_id(), message.thid, 2, 1)
        return web.Response(body=self.packed(answer, sender=self.pair), content_type=MEDIA_TYPE)


async def test_a_mediator_that_forgets_nothing_is_not_asked_without_end(
    nodes: Nodes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lernode.mediated")
    mediator = ForgettingNothing()
    await mediator.start()
    try:
        learner = await nodes.make("learner", mediation={"live": False, "poll_seconds": 3600})
        await mediator.connect(learner)
        async with learner.store.read() as tx:
            (connection,) = await connections.page(tx)
        await learner.mediated.request(connection.id)
        asked = await mediator.hear("mediate-request")
        key = KeyPair.from_seed(os.urandom(32)).verkey
        await mediator.say(learner, MediateGrant(new_id(), asked.thid, 1, f"{mediator.url}/in", (key,)))
        async with asyncio.timeout(DEADLINE_SECONDS):
            while "mediator.repeats" not in caplog.text:
                await asyncio.sleep(0.01)
        assert 5 <= mediator.deliveries < 20, "the first, four that brought nothing new, and visits with growing waits"
    finally:
        await mediator.stop()
