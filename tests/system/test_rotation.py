"""Either end of a connection takes new DIDs while the network loses, repeats and reorders: both agree in the end."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from pathlib import Path

import pytest

from protocols.did import peer4
from protocols.didcomm.message import Wire
from tests.system.processes import (
    ACHIEVEMENTS,
    Network,
    Peer,
    Template,
    connect,
    expect_done,
    network,
    once,
    shuffled,
)

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    made = Template(tmp_path_factory.mktemp("template"))
    asyncio.run(made.make())
    return made


async def names(peer: Peer) -> tuple[str, str]:
    """The DIDs of the one connection of a node, its own first."""
    ((mine, theirs),) = [
        (peer4.shortest(connection["myDid"]), peer4.shortest(connection["theirDid"]))
        for connection in (await peer.ask("GET", "/admin/connections"))["items"]
    ]
    return mine, theirs


async def rotate(peer: Peer, connection: str) -> str:
    """Take another DID, as soon as the last one is settled; the DID that is left."""
    left, _theirs = await names(peer)

    async def begin() -> bool:
        status, answer = await peer.call("POST", f"/admin/connections/{connection}/rotate")
        assert status < 400 or answer["code"] == "did_rotate.wrong_state", answer
        return status < 400

    await peer.eventually(begin)
    return left


async def agreed(net: Network, left: set[str]) -> bool:
    """Whether each end goes by what the other believes, and by no DID that it has left."""
    college, learner = await names(net.college), await names(net.learner)
    return college == learner[::-1] and not left & set(college)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("wire", Wire, ids=lambda wire: wire.name)
async def test_both_ends_agree_on_their_dids_whatever_the_network_does(
    template: Template, tmp_path: Path, wire: Wire, seed: int
) -> None:
    async with network(template, tmp_path, shuffled(random.Random(seed), lost=0.3)) as net:
        at_college = await connect(net.college, net.learner, wire)
        at_learner = (await net.learner.ask("GET", "/admin/connections"))["items"][0]["id"]
        left: set[str] = set()
        for number, achievement in enumerate(ACHIEVEMENTS):
            award = {"connection": at_college, "achievement": achievement}
            offer = await once(net.college, "/admin/credentials/offers", award, "issue-credential", after=number)
            left |= set(await asyncio.gather(rotate(net.college, at_college), rotate(net.learner, at_learner)))
            await net.learner.eventually(partial(agreed, net, left))
            await expect_done(net.college, offer)
        await net.settle()
        assert await agreed(net, left)
        assert len(left) == 2 * len(ACHIEVEMENTS)
        assert net.college.wires() == net.learner.wires() == {wire.value}
        assert net.learner.count("held_credentials") == len(ACHIEVEMENTS)
