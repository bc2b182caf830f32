"""A network that repeats and reorders: whatever arrives however often and whenever, everything happens once."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from tests.system.processes import ISSUE, PRESENT, Forward, Pair, Relay

pytestmark = pytest.mark.system


class Repeating:
    """Delivers each message twice at once, and keeps it for later."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    async def __call__(self, _number: int, body: bytes, forward: Forward) -> int:
        self.kept.append(body)
        first, second = await asyncio.gather(forward(body), forward(body))
        return first if first == second else 500


class Shuffling:
    """Takes everything at once and delivers it in an order of its own; what comes too early it brings again."""

    def __init__(self, relay: Relay, random: Random) -> None:
        self.overtakings = 0
        self.lost = 0
        self._relay = relay
        self._random = random
        self._waiting: list[tuple[int, bytes, int]] = []
        self._bell = asyncio.Event()

    async def __call__(self, number: int, body: bytes, _forward: Forward) -> int:
        self._waiting.append((number, body, 0))
        self._bell.set()
        return 202

    async def deliver(self) -> None:
        while True:
            self._bell.clear()
            # Wait for more to choose from, as long as more keeps coming.
            try:
                async with asyncio.timeout(0.03 if self._waiting else None):
                    await self._bell.wait()
                if len(self._waiting) < 4:
                    continue
            except TimeoutError:
                pass
            number, body, tries = self._waiting.pop(self._random.randrange(len(self._waiting)))
            self.overtakings += any(other < number for other, _, _ in self._waiting)
            if await self._relay.forward(body) != 202:
                self.lost += tries > 50
                self._waiting.append((number, body, tries + 1))


async def test_every_message_twice_and_once_more_at_the_end(pair: Pair) -> None:
    networks = {node: Repeating() for node in (pair.college, pair.learner)}
    for node, network in networks.items():
        node.relay.on_message = network
    await pair.journey()
    for node, network in networks.items():
        assert len(network.kept) == 5
        for body in reversed(network.kept):
            assert await node.relay.forward(body) == 202
    for node in networks:
        await node.until_delivered()
    await pair.expect_outcome()


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_several_exchanges_at_once(pair: Pair, seed: int) -> None:
    number = 4
    await pair.connect()
    networks = [Shuffling(node.relay, Random(seed)) for node in (pair.college, pair.learner)]
    for node, network in zip((pair.college, pair.learner), networks, strict=True):
        node.relay.on_message = network
    delivering = [asyncio.create_task(network.deliver()) for network in networks]
    try:
        await pair.offer()
        await pair.learner.until_over(ISSUE)  # one record, so that policy can answer every request
        for _ in range(number - 1):
            await pair.offer()
            await pair.request()
        for node in (pair.learner, pair.college):
            await node.until_over(ISSUE, number)
            await node.until_over(PRESENT, number - 1)
            await node.until_delivered()
    finally:
        for task in delivering:
            task.cancel()
        await asyncio.wait(delivering)
    assert sum(network.overtakings for network in networks) > 0
    assert sum(network.lost for network in networks) == 0
    await pair.expect_outcome(number, number - 1)
