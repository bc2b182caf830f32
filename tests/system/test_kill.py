"""SIGKILL at every message of the journey: whoever dies, and when, everything happens once after the restart."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from tests.system.processes import Forward, NodeProcess, Pair

pytestmark = pytest.mark.system

# Message -> who gets it, and which of the messages to that node it is.
MESSAGES = {
    "connection request": ("college", 1),
    "connection response": ("learner", 1),
    "connection complete": ("college", 2),
    "offer": ("learner", 2),
    "credential request": ("college", 3),
    "credential": ("learner", 3),
    "credential ack": ("college", 4),
    "presentation request": ("learner", 4),
    "presentation": ("college", 5),
    "presentation ack": ("learner", 5),
}


class KillAt:
    """Kills once, at the message with this number."""

    def __init__(self, pair: Pair, receiver: NodeProcess, number: int, moment: str) -> None:
        self.struck = False
        self._receiver = receiver
        self._sender = pair.other(receiver)
        self._number = number
        self._moment = moment

    async def __call__(self, number: int, body: bytes, forward: Forward) -> int:
        if self.struck or number != self._number:
            return await forward(body)
        self.struck = True
        if self._moment == "receiver, before it gets the message":
            await self._receiver.restart()
            return 503
        if self._moment == "receiver, when the sender does not hear its answer":
            assert await forward(body) == 202
            await self._receiver.restart()
            return 503
        await self._sender.kill()
        answer = await forward(body)
        await self._sender.start()
        return answer


@pytest.mark.parametrize(
    "moment",
    [
        "receiver, before it gets the message",
        "receiver, when the sender does not hear its answer",
        "sender, right after it sent",
    ],
)
@pytest.mark.parametrize("message", MESSAGES)
async def test_a_kill_loses_and_doubles_nothing(pair: Pair, message: str, moment: str) -> None:
    name, number = MESSAGES[message]
    receiver = pair.college if name == "college" else pair.learner
    kill = KillAt(pair, receiver, number, moment)
    receiver.relay.on_message = kill
    await pair.journey()
    assert kill.struck
    await pair.expect_outcome()


@pytest.mark.parametrize("seed", range(5))
async def test_kills_at_any_moment_lose_and_double_nothing(pair: Pair, seed: int) -> None:
    random = Random(seed)
    kills = 0

    async def strike() -> None:
        nonlocal kills
        while True:
            await asyncio.sleep(random.uniform(0.01, 0.25))
            await random.choice([pair.college, pair.learner]).restart()
            kills += 1

    striking = asyncio.create_task(strike())
    try:
        await pair.connect()
        await pair.offer()
        await pair.learner.until_over("https://didcomm.org/issue-credential/2")
        await pair.request()
        await pair.college.until_over("https://didcomm.org/present-proof/2")
    finally:
        striking.cancel()
        await asyncio.wait({striking})
    for node in (pair.college, pair.learner):
        await node.restart()
    await pair.college.until_over("https://didcomm.org/issue-credential/2")
    await pair.learner.until_over("https://didcomm.org/present-proof/2")
    for node in (pair.college, pair.learner):
        await node.until_delivered()
    assert kills >= 1
    await pair.expect_outcome()
