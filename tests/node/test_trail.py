"""The audit trail against who can write the store: cut off, written anew, signed by somebody else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from node.app import Node
from node.config import STORE_FILE
from node.roles.trail import HEADS_FILE
from node.runtime.world import World
from protocols.jose.jwt import sign_jwt
from protocols.keys import KeyPair, SoftwareSigner
from storage import audit, audit_heads
from storage.audit_heads import SignedHead
from storage.dids import DidPurpose
from storage.engine import Transaction
from tests.node.nodes import Clock, Nodes, eventually, settled
from tests.store_files import changed


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def node(nodes: Nodes, clock: Clock) -> Node:
    made = await nodes.make("college", issuer=True, world=World(clock=clock))
    await settled(made)
    return made


async def first_head(node: Node) -> SignedHead:
    return await eventually(node, audit_heads.latest)


async def note(node: Node, event: str = "tested") -> None:
    async with node.store.write() as tx:
        await audit.append(tx, at=node.world.clock(), event=event, actor="operator")


async def lines(node: Node) -> list[str]:
    """The file's lines, once it has as many as the store has signed heads."""
    file = node.home / HEADS_FILE

    async def all_of_them(tx: Transaction) -> list[str]:
        found = file.read_text(encoding="ascii").split() if file.exists() else []
        return found if len(found) == len(await audit_heads.page(tx)) else []

    return await eventually(node, all_of_them)


def doctor(home: Path, script: str) -> None:
    """Change the trail behind the node's back."""
    changed(home / STORE_FILE, f"DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; {script}")


async def test_a_node_signs_the_head_when_it_starts_and_every_day_something_happened(
    nodes: Nodes, node: Node, clock: Clock
) -> None:
    first = await first_head(node)
    assert await lines(node) == [first.statement]
    assert (node.home / HEADS_FILE).stat().st_mode & 0o777 == 0o600
    for days, entries in ((0.5, 1), (1, 2), (3, 2)):
        if days < 2:
            await note(node)
        clock.ahead = timedelta(days=days)
        await nodes.stop(node)
        node = await nodes.again(node)
        if entries > len(await lines(node)):

            async def more(tx: object) -> SignedHead | None:
                found = await audit_heads.latest(tx)  # type: ignore[arg-type]
                return found if found and found.seq > first.seq else None

            await eventually(node, more)
        await node.trail.verify()
        assert len(await lines(node)) == entries
    report = await node.trail.verify(await lines(node))
    assert report.whole
    assert report.heads == 4


async def test_a_head_that_was_signed_by_a_clock_that_was_ahead_puts_the_next_off_for_a_day_at_most(
    nodes: Nodes, node: Node, clock: Clock
) -> None:
    await first_head(node)
    clock.ahead = timedelta(days=300)
    await note(node)
    ahead = await node.trail.sign()
    assert ahead is not None
    await nodes.stop(node)
    clock.ahead = timedelta(0)
    node = await nodes.again(node)
    await note(node)
    await nodes.stop(node)
    node = await nodes.again(node)

    async def later(tx: Transaction) -> bool:
        found = await audit_heads.latest(tx)
        return found is not None and found.seq > ahead.seq and found.at < ahead.at

    await eventually(node, later)
    assert (await node.trail.verify()).whole


async def test_an_end_that_was_cut_off_is_noticed(nodes: Nodes, node: Node) -> None:
    await first_head(node)
    await note(node)
    signed = await node.trail.sign()
    assert signed is not None
    await nodes.stop(node)
    doctor(node.home, f"DELETE FROM audit WHERE seq = {signed.seq}; DELETE FROM audit_heads WHERE seq = {signed.seq};")
    node = await nodes.again(node)
    assert (await node.trail.verify()).whole, "the store alone cannot tell"
    report = await node.trail.verify([signed.statement])
    assert not report.whole
    assert [bad.seq for bad in report.bad_heads] == [signed.seq]


async def test_a_trail_written_anew_is_noticed(node: Node) -> None:
    signed = await first_head(node)
    async with node.store.read() as tx:
        entries = await audit.page(tx)
    doctor(node.home, "DELETE FROM audit;")
    async with node.store.write() as tx:
        for entry in entries:
            await audit.append(tx, at=entry.at, event=entry.event, actor="somebody else", subjects=entry.subjects)
    report = await node.trail.verify()
    assert report.broken_at is None, "the new chain is a chain"
    assert [bad.seq for bad in report.bad_heads] == [signed.seq]


async def test_the_first_broken_entry_is_named(node: Node) -> None:
    await first_head(node)
    for _ in range(3):
        await note(node)
    doctor(node.home, "UPDATE audit SET event = 'nothing' WHERE seq = 2;")
    report = await node.trail.verify()
    assert report.broken_at == 2
    assert not report.whole


async def test_heads_of_others_and_garbage_are_refused(node: Node) -> None:
    head = await first_head(node)
    async with node.store.read() as tx:
        did = (await node.identity.default(tx, DidPurpose.ISSUER)).did
        _, digest = await audit.head(tx)
    stranger = SoftwareSigner(KeyPair.from_seed(bytes(32)), f"{did}#key-1")
    claims = {"iss": did, "seq": head.seq, "head": digest.hex(), "iat": 1}
    forged = sign_jwt(claims, stranger, typ="lernode-audit-head+jwt")
    another_type = sign_jwt(claims, stranger, typ="jwt")
    report = await node.trail.verify([forged, another_type, "garbage", head.statement])
    assert [bad.reason for bad in report.bad_heads] == [
        "No key of this node signed it.", "It is not a signed head.", "It is not a signed head.",
    ]  # fmt: skip
