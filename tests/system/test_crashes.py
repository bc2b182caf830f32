"""SIGKILL at every step of a record's way, and a network that repeats and reorders: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from protocols.didcomm.message import Wire
from tests.system.processes import (
    Handle,
    Network,
    Peer,
    Template,
    expect_nothing_lost_or_doubled,
    journey,
    network,
    shuffled,
)

pytestmark = pytest.mark.system

# The messages of the journey in the order in which each can first be sent: what, from whom, to whom.
MESSAGES = [
    ("didexchange request", "learner", "college"),
    ("didexchange response", "college", "learner"),
    ("didexchange complete", "learner", "college"),
    ("offer-credential", "college", "learner"),
    ("request-credential", "learner", "college"),
    ("issue-credential", "college", "learner"),
    ("issue-credential ack", "learner", "college"),
    ("second didexchange request", "learner", "employer"),
    ("second didexchange response", "employer", "learner"),
    ("second didexchange complete", "learner", "employer"),
    ("request-presentation", "employer", "learner"),
    ("presentation", "learner", "employer"),
    ("present-proof ack", "employer", "learner"),
]
MOMENTS = ("receiver before it arrives", "receiver after it answered", "sender before it hears")
NAMES = [what for what, _, _ in MESSAGES]
# Two nodes meet in v1 and go on in v2. With v1 kept, what is not of DID Exchange goes another way; the codec differs,
# the rest does not, so the one moment that leads to a repeated delivery is enough.
WALK = [(name, moment, Wire.V2) for name in NAMES for moment in MOMENTS] + [
    (name, MOMENTS[1], Wire.V1) for name in NAMES if "didexchange" not in name
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    made = Template(tmp_path_factory.mktemp("template"))
    asyncio.run(made.make())
    return made


def kill_once(net: Network, number: int, moment: str, killed: list[str]) -> Handle:
    """Kill one side of the message with this number, start it again, and note who it was."""
    seen: set[bytes] = set()
    _what, sender, receiver = MESSAGES[number]
    peers = {peer.name: peer for peer in net.peers}

    async def kill(name: str) -> None:
        await peers[name].kill()
        killed.append(name)
        net.later(peers[name].start())

    async def handle(peer: Peer, body: bytes) -> int:
        if len(seen) > number or body in seen:
            return await net.forward(peer, body)
        seen.add(body)
        if len(seen) <= number:
            return await net.forward(peer, body)
        assert peer.name == receiver, f"message {number} goes to {peer.name}"
        if moment == MOMENTS[0]:
            await kill(receiver)
            return 502
        status = await net.forward(peer, body)
        await kill(receiver if moment == MOMENTS[1] else sender)
        return 502 if moment == MOMENTS[1] else status

    return handle


@pytest.mark.parametrize(("name", "moment", "wire"), WALK, ids=[f"{n}, {m}, {w.name}" for n, m, w in WALK])
async def test_a_node_killed_at_any_step_finishes_the_exchange_after_its_restart(
    template: Template, tmp_path: Path, name: str, moment: str, wire: Wire
) -> None:
    killed: list[str] = []
    async with network(template, tmp_path, lambda net: kill_once(net, NAMES.index(name), moment, killed)) as net:
        await journey(net, wire=wire)
    assert len(killed) == 1


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [4, 5, 6], ids=lambda number: MESSAGES[number][0])
async def test_a_node_killed_while_two_records_are_exchanged_together_has_both_once(
    template: Template, tmp_path: Path, number: int, moment: str
) -> None:
    killed: list[str] = []
    async with network(template, tmp_path, lambda net: kill_once(net, number, moment, killed)) as net:
        await journey(net, together=2)
    assert len(killed) == 1


@pytest.mark.parametrize("wire", Wire, ids=lambda wire: wire.name)
async def test_every_message_delivered_again_and_again_changes_nothing(
    template: Template, tmp_path: Path, wire: Wire
) -> None:
    bodies: list[tuple[Peer, bytes]] = []

    def repeat(net: Network) -> Handle:
        async def handle(peer: Peer, body: bytes) -> int:
            bodies.append((peer, body))
            status = await net.forward(peer, body)
            assert await net.forward(peer, body) == status, "a repetition is answered alike"
            return status

        return handle

    async with network(template, tmp_path, repeat) as net:
        await journey(net, wire=wire)
        before = {peer.name: peer.count("exchanges") for peer in net.peers}
        for peer, body in random.Random(7).sample(bodies, len(bodies)):
            await net.forward(peer, body)
        assert {peer.name: peer.count("exchanges") for peer in net.peers} == before
        expect_nothing_lost_or_doubled(net, 1)


@pytest.mark.parametrize(("seed", "wire"), [(11, Wire.V2), (12, Wire.V2), (13, Wire.V2), (12, Wire.V1)])
async def test_nodes_killed_at_random_moments_finish_everything(
    template: Template, tmp_path: Path, seed: int, wire: Wire
) -> None:
    chance = random.Random(seed)
    killed: list[str] = []

    def through(net: Network) -> Handle:
        return net.forward

    async def strike(net: Network, enough: asyncio.Event) -> None:
        while not enough.is_set():
            await asyncio.sleep(chance.uniform(0.05, 0.3))
            victim = chance.choice(net.peers)
            await victim.kill()
            killed.append(victim.name)
            await victim.start()

    async with network(template, tmp_path, through) as net:
        enough = asyncio.Event()
        striking = asyncio.create_task(strike(net, enough))
        try:
            await journey(net, records=2, wire=wire)
        finally:
            enough.set()
            await striking
    assert killed


@pytest.mark.parametrize(("seed", "wire"), [(1, Wire.V2), (2, Wire.V2), (3, Wire.V2), (1, Wire.V1)])
async def test_messages_that_arrive_in_any_order_and_twice_give_the_same(
    template: Template, tmp_path: Path, seed: int, wire: Wire
) -> None:
    async with network(template, tmp_path, shuffled(random.Random(seed))) as net:
        await journey(net, records=3, wire=wire)
