"""Lanes: in order, one at a time, never lost, and a dead letter does not stop the others."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protocols.errors import WrongState
from storage import outbox
from storage.engine import Store, Transaction
from storage.engines import open_store
from storage.outbox import Counts, OutboxState
from storage.sealing import Sealing
from tests.postgresql import new_store_url
from tests.storage.rows import NOW, at

T = TypeVar("T")


async def put(tx: Transaction, name: str, lane: str = "a", seconds: float = 0) -> None:
    await outbox.enqueue(
        tx,
        id=name,
        connection_id=None,
        lane=lane,
        message=f"message {name}".encode(),
        message_type="https://didcomm.org/trust-ping/1.0/ping",
        thid="t",
        wire="didcomm/v2",
        my_verkey=None,
        now=at(seconds),
    )


async def due(tx: Transaction, seconds: float = 1000, **options: Any) -> list[str]:
    return [message.id for message in await outbox.due(tx, at(seconds), **options)]


async def test_only_the_head_of_each_lane_is_due(store: Store) -> None:
    async with store.write() as tx:
        for name, lane in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")]:
            await put(tx, name, lane)
        assert await due(tx) == ["a1", "b1"]
        await outbox.mark_delivered(tx, "a", "a1")
        assert await due(tx) == ["a2", "b1"]


async def test_a_message_comes_back_as_it_was_put_in(store: Store) -> None:
    async with store.write() as tx:
        await put(tx, "a1")
        (message,) = await outbox.due(tx, NOW)
    assert (message.message, message.thid, message.enqueued, message.attempts) == (b"message a1", "t", NOW, 0)
    assert (message.wire, message.my_verkey) == ("didcomm/v2", None)


async def test_what_a_clock_that_was_ahead_put_off_does_not_wait_for_that_time(store: Store) -> None:
    longest = timedelta(seconds=100)
    async with store.write() as tx:
        await put(tx, "a1", "a", seconds=7200)
        await put(tx, "b1", "b")
        await outbox.mark_failed(tx, "b1", "delivery.refused", at(90), 1)
        assert await due(tx, 0, longest=longest) == ["a1"], "the clock was set back by two hours"
        claimed = await outbox.claim(tx, at(0), timedelta(seconds=10), longest=longest)
        assert [message.id for message in claimed] == ["a1"]


async def test_a_failed_head_holds_its_lane_until_its_time(store: Store) -> None:
    async with store.write() as tx:
        await put(tx, "a1")
        await put(tx, "a2")
        await put(tx, "b1", "b")
        assert await outbox.mark_failed(tx, "a1", "delivery.refused", at(60), 1) is OutboxState.QUEUED
        assert await due(tx, 59) == ["b1"]
        assert await outbox.next_wake(tx, skip_lanes=["b"]) == at(60)
        assert await due(tx, 60, skip_lanes=["b"]) == ["a1"]


@pytest.mark.parametrize(("when", "attempts"), [(at(5), 3), (None, 1)])
async def test_a_message_given_up_lets_its_lane_go_on(store: Store, when: Any, attempts: int) -> None:
    async with store.write() as tx:
        await put(tx, "a1")
        await put(tx, "a2")
        state = await outbox.mark_failed(tx, "a1", "delivery.refused", when, attempts, max_attempts=3)
        assert state is OutboxState.DEAD
        assert await due(tx) == ["a2"]
        assert await outbox.counts(tx) == Counts(queued=1, dead=1, lanes=1)
        (dead,) = await outbox.page(tx, state=OutboxState.DEAD)
        assert (dead.id, dead.error_code, dead.attempts) == ("a1", "delivery.refused", attempts)


async def test_a_dead_message_is_tried_again_from_the_end_of_its_lane(store: Store) -> None:
    async with store.write() as tx:
        await put(tx, "a1")
        await put(tx, "a2")
        await outbox.mark_failed(tx, "a1", "delivery.refused", None, 9)
        await outbox.requeue(tx, "a1", at(10))
        assert await due(tx) == ["a2"]
        await outbox.mark_delivered(tx, "a", "a2")
        (message,) = await outbox.due(tx, at(10))
        assert (message.id, message.attempts, message.error_code) == ("a1", 0, None)


async def test_a_dead_message_that_several_want_to_try_again_is_put_in_once(store: Store) -> None:
    async with store.write() as tx:
        await put(tx, "a1")
        await outbox.mark_failed(tx, "a1", "delivery.refused", None, 9)

    async def again() -> str:
        async with store.write() as tx:
            return await outbox.requeue(tx, "a1", at(10))

    done = await asyncio.gather(*(again() for _ in range(4)), return_exceptions=True)
    refused = [each for each in done if isinstance(each, WrongState)]
    assert [each for each in done if each not in refused] == ["a"]
    assert {each.code for each in refused} == {"outgoing_message.not_dead"}


async def test_what_cannot_be_done_to_a_message_is_refused(store: Store) -> None:
    async with store.write() as tx:
        await put(tx, "a1")
        await put(tx, "a2")
        for attempt, code in (
            (put(tx, "a1", "b"), "outgoing_message.exists"),
            (outbox.requeue(tx, "a1", NOW), "outgoing_message.not_dead"),
            (outbox.requeue(tx, "nowhere", NOW), "outgoing_message.unknown"),
            (outbox.mark_failed(tx, "a2", "x.y", NOW, 1), "outgoing_message.not_due"),
            (outbox.mark_failed(tx, "nowhere", "x.y", NOW, 1), "outgoing_message.unknown"),
        ):
            with pytest.raises(WrongState) as caught:
                await attempt
            assert caught.value.code == code
        assert await due(tx) == ["a1"]


async def test_delivering_twice_is_harmless(store: Store) -> None:
    async with store.write() as tx:
        await put(tx, "a1")
        await put(tx, "a2")
        await outbox.mark_delivered(tx, "a", "a1")
        await outbox.mark_delivered(tx, "a", "a1")
        assert await due(tx) == ["a2"]


async def test_what_arrived_together_is_taken_out_together_and_the_next_is_due(store: Store) -> None:
    async with store.write() as tx:
        for name in ("a1", "a2", "a3", "a4"):
            await put(tx, name)
        assert await outbox.mark_delivered(tx, "a", "a1", "a3")
        assert await due(tx) == ["a2"]
        assert await outbox.mark_delivered(tx, "a", "a4"), "the head is left"
        assert not await outbox.mark_delivered(tx, "a", "a2")


async def test_what_waits_on_a_lane_is_told_in_its_order_once_its_first_message_is_due(store: Store) -> None:
    async with store.write() as tx:
        for name, lane in (("a1", "a"), ("b1", "b"), ("a2", "a"), ("a3", "a")):
            await put(tx, name, lane)
        assert [message.id for message in await outbox.waiting(tx, "a", NOW, 2)] == ["a1", "a2"]
        await outbox.mark_failed(tx, "a1", "x.y", at(10), 1)
        assert await outbox.waiting(tx, "a", NOW, 9) == []
        assert [message.id for message in await outbox.waiting(tx, "a", at(10), 9)] == ["a1", "a2", "a3"]


async def test_the_limit_counts_lanes_that_are_free(store: Store) -> None:
    async with store.write() as tx:
        for number in range(5):
            await put(tx, f"m{number}", f"lane{number}", number)
        assert await due(tx, limit=2) == ["m0", "m1"]
        assert await due(tx, limit=2, skip_lanes=["lane0", "lane1"]) == ["m2", "m3"]


async def test_the_age_of_the_oldest_waiting_message_is_told(store: Store) -> None:
    async with store.write() as tx:
        assert await outbox.oldest_age(tx, NOW) is None
        assert await outbox.next_wake(tx) is None
        await put(tx, "a1", seconds=10)
        await put(tx, "a2", seconds=20)
        assert await outbox.oldest_age(tx, at(70)) == timedelta(seconds=60)


async def test_what_is_claimed_is_given_to_nobody_else_until_its_lease_is_over(store: Store) -> None:
    async with store.write() as tx:
        for lane in "abcd":
            await put(tx, f"m-{lane}", lane)
            await put(tx, f"n-{lane}", lane)

    async def claim(lease: float, limit: int = 3) -> list[str]:
        async with store.write() as tx:
            return [message.id for message in await outbox.claim(tx, at(9), timedelta(seconds=lease), limit)]

    taken = await asyncio.gather(claim(600), claim(600))
    assert sorted(taken[0] + taken[1]) == ["m-a", "m-b", "m-c", "m-d"]
    assert await claim(600) == []
    async with store.write() as tx:
        await outbox.mark_delivered(tx, "a", "m-a")
        await outbox.mark_failed(tx, "m-b", "x.y", at(5), 1)
    # The next of a lane whose head arrived; and what failed, once it is due again. The rest is still in hand.
    assert await claim(0) == ["n-a", "m-b"] or await claim(0) == ["m-b", "n-a"]
    assert sorted(await claim(0)) == ["m-b", "n-a"], "a lease that is over"


class Lanes(RuleBasedStateMachine):
    """The outbox beside the simplest model of it: a list a lane, and a set of dead letters."""

    def place(self) -> str:
        return f"sqlite://{self.folder.name}/store.db"

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.now = 0
        self.number = 0
        self.lanes: dict[str, list[tuple[str, int]]] = {}
        self.dead: dict[str, str] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def act(self, work: Any) -> Any:
        async def whole() -> Any:
            async with self.store.write() as tx:
                return await work(tx)

        return self.run(whole())

    @initialize()
    def open(self) -> None:
        self.where = self.place()
        self.store = self.run(open_store(self.where, create=True))
        self.sealing = Sealing(os.urandom(32), os.urandom)
        self.store.unlock(self.sealing)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def heads(self) -> dict[str, str]:
        """Lane by message that is due now."""
        return {lane: queue[0][0] for lane, queue in self.lanes.items() if queue and queue[0][1] <= self.now}

    @rule(lane=st.sampled_from("abc"))
    def enqueue(self, lane: str) -> None:
        name = f"m{self.number}"
        self.number += 1
        self.act(lambda tx: put(tx, name, lane, self.now))
        self.lanes.setdefault(lane, []).append((name, self.now))

    @rule(seconds=st.integers(1, 30))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.heads())
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        lane = data.draw(st.sampled_from(sorted(self.heads())))
        name, _ = self.lanes[lane].pop(0)
        self.act(lambda tx: outbox.mark_delivered(tx, lane, name))

    @precondition(lambda self: self.heads())
    @rule(data=st.data(), attempts=st.integers(1, 4), delay=st.integers(0, 20))
    def fail(self, data: st.DataObject, attempts: int, delay: int) -> None:
        lane = data.draw(st.sampled_from(sorted(self.heads())))
        name, _ = self.lanes[lane].pop(0)
        when = self.now + delay
        self.act(lambda tx: outbox.mark_failed(tx, name, "x.y", at(when), attempts, max_attempts=4))
        if attempts >= 4:
            self.dead[name] = lane
        else:
            self.lanes[lane].insert(0, (name, when))

    @precondition(lambda self: self.dead)
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.dead)))
        self.act(lambda tx: outbox.requeue(tx, name, at(self.now)))
        self.lanes[self.dead.pop(name)].append((name, self.now))

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.store = self.run(open_store(self.where))
        self.store.unlock(self.sealing)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "store"):
            return

        async def look() -> tuple[list[tuple[str, str]], Counts, Any]:
            async with self.store.read() as tx:
                ready = [(message.lane, message.id) for message in await outbox.due(tx, at(self.now))]
                return ready, await outbox.counts(tx), await outbox.next_wake(tx)

        ready, counts, wake = self.run(look())
        assert len(ready) == len(dict(ready))
        assert dict(ready) == self.heads()
        waiting = [queue for queue in self.lanes.values() if queue]
        assert counts == Counts(sum(map(len, waiting)), len(self.dead), len(waiting))
        assert (wake is None) == (not waiting)
        if ready:
            assert wake <= at(self.now)


Lanes.TestCase.settings = settings(max_examples=12, stateful_step_count=25, suppress_health_check=list(HealthCheck))
TestLanes = Lanes.TestCase


class LanesOnPostgresql(Lanes):
    def place(self) -> str:
        return new_store_url()


LanesOnPostgresql.TestCase.settings = settings(Lanes.TestCase.settings, max_examples=4)
TestLanesOnPostgresql = LanesOnPostgresql.TestCase
