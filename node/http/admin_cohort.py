"""Admin operations about cohorts: the part of the table, and what it calls."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from node.http import cohort_schemas as c
from node.http.admin_lookup import find_connection
from node.http.admin_operation import Call, Nothing, Operation
from node.http.admin_views import view_exchange
from node.http.schemas import Page
from node.roles.cohort_questions import Inquiry
from node.skills.cohort import Learner
from node.skills.private_counts import is_available
from protocols.cohort_counts.messages import Wanted, epsilon_of, epsilon_text
from protocols.errors import BadInput
from storage.cohort_policy import CohortPolicy
from storage.issued_by_learner import Which

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["COHORT_OPERATIONS"]

_MOST = 5


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


async def ask(node: Node, call: Call[Nothing, c.CohortQuestion]) -> c.CohortInquiry:
    """Ask peers.

    Raises:
        WrongState: ``connection.*``, ``framework.unknown``.
        BadInput: ``cohort.*``.
    """
    wanted = call.body
    if bool(wanted.skills) is (wanted.framework is not None):
        raise BadInput("cohort.no_skills", "A question names skills, or a framework.", "Give one of the two.")
    named = tuple(dict.fromkeys(wanted.skills))
    skills = named if wanted.framework is None else await node.cohort_questions.skills_of(wanted.framework)
    async with node.store.read() as tx:
        peers = [(await find_connection(tx, name)).id for name in wanted.connections]
    question = Wanted(
        skills=skills,
        epsilon=epsilon_of(wanted.epsilon),
        most=wanted.most or min(_MOST, len(skills)),
        purpose=wanted.purpose,
    )
    return _inquiry(await node.cohort_questions.ask(peers, question))


async def questions(node: Node, call: Call[c.CohortQuestionsQuery, Nothing]) -> Page[c.CohortInquiry]:
    """The questions that were asked last."""
    return Page(items=[_inquiry(each) for each in await node.cohort_questions.inquiries(call.query.limit)])


async def question(node: Node, call: Call[Nothing, Nothing]) -> c.CohortInquiry:
    """One question, with what was answered so far.

    Raises:
        WrongState: ``cohort_question.unknown``, ``cohort_question.ambiguous``.
    """
    return _inquiry(await node.cohort_questions.inquiry(call.id))


async def waiting(node: Node, call: Call[Nothing, Nothing]) -> Page[c.WaitingQuestion]:
    """The questions of peers that wait for a person here."""
    del call
    return Page(
        items=[
            c.WaitingQuestion(
                exchange=view_exchange(each.row, each.connection.their_label),
                skills=list(each.value.wanted.skills),
                epsilon=epsilon_text(each.value.wanted.epsilon),
                most=each.value.wanted.most,
                purpose=each.value.wanted.purpose,
            )
            for each in await node.cohort_answers.waiting()
        ]
    )


async def policy(node: Node, call: Call[Nothing, Nothing]) -> c.CohortPolicyView:
    """Who may ask, and what is spent."""
    del call
    return await _policy(node)


async def set_policy(node: Node, call: Call[Nothing, c.CohortPolicyToSet]) -> c.CohortPolicyView:
    """Set what holds for all askers.

    Raises:
        BadInput: ``cohort.epsilon``.
    """
    wanted = call.body
    old = (await node.cohort_answers.standing()).policy
    await node.cohort_answers.set_policy(
        CohortPolicy(
            minimum=wanted.minimum or old.minimum,
            period=wanted.period or old.period,
            budget=old.budget if wanted.budget is None else epsilon_of(wanted.budget),
        )
    )
    return await _policy(node)


async def allow(node: Node, call: Call[Nothing, c.AskerToAllow]) -> c.CohortPolicyView:
    """Let a peer ask.

    Raises:
        WrongState: ``connection.unknown``, ``connection.ambiguous``.
        BadInput: ``cohort.epsilon``.
    """
    wanted = call.body
    per_question, budget = epsilon_of(wanted.per_question), epsilon_of(wanted.budget)
    async with node.store.read() as tx:
        peer = await find_connection(tx, wanted.connection)
    await node.cohort_answers.allow(peer.id, per_question=per_question, budget=budget, review=wanted.review)
    return await _policy(node)


async def refuse(node: Node, call: Call[Nothing, Nothing]) -> c.CohortPolicyView:
    """Let a peer ask no more.

    Raises:
        WrongState: ``connection.unknown``, ``cohort_asker.unknown``.
    """
    async with node.store.read() as tx:
        peer = await find_connection(tx, call.id)
    await node.cohort_answers.refuse(peer.id)
    return await _policy(node)


async def _policy(node: Node) -> c.CohortPolicyView:
    found = await node.cohort_answers.standing()
    return c.CohortPolicyView(
        minimum=found.policy.minimum,
        period=found.policy.period,
        budget=epsilon_text(found.policy.budget),
        spent=epsilon_text(found.spent),
        can_answer=is_available(),
        askers=[
            c.AllowedAsker(
                connection=peer.id,
                peer=peer.their_label,
                per_question=epsilon_text(asker.per_question),
                budget=epsilon_text(asker.budget),
                spent=epsilon_text(spent),
                review=asker.review,
            )
            for asker, peer, spent in found.askers
        ],
    )


def _inquiry(found: Inquiry) -> c.CohortInquiry:
    peers = [
        c.AskedPeer(
            exchange=view_exchange(each.row, each.peer.their_label),
            problem=each.value.problem,
            explain=each.value.explain,
            counted=None if each.value.given is None else _time(each.value.given.counted_at),
            minimum=None if each.value.given is None else each.value.given.minimum,
        )
        for each in found.asked
    ]
    return c.CohortInquiry(
        id=found.id,
        created=found.created,
        epsilon=epsilon_text(found.wanted.epsilon),
        most=found.wanted.most,
        purpose=found.wanted.purpose,
        peers=peers,
        skills=[msgspec.convert(each, c.SummedSkill, from_attributes=True) for each in found.skills],
    )


def _time(seconds: int) -> datetime | None:
    """None where a peer names a time that there is not."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


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
    Operation(
        name="askCohorts",
        method="POST",
        path="/admin/cohort/questions",
        summary="Ask peers how many learners have which skill; each answers with noise, if its owner allows it.",
        about="The answers come into the question, see GET. What epsilon is, and what it protects: docs/cohorts.md.",
        handler=ask,
        body=c.CohortQuestion,
        response=c.CohortInquiry,
        status=201,
    ),
    Operation(
        name="listCohortQuestions",
        method="GET",
        path="/admin/cohort/questions",
        summary="The questions that this node asked last, with the sums of what was answered.",
        handler=questions,
        query=c.CohortQuestionsQuery,
        response=Page[c.CohortInquiry],
    ),
    Operation(
        name="getCohortQuestion",
        method="GET",
        path="/admin/cohort/questions/{id}",
        summary="One question, how each peer answered, and the sums with bounds that hold in 95 % of cases.",
        handler=question,
        response=c.CohortInquiry,
    ),
    Operation(
        name="waitingCohortQuestions",
        method="GET",
        path="/admin/cohort/waiting",
        summary="The questions of peers that wait for a person here, at most a hundred.",
        about="Answer one with POST /admin/exchanges/{id}/accept or /decline.",
        handler=waiting,
        response=Page[c.WaitingQuestion],
    ),
    Operation(
        name="cohortPolicy",
        method="GET",
        path="/admin/cohort/policy",
        summary="Who may ask this node for counts, and how much of the budgets is spent.",
        handler=policy,
        response=c.CohortPolicyView,
    ),
    Operation(
        name="setCohortPolicy",
        method="POST",
        path="/admin/cohort/policy",
        summary="Set the smallest group, the budget of all askers together, and when it is back.",
        handler=set_policy,
        body=c.CohortPolicyToSet,
        response=c.CohortPolicyView,
    ),
    Operation(
        name="allowAsker",
        method="POST",
        path="/admin/cohort/askers",
        summary="Let a peer ask for counts, within a budget; instead of what it might before.",
        handler=allow,
        body=c.AskerToAllow,
        response=c.CohortPolicyView,
    ),
    Operation(
        name="refuseAsker",
        method="DELETE",
        path="/admin/cohort/askers/{id}",
        summary="Let a peer (by id or name of the connection) ask no more; what it has spent stays spent.",
        handler=refuse,
        response=c.CohortPolicyView,
    ),
)
