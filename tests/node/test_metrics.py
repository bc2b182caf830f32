"""What a node counts is what happened, as Prometheus reads it."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from node.app import Node
from node.roles.issuer import Award
from node.runtime.world import World
from tests.node.conftest import Town
from tests.node.nodes import WELDING, Clock, Nodes, asks_for, connect, exchange_in, give, other_end
from tests.node.test_webhooks import HASTY, tell


async def scraped(node: Node) -> dict[tuple[str, str], float]:
    """Each sample by its name and the value of its label, where it has one."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{node.config.node.endpoint}/metrics") as response,
    ):
        text = await response.text()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, next(iter(sample.labels.values()), "")): sample.value for sample in samples}


async def test_records_and_verifications_are_counted_by_outcome(town: Town) -> None:
    await give(town.college, town.college_to_learner.id)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    await exchange_in(town.employer, asked.id)
    assert (await scraped(town.college))["lernode_records_issued_total", ""] == 1
    assert (await scraped(town.learner))["lernode_records_stored_total", ""] == 1
    assert (await scraped(town.employer))["lernode_verifications_total", "true"] == 1


async def test_what_waits_for_webhooks_and_for_people_is_seen_with_its_age(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=World(clock=clock), webhooks=HASTY)
    learner = await nodes.make("learner")
    await college.webhooks.add("http://localhost:1/nobody", ["exchanges"])
    await tell(college, "lane", "0")
    clock.advance(hours=1)
    seen = await scraped(college)
    assert seen["lernode_webhooks_waiting", ""] == 1
    assert 3600 <= seen["lernode_webhooks_oldest_seconds", ""] < 3700
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    await other_end(learner, offered, "offer-received")
    assert (await scraped(learner))["lernode_exchanges_waiting", ""] == 1


async def test_the_age_of_a_status_list_and_the_time_in_the_database_are_measured(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=World(clock=clock))
    await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
    clock.advance(days=2)
    seen = await scraped(college)
    assert 172_800 <= seen["lernode_status_list_age_seconds", "revocation"] < 172_900
    assert seen["lernode_database_seconds_total", ""] > 0
    assert seen["lernode_database_commits_total", ""] > 0
    again = await scraped(college)
    assert again["lernode_database_statements_total", ""] > seen["lernode_database_statements_total", ""]
