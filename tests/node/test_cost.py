"""What a record's way to its holder costs the stores: statements and round trips, which nothing may raise unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.app import Node
from node.roles.issuer import Award
from node.runtime.opening import open_node_store
from tests.node.nodes import DEADLINE_SECONDS, WELDING, Nodes, connect, held
from tests.postgresql import new_store_url


@pytest.fixture(params=["sqlite", "postgresql"])
async def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Nodes]:
    made = Nodes(tmp_path, new_store_url if request.param == "postgresql" else None)
    yield made
    await made.stop_all()


async def over(node: Node, records: int) -> None:
    """So many exchanges are done and nothing waits to be delivered; seen through a store of the test's own."""
    watching = await open_node_store(node.home, node.config)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            async with watching.read() as tx:
                done = await tx.all("SELECT 1 FROM exchanges WHERE state = 'done'")
                waits = await tx.all("SELECT 1 FROM outbox UNION ALL SELECT 1 FROM jobs WHERE state = 'queued'")
            if len(done) == records and not waits:
                break
            await asyncio.sleep(0.01)
    await watching.close()


def _spent(node: Node) -> tuple[int, int, int]:
    usage = node.store.usage
    return usage.statements, usage.round_trips, usage.commits


async def test_what_a_record_costs_is_bounded(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    spent = []
    for number in (1, 2):  # the first begins the status lists
        before = [_spent(node) for node in (college, learner)]
        await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
        for node in (college, learner):
            await over(node, number)
        after = [_spent(node) for node in (college, learner)]
        spent = [[b - a for a, b in zip(*both, strict=True)] for both in zip(before, after, strict=True)]
    assert len(await held(learner)) == 2
    for statements, round_trips, commits in spent:
        # Two messages each way and their deliveries; on PostgreSQL the learner verifies in a job. See docs/scaling.md.
        assert 0 < statements <= (95 if college.store.shared else 80)
        assert 0 < commits <= (12 if college.store.shared else 8)
        assert 0 < round_trips <= (150 if college.store.shared else 10)
