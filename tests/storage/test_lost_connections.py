"""A database that goes away in the middle of a unit of work: "not now", nothing is kept, and the store goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from protocols.errors import NotNow
from storage import meta
from storage.engine import Store, Transaction
from storage.engines import open_store
from tests.postgresql import new_store_url


@pytest.fixture
def url() -> str:
    return new_store_url()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await open_store(url, create=True)
    yield opened
    await opened.close()


async def lose(url: str, tx: Transaction) -> None:
    """End the connection of a unit of work from the server's side, and wait until the client has noticed."""
    (row,) = await tx.all("SELECT pg_backend_pid() AS pid")
    lost = asyncio.Event()
    tx._connection.add_termination_listener(lambda _connection: lost.set())  # type: ignore[attr-defined]
    other = await asyncpg.connect(url)
    try:
        assert await other.fetchval("SELECT pg_terminate_backend($1)", row["pid"])
        await lost.wait()
    finally:
        await other.close()


async def test_a_unit_of_work_whose_connection_is_lost_is_told_so_and_the_next_one_works(
    url: str, store: Store
) -> None:
    with pytest.raises(NotNow) as caught:
        async with store.write() as tx:
            await meta.put(tx, "half", "done")
            await lose(url, tx)
            await meta.put(tx, "other half", "done")
    assert caught.value.code == "store.unreachable"
    async with store.write() as tx:
        assert await meta.get(tx, "half") is None
        await meta.put(tx, "whole", "done")


async def test_a_commit_over_a_lost_connection_is_told_to_have_failed(url: str, store: Store) -> None:
    with pytest.raises(NotNow) as caught:
        async with store.write() as tx:
            await meta.put(tx, "half", "done")
            await lose(url, tx)
    assert caught.value.code == "store.unreachable"
    async with store.read() as tx:
        assert await meta.get(tx, "half") is None


async def test_a_snapshot_that_has_all_it_wanted_does_not_mind_that_its_connection_is_lost(
    url: str, store: Store
) -> None:
    async with store.read() as tx:
        found = await tx.all("SELECT version FROM schema_version")
        await lose(url, tx)
    assert found
