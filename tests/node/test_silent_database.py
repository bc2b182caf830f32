"""A node whose way to PostgreSQL goes silent says so, refuses with a code, and goes on by itself when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from node.app import Node
from node.roles.issuer import Award
from protocols.errors import NotNow
from tests.node.nodes import DEADLINE_SECONDS, WELDING, Nodes, connect, exchange_in, held
from tests.postgresql import new_store_url
from tests.silent_network import SilentNetwork

HASTY = {"statement_seconds": 2.0, "lock_seconds": 1.0, "idle_seconds": 2.0, "silence_seconds": 1.0}


@pytest.fixture
async def network() -> AsyncIterator[SilentNetwork]:
    async with SilentNetwork(new_store_url()) as network:
        yield network


async def ready(session: aiohttp.ClientSession, node: Node) -> int:
    async with session.get(f"{node.config.node.endpoint}/ready") as answer:
        return answer.status


async def test_a_node_outlasts_a_silence_of_its_database(nodes: Nodes, network: SilentNetwork) -> None:
    college = await nodes.make("college", issuer=True, database={"url": network.url, **HASTY})
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    async with aiohttp.ClientSession() as session:
        network.silent()
        with pytest.raises(NotNow) as caught:
            await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
        assert caught.value.code == "store.unreachable"
        assert await ready(session, college) == 503
        network.open()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await ready(session, college) != 200:
                await asyncio.sleep(0.05)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    assert (await exchange_in(college, offered.id)).state == "done"
    assert len(await held(learner)) == 1
