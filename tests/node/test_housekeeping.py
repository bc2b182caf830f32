"""What is old is forgotten by itself, as far as the configuration says, and nothing that something else hangs on."""

from __future__ import annotations

from node.app import Node
from node.roles.issuer import Award
from node.roles.lifetime import Terms
from node.runtime.world import World
from protocols.didcomm.message import Wire
from storage import attached, exchanges, inbox, invitations, meta, outbox
from storage.engine import Transaction
from storage.exchanges import Filter
from tests.node.nodes import WELDING, Clock, Nodes, connect, eventually, exchange_in, give, held, settled, tables

FAR_FUTURE = {"exchanges_days": 10, "messages_days": 30, "documents_days": 5}


async def pinged(node: Node, connection_id: str) -> str:
    asked = await node.discovery.ask(connection_id, ["*"], 2)
    await exchange_in(node, asked.id, "done")
    return asked.id


async def test_exchanges_that_are_over_are_forgotten_and_those_of_records_and_connections_stay(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=World(clock=clock), retention=FAR_FUTURE)
    await settled(college)  # what is done by itself each day is done for today
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    await give(college, to_learner.id)
    forgotten = await pinged(college, to_learner.id)
    clock.advance(days=11)
    young = await pinged(college, to_learner.id)
    await settled(college)
    before = await tables(college.store)
    counted = await college.housekeeping.prune(dry_run=True)
    assert await tables(college.store) == before
    assert counted["exchanges"] == 1
    assert await college.housekeeping.prune() == counted
    async with college.store.read() as tx:
        left = {row.id for row in await exchanges.page(tx)}
        names = {row.protocol.split("/")[-2] for row in await exchanges.page(tx)}
    assert forgotten not in left
    assert young in left
    assert {"didexchange", "issue-credential"} <= names
    assert len(await held(learner)) == 1


async def test_by_default_no_exchange_is_ever_forgotten(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", world=World(clock=clock))
    learner = await nodes.make("learner")
    to_learner, _ = await connect(college, learner)
    await pinged(college, to_learner.id)
    clock.advance(days=36500)
    assert "exchanges" not in await college.housekeeping.prune()
    async with college.store.read() as tx:
        assert await exchanges.count(tx, Filter(connection_id=to_learner.id)) == 2


async def test_messages_that_were_given_up_or_seen_are_forgotten_and_waiting_ones_are_not(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", world=World(clock=clock), retention=FAR_FUTURE)
    await settled(college)
    now = clock()
    async with college.store.write() as tx:
        for name in ("dead", "waiting"):
            await outbox.enqueue(
                tx,
                id=name,
                connection_id=None,
                lane=name,
                message=b"{}",
                message_type="t",
                thid=name,
                wire="w",
                my_verkey="k",
                now=now,
            )
        await outbox.mark_failed(tx, "dead", "net.unreachable", None, 1)
        await inbox.seen(tx, "verkey", "old", now)
    clock.advance(days=31)
    async with college.store.write() as tx:
        await inbox.seen(tx, "verkey", "new", clock())
    counts = await college.housekeeping.prune()
    assert (counts["given_up_messages"], counts["seen_messages"]) == (1, 1)
    async with college.store.read() as tx:
        assert [message.id for message in await outbox.page(tx)] == ["waiting"]


async def test_invitations_that_are_over_are_forgotten_with_what_went_with_them(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=World(clock=clock), retention=FAR_FUTURE)
    await settled(college)
    award = Award(achievement_id=WELDING, name="Ada Byron")
    over = [await college.links.offer(award, Terms(expires_in=3600), wire=wire) for wire in Wire]
    taken_back = await college.peering.invite()
    async with college.store.write() as tx:
        await invitations.close(tx, taken_back.id)
    lasting = await college.links.offer(award, Terms(expires_in=86400 * 365), wire=Wire.V2)
    clock.advance(days=29)
    assert (await college.housekeeping.prune())["invitations"] == 0
    clock.advance(days=2)
    assert (await college.housekeeping.prune(dry_run=True))["invitations"] == 3
    assert (await college.housekeeping.prune())["invitations"] == 3
    async with college.store.read() as tx:
        assert [one.id for one in await invitations.page(tx)] == [lasting.id]
        assert [one.invitation_id for one in await attached.page(tx)] == [lasting.id]
        assert [await attached.find(tx, one.id) for one in over] == [None, None]


async def test_it_is_done_once_a_day_also_across_restarts(nodes: Nodes) -> None:
    clock = Clock()
    node = await nodes.make("college", world=World(clock=clock), retention=FAR_FUTURE)

    async def last(tx: Transaction) -> str | None:
        return await meta.get(tx, "housekeeping.last")

    first = await eventually(node, last)
    await nodes.stop(node)
    node = await nodes.again(node)
    async with node.store.write() as tx:
        await inbox.seen(tx, "verkey", "message", clock())
    assert await eventually(node, last) == first
    await nodes.stop(node)
    clock.advance(days=40)
    node = await nodes.again(node)

    async def later(tx: Transaction) -> bool:
        return await last(tx) != first

    await eventually(node, later)
    async with node.store.read() as tx:
        assert await tx.all("SELECT * FROM inbox") == []


async def test_a_clock_that_was_ahead_and_is_set_back_does_not_put_it_off(nodes: Nodes) -> None:
    clock = Clock()
    clock.advance(days=36500)
    node = await nodes.make("college", world=World(clock=clock))

    async def last(tx: Transaction) -> str | None:
        return await meta.get(tx, "housekeeping.last")

    ahead = await eventually(node, last)
    await nodes.stop(node)
    clock.advance(days=-36500)
    node = await nodes.again(node)

    async def again(tx: Transaction) -> bool:
        return await last(tx) != ahead

    await eventually(node, again)


async def test_vacuum_gives_the_space_back(nodes: Nodes) -> None:
    node = await nodes.make("college", issuer=True)
    path = node.home / "node.sqlite"
    async with node.store.write() as tx:
        await meta.put(tx, "large", "x" * 2_000_000)
    async with node.store.write() as tx:
        await meta.delete(tx, "large")
    await node.housekeeping.vacuum()
    assert path.stat().st_size < 1_500_000
    assert not any(b"xxxxxxxx" in each.read_bytes() for each in node.home.glob("node.sqlite*"))
