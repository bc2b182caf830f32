"""What another process does with a store while a test watches: ``python -m tests.storage.child WHAT STORE ...``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from storage import meta, status_lists
from storage.engines import open_store
from storage.limits import Limits
from tests.storage.rows import NOW


def say(word: str) -> None:
    print(word, flush=True)  # noqa: T201


async def allocate(where: str, first: str, count: str) -> None:
    """Allocate an index for each of ``count`` exchanges."""
    store = await open_store(where, create=True, limits=Limits(lock=30))
    for number in range(int(first), int(first) + int(count)):
        async with store.write() as tx:
            await status_lists.allocate(
                tx,
                terms=status_lists.Terms("revocation"),
                exchange_id=f"e{number}",
                entropy=os.urandom,
                now=NOW,
                size_bits=512,
            )
    await store.close()


async def stop_inside(where: str) -> None:
    """Open a transaction, write, and never commit."""
    store = await open_store(where)
    async with store.write() as tx:
        await meta.put(tx, "committed", "no")
        # Far more than the page cache, so that uncommitted pages reach the file.
        for number in range(400):
            await meta.put(tx, f"filler-{number}", "x" * 10_000)
        say("inside")
        await asyncio.Event().wait()


async def write_pairs(where: str) -> None:
    """Commit pairs of settings for ever, naming each once it is committed."""
    store = await open_store(where)
    number = 0
    while True:
        async with store.write() as tx:
            await meta.put(tx, f"left-{number}", str(number))
            await meta.put(tx, f"right-{number}", str(number))
        say(str(number))
        number += 1


async def hold(where: str) -> None:
    """Hold the lock until told to let go."""
    store = await open_store(where)
    async with store.write() as tx:
        await tx.lock("held")
        await meta.put(tx, "held", "yes")
        say("held")
        await asyncio.to_thread(sys.stdin.readline)
    await store.close()
    say("released")


WHAT: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "allocate": allocate,
    "stop_inside": stop_inside,
    "write_pairs": write_pairs,
    "hold": hold,
}

if __name__ == "__main__":
    asyncio.run(WHAT[sys.argv[1]](sys.argv[2], *sys.argv[3:]))
