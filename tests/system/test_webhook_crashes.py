"""SIGKILL between the commit of an event and its delivery: each event arrives, under one id, in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.node.receivers import Delivery, Receiver, in_order
from tests.system.processes import Handle, Network, Template, connect, expect_done, network, once

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    made = Template(tmp_path_factory.mktemp("template"))
    asyncio.run(made.make())
    return made


def through(net: Network) -> Handle:
    return net.forward


@pytest.mark.parametrize("answered", [False, True], ids=["before the receiver answers", "after it answered"])
async def test_a_node_killed_while_it_tells_of_an_offer_tells_of_everything_after_its_restart(
    template: Template, tmp_path: Path, answered: bool
) -> None:
    async with network(template, tmp_path, through) as net:
        killed = asyncio.Event()

        async def reply(delivery: Delivery) -> int:
            if killed.is_set() or delivery.event["data"].get("state") != "offer-sent":
                return 204
            killed.set()
            if not answered:
                await net.college.kill()
                return 204
            net.later(net.college.kill())
            return 204

        receiver = Receiver(reply)
        await receiver.start()
        added = await net.college.ask("POST", "/admin/webhooks", {"url": receiver.url})
        at_college = await connect(net.college, net.learner)
        award = {"connection": at_college, "achievement": "weld-101"}
        offering = asyncio.create_task(once(net.college, "/admin/credentials/offers", award, "issue-credential"))
        async with asyncio.timeout(60):
            await killed.wait()
        await net.settle()
        assert net.college.process is not None
        await net.college.process.wait()
        await net.college.start()
        await expect_done(net.college, await offering)

        async def nothing_waits() -> bool:
            view = await net.college.ask("GET", f"/admin/webhooks/{added['webhook']['id']}")
            return bool(view["waiting"] == 0 and view["givenUp"] == 0)

        await net.college.eventually(nothing_waits)
        kept = (await net.college.ask("GET", "/admin/events?limit=1000"))["items"]
        taken = {delivery.id: delivery.event for delivery in receiver.taken}
        # What happened before there was a webhook is not told.
        first = min(delivery.sequence for delivery in receiver.taken)
        assert taken == {item["event"]["id"]: item["event"] for item in kept if item["sequence"] >= first}
        assert in_order(receiver.taken)
        assert all(delivery.is_signed_with(added["secret"]) for delivery in receiver.seen)
        await receiver.stop()
