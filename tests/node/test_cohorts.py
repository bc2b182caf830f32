"""What an issuer is told exactly of its own learners."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from node.app import Node
from node.skills.cohort import Learner
from storage.credentials import IssuedState
from storage.issued_by_learner import Which
from tests.node.cohort_records import document, enrol, issue
from tests.node.nodes import Nodes

EVERYTHING = Which()


@pytest.fixture
async def college(nodes: Nodes) -> Node:
    return await nodes.make("college", issuer=True)


async def counted(node: Node, which: Which = EVERYTHING) -> dict[str, int]:
    return {each.skill.code or "": each.learners for each in (await node.cohorts.tally(which)).skills()}


async def test_a_learner_with_many_records_of_a_skill_counts_once(college: Node) -> None:
    await issue(college, *(document("did:example:ada", ["W", "B"]) for _ in range(5)))
    await issue(college, document("did:example:bo", ["W"]))
    tally = await college.cohorts.tally(EVERYTHING)
    assert (tally.learners, tally.records) == (2, 6)
    assert await counted(college) == {"W": 2, "B": 1}


async def test_what_is_taken_back_over_or_about_nobody_does_not_count(college: Node) -> None:
    await issue(college, document("did:example:ada", ["W"]), state=IssuedState.REVOKED)
    await issue(college, document("did:example:bo", ["W"]), state=IssuedState.SUSPENDED)
    await issue(college, document("did:example:cy", ["W"], validUntil="2020-01-01T00:00:00Z"))
    await issue(college, document(None, ["W"]))
    assert (await college.cohorts.tally(EVERYTHING)).learners == 0


async def test_a_class_is_told_by_achievement_and_by_when_it_was_issued(college: Node) -> None:
    now = datetime.now(UTC)
    await issue(college, document("did:example:ada", ["W"]), at=now - timedelta(days=400))
    await issue(college, document("did:example:bo", ["B"]), at=now)
    assert await counted(college, Which(since=now - timedelta(days=1))) == {"B": 1}
    assert await counted(college, Which(until=now - timedelta(days=1))) == {"W": 1}
    assert await counted(college, Which(achievement_id="urn:achievement")) == {"W": 1, "B": 1}
    assert await counted(college, Which(achievement_id="urn:other")) == {}


async def test_every_learner_comes_once_whatever_the_pages(college: Node) -> None:
    await enrol(college, 451, ["W"])
    await issue(college, *(document("did:example:ada", [f"S{number}"]) for number in range(250)))
    everybody = [learner async for learner in college.cohorts.learners(EVERYTHING)]
    assert len(everybody) == 452
    assert max(len(learner.skills) for learner in everybody) == 250
    last: Learner = everybody[99]
    rest = [learner.subject async for learner in college.cohorts.learners(EVERYTHING, after=last.place)]
    assert rest == [learner.subject for learner in everybody[100:]]
