"""Status indices: random, unique, for ever, and the same again when asked again."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protocols.errors import BadInput, NotNow, WrongState
from storage import status_lists
from storage.engine import Store, Transaction
from storage.engines import open_store
from storage.sealing import Sealing
from storage.status_lists import STATUS_LIST, Allocation, Terms
from tests.postgresql import new_store_url
from tests.storage.rows import NOW, at


async def allocate(tx: Transaction, exchange_id: str, purpose: str = "revocation", **options: Any) -> Allocation:
    values: dict[str, Any] = {"terms": Terms(purpose), "exchange_id": exchange_id, "entropy": os.urandom, "now": NOW}
    return await status_lists.allocate(tx, **(values | options))


async def test_the_same_exchange_and_purpose_get_the_same_index_again(store: Store) -> None:
    async with store.write() as tx:
        first = await allocate(tx, "e1")
        suspension = await allocate(tx, "e1", "suspension")
    async with store.write() as tx:
        assert await allocate(tx, "e1") == first
        assert await allocate(tx, "e1", "suspension") == suspension
        assert suspension.list_id != first.list_id
        assert [found.allocated for found in await status_lists.page(tx)] == [1, 1]


async def test_an_index_of_a_transaction_that_was_rolled_back_is_free(store: Store) -> None:
    draws = iter([bytes(16), (7).to_bytes(8, "big"), bytes(16), (7).to_bytes(8, "big")])
    with pytest.raises(KeyError):
        async with store.write() as tx:
            await allocate(tx, "e1", entropy=lambda _n: next(draws))
            raise KeyError
    async with store.write() as tx:
        assert (await allocate(tx, "e2", entropy=lambda _n: next(draws))).index == 7


async def test_many_tasks_never_share_an_index(store: Store) -> None:
    async def one(number: int) -> Allocation:
        async with store.write() as tx:
            # Every exchange is asked for twice, as after a repeated message.
            return await allocate(tx, f"e{number // 2}", size_bits=64)

    found = await asyncio.gather(*(one(number) for number in range(120)))
    assert found[0::2] == found[1::2]
    assert len(set(found)) == 60


async def test_a_list_that_is_half_full_is_followed_by_a_new_one(store: Store) -> None:
    async with store.write() as tx:
        found = [await allocate(tx, f"e{number}", size_bits=16, now=at(number)) for number in range(17)]
        lists = await status_lists.page(tx)
    assert [found_list.allocated for found_list in lists] == [1, 8, 8]
    assert len({allocation.list_id for allocation in found}) == 3


async def test_many_at_once_get_what_one_after_the_other_would(store: Store) -> None:
    names = [f"e{number}" for number in range(40)]
    more: dict[str, Any] = {"terms": Terms("revocation"), "entropy": os.urandom, "now": NOW, "size_bits": 32}
    async with store.write() as tx:
        before = await allocate(tx, "e7", size_bits=32)
        found = await status_lists.allocate_all(tx, exchange_ids=names, **more)
        assert await status_lists.allocate_all(tx, exchange_ids=names[::-1], **more) == found[::-1]
        lists = await status_lists.page(tx)
    assert found[7] == before
    assert len(set(found)) == 40
    assert sorted(found_list.allocated for found_list in lists) == [8, 16, 16]


async def test_indices_given_out_together_do_not_tell_who_stood_before_whom(store: Store) -> None:
    names = [f"e{number}" for number in range(200)]
    async with store.write() as tx:
        found = await status_lists.allocate_all(
            tx, terms=Terms("revocation"), exchange_ids=names, entropy=os.urandom, now=NOW
        )
    rises = sum(earlier.index < later.index for earlier, later in pairwise(found))
    assert 50 < rises < 150, "neither rising nor falling"


async def test_lists_have_the_size_that_the_specification_asks_for(store: Store) -> None:
    async with store.write() as tx:
        allocation = await allocate(tx, "e1")
        found = await status_lists.get(tx, allocation.list_id)
    assert found.size_bits == 131_072
    assert 0 <= allocation.index < 131_072


async def test_indices_do_not_tell_the_order_of_issuance(store: Store) -> None:
    async with store.write() as tx:
        found = [(await allocate(tx, f"e{number}")).index for number in range(64)]
    assert found != sorted(found)
    assert max(found) - min(found) > 131_072 // 4


async def test_entropy_that_repeats_itself_ends_in_an_error(store: Store) -> None:
    with pytest.raises(NotNow) as caught:
        async with store.write() as tx:
            await allocate(tx, "e1", entropy=bytes)
            await allocate(tx, "e2", entropy=bytes)
    assert caught.value.code == "status.no_index"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"terms": Terms("probation")}, "status.purpose_unknown"),
        ({"size_bits": 100}, "status.size_unusable"),
        ({"size_bits": 0}, "status.size_unusable"),
        ({"size_bits": -8}, "status.size_unusable"),
    ],
)
async def test_what_no_list_can_be_is_refused(store: Store, options: dict[str, Any], code: str) -> None:
    async with store.write() as tx:
        with pytest.raises(BadInput) as caught:
            await allocate(tx, "e1", **options)
        assert caught.value.code == code
        assert await status_lists.page(tx) == []


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM status_entries", "UPDATE status_entries SET exchange_id = 'e2'", "UPDATE status_entries SET idx = 1"],
)
async def test_the_database_itself_keeps_an_index_for_its_credential(store: Store, statement: str) -> None:
    async with store.write() as tx:
        await allocate(tx, "e1")
    with pytest.raises(WrongState) as caught:
        async with store.write() as tx:
            await tx.execute(statement)
    assert caught.value.code == "store.conflict"


async def test_a_change_makes_the_list_dirty_and_a_repeated_one_does_not(store: Store) -> None:
    async with store.write() as tx:
        place = await allocate(tx, "e1")
        assert await status_lists.publish(tx, place.list_id, b"v1", "etag1", at(1), version=1)
        assert await status_lists.dirty(tx) == []
        assert await status_lists.set_value(tx, place.list_id, place.index, 1, "left the course", at(2))
        assert not await status_lists.set_value(tx, place.list_id, place.index, 1, "again", at(3))
        (changed,) = await status_lists.dirty(tx)
        assert changed.version == 2
        assert await status_lists.values(tx, place.list_id) == {place.index: 1}
        entry = await status_lists.get_entry(tx, place.list_id, place.index)
        assert (entry.value, entry.reason, entry.changed_at) == (1, "left the course", at(2))
        assert await status_lists.set_value(tx, place.list_id, place.index, 0, None, at(4))
        assert await status_lists.values(tx, place.list_id) == {}


async def test_an_index_that_nobody_has_cannot_be_set(store: Store) -> None:
    async with store.write() as tx:
        place = await allocate(tx, "e1")
        for list_id, index in ((place.list_id, place.index ^ 1), ("other", 1), (place.list_id, -1)):
            with pytest.raises(WrongState) as caught:
                await status_lists.set_value(tx, list_id, index, 1, None, NOW)
            assert caught.value.code == "status_entry.unknown"
        assert await status_lists.values(tx, place.list_id) == {}


async def test_what_was_published_is_served_with_its_etag(store: Store) -> None:
    async with store.write() as tx:
        place = await allocate(tx, "e1")
        assert await status_lists.get_published(tx, place.list_id) is None
        await status_lists.publish(tx, place.list_id, b"v1", "etag1", at(1), version=1)
        found = await status_lists.get_published(tx, place.list_id)
        assert await status_lists.get_published(tx, "other") is None
    assert found is not None
    assert (found.document, found.etag, found.published_at, found.version) == (b"v1", "etag1", at(1), 1)
    assert found.purpose == "revocation"


async def test_a_document_that_missed_a_change_never_replaces_one_that_has_it(store: Store) -> None:
    async with store.write() as tx:
        place = await allocate(tx, "e1")
        await status_lists.set_value(tx, place.list_id, place.index, 1, None, at(1))
        # Signed at version 1, while the change to version 2 was committed: taken, but the list stays dirty.
        assert await status_lists.publish(tx, place.list_id, b"v1", "etag1", at(2), version=1)
        assert [found.dirty for found in await status_lists.dirty(tx)] == [True]
        assert await status_lists.publish(tx, place.list_id, b"v2", "etag2", at(3), version=2)
        assert not await status_lists.publish(tx, place.list_id, b"v1", "etag1", at(4), version=1)
        assert not await status_lists.publish(tx, place.list_id, b"v9", "etag9", at(4), version=9)
        found = await status_lists.get_published(tx, place.list_id)
        assert await status_lists.dirty(tx) == []
        with pytest.raises(WrongState):
            await status_lists.publish(tx, "other", b"", "", NOW, version=1)
    assert found is not None
    assert found.document == b"v2"


MESSAGES = Terms("message", 2, ("pending", "accepted", "rejected", "undefined"), ("https://college.example/statuses",))


async def test_a_list_keeps_what_its_values_mean_and_other_terms_begin_another(store: Store) -> None:
    async with store.write() as tx:
        first = await allocate(tx, "e1", terms=MESSAGES)
        assert (await status_lists.get(tx, first.list_id)).terms == MESSAGES
        assert (await allocate(tx, "e2", terms=MESSAGES)).list_id == first.list_id
        reworded = replace(MESSAGES, messages=("pending", "accepted", "refused", "undefined"))
        elsewhere = replace(MESSAGES, issuer="did:example:other")
        for other in (reworded, elsewhere, replace(MESSAGES, references=()), Terms("message"), Terms(STATUS_LIST, 2)):
            assert (await allocate(tx, f"e-{other}", terms=other)).list_id != first.list_id
        # What was given out before stays where it is, whatever is asked for now.
        assert await allocate(tx, "e1", terms=reworded) == first


async def test_a_status_has_one_of_many_values(store: Store) -> None:
    async with store.write() as tx:
        place, other = await allocate(tx, "e1", terms=MESSAGES), await allocate(tx, "e2", terms=MESSAGES)
        for value, changes in ((2, True), (2, False), (3, True), (0, True), (1, True)):
            assert await status_lists.set_value(tx, place.list_id, place.index, value, None, NOW) is changes
        await status_lists.set_value(tx, other.list_id, other.index, 3, None, NOW)
        assert await status_lists.values(tx, place.list_id) == {place.index: 1, other.index: 3}
        assert list(await status_lists.values(tx, place.list_id)) == sorted({place.index, other.index})


class Indices(RuleBasedStateMachine):
    """Allocation and change, with rollbacks and restarts between; small lists, so that they fill."""

    def place(self) -> str:
        return f"sqlite://{self.folder.name}/store.db"

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.given: dict[tuple[str, str], Allocation] = {}
        self.set: set[Allocation] = set()

    @initialize()
    def open(self) -> None:
        self.where = self.place()
        self.store = self.runner.run(open_store(self.where, create=True))
        self.sealing = Sealing(os.urandom(32), os.urandom)
        self.store.unlock(self.sealing)

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(number=st.integers(0, 30), purpose=st.sampled_from(["revocation", "suspension"]), crash=st.booleans())
    def allocate(self, number: int, purpose: str, crash: bool) -> None:
        async def work() -> Allocation:
            async with self.store.write() as tx:
                place = await allocate(tx, f"e{number}", purpose, size_bits=16)
                if crash:
                    raise KeyError(place)
                return place

        try:
            place = self.runner.run(work())
        except KeyError:
            return
        owner = (purpose, f"e{number}")
        assert self.given.get(owner, place) == place
        assert all(other == owner for other, taken in self.given.items() if taken == place)
        self.given[owner] = place

    @precondition(lambda self: self.given)
    @rule(data=st.data(), value=st.booleans())
    def change(self, data: st.DataObject, value: bool) -> None:
        place = self.given[data.draw(st.sampled_from(sorted(self.given)))]

        async def work() -> bool:
            async with self.store.write() as tx:
                return await status_lists.set_value(tx, place.list_id, place.index, value, None, NOW)

        assert self.runner.run(work()) == (value != (place in self.set))
        (self.set.add if value else self.set.discard)(place)

    @rule()
    def restart(self) -> None:
        self.runner.run(self.store.close())
        self.store = self.runner.run(open_store(self.where))
        self.store.unlock(self.sealing)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "store"):
            return

        async def look() -> tuple[set[Allocation], int, bool]:
            async with self.store.read() as tx:
                lists = await status_lists.page(tx)
                shown = {Allocation(x.id, index) for x in lists for index in await status_lists.values(tx, x.id)}
                half = all(x.allocated * 2 <= x.size_bits for x in lists)
                return shown, sum(x.allocated for x in lists), half

        shown, allocated, half = self.runner.run(look())
        assert shown == self.set
        assert allocated == len(self.given)
        assert half


Indices.TestCase.settings = settings(max_examples=12, stateful_step_count=25, suppress_health_check=list(HealthCheck))
TestIndices = Indices.TestCase


class IndicesOnPostgresql(Indices):
    def place(self) -> str:
        return new_store_url()


IndicesOnPostgresql.TestCase.settings = settings(Indices.TestCase.settings, max_examples=4)
TestIndicesOnPostgresql = IndicesOnPostgresql.TestCase
