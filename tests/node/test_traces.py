"""What belongs together is one trace, also across nodes where that is allowed, and a trace tells nothing of people."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest

from node.app import Node
from node.http.admin import admin_app
from node.http.admin_socket import admin_socket_path, open_admin_socket
from node.roles.issuer import Award
from node.runtime.world import World
from protocols.didcomm import codec, trace_context
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import BadInput
from tests.node.collectors import Collector, Seen
from tests.node.nodes import (
    WELDING,
    Nodes,
    connect,
    exchange_in,
    free_port,
    make_home,
    other_end,
    settings,
    settled,
)
from tests.opening import KEY, PASSPHRASE

NAME, MAIL = "Zebulon Quartermain", "zebulon@quartermain.example"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    await made.start()
    yield made
    await made.stop()


def tracing(collector: Collector, **more: Any) -> dict[str, Any]:
    return {"endpoint": collector.url, **more}


async def give_with_traces(
    nodes: Nodes, collector: Collector, told: list[PlainMessage] | None = None, **more: Any
) -> tuple[str, str]:
    """Offer a record over the admin API and wait for its ack; the instances of the college and of the learner."""

    def witness(way: str, message: PlainMessage) -> None:
        if told is not None and way == "received":
            told.append(message)

    world = World(witness=witness)
    college = await nodes.make("college", issuer=True, tracing=tracing(collector, **more), world=world)
    learner = await nodes.make(
        "Wilhelmina-Learner", policy={"accept_offers": True}, tracing=tracing(collector, **more), world=world
    )
    to_learner, _ = await connect(college, learner)
    offered = await ask(
        college,
        "/admin/credentials/offers",
        {"connection": to_learner.id, "achievement": WELDING, "name": NAME, "email": MAIL},
    )
    await exchange_in(college, offered["id"])
    await settled(learner)
    await nodes.stop_all()
    spans = collector.spans
    of_college = next(span.instance for span in spans if span.name == "offerRecord")
    of_learner = next(span.instance for span in spans if span.instance != of_college)
    return of_college, of_learner


async def ask(node: Node, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Call the admin API of a node over its socket."""
    app = admin_app(node, token=None)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    opened = await open_admin_socket(runner, node.home)
    try:
        connector = aiohttp.UnixConnector(str(admin_socket_path(node.home)))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"http://node{path}", json=body, headers=headers) as response,
        ):
            answer: dict[str, Any] = await response.json()
    finally:
        await opened.close()
        await runner.cleanup()
    return answer


def under(spans: list[Seen], root: Seen) -> list[Seen]:
    return sorted((span for span in spans if span.trace == root.trace), key=lambda span: span.begun)


@pytest.mark.parametrize("nodes", [PASSPHRASE], ids=["passphrase"], indirect=True)
async def test_one_trace_spans_both_nodes_from_the_offer_to_its_ack(nodes: Nodes, collector: Collector) -> None:
    college, learner = await give_with_traces(nodes, collector, tell_peers=True, believe_peers=True)
    root = next(span for span in collector.spans if span.name == "offerRecord")
    assert root.parent == b""
    assert root.facts["http.route"] == "/admin/credentials/offers"
    assert root.facts["http.response.status_code"] == 201
    trace = under(collector.spans, root)
    by_id = {span.id: span for span in trace}
    assert all(span.parent in by_id for span in trace if span is not root), "no span is an orphan"
    assert {span.instance for span in trace} == {college, learner}
    delivered = [span.facts["lernode.message.type"] for span in trace if span.name == "deliver"]
    assert [kind.rsplit("/", 1)[1] for kind in delivered] == [
        "offer-credential",
        "request-credential",
        "issue-credential",
        "ack",
    ]
    received = [span for span in trace if span.name == "receive"]
    assert [span.instance for span in received] == [learner, college, learner, college]
    assert {span.facts["lernode.protocol"] for span in received} == {"https://didcomm.org/issue-credential/3"}
    (verified,) = (span for span in trace if span.name == "verify")
    assert verified.instance == learner
    assert verified.facts["lernode.verified"] is True
    assert any(span.name == "transaction" and by_id[span.parent].name == "receive" for span in trace)
    for word in (NAME, MAIL, "Wilhelmina", "did:", "Welding", PASSPHRASE):
        assert word.encode() not in collector.raw, f"a trace tells of people: {word}"


async def test_peers_are_told_of_no_trace_unless_that_is_allowed(nodes: Nodes, collector: Collector) -> None:
    told: list[PlainMessage] = []
    college, learner = await give_with_traces(nodes, collector, told, believe_peers=True)
    root = next(span for span in collector.spans if span.name == "offerRecord")
    assert {span.instance for span in under(collector.spans, root)} == {college}
    assert {span.instance for span in collector.spans} == {college, learner}
    assert told
    assert all("traceparent" not in msgspec.json.encode(message).decode() for message in told)


async def test_what_peers_say_of_a_trace_is_not_believed_unless_that_is_allowed(
    nodes: Nodes, collector: Collector
) -> None:
    told: list[PlainMessage] = []
    college, _learner = await give_with_traces(nodes, collector, told, tell_peers=True)
    root = next(span for span in collector.spans if span.name == "offerRecord")
    assert {span.instance for span in under(collector.spans, root)} == {college}
    assert any(trace_context.carried(message) for message in told)


async def test_a_failure_is_told_by_its_code_alone(nodes: Nodes, collector: Collector) -> None:
    college = await nodes.make("college", issuer=True, tracing=tracing(collector))
    await ask(college, "/admin/credentials/offers", {"connection": NAME, "achievement": WELDING}, traceparent=TRACE)
    await nodes.stop_all()
    (span,) = (each for each in collector.spans if each.name == "offerRecord")
    assert span.facts["error.type"] == "connection.unknown"
    assert span.trace.hex() == TRACE.split("-")[1], "a client of the admin API says which trace it belongs to"
    assert NAME.encode() not in collector.raw


async def test_a_node_stops_in_time_though_its_collector_is_away(nodes: Nodes) -> None:
    endpoint = f"http://localhost:{free_port()}/v1/traces"
    college = await nodes.make("college", issuer=True, tracing={"endpoint": endpoint})
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    await other_end(learner, offered, "done")
    await nodes.stop(college)


@pytest.mark.parametrize("wire", list(Wire))
def test_a_message_carries_the_trace_that_it_was_given(wire: Wire) -> None:
    message = PlainMessage("https://didcomm.org/trust_ping/1.0/ping", "1", "1", wire=wire)
    assert trace_context.carried(message) is None
    plaintext = codec.encode(trace_context.carrying(message, TRACE))
    assert trace_context.carried(codec.decode(plaintext, wire)) == TRACE


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (TRACE.replace("00-", "cc-", 1) + "-what-a-later-version-adds", TRACE),
        (TRACE[:-2] + "03", TRACE),
        (TRACE + "-more", None),
        (TRACE.upper(), None),
        (TRACE.replace("00-", "ff-", 1), None),
        ("00-" + "0" * 32 + TRACE[35:], None),
        (TRACE[:36] + "0" * 16 + "-01", None),
        (TRACE + " ", None),
        (TRACE.replace("00-", "cc-", 1) + "-" + "a" * 1000, None),
        (NAME, None),
        (["00"], None),
        (None, None),
    ],
)
def test_what_is_no_trace_is_ignored(value: Any, read: str | None) -> None:
    message = PlainMessage("https://didcomm.org/trust_ping/1.0/ping", "1", "1", body={"~traceparent": value})
    assert trace_context.carried(message) == read


def test_a_node_without_traces_imports_nothing_for_them() -> None:
    found = "import sys, node.app, node.cli.main; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_where_opentelemetry_is_missing_the_node_says_how_to_get_it(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_home(tmp_path / "home", settings("college", free_port(), tracing={"endpoint": "http://localhost:1"}))
    monkeypatch.delitem(sys.modules, "node.runtime.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(BadInput) as caught:
        await Node.open(tmp_path / "home", KEY)
    assert caught.value.code == "config.tracing_missing"
    assert "lernode[tracing]" in caught.value.hint
