"""PostgreSQL that is slow, locked, or silent: every wait ends with a code, and the store goes on by itself."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

from protocols.errors import NotNow
from storage import meta
from storage.engine import TROUBLE, Store
from storage.engines import open_store
from storage.limits import Limits
from storage.postgresql import PostgresqlStore
from tests.postgresql import new_store_url
from tests.silent_network import SilentNetwork

HASTY = Limits(lock=0.2, statement=0.5, idle=0.5, silence=0.5)
PATIENT = Limits()


@pytest.fixture
def url() -> str:
    return new_store_url()


@pytest.fixture
async def network(url: str) -> AsyncIterator[SilentNetwork]:
    async with SilentNetwork(url) as network:
        yield network


@pytest.fixture
async def store(network: SilentNetwork) -> AsyncIterator[Store]:
    opened = await open_store(network.url, create=True, limits=HASTY)
    yield opened
    await opened.close()


@pytest.fixture
async def other(url: str, store: Store) -> AsyncIterator[asyncpg.Connection]:
    """A session of somebody else at the same tables."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def put(store: Store, key: str) -> None:
    async with store.write() as tx:
        await meta.put(tx, key, "done")


async def get(store: Store, key: str) -> str | None:
    async with store.read() as tx:
        return await meta.get(tx, key)


async def hears(teller: Store, told: asyncio.Event) -> None:
    """Tell until it is heard: what was said before somebody listened, nobody hears."""
    told.clear()
    while not told.is_set():
        async with teller.write() as tx:
            tx.notify("work")
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await told.wait()


async def test_a_statement_over_a_network_gone_silent_ends_and_the_next_unit_of_work_finds_the_server(
    network: SilentNetwork, store: Store
) -> None:
    with pytest.raises(NotNow) as caught:
        async with store.write() as tx:
            await meta.put(tx, "half", "done")
            network.silent()
            await meta.put(tx, "other half", "done")
    assert caught.value.code == "store.unreachable"
    network.open()
    await put(store, "whole")
    assert (await get(store, "half"), await get(store, "whole")) == (None, "done")


async def test_a_commit_that_is_never_answered_is_told_to_have_failed(network: SilentNetwork, store: Store) -> None:
    with pytest.raises(NotNow) as caught:
        async with store.write() as tx:
            await meta.put(tx, "half", "done")
            network.silent()
    assert caught.value.code == "store.unreachable"
    network.open()
    assert await get(store, "half") is None


async def test_who_is_cancelled_while_the_network_is_silent_gets_out(network: SilentNetwork, store: Store) -> None:
    async def ask() -> None:
        async with store.read() as tx:
            network.silent()
            await meta.get(tx, "anything")

    asking = asyncio.create_task(ask())
    await network.swallowed()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    network.open()
    await put(store, "after")


async def test_a_store_closes_while_the_network_is_silent(network: SilentNetwork, store: Store) -> None:
    network.silent()
    await store.close()


async def test_connections_that_are_lost_as_they_are_replaced_are_no_fault_of_the_node(
    network: SilentNetwork, store: Store
) -> None:
    assert isinstance(store, PostgresqlStore)
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context))
    async with store.read(), store.read():  # two connections
        pass
    with pytest.raises(NotNow):
        async with store.read() as tx:
            network.silent()
            await meta.get(tx, "anything")  # after which the other connection is to be replaced too
    network.open()
    lost = [holder._con for holder in store._pool._holders if holder._con is not None]
    for connection in lost:
        connection._transport.get_extra_info("socket").shutdown(socket.SHUT_WR)
    async with store.read(), store.read():
        pass
    while not all(connection.is_closed() for connection in lost):
        await asyncio.sleep(0)
    del lost, connection
    gc.collect()  # when asyncio tells of what nobody waited for
    assert faults == []


async def test_what_others_notify_is_heard_again_after_a_silence_in_which_nothing_was_asked(
    network: SilentNetwork, store: Store, url: str
) -> None:
    told = asyncio.Event()
    store.listen("work", told.set)
    teller = await open_store(url)
    await hears(teller, told)
    told.clear()
    network.silent()
    await network.swallowed()  # of the connection that only listens, by itself
    network.open()
    await told.wait()  # it listens anew, and takes for granted that something was said meanwhile
    await hears(teller, told)
    await teller.close()


async def test_a_statement_that_takes_too_long_has_a_code_of_its_own_and_is_no_trouble_of_the_store(
    store: Store,
) -> None:
    troubled = []
    store.listen(TROUBLE, lambda: troubled.append(True))
    with pytest.raises(NotNow) as caught:
        async with store.write() as tx:
            await meta.put(tx, "half", "done")
            await tx.all("SELECT pg_sleep(60)")
    assert caught.value.code == "store.cancelled"
    await put(store, "whole")
    assert (await get(store, "half"), await get(store, "whole"), troubled) == (None, "done", [])


async def test_maintenance_takes_the_time_that_it_needs(store: Store) -> None:
    async with store.write() as tx:
        await tx.take_time()
        await tx.all(f"SELECT pg_sleep({1.2 * (HASTY.answer or 0)})")
        await meta.put(tx, "kept", "done")
    with pytest.raises(NotNow) as caught:  # its freedom ended with it, though the connection is the same
        async with store.read() as tx:
            await tx.all("SELECT pg_sleep(60)")
    assert caught.value.code == "store.cancelled"
    assert await get(store, "kept") == "done"


async def test_a_row_that_another_session_holds_is_waited_for_and_then_named(
    store: Store, other: asyncpg.Connection
) -> None:
    await put(store, "row")
    async with other.transaction():
        await other.execute("UPDATE meta SET value = 'theirs' WHERE key = 'row'")
        with pytest.raises(NotNow) as caught:
            await put(store, "row")
        assert caught.value.code == "store.busy"
    await put(store, "row")
    assert await get(store, "row") == "done"


async def test_a_unit_of_work_that_hangs_keeps_nothing_locked_from_others(
    store: Store, other: asyncpg.Connection
) -> None:
    await put(store, "row")
    with pytest.raises(NotNow) as caught:
        async with store.write() as tx:
            await meta.put(tx, "row", "half")
            await other.execute("UPDATE meta SET value = 'theirs' WHERE key = 'row'")  # waits until it is free
            await meta.put(tx, "row", "whole")
    assert caught.value.code in {"store.idle", "store.unreachable"}  # whether the last words of the server are heard
    assert await get(store, "row") == "theirs"


async def test_a_store_that_opens_waits_as_long_as_another_migrates(
    store: Store, url: str, other: asyncpg.Connection
) -> None:
    async with other.transaction():
        await other.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('migrate', current_schema()::regnamespace::oid::bigint))"
        )
        opening = asyncio.create_task(open_store(url, limits=HASTY))
        await other.execute(f"SELECT pg_sleep({1.5 * HASTY.statement})")
        assert not opening.done()
    await (await opening).close()


async def test_both_ends_of_a_connection_notice_that_the_other_is_gone(network: SilentNetwork, url: str) -> None:
    store = await open_store(network.url, create=True, limits=PATIENT)
    async with store.read() as tx:
        line: socket.socket = tx._connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        idle, interval, count, unanswered = (
            line.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        )
        assert idle + interval * count == unanswered / 1000 == PATIENT.silence
    await store.close()
