"""Bits that flip in the file of a real store: named, or everything that is stored is what it was."""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from node.app import Node
from node.config import STORE_FILE
from node.runtime.soundness import last_checked
from node.runtime.world import World
from protocols.errors import LernodeError
from storage import invariants, meta
from storage.engine import TROUBLE, Store, Transaction
from storage.engines import open_store
from storage.invariants import Broken
from storage.moving import pages
from storage.secrets import Vault
from tests.node.nodes import Clock, Nodes, connect, eventually, give, settled
from tests.node.test_metrics import scraped
from tests.opening import KEY

_FLIPS = 60


@pytest.fixture
async def college(nodes: Nodes) -> Node:
    """A node with four records that it issued, and stopped, so that everything is in its file."""
    made = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(made, learner)
    for _ in range(4):
        await give(made, to_learner.id)
    await settled(made)
    await nodes.stop(made)
    return made


async def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row."""
    async with store.read() as tx:
        return {table: [tuple(row) async for page in pages(tx, table) for row in page] for table in await tx.tables()}


async def looked_at(path: Path) -> tuple[list[str], dict[str, list[tuple[Any, ...]]]]:
    """What is said to be wrong with a store; what is in it, where nothing is."""
    try:
        store = await open_store(path)
    except LernodeError as error:
        return [error.code], {}
    try:
        await Vault.unlock(store, KEY)
        async with store.read() as tx:
            found: list[str | Broken] = [*await tx.damage()]
            found += [broken async for broken in invariants.check(tx)]
        return [str(each) for each in found], {} if found else await contents(store)
    except LernodeError as error:
        return [error.code], {}
    finally:
        await store.close()


async def test_a_flipped_bit_is_named_or_changes_nothing_that_is_stored(college: Node, tmp_path: Path) -> None:
    whole = (college.home / STORE_FILE).read_bytes()
    found, truth = await looked_at(shutil.copy(college.home / STORE_FILE, tmp_path / "whole.db"))
    assert found == []
    assert truth["issued_credentials"] and truth["audit"]
    chance = random.Random(5)
    written = [place for place, byte in enumerate(whole) if byte]
    named = 0
    for number, place in enumerate(chance.sample(written, _FLIPS)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << chance.randrange(8)
        path = tmp_path / f"{number}.db"
        path.write_bytes(flipped)
        found, there = await looked_at(path)
        assert found or there == truth, f"byte {place}"
        named += bool(found)
    assert named


async def test_damage_in_the_middle_of_a_large_file_is_found_while_the_node_serves(nodes: Nodes) -> None:
    clock = Clock()
    made = await nodes.make("college", world=World(clock=clock), database={"check_first_mib": 0})
    async with made.store.write() as tx:
        for number in range(2000):
            await meta.put(tx, f"middle-{number:04}", "x" * 100)
    await nodes.stop(made)
    sound = await nodes.again(made)

    async def checked(tx: Transaction) -> bool:
        return await last_checked(tx) is not None

    await eventually(sound, checked)
    clock.advance(hours=1)
    assert 3600 <= (await scraped(sound))["lernode_database_checked_seconds", ""] < 3700
    await nodes.stop(sound)
    path = made.home / STORE_FILE
    whole = bytearray(path.read_bytes())
    size = int.from_bytes(whole[16:18], "big")
    start = whole.index(b"middle-1000") // size * size
    assert whole[start] in {10, 13}
    whole[start + 8 : start + 10] = b"\xff\xff"
    path.write_bytes(whole)
    served = await nodes.again(made)
    told = asyncio.Event()
    served.store.listen(TROUBLE, told.set)
    while (found := await served.readiness.problem()) is None:
        await told.wait()
    assert found.code == "store.corrupt"


async def test_a_node_does_not_start_on_a_file_whose_pages_do_not_fit_together(nodes: Nodes, college: Node) -> None:
    path = college.home / STORE_FILE
    whole = bytearray(path.read_bytes())
    size = int.from_bytes(whole[16:18], "big")
    for page in range(2, len(whole) // size):
        # A page of a tree whose cells lie where none can: of a table (13) or an index (10), each a leaf.
        if whole[page * size] in {10, 13} and int.from_bytes(whole[page * size + 3 : page * size + 5], "big") > 1:
            whole[page * size + 8 : page * size + 10] = b"\xff\xff"
            break
    path.write_bytes(whole)
    with pytest.raises(LernodeError) as caught:
        await nodes.again(college)
    assert caught.value.code == "store.corrupt"
