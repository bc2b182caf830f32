"""A whole store on the other engine and back: every row is there, and nothing is numbered anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protocols.errors import WrongState
from storage import audit, moving, outbox
from storage.engine import Store
from storage.engines import open_store
from storage.invariants import check
from storage.sealing import Sealing
from storage.secrets import Vault
from tests.postgresql import new_store_url
from tests.storage.rows import NOW, add_exchange


async def fill(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_exchange(tx, vault)
        await audit.append(tx, at=NOW, event="e", actor="operator", subjects=("e1",), details={"Ä": 1})
    for number in range(600):  # more than a page
        await send(store, f"m{number}")


async def send(store: Store, name: str) -> None:
    async with store.write() as tx:
        await outbox.enqueue(
            tx, id=name, connection_id="c1", lane="c1", message=name.encode(), message_type="m", thid="t",
            wire="w", my_verkey=None, now=NOW,
        )  # fmt: skip


async def test_a_store_goes_to_the_other_engine_and_back(path: Path, tmp_path: Path, vault: Vault) -> None:
    sealing = Sealing(os.urandom(32), os.urandom)
    stores = [await open_store(place, create=True) for place in (path, new_store_url(), tmp_path / "back" / "store.db")]
    for store in stores:
        store.unlock(sealing)
    first, server, back = stores
    await fill(first, vault)
    there = await moving.copy(first, server)
    assert await moving.copy(server, back) == there
    assert {each.table: each.rows for each in there}["outbox"] == 600
    await send(server, "after")
    async with server.read() as tx:
        assert [broken async for broken in check(tx)] == []
        assert [message.id for message in await outbox.page(tx, after=599)] == ["m599", "after"]
        assert sorted(await tx.tables()) == sorted({*(each.table for each in there), "schema_version"})
    for store in stores:
        await store.close()


async def test_a_store_that_holds_something_is_not_written_over(store: Store, path: Path, vault: Vault) -> None:
    other = await open_store(path.parent / "other.db", create=True)
    for each in (store, other):
        each.unlock(Sealing(os.urandom(32), os.urandom))
        async with each.write() as tx:
            await add_exchange(tx, vault)
    with pytest.raises(WrongState) as caught:
        await moving.copy(store, other)
    assert caught.value.code == "store.not_empty"
    await other.close()
