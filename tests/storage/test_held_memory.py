"""Held records that are kept opened: never other than the rows say, never longer than the rows are there."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from protocols.errors import LernodeError
from protocols.strict_json import loads_object
from storage import credentials
from storage.credentials import HELD_REMOVED, IssuedState
from storage.engine import Store
from storage.engines import open_store
from storage.held_memory import HeldMemory, OpenHeld
from storage.sealing import Sealing
from tests.postgresql import new_store_url
from tests.storage.rows import at, held

Memory = HeldMemory[dict[str, Any]]


async def add(store: Store, row_id: str, **changes: Any) -> None:
    async with store.write() as tx:
        document = changes.pop("document", f'{{"id":"urn:x:{row_id}"}}'.encode())
        await credentials.add_held(tx, held(row_id, document=document, **changes))


async def look(store: Store, memory: Memory, limit: int = 10) -> list[OpenHeld[dict[str, Any]]]:
    async with store.write() as tx:
        return await memory.newest(tx, limit)


@pytest.fixture
async def memory(store: Store) -> Memory:
    """Which has two records open already."""
    made = HeldMemory(store, loads_object)
    await add(store, "h1")
    await add(store, "h2", stored_at=at(1))
    assert [each.content for each in await look(store, made)] == [{"id": "urn:x:h2"}, {"id": "urn:x:h1"}]
    return made


async def test_a_record_is_opened_once_and_is_what_the_store_lists(store: Store, memory: Memory) -> None:
    first, second = await look(store, memory), await look(store, memory)
    assert all(one.content is other.content for one, other in zip(first, second, strict=True))
    async with store.read() as tx:
        assert [each.record for each in second] == await credentials.list_held(tx)


async def test_what_is_known_of_a_revocation_is_as_new_as_the_row(store: Store, memory: Memory) -> None:
    async with store.write() as tx:
        await credentials.set_held_state(tx, "h1", IssuedState.REVOKED, at(60))
    for _ in range(2):
        found = {each.record.id: each.record for each in await look(store, memory)}
        assert (found["h1"].state, found["h1"].state_at) == (IssuedState.REVOKED, at(60))
        assert found["h2"].state is IssuedState.ACTIVE


async def test_another_document_under_the_same_id_is_read_anew(store: Store, memory: Memory) -> None:
    async with store.write() as tx:
        await tx.execute("DELETE FROM held_credentials WHERE id = 'h1'")  # which tells nobody
    await add(store, "h1", document=b'{"id":"urn:x:other"}')
    assert [each.content["id"] for each in await look(store, memory)] == ["urn:x:h2", "urn:x:other"]


async def test_an_altered_row_is_refused_though_its_record_was_open(store: Store, memory: Memory) -> None:
    async with store.write() as tx:
        swap = "UPDATE held_credentials SET document = (SELECT document FROM held_credentials WHERE id = 'h2')"
        await tx.execute(f"{swap} WHERE id = 'h1'")
    with pytest.raises(LernodeError) as refused:
        await look(store, memory)
    assert refused.value.code == "store.content_altered"


async def test_a_deleted_record_is_forgotten_with_the_commit(store: Store, memory: Memory) -> None:
    assert len(memory) == 2
    with pytest.raises(RuntimeError):
        async with store.write() as tx:
            await credentials.delete_held(tx, "h1")
            raise RuntimeError
    assert len(memory) == 2
    async with store.write() as tx:
        await credentials.delete_held(tx, "h1")
    assert len(memory) == 0
    assert [each.record.id for each in await look(store, memory)] == ["h2"]


async def test_a_snapshot_that_still_shows_a_deleted_record_leaves_it_nowhere(store: Store, memory: Memory) -> None:
    async with store.read() as tx:
        assert len(await credentials.list_held(tx)) == 2
        async with store.write() as writing:
            await credentials.delete_held(writing, "h1")
        assert len(await memory.newest(tx, 10)) == 2
    assert len(memory) == 0


async def test_a_record_that_another_process_deletes_is_forgotten() -> None:
    url, master = new_store_url(), os.urandom(32)
    first, second = await open_store(url, create=True), await open_store(url)
    try:
        for store in (first, second):
            store.unlock(Sealing(master, os.urandom))
        memory, listens, heard = HeldMemory(first, loads_object), asyncio.Event(), asyncio.Event()
        first.listen("hello", listens.set)
        first.listen(HELD_REMOVED, heard.set)
        async with asyncio.timeout(30):
            while not listens.is_set():  # it begins to in the background
                async with second.write() as tx:
                    tx.notify("hello")
                await asyncio.sleep(0.01)
        await add(second, "h1")
        await look(first, memory)
        assert len(memory) == 1
        async with second.write() as tx:
            await credentials.delete_held(tx, "h1")
        async with asyncio.timeout(30):
            await heard.wait()
        await asyncio.sleep(0)
        assert len(memory) == 0
        assert await look(first, memory) == []
    finally:
        await second.close()
        await first.close()


async def test_what_is_kept_is_bounded_in_records_and_in_bytes(store: Store) -> None:
    few, small = HeldMemory(store, loads_object, max_records=3), HeldMemory(store, loads_object, max_bytes=40)
    for number in range(5):
        await add(store, f"h{number}", stored_at=at(number))
    for memory, most in ((few, 3), (small, 2)):
        assert [each.record.id for each in await look(store, memory)] == ["h4", "h3", "h2", "h1", "h0"]
        assert len(memory) == most
        assert [each.record.id for each in await look(store, memory, limit=2)] == ["h4", "h3"]
