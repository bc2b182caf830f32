"""Each event reaches each webhook at least once, under one id, signed, in the order of what it is about."""

from __future__ import annotations

import asyncio
import base64
import re
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from node.app import Node
from node.events.emit import emit
from node.events.signature import signed_headers
from node.events.types import EVENT_TYPES, ExchangeChanged
from node.runtime.world import World
from protocols.errors import BadInput, WrongState
from storage import events, webhooks
from storage.engine import Transaction
from storage.webhooks import Backlog
from tests.node.conftest import Town
from tests.node.nodes import DEADLINE_SECONDS, Clock, Nodes, asks_for, connect, eventually, exchange_in, free_port, give
from tests.node.receivers import Delivery, Receiver, in_order

HASTY = {"first_retry_seconds": 0.02, "max_retry_seconds": 0.1, "max_attempts": 1000}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    await made.start()
    yield made
    await made.stop()


async def tell(node: Node, lane: str, state: str) -> None:
    """Let something happen to an exchange, as far as its readers can know."""
    async with node.store.write() as tx:
        data = ExchangeChanged(exchange_id=lane, connection_id="c", protocol="p", role="r", state=state)
        await emit(tx, node.world, data)


async def tell_each(node: Node, lanes: int, of_each: int) -> int:
    for number in range(of_each):
        for lane in range(lanes):
            await tell(node, f"lane-{lane}", str(number))
    return lanes * of_each


async def settled(node: Node, webhook_id: str) -> Backlog:
    """What is behind once nothing waits."""

    async def probe(tx: Transaction) -> Backlog | None:
        found = await webhooks.backlog(tx, webhook_id)
        return found if found.waiting == 0 else None

    return await eventually(node, probe)


def states(deliveries: list[Delivery], lane: str) -> list[str]:
    return [d.event["data"]["state"] for d in deliveries if d.lane == lane]


async def test_the_way_of_a_record_is_told_signed_in_order_and_without_personal_data(
    town: Town, receiver: Receiver
) -> None:
    college, _ = await town.college.webhooks.add(receiver.url)
    _, secret = await town.college.webhooks.rotate(college.id)
    secret_text = "whsec_" + base64.b64encode(secret).decode()
    record = await give(town.college, town.college_to_learner.id)
    await town.college.issuer.set_status(record.id, "revocation", True, None)
    await settled(town.college, college.id)
    assert in_order(receiver.taken)
    for delivery in receiver.seen:
        assert Webhook(secret_text).verify(delivery.body, delivery.headers) == delivery.event
    assert len({delivery.id for delivery in receiver.taken}) == len(receiver.taken)
    by_type: dict[str, list[Any]] = {}
    for delivery in receiver.taken:
        event = delivery.event
        assert event["specversion"] == "1.0"
        assert event["source"] == town.college.config.node.endpoint
        assert delivery.headers["content-type"] == "application/cloudevents+json"
        assert delivery.headers["webhook-id"] == event["id"]
        assert abs(int(delivery.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 300
        by_type.setdefault(event["type"], []).append(event["data"])
    of_issuing = [d["state"] for d in by_type["lernode.exchange.changed"] if d["protocol"] == "issue-credential"]
    assert of_issuing == ["offer-sent", "request-received", "credential-issued", "done"]
    assert [d["recordId"] for d in by_type["lernode.record.issued"]] == [record.id]
    assert [d["status"] for d in by_type["lernode.record.status_changed"]] == ["revoked"]
    everything = b"".join(delivery.body for delivery in receiver.seen)
    for personal in (b"learner", b"did:", b"Welding", b"http://localhost:", b"z6M"):
        assert personal not in everything.replace(town.college.config.node.endpoint.encode(), b"")


async def test_each_role_tells_what_its_systems_wait_for(town: Town, receiver: Receiver) -> None:
    for node in (town.learner, town.employer):
        await node.webhooks.add(receiver.url, ["records", "verifications", "consents"])
    await give(town.college, town.college_to_learner.id)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    assert (await exchange_in(town.employer, asked.id)).state == "done"
    await receiver.until(lambda r: len(r.taken) >= 3)
    said = {d.event["type"]: d.event["data"] for d in receiver.taken}
    assert set(said) == {"lernode.record.stored", "lernode.consent.given", "lernode.verification.completed"}
    assert said["lernode.verification.completed"]["verified"] is True
    assert said["lernode.consent.given"]["recordIds"] == [said["lernode.record.stored"]["recordId"]]


async def test_personal_data_is_told_only_where_the_configuration_asks_for_it(nodes: Nodes, receiver: Receiver) -> None:
    college = await nodes.make("college", issuer=True, events={"include": ("peer", "record")})
    learner = await nodes.make("learner", policy={"accept_offers": True})
    await college.webhooks.add(receiver.url, ["records"])
    to_learner, _ = await connect(college, learner)
    await give(college, to_learner.id)
    await receiver.until(lambda r: bool(r.taken))
    data = receiver.taken[0].event["data"]
    assert data["peer"]["label"] == "learner"
    assert data["record"]["name"] == "Structural Welding, Level 1"


async def test_a_receiver_that_is_down_gets_everything_in_order_once_it_is_back(nodes: Nodes) -> None:
    node = await nodes.make("college", webhooks=HASTY)
    receiver = Receiver()
    webhook, _ = await node.webhooks.add(receiver.url)
    count = await tell_each(node, lanes=3, of_each=4)

    async def failing(tx: Transaction) -> bool:
        return (await webhooks.backlog(tx, webhook.id)).error_code == "net.unreachable"

    await eventually(node, failing)
    await receiver.start()
    await settled(node, webhook.id)
    assert len(receiver.taken) == count
    assert in_order(receiver.taken)
    assert states(receiver.taken, "lane-1") == ["0", "1", "2", "3"]
    await receiver.stop()


async def test_what_was_put_off_by_a_clock_that_was_ahead_goes_on_when_it_is_set_back(nodes: Nodes) -> None:
    clock = Clock()
    clock.advance(hours=2)
    node = await nodes.make("college", world=World(clock=clock), webhooks=HASTY)
    receiver = Receiver()
    webhook, _ = await node.webhooks.add(receiver.url)
    count = await tell_each(node, lanes=2, of_each=2)

    async def failing(tx: Transaction) -> bool:
        return (await webhooks.backlog(tx, webhook.id)).error_code == "net.unreachable"

    await eventually(node, failing)
    clock.advance(hours=-2)
    await receiver.start()
    await settled(node, webhook.id)
    assert len(receiver.taken) == count
    await receiver.stop()


async def test_what_is_answered_500_is_sent_again_under_the_same_id_before_what_follows(nodes: Nodes) -> None:
    refused: dict[str, int] = {}

    def twice_500(delivery: Delivery) -> int:
        refused[delivery.id] = refused.get(delivery.id, 0) + 1
        return 204 if refused[delivery.id] > 2 else 500

    receiver = Receiver(twice_500)
    await receiver.start()
    node = await nodes.make("college", webhooks=HASTY)
    webhook, _ = await node.webhooks.add(receiver.url)
    await tell_each(node, lanes=2, of_each=3)
    await settled(node, webhook.id)
    assert sorted(refused.values()) == [3] * 6
    for lane in ("lane-0", "lane-1"):
        assert states(receiver.seen, lane) == [state for state in "012" for _ in range(3)]
    assert len({(d.id, d.body) for d in receiver.seen}) == 6, "an event is written the same each time"
    await receiver.stop()


async def test_a_receiver_that_is_slow_holds_up_neither_another_nor_more_than_a_few_requests(
    nodes: Nodes, receiver: Receiver
) -> None:
    hold = asyncio.Event()

    async def slow(_delivery: Delivery) -> int:
        await hold.wait()
        return 204

    slow_one = Receiver(slow)
    await slow_one.start()
    node = await nodes.make("college", webhooks=HASTY)
    late, _ = await node.webhooks.add(slow_one.url)
    prompt, _ = await node.webhooks.add(receiver.url)
    count = await tell_each(node, lanes=8, of_each=2)
    await settled(node, prompt.id)
    assert len(receiver.taken) == count
    assert len(slow_one.seen) <= 4
    hold.set()
    await settled(node, late.id)
    assert {d.id for d in slow_one.taken} == {d.id for d in receiver.taken}
    assert in_order(slow_one.taken)
    await slow_one.stop()


async def test_answers_that_come_in_any_order_change_no_order_of_a_lane(nodes: Nodes) -> None:
    waiting: list[asyncio.Event] = []

    async def newest_first(_delivery: Delivery) -> int:
        mine = asyncio.Event()
        waiting.append(mine)
        if len(waiting) == 4:
            for other in reversed(waiting):
                other.set()
                await asyncio.sleep(0)
            waiting.clear()
        await mine.wait()
        return 204

    receiver = Receiver(newest_first)
    await receiver.start()
    node = await nodes.make("college", webhooks=HASTY)
    webhook, _ = await node.webhooks.add(receiver.url)
    count = await tell_each(node, lanes=4, of_each=5)
    await settled(node, webhook.id)
    assert len(receiver.taken) == count
    assert in_order(receiver.taken)
    await receiver.stop()


async def test_a_receiver_that_is_gone_is_left_alone_until_an_operator_resumes_it(nodes: Nodes) -> None:
    receiver = Receiver(lambda _d: 410)
    await receiver.start()
    node = await nodes.make("college", webhooks=HASTY)
    webhook, _ = await node.webhooks.add(receiver.url)
    await tell(node, "lane", "0")

    async def stopped(tx: Transaction) -> bool:
        return (await webhooks.get(tx, webhook.id)).error_code == "webhook.gone"

    await eventually(node, stopped)
    await tell(node, "lane", "1")
    assert len(receiver.seen) == 1
    receiver.reply = lambda _d: 200
    await node.webhooks.resume(webhook.id)
    await settled(node, webhook.id)
    assert states(receiver.taken, "lane") == ["0"], "what happened while it was stopped is not sent by itself"
    await node.webhooks.replay(webhook.id, after=receiver.taken[0].id)
    await settled(node, webhook.id)
    assert states(receiver.taken, "lane") == ["0", "1"]
    await receiver.stop()


async def test_what_nobody_takes_is_given_up_and_can_be_sent_again(nodes: Nodes) -> None:
    def refuse_the_first(delivery: Delivery) -> int:
        return 500 if delivery.event["data"]["state"] == "0" else 204

    receiver = Receiver(refuse_the_first)
    await receiver.start()
    node = await nodes.make("college", webhooks=HASTY | {"max_attempts": 3})
    webhook, _ = await node.webhooks.add(receiver.url)
    await tell_each(node, lanes=1, of_each=3)
    assert (await settled(node, webhook.id)).dead == 1
    assert states(receiver.taken, "lane-0") == ["1", "2"]
    assert states(receiver.seen, "lane-0") == ["0", "0", "0", "1", "2"]
    receiver.reply = lambda _d: 204
    assert await node.webhooks.replay(webhook.id) == 1
    assert (await settled(node, webhook.id)).dead == 0
    assert states(receiver.taken, "lane-0") == ["1", "2", "0"]
    assert len({d.id for d in receiver.taken}) == 3
    await receiver.stop()


async def test_a_receiver_that_asks_for_time_is_given_it(nodes: Nodes) -> None:
    clock = Clock()
    receiver = Receiver()
    node = await nodes.make("college", world=World(clock=clock), webhooks=HASTY | {"max_retry_seconds": 3600})
    webhook, _ = await node.webhooks.add(receiver.url)
    busy = _BusyReceiver(receiver.port)
    await busy.start()
    await tell(node, "lane", "0")

    async def wake(tx: Transaction) -> datetime | None:
        found = await webhooks.backlog(tx, webhook.id)
        return await webhooks.next_wake(tx, webhook.id) if found.error_code == "webhook.http_503" else None

    assert (await eventually(node, wake)) - clock() > timedelta(seconds=500)
    await busy.stop()


class _BusyReceiver(Receiver):
    """Answers 503 with Retry-After."""

    def __init__(self, port: int) -> None:
        super().__init__(port=port)

    async def _take(self, request: Any) -> Any:
        from aiohttp import web

        return web.Response(status=503, headers={"Retry-After": "600"})


async def test_an_event_is_there_if_and_only_if_what_it_tells_of_is(nodes: Nodes, receiver: Receiver) -> None:
    node = await nodes.make("college")
    await node.webhooks.add(receiver.url)
    with pytest.raises(ZeroDivisionError):
        async with node.store.write() as tx:
            data = ExchangeChanged(exchange_id="e", connection_id="c", protocol="p", role="r", state="lost")
            await emit(tx, node.world, data)
            raise ZeroDivisionError
    await tell(node, "e", "kept")
    await receiver.until(lambda r: bool(r.taken))
    assert states(receiver.seen, "e") == ["kept"]


async def test_a_restart_sends_what_was_not_confirmed_under_the_same_id(nodes: Nodes) -> None:
    never = asyncio.Event()

    async def silent(_delivery: Delivery) -> int:
        await never.wait()
        return 204

    receiver = Receiver(silent)
    await receiver.start()
    node = await nodes.make("college", webhooks=HASTY)
    webhook, _ = await node.webhooks.add(receiver.url)
    await tell(node, "lane", "0")
    await receiver.until(lambda r: len(r.seen) == 1)
    await nodes.stop(node)
    receiver.reply = lambda _d: 204
    node = await nodes.again(node)
    await settled(node, webhook.id)
    assert {d.id for d in receiver.seen} == {d.id for d in receiver.taken}
    assert len(receiver.seen) == 2
    never.set()
    await receiver.stop()


async def test_while_a_secret_is_rotated_the_old_one_holds_for_a_day(nodes: Nodes, receiver: Receiver) -> None:
    clock = Clock()
    node = await nodes.make("college", world=World(clock=clock))
    webhook, first = await node.webhooks.add(receiver.url)
    _, second = await node.webhooks.rotate(webhook.id)
    old, new = ("whsec_" + base64.b64encode(secret).decode() for secret in (first, second))
    assert (await node.webhooks.test(webhook.id)).delivered
    clock.advance(hours=25)
    assert (await node.webhooks.test(webhook.id)).status == 204
    assert [(d.is_signed_with(old), d.is_signed_with(new)) for d in receiver.taken] == [(True, True), (False, True)]


async def test_no_secret_stands_in_the_store(nodes: Nodes, receiver: Receiver) -> None:
    node = await nodes.make("college")
    webhook, first = await node.webhooks.add(receiver.url)
    _, second = await node.webhooks.rotate(webhook.id)
    await nodes.stop(node)
    for path in node.home.iterdir():
        raw = path.read_bytes()
        for secret in (first, second):
            assert secret not in raw
            assert base64.b64encode(secret) not in raw


async def test_webhooks_that_cannot_be_are_refused_by_name(nodes: Nodes, receiver: Receiver) -> None:
    node = await nodes.make("college", webhooks={"max_webhooks": 1})
    for url, topics, code in (
        ("ftp://sis.example/", [], "net.scheme"),
        ("https://10.0.0.7/hook", [], "net.address_forbidden"),
        ("https://user:secret@sis.example/", [], "net.url"),
        (receiver.url, ["exchange"], "event.topic_unknown"),
    ):
        with pytest.raises(BadInput) as refused:
            await node.webhooks.add(url, topics)
        assert refused.value.code == code
    first, _ = await node.webhooks.add(receiver.url)
    with pytest.raises(WrongState) as full:
        await node.webhooks.add(receiver.url)
    assert full.value.code == "webhook.too_many"
    await tell(node, "lane", "0")
    await node.webhooks.remove(first.id)
    for call in (node.webhooks.remove, node.webhooks.rotate, node.webhooks.resume, node.webhooks.test):
        with pytest.raises(WrongState) as unknown:
            await call(first.id)
        assert unknown.value.code == "webhook.unknown"


async def test_forgotten_events_leave_their_numbers_behind_and_wait_for_webhooks(nodes: Nodes) -> None:
    clock = Clock()
    node = await nodes.make("college", world=World(clock=clock))
    await tell_each(node, lanes=1, of_each=3)
    webhook, _ = await node.webhooks.add("http://localhost:1/nobody")
    await tell(node, "lane-0", "awaited")
    clock.advance(days=1)
    async with node.store.write() as tx:
        assert await events.prune(tx, clock()) == 3
        (left,) = await events.page(tx, after=0)
        assert left.data["state"] == "awaited"
        await webhooks.remove(tx, webhook.id)
        assert await events.prune(tx, clock()) == 0, "the newest says where the next begins"
    await tell(node, "lane-0", "next")
    async with node.store.read() as tx:
        assert await events.bounds(tx) == (4, 5)


async def test_the_receiver_of_the_documentation_takes_each_event_once(nodes: Nodes, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "receiver.py").write_text(code, encoding="utf-8")
    node, port = await nodes.make("college", webhooks=HASTY), free_port()
    webhook, secret = await node.webhooks.add(f"http://localhost:{port}/")
    foreign, _ = await node.webhooks.add(f"http://localhost:{port}/", ["connections"])
    await tell(node, "lane", "0")
    arguments = (str(tmp_path / "receiver.py"), "whsec_" + base64.b64encode(secret).decode(), str(port))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            first = (await process.stdout.readline()).decode()
        await settled(node, webhook.id)
        await node.webhooks.replay(webhook.id, after="0")
        await settled(node, webhook.id)
        assert (await node.webhooks.test(webhook.id)).delivered
        assert (await node.webhooks.test(foreign.id)).status == 401
        async with asyncio.timeout(DEADLINE_SECONDS):
            second = (await process.stdout.readline()).decode()
    finally:
        process.kill()
        await process.wait()
    assert first.startswith("lernode.exchange.changed {")
    assert second == f'lernode.webhook.test {{"webhookId": "{webhook.id}"}}\n'


def test_a_signature_is_the_one_of_the_specification() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', [secret])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_type_of_event_has_its_own_name_and_a_documented_schema() -> None:
    assert len({kind.name for kind in EVENT_TYPES}) == len({kind.data for kind in EVENT_TYPES}) == len(EVENT_TYPES)
    for kind in EVENT_TYPES:
        assert kind.data.__doc__
