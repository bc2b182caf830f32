"""What waits to be delivered survives a restart, is tried again with growing waits, and is given up in the end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Literal

from node.app import Node
from node.roles.issuer import Award
from node.runtime.world import World
from protocols.didcomm.message import PlainMessage
from storage import outbox
from storage.engine import Transaction
from storage.outbox import Outgoing
from tests.node.nodes import WELDING, Clock, Nodes, connect, eventually, exchange_in, held


async def failed(node: Node, attempts: int) -> Outgoing:
    """The waiting message, once it was tried that often."""

    async def probe(tx: Transaction) -> Outgoing | None:
        return next((m for m in await outbox.page(tx) if m.attempts >= attempts), None)

    return await eventually(node, probe)


async def test_an_offer_reaches_a_peer_that_was_away_also_after_a_restart(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    await nodes.stop(learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    await failed(college, 1)
    await nodes.stop(college)
    learner = await nodes.again(learner)
    college = await nodes.again(college)
    assert (await exchange_in(college, offered.id)).state == "done"
    assert len(await held(learner)) == 1


async def test_many_messages_arrive_in_the_order_in_which_they_were_put_in_also_after_the_peer_was_away(
    nodes: Nodes,
) -> None:
    sent: list[str] = []
    received: list[str] = []

    def witness(way: Literal["sent", "received"], message: PlainMessage) -> None:
        if message.name == "offer-credential":
            (sent if way == "sent" else received).append(message.id)

    college = await nodes.make("college", issuer=True, world=World(witness=witness))
    learner = await nodes.make("learner", world=World(witness=witness), policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    for count in (8, 16):
        await asyncio.gather(
            *(college.issuer.offer(to_learner.id, Award(achievement_id=WELDING)) for _ in range(count))
        )
        await nodes.stop(learner)  # with some of them under way
        await asyncio.gather(
            *(college.issuer.offer(to_learner.id, Award(achievement_id=WELDING)) for _ in range(count))
        )
        learner = await nodes.again(learner)

    async def all_held(tx: Transaction) -> bool | None:
        held_now = await tx.one("SELECT COUNT(*) AS number FROM held_credentials")
        return True if held_now is not None and held_now["number"] == len(sent) else None

    await eventually(learner, all_held)
    assert len(sent) == 48
    assert list(dict.fromkeys(received)) == sent


async def test_waits_between_attempts_double(nodes: Nodes) -> None:
    clock = Clock()
    slow = {"first_retry_seconds": 1000.0, "max_retry_seconds": 3000.0}
    college = await nodes.make("college", issuer=True, world=World(clock=clock), delivery=slow)
    learner = await nodes.make("learner")
    to_learner, _ = await connect(college, learner)
    await nodes.stop(learner)
    await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    for attempt, wait in enumerate((1000, 2000, 3000, 3000), 1):
        message = await failed(college, attempt)
        assert message.next_attempt is not None
        assert message.error_code is not None
        pause = message.next_attempt - clock()
        assert timedelta(seconds=wait * 0.75 - 20) <= pause <= timedelta(seconds=wait * 1.25)
        await nodes.stop(college)
        clock.advance(seconds=pause.total_seconds() + 1)
        college = await nodes.again(college)


async def test_a_message_nobody_takes_is_given_up_and_counted(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True, delivery={"first_retry_seconds": 0.01, "max_attempts": 3})
    learner = await nodes.make("learner")
    to_learner, _ = await connect(college, learner)
    await nodes.stop(learner)
    await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    assert (await failed(college, 3)).state is outbox.OutboxState.DEAD
    await college.monitor.refresh()
    exposition = college.metrics.render().decode()
    assert "lernode_outbox_dead 1.0" in exposition
    assert "lernode_outbox_waiting 0.0" in exposition
