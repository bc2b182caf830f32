"""Several processes on one file, and processes that are killed."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from protocols.errors import NotNow
from storage import meta, status_lists
from storage.engine import Store
from storage.engines import open_store
from storage.limits import Limits
from storage.sqlite import SqliteStore
from tests.storage.rows import NOW

ROOT = Path(__file__).resolve().parents[2]


async def start(what: str, place: str, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.storage.child", what, place, *arguments, cwd=ROOT, stdin=PIPE, stdout=PIPE
    )


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def test_two_processes_make_one_store_and_never_share_an_index(place: str) -> None:
    # Their exchanges overlap, so both ask for some of the same ones.
    processes = [await start("allocate", place, first, "150") for first in ("0", "75")]
    assert [await process.wait() for process in processes] == [0, 0]
    store = await open_store(place)
    async with store.read() as tx:
        rows = await tx.all("SELECT list_id, idx, exchange_id FROM status_entries")
        lists = await status_lists.page(tx)
    await store.close()
    assert {row["exchange_id"] for row in rows} == {f"e{number}" for number in range(225)}
    assert len(rows) == len({(row["list_id"], row["idx"]) for row in rows}) == 225
    assert sum(found.allocated for found in lists) == 225


async def test_a_writer_of_another_process_is_waited_for_and_then_named(store: Store, place: str) -> None:
    hasty = await open_store(place, limits=Limits(lock=0.05))
    process = await start("hold", place)
    assert await line(process) == "held"
    with pytest.raises(NotNow) as caught:
        async with hasty.write() as tx:
            await tx.lock("held")
            await meta.put(tx, "held", "no")
    assert caught.value.code == "store.busy"
    async with hasty.read() as tx:
        assert await meta.get(tx, "held") is None

    async def write_after() -> None:
        async with store.write() as tx:
            await tx.lock("held")
            assert await meta.get(tx, "held") == "yes"

    waiting = asyncio.create_task(write_after())
    await process.communicate(b"\n")
    await waiting
    await hasty.close()


async def test_a_process_killed_inside_a_transaction_leaves_what_was_committed(store: Store, place: str) -> None:
    async with store.write() as tx:
        await meta.put(tx, "committed", "yes")
        await status_lists.allocate(
            tx, terms=status_lists.Terms("revocation"), exchange_id="e1", entropy=os.urandom, now=NOW
        )
    process = await start("stop_inside", place)
    assert await line(process) == "inside"
    process.kill()
    await process.communicate()
    async with store.write() as tx:
        assert await meta.get(tx, "committed") == "yes"
        assert await tx.all("SELECT key FROM meta WHERE key LIKE 'filler%'") == []
        if isinstance(store, SqliteStore):
            assert [tuple(row) for row in await tx.all("PRAGMA integrity_check")] == [("ok",)]


@pytest.mark.parametrize("commits", [1, 7, 40])
async def test_what_a_killed_process_said_it_committed_is_there_whole(store: Store, place: str, commits: int) -> None:
    await store.close()
    process = await start("write_pairs", place)
    for _ in range(commits):
        last = await line(process)
    process.kill()
    await process.communicate()
    again = await open_store(place)
    async with again.read() as tx:
        keys = {row["key"] for row in await tx.all("SELECT key FROM meta")}
    await again.close()
    left = {int(key.removeprefix("left-")) for key in keys if key.startswith("left-")}
    right = {int(key.removeprefix("right-")) for key in keys if key.startswith("right-")}
    assert left == right
    assert left >= set(range(int(last) + 1))
