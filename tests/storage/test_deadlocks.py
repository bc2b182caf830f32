"""Units of work that want the same rows of PostgreSQL in another order: they wait for each other, and none fails."""

from __future__ import annotations

import asyncio
import os

import asyncpg

from storage import audit, status_lists
from storage.engine import Transaction
from storage.engines import open_store
from storage.sealing import Sealing
from storage.status_lists import Allocation, Terms
from tests.postgresql import new_store_url
from tests.storage.rows import NOW

TERMS = Terms("revocation", issuer="did:web:college.example")


async def allocate(tx: Transaction, name: str) -> Allocation:
    return (await status_lists.allocate_all(tx, terms=TERMS, exchange_ids=[name], entropy=os.urandom, now=NOW))[0]


async def until_somebody_waits(url: str) -> None:
    server = await asyncpg.connect(url)
    try:
        waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%allocated%'"
        while not await server.fetchval(waiting):
            await asyncio.sleep(0.01)
    finally:
        await server.close()


async def test_who_revokes_and_who_issues_at_the_same_time_both_end() -> None:
    url = new_store_url()
    store = await open_store(url, create=True)
    store.unlock(Sealing(os.urandom(32), os.urandom))
    async with store.write() as tx:
        first = await allocate(tx, "e1")

    async def issue() -> None:
        async with store.write() as tx:
            await allocate(tx, "e2")
            await audit.append(tx, at=NOW, event="record.issued", actor="operator")

    async with store.write() as tx:
        await status_lists.set_value(tx, first.list_id, first.index, 1, None, NOW)
        issuing = asyncio.create_task(issue())
        await until_somebody_waits(url)
        await audit.append(tx, at=NOW, event="record.revoked", actor="operator")
    await issuing
    async with store.read() as tx:
        assert {entry.event for entry in await audit.page(tx)} == {"record.issued", "record.revoked"}
    await store.close()
