"""What did not arrive is seen by an operator and tried again: what was given up, and what waits."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from click.testing import CliRunner

from node.app import Node
from node.cli.main import cli
from node.roles.issuer import Award
from node.runtime.world import World
from storage import outbox
from storage.engine import Transaction
from tests.admin.helpers import Client, administered
from tests.admin.test_admin_api import conforms
from tests.node.nodes import CARPENTRY, WELDING, Clock, Nodes, connect, eventually, exchange_in, settled

PATH = "/admin/messages"


async def queue(node: Node, *words: str) -> Any:
    """``lernode queue`` beside the running node."""
    arguments = ["--home", str(node.home), "queue", *words, "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def tried(node: Node, count: int, attempts: int) -> None:
    async def probe(tx: Transaction) -> bool:
        return [m.attempts for m in await outbox.page(tx) if m.attempts >= attempts][count - 1 :] != []

    await eventually(node, probe)


async def look(client: Client, query: str) -> list[dict[str, Any]]:
    found = await client.get(f"{PATH}?{query}")
    assert conforms(found, PATH, "get")
    items: list[dict[str, Any]] = found["items"]
    return items


async def test_what_was_given_up_is_listed_and_arrives_in_order_once_it_is_tried_again(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True, delivery={"first_retry_seconds": 0.01, "max_attempts": 2})
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    await nodes.stop(learner)
    offers = [await college.issuer.offer(to_learner.id, Award(achievement_id=name)) for name in (WELDING, CARPENTRY)]
    await tried(college, 2, 2)
    async with administered(college) as client:
        assert await look(client, "state=waiting") == []
        first, second = await look(client, f"state=given-up&connection={to_learner.id}")
        page = await client.get(f"{PATH}?limit=1")
        assert page["items"] == [first]
        assert (await client.get(f"{PATH}?after={page['next']}"))["items"] == [second]
        assert (first["peer"], first["attempts"], first["nextAttempt"]) == ("learner", 2, None)
        assert first["type"].endswith("/offer-credential")
        assert first["error"] == "net.unreachable"
        shown = await queue(college, "--given-up")
        assert [each["id"] for each in shown["items"]] == [first["id"], second["id"]]
        both = {"message": first["id"], "connection": to_learner.id}
        status, problem = await client.ask("POST", f"{PATH}/retry", json=both)
        assert (status, problem["code"]) == (400, "outgoing_message.which")
        learner = await nodes.again(learner)
        again = await queue(college, "retry", "--peer", "learner")
        assert (again["givenUp"], again["hastened"]) == (2, 0)
        for offered in offers:
            assert (await exchange_in(college, offered.id)).state == "done"
        await settled(college)
        assert await look(client, "") == []
        status, problem = await client.ask("POST", f"{PATH}/retry", json={"message": first["id"]})
        assert (status, problem["code"]) == (404, "outgoing_message.unknown")


async def test_what_waits_for_hours_is_tried_at_once(nodes: Nodes) -> None:
    slow = {"first_retry_seconds": 10_000.0, "max_retry_seconds": 10_000.0}
    college = await nodes.make("college", issuer=True, world=World(clock=Clock()), delivery=slow)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    await nodes.stop(learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    await tried(college, 1, 1)
    await nodes.again(learner)
    async with administered(college) as client:
        (waiting,) = await look(client, "state=waiting")
        again = await client.post(f"{PATH}/retry", message=waiting["id"][:8])
        assert conforms(again, f"{PATH}/retry", "post")
        assert again == {"givenUp": 0, "hastened": 1}
    assert (await exchange_in(college, offered.id)).state == "done"
