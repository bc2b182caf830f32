"""A crew does several things at a time, never two of one key, and does not spin over what fails."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from node.runtime.wakeup import Crew, Work


def _now() -> datetime:
    return datetime.now(UTC)


async def test_two_pieces_of_one_key_never_run_at_once_and_other_keys_go_on() -> None:
    waiting = ["a1", "a2", "b1"]
    running: set[str] = set()
    done: list[str] = []
    all_done = asyncio.Event()

    def work(name: str) -> Work:
        async def go() -> bool:
            key = name[0]
            assert key not in running
            running.add(key)
            await asyncio.sleep(0)
            running.discard(key)
            done.append(name)
            waiting.remove(name)
            if not waiting:
                all_done.set()
            return True

        return go

    async def find(busy: tuple[str, ...], room: int) -> tuple[dict[str, Work], None]:
        heads: dict[str, Work] = {}
        for name in waiting:
            if name[0] not in busy and name[0] not in heads and len(heads) < room:
                heads[name[0]] = work(name)
        return heads, None

    crew = Crew("test", _now, 4, find)
    crew.start()
    async with asyncio.timeout(5):
        await all_done.wait()
    await crew.stop()
    assert sorted(done) == ["a1", "a2", "b1"]
    assert done.index("a1") < done.index("a2")


async def test_what_comes_up_while_its_key_is_in_hand_is_found_once_that_ends() -> None:
    passed_over, done = asyncio.Event(), asyncio.Event()
    waiting = ["first"]

    async def first() -> bool:
        waiting[:] = ["second"]
        crew.wake()
        await passed_over.wait()
        return False

    async def second() -> bool:
        waiting.clear()
        done.set()
        return False

    async def find(busy: tuple[str, ...], _room: int) -> tuple[dict[str, Work], None]:
        if busy and waiting == ["second"]:
            passed_over.set()
            return {}, None
        return {"key": first if waiting == ["first"] else second} if waiting else {}, None

    crew = Crew("test", _now, 4, find)
    crew.start()
    async with asyncio.timeout(5):
        await done.wait()
    await crew.stop()


async def test_what_fails_is_not_tried_again_at_once() -> None:
    tried = 0
    other_done = asyncio.Event()

    async def fails() -> bool:
        nonlocal tried
        tried += 1
        raise OSError

    async def other() -> bool:
        other_done.set()
        return False

    async def find(busy: tuple[str, ...], _room: int) -> tuple[dict[str, Work], None]:
        due: dict[str, Work] = {} if "bad" in busy else {"bad": fails}
        return due | ({} if other_done.is_set() or not tried else {"good": other}), None

    crew = Crew("test", _now, 4, find)
    crew.start()
    while tried == 0:
        await asyncio.sleep(0)
    crew.wake()
    async with asyncio.timeout(5):
        await other_done.wait()
    await crew.stop()
    assert tried == 1


async def test_who_is_let_go_makes_room_for_the_next_and_is_waited_for_at_the_end() -> None:
    waiting, began, last, may_end = ["first", "second"], asyncio.Event(), asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    def work(name: str) -> Work:
        async def go() -> bool:
            if name == "first":
                crew.let_go("a")
                crew.wake()
                await began.wait()  # the second of the same key
            else:
                began.set()
            last.set()
            await may_end.wait()
            ended.append(name)
            return False

        return go

    async def find(busy: tuple[str, ...], room: int) -> tuple[dict[str, Work], None]:
        del room
        return ({"a": work(waiting.pop(0))} if waiting and "a" not in busy else {}), None

    crew = Crew("test", _now, 4, find)
    crew.start()
    async with asyncio.timeout(30):
        await last.wait()
        finishing = asyncio.create_task(crew.finish())
        may_end.set()
        await finishing
    assert sorted(ended) == ["first", "second"]


async def test_what_is_known_to_be_due_begins_without_being_looked_for_but_never_beside_work_of_its_key() -> None:
    looked = began = 0
    may_end, ended = asyncio.Event(), asyncio.Event()

    async def work() -> bool:
        nonlocal began
        began += 1
        await may_end.wait()
        ended.set()
        return False

    async def find(busy: tuple[str, ...], _room: int) -> tuple[dict[str, Work], None]:
        nonlocal looked
        looked += 1
        # As where a row was read right before its work began elsewhere.
        return {"key": work} if busy else {}, None

    crew = Crew("test", _now, 2, find)
    assert not crew.begin("key", work), "a crew that was not started takes nothing"
    crew.start()
    while not looked:
        await asyncio.sleep(0)
    assert crew.begin("key", work)
    assert not crew.begin("key", work)
    assert crew.has_in_hand("key")
    crew.wake()
    while looked < 2:
        await asyncio.sleep(0)
    may_end.set()
    async with asyncio.timeout(5):
        await ended.wait()
    assert began == 1
    await crew.stop()
