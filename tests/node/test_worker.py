"""The worker that sleeps until there is something to do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from node.runtime.wakeup import Worker


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("turns", range(6))
async def test_it_stops_also_when_it_was_woken_just_before(turns: int) -> None:
    began = asyncio.Event()

    async def once() -> None:
        began.set()

    worker = Worker("test", now, once)
    worker.start()
    await began.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    worker.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    stopping = asyncio.create_task(worker.stop())
    done, _ = await asyncio.wait({stopping}, timeout=5)
    stopping.cancel()
    assert done, "the worker lost its cancellation and goes on"


async def test_it_works_again_when_woken_and_when_due() -> None:
    rounds: asyncio.Queue[int] = asyncio.Queue()
    done = 0

    async def once() -> datetime | None:
        nonlocal done
        done += 1
        rounds.put_nowait(done)
        return now() + timedelta(milliseconds=20) if done == 1 else None

    worker = Worker("test", now, once)
    worker.start()
    async with asyncio.timeout(5):
        assert await rounds.get() == 1
        assert await rounds.get() == 2  # due
        assert rounds.empty()
        worker.wake()
        assert await rounds.get() == 3  # woken
    await worker.stop()
