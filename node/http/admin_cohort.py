"""Admin operations about cohorts: the part of the table, and what it calls."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from node.http import cohort_schemas as c
from node.http.admin_operation import Call, Nothing, Operation
from node.http.schemas import Page
from node.skills.cohort import Learner
from protocols.errors import BadInput
from storage.issued_by_learner import Which

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["COHORT_OPERATIONS"]


async def skills(node: Node, call: Call[c.CohortQuery, Nothing]) -> c.CohortSkills:
    """Exact counts."""
    found = await node.cohorts.tally(_which(call.query))
    counted = [
        c.CohortSkill(
            name=each.skill.name,
            code=each.skill.code,
            framework=each.skill.framework,
            url=each.skill.url,
            learners=each.learners,
        )
        for each in found.skills()
    ]
    return c.CohortSkills(learners=found.learners, records=found.records, skills=counted)


async def learners(node: Node, call: Call[c.CohortLearnersQuery, Nothing]) -> Page[c.CohortLearner]:
    """A page of learners.

    Raises:
        BadInput: ``http.query_malformed`` where ``after`` is no place of a page.
    """
    after, limit = _place(call.query.after), call.query.limit
    items, last = list[c.CohortLearner](), b""
    async with aclosing(node.cohorts.learners(_which(call.query), after=after)) as found:
        async for learner in found:
            if len(items) == limit:
                return Page(items=items, next=last.hex())
            items.append(_view(learner))
            last = learner.place
    return Page(items=items)


def _which(query: c.CohortQuery) -> Which:
    return Which(achievement_id=query.achievement, since=query.since, until=query.until)


def _place(after: str | None) -> bytes | None:
    try:
        return None if after is None else bytes.fromhex(after)
    except ValueError:
        raise BadInput("http.query_malformed", "The query is wrong: `after`.", "Give `next` of a page.") from None


def _view(learner: Learner) -> c.CohortLearner:
    skills = [msgspec.convert(each, c.LearnersSkill, from_attributes=True) for each in learner.skills.values()]
    return c.CohortLearner(subject=learner.subject, name=learner.name, records=learner.records, skills=skills)


COHORT_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="cohortSkills",
        method="GET",
        path="/admin/cohort/skills",
        summary="How many learners have which skill by the records that this node issued, exactly.",
        about="For the issuer's own eyes: exact counts of few people tell about each of them. See docs/cohorts.md.",
        handler=skills,
        query=c.CohortQuery,
        response=c.CohortSkills,
    ),
    Operation(
        name="cohortLearners",
        method="GET",
        path="/admin/cohort/learners",
        summary="The learners that this node issued records about, each with the skills that these attest.",
        handler=learners,
        query=c.CohortLearnersQuery,
        response=Page[c.CohortLearner],
    ),
)
