"""Two processes' worth of one college on one PostgreSQL: whichever does a step, it is done once and in order."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest

from node.app import Node
from node.events.emit import emit
from node.events.types import ExchangeChanged
from node.roles.issuer import Award
from node.runtime import backups
from node.runtime.inbound import REPEAT_PAUSE
from node.runtime.turns import turn
from node.runtime.world import World
from protocols.did import peer4
from protocols.issue_credential.messages import RequestCredential, decode
from storage import audit, connections, erasure, outbox, turns
from storage.engine import Transaction
from storage.invariants import check
from storage.jobs import Job
from tests.node.nodes import (
    CARPENTRY,
    DEADLINE_SECONDS,
    WELDING,
    Clock,
    Nodes,
    connect,
    connection_in,
    eventually,
    exchange_in,
    held,
    issued,
    other_end,
    settled,
)
from tests.node.receivers import Delivery, Receiver, in_order
from tests.node.wire_peer import WirePeer, new_id
from tests.postgresql import new_store_url

Commit = Callable[[Transaction], Awaitable[None]]


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Nodes]:
    made = Nodes(tmp_path, new_store_url)
    yield made
    await made.stop_all()


@pytest.fixture
async def replicas(nodes: Nodes) -> tuple[Node, Node]:
    first = await nodes.make("college", issuer=True, delivery={"lease_seconds": 1.0})
    return first, await nodes.replica(first, "college-2")


async def whole(node: Node) -> None:
    async with node.store.read() as tx:
        assert [broken async for broken in check(tx)] == []
        assert (await audit.verify_chain(tx)).broken_at is None


async def test_each_replica_offers_and_every_record_is_issued_once(nodes: Nodes, replicas: tuple[Node, Node]) -> None:
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(replicas[0], learner)
    award = Award(achievement_id=WELDING)
    offers = await asyncio.gather(*(replicas[n % 2].issuer.offer(to_learner.id, award) for n in range(8)))
    for offered in offers:
        assert (await exchange_in(replicas[0], offered.id)).state == "done"
        await other_end(learner, offered, "done")
    assert len(await issued(replicas[1])) == len(await held(learner)) == 8
    await whole(replicas[1])


async def test_a_message_repeated_at_every_replica_is_answered_again_once(nodes: Nodes, peer: WirePeer) -> None:
    clock = Clock()
    first = await nodes.make("college", issuer=True, world=World(clock=clock))
    second = await nodes.replica(first, "college-2")
    await peer.connect(first)
    async with first.store.read() as tx:
        (connection,) = await connections.page(tx)
    await first.issuer.offer(connection.id, Award(achievement_id=WELDING))
    offered: Any = decode(await peer.hear("offer-credential"))
    request = RequestCredential(id=new_id(), thid=offered.thid, details=offered.details)
    envelope = peer.packed(request, sender=peer.pair)
    assert (await peer.post(first, envelope)).status == 202
    given = await peer.hear("issue-credential")
    for _ in range(2):
        clock.ahead += REPEAT_PAUSE + timedelta(seconds=1)
        urls = [f"http://localhost:{node.config.node.listen_port}/didcomm" for node in (first, second) * 2]
        answers = await asyncio.gather(*(peer.post_to(url, envelope) for url in urls))
        assert {answer.status for answer in answers} == {202}
        await settled(first)
        assert [(again.id, again.body) for again in peer.heard()] == [(given.id, given.body)]
    assert len(await issued(first)) == 1
    await whole(second)


async def test_a_key_that_one_replica_made_opens_envelopes_at_the_other(
    nodes: Nodes, replicas: tuple[Node, Node]
) -> None:
    learner = await nodes.make("learner")
    # The second makes the invitation and its key; the answers arrive where the first listens.
    invited = await replicas[1].peering.invite()
    mine = await learner.peering.accept(invited.url)
    assert (await connection_in(learner, mine.id)).state == "completed"


async def test_what_a_stopped_replica_left_is_delivered_by_the_other(nodes: Nodes, replicas: tuple[Node, Node]) -> None:
    learner = await nodes.make("learner")
    to_learner, _ = await connect(replicas[0], learner)
    await nodes.stop(learner)
    offered = await replicas[1].issuer.offer(to_learner.id, Award(achievement_id=CARPENTRY))

    async def tried(tx: object) -> bool:
        return any(message.attempts for message in await outbox.page(tx))  # type: ignore[arg-type]

    await eventually(replicas[0], tried)
    await nodes.stop(replicas[1])
    learner = await nodes.again(learner)
    await other_end(learner, offered)


async def test_replicas_that_revoke_at_once_leave_a_list_that_says_all(replicas: tuple[Node, Node]) -> None:
    records = [
        await replicas[0].issuer.issue(Award(achievement_id=WELDING, email=f"ada{n}@example.org")) for n in range(4)
    ]
    await asyncio.gather(
        *(replicas[n % 2].issuer.set_status(record.id, "revocation", True, None) for n, record in enumerate(records))
    )
    await whole(replicas[0])


async def test_a_job_that_a_replica_has_in_hand_when_it_stops_is_done_by_the_other_at_once(
    nodes: Nodes, replicas: tuple[Node, Node]
) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def never(_job: Job) -> Commit:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def at_once(_job: Job) -> Commit:
        async def commit(tx: Transaction) -> None:
            tx.after_commit(done.set)

        return commit

    replicas[0].jobs.register("errand", never)
    replicas[1].jobs.register("errand", at_once)
    await replicas[1].jobs.stop()
    async with replicas[0].store.write() as tx:
        await replicas[0].jobs.plan(tx, "errand", None)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await begun.wait()
    replicas[1].jobs.start()
    await nodes.stop(replicas[0])
    async with asyncio.timeout(DEADLINE_SECONDS):
        await done.wait()


async def test_what_is_over_is_ended_by_one_process(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    first = await nodes.make("college", issuer=True, world=World(clock=clock), policy={"lifetime_seconds": 3600})
    second = await nodes.replica(first, "college-2")
    to_learner, _ = await connect(first, await nodes.make("learner"))
    offers = [await first.issuer.offer(to_learner.id, Award(achievement_id=WELDING)) for _ in range(6)]
    clock.advance(hours=2)
    for node in (first, second):
        node.deadlines.expect(offers[0].created)
    for offered in offers:
        ended = await exchange_in(first, offered.id)
        assert (ended.state, ended.version) == ("abandoned", offered.version + 1)
    assert "a piece of work stopped" not in caplog.text


@pytest.mark.parametrize("folder", ["backups", "one for all"])
async def test_one_process_writes_the_backup_of_the_day(nodes: Nodes, tmp_path: Path, folder: str) -> None:
    clock = Clock()
    place = str(tmp_path / "all") if folder == "one for all" else folder
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    first = await nodes.make(
        "college", world=World(clock=clock), backup={"folder": place, "recipient": recipient, "every_hours": 24}
    )
    second = await nodes.replica(first, "college-2")

    def made() -> set[Path]:
        return {file for node in (first, second) for file in backups.newest_first(node.home / place)}

    for day in (1, 2):

        async def written(_tx: object, day: int = day) -> bool:
            return len(made()) == day

        await eventually(first, written)
        for node in (first, second):  # whoever looks again finds nothing to do
            await node.backups.stop()
            node.backups.start()
            await node.backups.stop()
        assert len(made()) == day
        clock.advance(hours=25)
        for node in (first, second):
            node.backups.start()


async def test_the_turn_of_a_process_that_died_goes_to_another(replicas: tuple[Node, Node]) -> None:
    first, second = replicas
    async with first.store.write() as tx:  # and never gives it back
        assert await turns.take(tx, "work", timedelta(milliseconds=200))
    async with turn(second.store, "work", timedelta(hours=1)) as is_ours:
        assert not is_ours

    async def over(_tx: object) -> bool:
        async with turn(second.store, "work", timedelta(hours=1)) as is_ours:
            return is_ours

    await eventually(second, over)


async def test_a_turn_is_given_back_whenever_its_process_is_stopped(replicas: tuple[Node, Node]) -> None:
    first, second = replicas
    was_taken = False
    for steps in itertools.count():
        taken = asyncio.Event()
        work = asyncio.create_task(_work_until_cancelled(first, taken))
        for _ in range(steps):
            await asyncio.sleep(0)
        was_taken = taken.is_set()
        work.cancel()
        await asyncio.wait({work})
        async with turn(second.store, "stopped work", timedelta(hours=1)) as is_ours:
            assert is_ours, f"cancelled after {steps} steps of the loop"
        if was_taken:
            return


async def _work_until_cancelled(node: Node, taken: asyncio.Event) -> None:
    async with turn(node.store, "stopped work", timedelta(hours=1)):
        taken.set()
        await asyncio.Event().wait()


async def test_a_turn_that_was_over_is_not_given_back_for_who_has_it_now(replicas: tuple[Node, Node]) -> None:
    first, second = replicas

    async def over(_tx: object) -> bool:
        async with turn(second.store, "long work", timedelta(hours=1)) as is_ours:
            if is_ours:
                await late.aclose()
                async with turn(first.store, "long work", timedelta(hours=1)) as again:
                    assert not again
            return is_ours

    async with AsyncExitStack() as late:
        assert await late.enter_async_context(turn(first.store, "long work", timedelta(milliseconds=1)))
        await eventually(second, over)


async def test_what_is_old_is_forgotten_by_one_process_at_a_time(replicas: tuple[Node, Node]) -> None:
    first, second = replicas
    for node in replicas:
        await node.housekeeping.stop()  # which begins as the node starts
    async with (
        turn(first.store, "housekeeping", timedelta(hours=1)) as ours,
        turn(second.store, "housekeeping", timedelta(hours=1)) as theirs,
    ):
        assert (ours, theirs) == (True, False)
    async with turn(second.store, "housekeeping", timedelta(hours=1)) as theirs:
        assert theirs


async def _tell(node: Node, lane: str, state: str) -> None:
    async with node.store.write() as tx:
        data = ExchangeChanged(exchange_id=lane, connection_id="c", protocol="p", role="r", state=state)
        await emit(tx, node.world, data)


async def test_each_event_is_delivered_by_one_replica_and_in_the_order_of_its_lane(
    replicas: tuple[Node, Node],
) -> None:
    async def answer(_: Delivery) -> int:
        await asyncio.sleep(0)  # lets the other replica look, too
        return 204

    receiver = Receiver(answer)
    await receiver.start()
    try:
        await replicas[0].webhooks.add(receiver.url)

        async def tell_all(node: Node, lanes: tuple[str, ...]) -> None:
            for number in range(12):
                for lane in lanes:
                    await _tell(node, lane, str(number))

        await asyncio.gather(tell_all(replicas[0], ("a", "b", "c")), tell_all(replicas[1], ("c", "d", "e")))
        await receiver.until(lambda r: len({delivery.id for delivery in r.taken}) == 72)
        assert len(receiver.seen) == 72, "an event was delivered by both"
        assert in_order(receiver.taken)

        async def nothing_waits(tx: Transaction) -> bool:
            return not await tx.all("SELECT 1 FROM webhook_lanes UNION ALL SELECT 1 FROM webhook_deliveries")

        await eventually(replicas[1], nothing_waits)
    finally:
        await receiver.stop()


async def test_an_event_that_a_replica_was_delivering_when_it_stopped_is_delivered_by_the_other_at_once(
    nodes: Nodes,
) -> None:
    first = await nodes.make("college", issuer=True, webhooks={"lease_seconds": 600.0})
    second = await nodes.replica(first, "college-2")
    in_hand, never = asyncio.Event(), asyncio.Event()

    async def answer(_: Delivery) -> int:
        if len(receiver.seen) == 1:
            in_hand.set()
            await never.wait()
        return 204

    receiver = Receiver(answer)
    await receiver.start()
    try:
        await first.webhooks.add(receiver.url)
        await _tell(first, "a", "begun")
        async with asyncio.timeout(DEADLINE_SECONDS):
            await in_hand.wait()
        holder = first if first.webhooks._leases._held else second
        await holder.webhooks.stop()
        await receiver.until(lambda r: len(r.taken) == 1)
        assert len(receiver.seen) == 2
    finally:
        never.set()
        await receiver.stop()


async def test_who_is_erased_by_one_replica_is_forgotten_by_the_other(
    nodes: Nodes, replicas: tuple[Node, Node]
) -> None:
    first, second = replicas
    to_learner, _ = await connect(first, await nodes.make("learner"))
    heard = asyncio.Event()
    second.store.listen(erasure.ERASED, heard.set)
    await second.peer_documents.resolve(peer4.shortest(to_learner.their_did or ""))
    assert second.peer_documents._known
    await first.erasing.erase_peer(to_learner.id)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await heard.wait()
    await asyncio.sleep(0)  # whoever else listens is told in the same step
    assert not second.peer_documents._known
