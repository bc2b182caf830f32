"""The nodes of a test; they stop when it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.app import Node
from storage.connections import Connection
from tests.node.nodes import Nodes, connect
from tests.node.wire_peer import WirePeer
from tests.node.wire_peer_v2 import WirePeerV2
from tests.opening import KEY


@pytest.fixture
async def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Nodes]:
    """Its parameter, where it has one, is what opens them."""
    made = Nodes(tmp_path, secret=getattr(request, "param", KEY))
    yield made
    await made.stop_all()


@dataclass
class Town:
    """A college, a learner who says yes to everything, an employer who trusts the college, and who knows whom."""

    nodes: Nodes
    college: Node
    learner: Node
    employer: Node
    college_to_learner: Connection
    employer_to_learner: Connection


async def build_town(nodes: Nodes, *, automatic: bool) -> Town:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": automatic, "share_records": automatic})
    did = "did:web:" + college.config.node.endpoint.removeprefix("http://").replace(":", "%3A")
    employer = await nodes.make("employer", trust={"issuers": (did,)})
    to_learner, _ = await connect(college, learner)
    hiring, _ = await connect(employer, learner)
    return Town(nodes, college, learner, employer, to_learner, hiring)


@pytest.fixture
async def town(nodes: Nodes) -> Town:
    """Everything is answered by policy."""
    return await build_town(nodes, automatic=True)


@pytest.fixture
async def careful_town(nodes: Nodes) -> Town:
    """The learner decides in person."""
    return await build_town(nodes, automatic=False)


@pytest.fixture
async def peer() -> AsyncIterator[WirePeer]:
    """A peer that speaks the wire by itself."""
    made = WirePeer()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def modern() -> AsyncIterator[WirePeerV2]:
    """A peer that speaks DIDComm v2 by itself."""
    made = WirePeerV2()
    await made.start()
    yield made
    await made.stop()
