"""The unit of work: whole or not at all, one writer, snapshots that cannot write."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from protocols.errors import BadInput, LernodeError, WrongState
from storage import meta
from storage.engine import Store, Transaction
from storage.engines import open_store


async def value(store: Store, name: str) -> str | None:
    async with store.read() as tx:
        return await meta.get(tx, name)


async def test_opening_again_finds_what_was_committed(store: Store, place: str) -> None:
    async with store.write() as tx:
        await meta.put(tx, "a", "1")
    await store.close()
    again = await open_store(place)
    assert await value(again, "a") == "1"
    await again.close()


async def test_an_exception_rolls_everything_back(store: Store) -> None:
    with pytest.raises(KeyError):
        async with store.write() as tx:
            await meta.put(tx, "a", "1")
            raise KeyError
    assert await value(store, "a") is None


async def test_a_cancelled_unit_of_work_leaves_nothing(store: Store) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with store.write() as tx:
            await meta.put(tx, "a", "1")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await value(store, "a") is None
    async with store.write() as tx:
        await meta.put(tx, "b", "1")
    assert await value(store, "b") == "1"


@pytest.mark.parametrize("steps", range(12))
async def test_cancelling_at_any_step_leaves_all_or_nothing(store: Store, steps: int) -> None:
    calls: list[str] = []

    async def work() -> None:
        async with store.write() as tx:
            tx.after_commit(lambda: calls.append("committed"))
            await meta.put(tx, "a", "1")
            await meta.put(tx, "b", "1")

    task = asyncio.create_task(work())
    for _ in range(steps):
        await asyncio.wait({task}, timeout=0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    stored = {await value(store, "a"), await value(store, "b")}
    assert stored == ({"1"} if calls else {None})


async def test_a_cancellation_during_the_commit_comes_after_it(store: Store) -> None:
    leaving = asyncio.Event()
    calls: list[str] = []

    async def work() -> None:
        async with store.write() as tx:
            tx.after_commit(lambda: calls.append("committed"))
            await meta.put(tx, "a", "1")
            leaving.set()

    task = asyncio.create_task(work())
    await leaving.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await value(store, "a") == "1"
    assert calls == ["committed"]


async def test_a_statement_whose_result_is_lost_is_not_committed(store: Store) -> None:
    lost = False
    with suppress(LernodeError):
        async with store.write() as tx:
            statement = asyncio.create_task(tx.execute("INSERT INTO meta (key, value) VALUES ('a', '1')"))
            await asyncio.wait({statement}, timeout=0)
            statement.cancel()
            await asyncio.gather(statement, return_exceptions=True)
            lost = statement.cancelled()
    assert (await value(store, "a") is None) == lost


async def test_a_failure_that_is_swallowed_still_aborts_the_whole(store: Store) -> None:
    with pytest.raises(LernodeError) as caught:
        async with store.write() as tx:
            await meta.put(tx, "a", "1")
            with pytest.raises(WrongState) as conflict:
                await tx.execute("INSERT INTO meta (key, value) VALUES ('a', '2')")
            assert conflict.value.code == "store.conflict"
    assert caught.value.code == "store.aborted"
    assert await value(store, "a") is None


async def test_nothing_can_be_done_after_a_failure(store: Store) -> None:
    with pytest.raises(LernodeError) as caught:
        async with store.write() as tx:
            with pytest.raises(LernodeError):
                await tx.execute("INSERT INTO no_such_table VALUES (1)")
            await meta.put(tx, "a", "1")
    assert caught.value.code == "store.aborted"


async def test_writers_wait_for_who_has_the_lock(store: Store) -> None:
    async def increment() -> None:
        async with store.write() as tx:
            await tx.lock("n")
            before = int(await meta.get(tx, "n") or 0)
            await asyncio.sleep(0)
            await meta.put(tx, "n", str(before + 1))

    await asyncio.gather(*(increment() for _ in range(50)))
    assert await value(store, "n") == "50"


async def test_a_unit_of_work_inside_another_is_refused_instead_of_hanging(store: Store) -> None:
    with pytest.raises(LernodeError) as caught:
        async with store.write(), store.write():
            pass
    assert caught.value.code == "store.nested_write"


async def test_a_reader_sees_one_snapshot_while_another_writes(store: Store) -> None:
    async with store.read() as reading:
        assert await meta.get(reading, "a") is None
        async with store.write() as tx:
            await meta.put(tx, "a", "1")
        assert await meta.get(reading, "a") is None
    assert await value(store, "a") == "1"


async def test_a_read_transaction_cannot_write(store: Store) -> None:
    with pytest.raises(LernodeError) as caught:
        async with store.read() as tx:
            await meta.put(tx, "a", "1")
    assert caught.value.code == "store.read_only"
    assert await value(store, "a") is None


async def test_many_readers_share_a_few_connections(store: Store) -> None:
    async with store.write() as tx:
        await meta.put(tx, "a", "1")
    assert await asyncio.gather(*(value(store, "a") for _ in range(40))) == ["1"] * 40


async def test_a_cancelled_reader_gives_its_connection_back(store: Store) -> None:
    async def wait_inside(inside: asyncio.Event) -> None:
        async with store.read() as tx:
            await meta.get(tx, "a")
            inside.set()
            await asyncio.Event().wait()

    for _ in range(5):
        inside = asyncio.Event()
        task = asyncio.create_task(wait_inside(inside))
        await inside.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with store.write() as tx:
        await meta.put(tx, "a", "new")
    assert await asyncio.gather(*(value(store, "a") for _ in range(4))) == ["new"] * 4


async def test_callbacks_run_once_the_commit_is_visible(store: Store) -> None:
    calls: list[str] = []
    async with store.write() as tx:
        tx.after_commit(lambda: calls.append("first"))
        tx.after_commit(lambda: calls.append("second"))
        await meta.put(tx, "a", "1")
        assert calls == []
    assert calls == ["first", "second"]


async def test_callbacks_do_not_run_after_a_rollback(store: Store) -> None:
    calls: list[str] = []
    with pytest.raises(KeyError):
        async with store.write() as tx:
            tx.after_commit(lambda: calls.append("never"))
            raise KeyError
    assert calls == []


async def test_a_callback_that_fails_neither_undoes_the_commit_nor_stops_the_others(store: Store) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    calls: list[str] = []

    def fail() -> None:
        raise ValueError

    async with store.write() as tx:
        await meta.put(tx, "a", "1")
        tx.after_commit(fail)
        tx.after_commit(lambda: calls.append("still called"))
    assert calls == ["still called"]
    assert await value(store, "a") == "1"
    assert isinstance(reported[0]["exception"], ValueError)


async def test_only_a_write_takes_callbacks(store: Store) -> None:
    async with store.read() as tx:
        with pytest.raises(LernodeError):
            tx.after_commit(lambda: None)


async def test_a_transaction_is_dead_after_its_block(store: Store) -> None:
    kept: list[Transaction] = []
    async with store.write() as tx:
        kept.append(tx)
    with pytest.raises(LernodeError) as caught:
        await meta.put(kept[0], "a", "1")
    assert caught.value.code == "store.ended"


@pytest.mark.parametrize("bad", ["nul \0 inside", "surrogate \ud800", 1 << 70])
async def test_a_value_that_cannot_be_stored_is_bad_input(store: Store, bad: str | int) -> None:
    with pytest.raises(BadInput) as caught:
        async with store.write() as tx:
            await tx.execute("INSERT INTO meta (key, value) VALUES ('a', ?)", (bad,))
    assert caught.value.code == "store.value_refused"


async def test_a_column_refuses_another_type(store: Store) -> None:
    with pytest.raises(WrongState):
        async with store.write() as tx:
            await tx.execute("INSERT INTO meta (key, value) VALUES ('a', ?)", (b"bytes",))


async def test_rows_are_tuples_with_names(store: Store) -> None:
    async with store.read() as tx:
        row = await tx.one("SELECT 1 AS first, 'x' AS second")
    assert row is not None
    assert (row[0], row["second"], len(row), list(row.keys())) == (1, "x", 2, ["first", "second"])


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    await store.close()
    for block in (store.read, store.write):
        with pytest.raises(WrongState) as caught:
            async with block():
                pass
        assert caught.value.code == "store.closed"


async def test_closing_waits_for_what_runs(store: Store, place: str) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with store.write() as tx:
            inside.set()
            await go_on.wait()
            await meta.put(tx, "a", "1")

    task = asyncio.create_task(work())
    await inside.wait()
    closing = asyncio.create_task(store.close())
    go_on.set()
    await asyncio.gather(task, closing)
    again = await open_store(place)
    assert await value(again, "a") == "1"
    await again.close()


async def test_closing_that_is_cancelled_leaves_the_store_usable(store: Store) -> None:
    async with store.read():
        closing = asyncio.create_task(store.close())
        await asyncio.wait({closing}, timeout=0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
    async with store.write() as tx:
        await meta.put(tx, "a", "1")
    assert await asyncio.gather(*(value(store, "a") for _ in range(4))) == ["1"] * 4


async def test_postgresql_looks_into_its_tables_and_indices_where_it_has_the_means(store: Store) -> None:
    if not store.shared:
        pytest.skip("SQLite needs no extension for it")
    async with store.write() as tx:
        await tx.execute("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA public")
        await meta.put(tx, "a", "1")
    async with store.read() as tx:
        assert (await tx.safeguards())["amcheck"] == "used"
        assert await tx.damage() == []


async def put_patiently(store: Store, name: str, *, seen: list[str]) -> None:
    async with store.write() as tx:
        await meta.put(tx, name, "1")
        tx.can_wait()
        tx.after_commit(lambda: seen.append(name))
    assert seen and await value(store, name) == "1"  # as after any other unit of work


async def test_a_unit_of_work_that_can_wait_is_stored_though_none_follows(store: Store) -> None:
    await put_patiently(store, "a", seen=[])


async def test_a_unit_of_work_that_can_wait_outlives_the_failure_of_the_next(store: Store) -> None:
    patient = asyncio.create_task(put_patiently(store, "a", seen=[]))
    await asyncio.sleep(0)
    with pytest.raises(KeyError):
        async with store.write() as tx:
            await meta.put(tx, "b", "1")
            raise KeyError
    await patient
    assert await value(store, "b") is None


async def test_closing_stores_what_waits_for_a_commit(store: Store, place: str) -> None:
    patient = asyncio.create_task(put_patiently(store, "a", seen=(seen := [])))
    await asyncio.sleep(0)
    await store.close()
    with suppress(LernodeError):  # it looks into a closed store
        await patient
    assert seen == ["a"]
    again = await open_store(place)
    assert await value(again, "a") == "1"
    await again.close()
