"""What a mediator keeps: queues that stay apart, counts that stay true, and no query that looks at others' messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from storage import connections, mediation
from storage.connections import Connection
from storage.engine import Row, Store, Transaction
from storage.mediation import Added, Holding, Quota
from storage.secrets import Vault
from tests.storage.rows import NOW, add_key, connection

QUOTA = Quota(messages=3, total_bytes=1000, recipients=2)


async def add_connection(tx: Transaction, vault: Vault) -> Connection:
    """Another connection, with a key and a thread of its own."""
    name = f"c{len(await connections.page(tx))}"
    made = connection(name, (await add_key(tx, vault, name)).verkey, thid=name)
    await connections.add(tx, made)
    return made


async def client(tx: Transaction, vault: Vault, *recipients: str) -> str:
    found = await add_connection(tx, vault)
    assert await mediation.add_client(tx, found.id, NOW, limit=100)
    for recipient in recipients:
        assert await mediation.add_recipient(tx, found.id, recipient, QUOTA, NOW) is Added.ADDED
    return found.id


async def put(tx: Transaction, to: str, recipient: str, envelope: bytes, number: int = 0) -> Holding:
    when = NOW + timedelta(seconds=number)
    return await mediation.hold(tx, to, recipient, envelope, QUOTA, when, id=f"{to}-{recipient}-{envelope.hex()[:40]}")


async def contents(tx: Transaction, of: str, **how: object) -> list[bytes]:
    wanted = {"limit": 100, "max_bytes": 10_000} | how
    return [held.envelope for held in await mediation.batch(tx, of, **wanted)]  # type: ignore[arg-type]


async def test_queues_keep_their_order_and_stay_apart(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada, ben = await client(tx, vault, "a"), await client(tx, vault, "b")
        for number, (to, recipient, content) in enumerate([(ada, "a", b"1"), (ben, "b", b"2"), (ada, "a", b"3")]):
            assert await put(tx, to, recipient, content, number) is Holding.HELD
        assert await contents(tx, ada) == [b"1", b"3"]
        assert await contents(tx, ben) == [b"2"]


async def test_acknowledging_takes_away_only_ones_own(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada, ben = await client(tx, vault, "a"), await client(tx, vault, "b")
        await put(tx, ada, "a", b"1")
        (held,) = await mediation.batch(tx, ada, limit=10, max_bytes=100)
        assert await mediation.acknowledge(tx, ben, [held.id]) == 0
        assert await contents(tx, ada) == [b"1"]
        assert await mediation.acknowledge(tx, ada, [held.id, "unknown"]) == 1
        assert await mediation.times(tx, ada) == (0, 0, None, None)


async def test_the_same_envelope_for_the_same_recipient_is_held_once(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada = await client(tx, vault, "a", "a2")
        assert await put(tx, ada, "a", b"1") is Holding.HELD
        assert await put(tx, ada, "a", b"1") is Holding.KNOWN
        assert await put(tx, ada, "a2", b"1") is Holding.HELD, "each recipient has its own"
        assert len(await contents(tx, ada)) == 2
        assert await contents(tx, ada, recipient="a2") == [b"1"]


async def test_a_client_has_so_many_messages_and_bytes_and_recipients(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada = await client(tx, vault, "a", "a2")
        assert await mediation.add_recipient(tx, ada, "a3", QUOTA, NOW) is Added.FULL
        assert await put(tx, ada, "a", b"x" * 600) is Holding.HELD
        assert await put(tx, ada, "a", b"y" * 600) is Holding.FULL, "bytes"
        assert await put(tx, ada, "a", b"1") is Holding.HELD
        assert await put(tx, ada, "a", b"2") is Holding.HELD
        assert await put(tx, ada, "a", b"3") is Holding.FULL, "messages"
        assert (await mediation.times(tx, ada))[:2] == (3, 602)


async def test_a_recipient_belongs_to_who_named_it_first(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada, ben = await client(tx, vault, "a"), await client(tx, vault)
        assert await mediation.add_recipient(tx, ben, "a", QUOTA, NOW) is Added.TAKEN
        assert await mediation.add_recipient(tx, ada, "a", QUOTA, NOW) is Added.KNOWN
        assert not await mediation.remove_recipient(tx, ben, "a")
        assert await mediation.remove_recipient(tx, ada, "a")
        assert await mediation.add_recipient(tx, ben, "a", QUOTA, NOW) is Added.ADDED


async def test_no_more_clients_than_there_may_be(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        first, second = await add_connection(tx, vault), await add_connection(tx, vault)
        assert await mediation.add_client(tx, first.id, NOW, limit=1)
        assert not await mediation.add_client(tx, second.id, NOW, limit=1)
        assert await mediation.add_client(tx, first.id, NOW, limit=1), "who is one already, stays one"


async def test_what_is_too_old_is_forgotten_and_counted_off(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada = await client(tx, vault, "a")
        await put(tx, ada, "a", b"1", 0)
        await put(tx, ada, "a", b"2", 10)
        assert await mediation.expire(tx, NOW + timedelta(seconds=5)) == 1
        assert await contents(tx, ada) == [b"2"]
        assert (await mediation.times(tx, ada))[:2] == (1, 1)
        assert await mediation.oldest(tx) == NOW + timedelta(seconds=10)


async def test_a_batch_has_so_many_bytes_but_never_nothing(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada = await client(tx, vault, "a")
        for content in (b"x" * 300, b"y" * 300, b"z"):
            await put(tx, ada, "a", content)
        assert await contents(tx, ada, max_bytes=10) == [b"x" * 300]
        assert await contents(tx, ada, max_bytes=600) == [b"x" * 300, b"y" * 300]
        assert await contents(tx, ada, limit=1) == [b"x" * 300]
        assert await contents(tx, ada, after=2) == [b"z"]


async def test_positions_are_never_given_twice(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada = await client(tx, vault, "a")
        await put(tx, ada, "a", b"1")
        (first,) = await mediation.batch(tx, ada, limit=1, max_bytes=100)
        await mediation.acknowledge(tx, ada, [first.id])
        await put(tx, ada, "a", b"2")
        (second,) = await mediation.batch(tx, ada, limit=1, max_bytes=100)
        assert second.position > first.position
        assert await mediation.last_position(tx, ada) == second.position


async def test_an_ended_client_leaves_nothing(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada = await client(tx, vault, "a")
        await put(tx, ada, "a", b"1")
        await mediation.end_client(tx, ada)
        assert await mediation.recipient_of(tx, "a") is None
        for table in ("mediated_messages", "mediated_recipients", "mediation_clients"):
            assert await tx.one(f"SELECT 1 FROM {table}") is None


class _Planned:
    """A transaction that also asks how each statement is carried out."""

    row_lock = ""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.steps: list[tuple[str, str]] = []

    async def execute(self, sql: str, params: tuple[object, ...] = ()) -> int:
        await self._explain(sql, params)
        return await self._tx.execute(sql, params)  # type: ignore[arg-type]

    async def execute_many(self, sql: str, rows: list[tuple[object, ...]]) -> int:
        await self._explain(sql, rows[0])
        return await self._tx.execute_many(sql, rows)  # type: ignore[arg-type]

    async def one(self, sql: str, params: tuple[object, ...] = ()) -> Row | None:
        await self._explain(sql, params)
        return await self._tx.one(sql, params)  # type: ignore[arg-type]

    async def all(self, sql: str, params: tuple[object, ...] = ()) -> list[Row]:
        await self._explain(sql, params)
        return await self._tx.all(sql, params)  # type: ignore[arg-type]

    async def _explain(self, sql: str, params: tuple[object, ...]) -> None:
        for row in await self._tx.all(f"EXPLAIN QUERY PLAN {sql}", params):  # type: ignore[arg-type]
            self.steps.append((sql, row["detail"]))


Work = Callable[[Transaction, str], Awaitable[object]]
EACH_DAY: dict[str, Work] = {
    "hold": lambda tx, to: put(tx, to, "a", b"new"),
    "count": mediation.times,
    "count of one recipient": lambda tx, to: mediation.times(tx, to, "a"),
    "pick up": lambda tx, to: mediation.batch(tx, to, limit=10, max_bytes=100),
    "pick up for one recipient": lambda tx, to: mediation.batch(tx, to, limit=10, max_bytes=100, recipient="a"),
    "pick up live": lambda tx, to: mediation.batch(tx, to, limit=10, max_bytes=100, after=1),
    "acknowledge": lambda tx, to: mediation.acknowledge(tx, to, [f"{to}-a-31"]),
    "find whose it is": lambda tx, _to: mediation.recipient_of(tx, "a"),
    "expire": lambda tx, _to: mediation.expire(tx, NOW + timedelta(seconds=5)),
    "oldest": lambda tx, _to: mediation.oldest(tx),
}


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)  # PostgreSQL scans a table of one row, and rightly
@pytest.mark.parametrize("name", EACH_DAY)
async def test_nothing_is_found_by_looking_at_the_messages_of_others(name: str, store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        ada = await client(tx, vault, "a")
        await put(tx, ada, "a", b"1")
        planned = _Planned(tx)
        await EACH_DAY[name](planned, ada)  # type: ignore[arg-type]
    assert planned.steps
    for sql, step in planned.steps:
        assert not step.startswith("SCAN") or "CONSTANT ROW" in step, (sql, step)
        assert "TEMP B-TREE" not in step, (sql, step)
