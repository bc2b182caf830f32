"""The engine in a file: its permissions, its damage, a full disk, and what runs where."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from protocols.errors import LernodeError, NotNow, WrongState
from storage import meta
from storage.engine import Look
from storage.engines import open_store
from storage.sqlite import SqliteStore
from tests.storage.test_engine import value


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = await open_store(path, create=True)
    assert isinstance(opened, SqliteStore)
    yield opened
    await opened.close()


def write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def damage(path: Path) -> None:
    """Overwrite the second half of a file."""
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + b"\xff" * (len(content) - half))


async def test_a_new_store_is_readable_by_its_owner_only(store: SqliteStore, path: Path) -> None:
    async with store.write() as tx:
        await meta.put(tx, "a", "1")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


async def test_a_store_that_is_not_there_is_made_only_on_demand(path: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongState) as caught:
        await open_store(path)
    assert caught.value.code == "store.missing"
    assert files_in(tmp_path) == []


async def test_an_empty_file_is_no_store(path: Path) -> None:
    write_file(path, b"")
    with pytest.raises(WrongState) as caught:
        await open_store(path)
    assert caught.value.code == "store.missing"


@pytest.mark.parametrize("create", [True, False])
async def test_the_database_of_another_program_is_left_alone(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(WrongState) as caught:
        await open_store(path, create=create)
    assert caught.value.code == "store.foreign"


async def test_a_file_that_is_no_database_is_called_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"This is a letter to my grandmother. " * 100)
    with pytest.raises(LernodeError) as caught:
        await open_store(path)
    assert caught.value.code == "store.corrupt"
    assert caught.value.hint


async def test_a_damaged_page_is_called_corrupt(store: SqliteStore, path: Path) -> None:
    await fill_up(store, 1000)  # so many that the second half of the file is theirs
    await store.close()
    damage(path)
    damaged = await open_store(path)
    with pytest.raises(LernodeError) as caught:
        async with damaged.read() as tx:
            await tx.all("SELECT * FROM meta")
    assert caught.value.code == "store.corrupt"
    await damaged.close()


@pytest.mark.parametrize("size", [100, 20_000])  # which stands in pages of the table, or beside them
async def test_what_a_flipped_bit_changed_is_never_read(store: SqliteStore, path: Path, size: int) -> None:
    async with store.write() as tx:
        for number in range(200):
            await meta.put(tx, f"k{number}", f"{number:0{size}}")
    await store.close()
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[whole.index(f"{100:0{size}}"[-90:].encode())] ^= 1  # a "1" of a "0", in a text as good as before
    path.write_bytes(flipped)
    again = await open_store(path)
    with pytest.raises(LernodeError) as caught:
        await value(again, "k100")
    assert caught.value.code == "store.corrupt"
    assert again.trouble is not None
    assert await value(again, "k0") == f"{0:0{size}}"
    await again.close()


async def test_a_file_that_another_program_wrote_anew_is_refused(store: SqliteStore, path: Path) -> None:
    await store.close()
    path.rename(path.with_name("before.db"))
    with closing(sqlite3.connect(path.with_name("before.db"))) as before, closing(sqlite3.connect(path)) as after:
        after.executescript("\n".join(before.iterdump()))
    with pytest.raises(WrongState) as caught:
        await open_store(path)
    assert caught.value.code == "store.no_checksums"


async def test_a_full_disk_stores_nothing_and_the_store_goes_on(store: SqliteStore) -> None:
    async with store.write() as tx:
        await meta.put(tx, "before", "1")
        row = await tx.one("PRAGMA page_count")
        assert row is not None
        await tx.one(f"PRAGMA max_page_count = {row[0] + 8}")
    with pytest.raises(NotNow) as caught:
        async with store.write() as tx:
            await meta.put(tx, "small", "1")
            await meta.put(tx, "large", "x" * 200_000)
    assert caught.value.code == "store.full"
    assert await value(store, "small") is None
    async with store.write() as tx:
        await meta.put(tx, "after", "1")
    assert await value(store, "after") == "1"


async def test_the_file_is_durable_and_checked(store: SqliteStore) -> None:
    async with store.write() as tx:
        settings = {
            name: (await tx.all(f"PRAGMA {name}"))[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_what_can_wait_shares_the_commit_of_the_next_and_ends_with_it(store: SqliteStore) -> None:
    order: list[str] = []

    async def put(name: str, *, can_wait: bool) -> None:
        async with store.write() as tx:
            await meta.put(tx, name, "1")
            tx.after_commit(lambda: order.append(name))
            if can_wait:
                tx.can_wait()

    before = store.usage.commits
    patient = asyncio.create_task(put("patient", can_wait=True))
    await asyncio.sleep(0)
    assert await value(store, "patient") is None  # nobody sees what is not durable
    await put("urgent", can_wait=False)
    assert order == ["patient", "urgent"]
    await patient
    assert store.usage.commits == before + 1


async def test_what_can_wait_does_not_hold_the_store_for_long_against_others(store: SqliteStore, path: Path) -> None:
    async def put_patiently() -> None:
        async with store.write() as tx:
            await meta.put(tx, "a", "1")
            tx.can_wait()

    other = await open_store(path)
    patient = asyncio.create_task(put_patiently())
    await asyncio.sleep(0)
    async with other.write() as tx:
        assert await meta.get(tx, "a") == "1"
    await patient
    await other.close()


async def steps(store: SqliteStore, look: Look) -> int:
    """How many thousand instructions of SQLite's machine a look takes."""
    taken = 0

    def count() -> bool:
        nonlocal taken
        taken += 1
        return False

    async with store.read() as tx:
        tx._link._raw._raw.set_progress_handler(count, 1000)  # type: ignore[attr-defined]
        assert await tx.damage(look) == []
    return taken


async def fill_up(store: SqliteStore, count: int) -> None:
    async with store.write() as tx:
        for number in range(count):
            await meta.put(tx, f"k{number}", "x" * 1000)


async def test_the_look_at_both_ends_of_each_table_takes_as_long_whatever_there_is_between(store: SqliteStore) -> None:
    await fill_up(store, 100)
    few = {look: await steps(store, look) for look in Look}
    await fill_up(store, 4000)
    many = {look: await steps(store, look) for look in Look}
    assert many[Look.ENDS] <= few[Look.ENDS] + 1
    assert many[Look.PAGES] > 5 * few[Look.PAGES] > 0


async def test_a_file_that_was_cut_off_is_called_corrupt_at_once(store: SqliteStore, path: Path) -> None:
    await fill_up(store, 1000)
    await store.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(LernodeError) as caught:
        await open_store(path)
    assert caught.value.code == "store.corrupt"


async def test_a_look_at_the_whole_file_is_broken_off_when_it_is_cancelled(store: SqliteStore) -> None:
    await fill_up(store, 4000)
    whole = await steps(store, Look.PAGES)
    loop, begun, go_on, taken = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), 0

    def hold_up() -> bool:
        nonlocal taken
        taken += 1
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()
        return False

    async def look() -> None:
        async with store.read() as tx:
            tx._link._raw._raw.set_progress_handler(hold_up, 1000)  # type: ignore[attr-defined]
            await tx.damage(Look.PAGES)

    looking = asyncio.create_task(look())
    await begun.wait()
    looking.cancel()
    loop.call_later(0, loop.call_soon, go_on.set)  # once the cancellation has interrupted it
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert taken < whole
