"""A college and a learner as processes; killed when the test ends, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system.processes import Pair, make_pair


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    made = await make_pair(tmp_path)
    both = (made.college, made.learner)
    try:
        await asyncio.gather(*(node.relay.start() for node in both))
        await asyncio.gather(*(node.start() for node in both))
        yield made
    finally:
        await asyncio.gather(*(node.kill() for node in both))
        await asyncio.gather(*(node.relay.stop() for node in both))
