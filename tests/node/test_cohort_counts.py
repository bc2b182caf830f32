"""A region asks colleges how many learners have a skill; each answers whom it allows, with noise, within a budget."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from node.app import Node
from node.roles.cohort_questions import Asked, Inquiry
from node.runtime.world import World
from node.skills.private_counts import error_bound
from protocols.cohort_counts.messages import Wanted
from protocols.errors import WrongState
from protocols.machine import Decision
from storage import audit, exchanges
from storage.cohort_policy import CohortPolicy
from storage.connections import Connection
from storage.engine import Transaction
from storage.exchanges import Filter
from tests.admin.helpers import administered
from tests.node.cohort_records import enrol, url_of
from tests.node.nodes import Clock, Nodes, connect, eventually
from tests.node.test_frameworks import import_csv

W, B = url_of("W"), url_of("B")
OFF = error_bound(1000, 1)


@dataclass
class Scene:
    """A region, a college with 300 welders and 3 brazers, and their connection as each has it."""

    region: Node
    college: Node
    at_region: Connection
    at_college: Connection

    async def allow(self, *, per_question: int = 1000, budget: int = 2000, review: bool = False) -> None:
        await self.college.cohort_answers.allow(
            self.at_college.id, per_question=per_question, budget=budget, review=review
        )

    async def ask(self, *skills: str, epsilon: int = 1000, most: int = 1) -> Asked:
        """Ask the college, and wait until it has answered or refused."""
        asked = await self.region.cohort_questions.ask(
            [self.at_region.id], Wanted(skills=skills or (W, B), epsilon=epsilon, most=most)
        )
        return (await answered(self.region, asked.id)).asked[0]

    async def spent(self) -> int:
        return (await self.college.cohort_answers.standing()).spent


async def answered(region: Node, question: str) -> Inquiry:
    async def probe(tx: Transaction) -> bool:
        rows = await exchanges.asked_together(tx, question)
        return all(row.state in {"done", "abandoned"} for row in rows)

    await eventually(region, probe)
    return await region.cohort_questions.inquiry(question)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def scene(nodes: Nodes, clock: Clock) -> Scene:
    world = World(clock=clock)
    region, college = await nodes.make("region", world=world), await nodes.make("college", issuer=True, world=world)
    at_college, at_region = await connect(college, region)
    await enrol(college, 300, ["W"])
    await enrol(college, 3, ["B"])
    return Scene(region, college, at_region, at_college)


def counts(asked: Asked) -> tuple[int | None, ...]:
    assert asked.value.given is not None, asked.value.problem
    return asked.value.given.counts


async def test_who_was_not_allowed_is_refused_and_costs_nothing(scene: Scene) -> None:
    asked = await scene.ask()
    assert (asked.row.state, asked.value.problem) == ("abandoned", "cohort.not_allowed")
    assert await scene.spent() == 0


async def test_who_is_allowed_gets_counts_with_noise_and_no_small_group(scene: Scene) -> None:
    await scene.allow()
    asked = await scene.ask()
    welders, brazers = counts(asked)
    # With a scale of 1, the noise is over 40 with a probability of less than 4e-18; the threshold of brazers is 12.
    assert welders is not None
    assert abs(welders - 300) <= 40
    assert brazers is None or brazers >= 10 + OFF
    assert asked.value.given is not None
    assert (asked.value.given.threshold, asked.value.given.minimum) == (10 + OFF, 10)
    assert await scene.spent() == 1000


async def test_the_same_question_has_the_same_answer_and_is_paid_once(scene: Scene) -> None:
    await scene.allow(budget=1000)
    first = await scene.ask(W, B)
    again = await scene.ask(B, W)
    assert counts(again) == counts(first)[::-1]
    assert await scene.spent() == 1000


async def test_questions_at_the_same_time_get_one_answer(scene: Scene) -> None:
    await scene.allow(budget=1000)
    both = await asyncio.gather(scene.ask(W), scene.ask(W), scene.ask(W))
    assert len({counts(each) for each in both}) == 1
    assert await scene.spent() == 1000


async def test_what_is_spent_is_spent_until_the_period_is_over(scene: Scene, clock: Clock) -> None:
    await scene.allow(budget=1500)
    first = await scene.ask(W)
    assert (await scene.ask(B)).value.problem == "cohort.budget_spent"
    assert (await scene.ask(B, epsilon=500)).row.state == "done"
    clock.advance(days=366)
    assert await scene.spent() == 0
    assert (await scene.ask(W)).value.given != first.value.given, "it is counted anew"
    assert await scene.spent() == 1000


async def test_a_budget_of_all_bounds_every_asker_and_a_question_has_its_own(scene: Scene) -> None:
    await scene.college.cohort_answers.set_policy(CohortPolicy(minimum=10, period=365, budget=700))
    await scene.allow()
    assert (await scene.ask(epsilon=1001)).value.problem == "cohort.epsilon_too_large"
    assert (await scene.ask(epsilon=701)).value.problem == "cohort.budget_spent"
    assert (await scene.ask(epsilon=700)).row.state == "done"


async def test_a_larger_minimum_holds_also_for_answers_that_are_kept(scene: Scene) -> None:
    await scene.allow()
    assert counts(await scene.ask(W)) != (None,)
    await scene.college.cohort_answers.set_policy(CohortPolicy(minimum=1000))
    assert counts(await scene.ask(W)) == (None,)


async def test_who_is_refused_later_is_answered_no_more(scene: Scene) -> None:
    await scene.allow()
    await scene.ask(W)
    await scene.college.cohort_answers.refuse(scene.at_college.id)
    assert (await scene.ask(W)).value.problem == "cohort.not_allowed"
    with pytest.raises(WrongState, match="no such cohort asker"):
        await scene.college.cohort_answers.refuse(scene.at_college.id)


async def test_a_person_can_look_at_each_question(scene: Scene) -> None:
    await scene.allow(review=True)
    for decide, state in (("approve", "done"), ("decline", "abandoned")):
        asked = await scene.region.cohort_questions.ask(
            [scene.at_region.id], Wanted(skills=(W if state == "done" else B,), epsilon=1000, most=1)
        )

        async def probe(tx: Transaction) -> str | None:
            waiting = await exchanges.page(tx, Filter(waiting_for=Decision.ANSWER_QUESTION.value))
            return waiting[0].id if waiting else None

        exchange_id = await eventually(scene.college, probe)
        (waiting,) = await scene.college.cohort_answers.waiting()
        assert (waiting.row.id, waiting.value.wanted.epsilon) == (exchange_id, 1000)
        assert await scene.spent() == (0 if state == "done" else 1000)
        if decide == "approve":
            await scene.college.cohort_answers.approve(exchange_id)
        else:
            await scene.college.cohort_answers.decline(exchange_id, "Not this one.")
        found = (await answered(scene.region, asked.id)).asked[0]
        assert found.row.state == state
        with pytest.raises(WrongState):
            await scene.college.cohort_answers.approve(exchange_id)


async def test_a_region_adds_up_what_several_colleges_answer(scene: Scene, nodes: Nodes) -> None:
    other = await nodes.make("other", issuer=True)
    at_other, at_region = await connect(other, scene.region)
    await enrol(other, 200, ["W"])
    await scene.allow()
    await other.cohort_answers.allow(at_other.id, per_question=1000, budget=1000, review=False)
    wanted = Wanted(skills=(W,), epsilon=1000, most=1)
    asked = await scene.region.cohort_questions.ask([scene.at_region.id, at_region.id], wanted)
    found = await answered(scene.region, asked.id)
    (welding,) = found.skills
    assert welding.count is not None
    assert abs(welding.count - 500) <= 80
    assert (welding.told_by, welding.kept_back_by) == (2, 0)
    assert welding.high - welding.low == 4 * error_bound(1000, 1, share=2)
    assert (await scene.region.cohort_questions.inquiry(asked.id[:8])).id == asked.id
    assert [each.id for each in await scene.region.cohort_questions.inquiries(5)] == [asked.id]


async def test_a_program_asks_over_the_api_and_a_framework_stands_for_its_skills(scene: Scene) -> None:
    await import_csv(scene.region, f"code,name,url\nW,Welding,{W}\n")
    async with administered(scene.college) as college, administered(scene.region) as region:
        allowed = await college.post("/admin/cohort/askers", connection=scene.at_college.id, perQuestion="0.5")
        assert [each["perQuestion"] for each in allowed["askers"]] == ["0.5"]
        asked = await region.post(
            "/admin/cohort/questions", connections=[scene.at_region.id], framework="crafts", epsilon="0.5"
        )
        await answered(scene.region, asked["id"])
        found = await region.get(f"/admin/cohort/questions/{asked['id']}")
        assert [each["skill"] for each in found["skills"]] == [W]
        assert found["skills"][0]["low"] <= 300 + 80
        assert (found["epsilon"], found["most"], found["peers"][0]["problem"]) == ("0.5", 1, None)
        assert (await college.get("/admin/cohort/policy"))["spent"] == "0.5"
        for body in (
            {"connections": [scene.at_region.id]},
            {"connections": [scene.at_region.id], "skills": [W], "framework": "crafts"},
            {"connections": [scene.at_region.id], "skills": [W], "epsilon": "0"},
        ):
            status, problem = await region.ask("POST", "/admin/cohort/questions", json=body)
            assert (status, problem["code"].split(".")[0]) == (400, "cohort")


async def test_what_is_spent_stands_in_the_trail(scene: Scene) -> None:
    await scene.allow()
    await scene.ask(W)
    async with scene.college.store.read() as tx:
        (entry,) = await audit.page(tx, event="cohort.epsilon_spent", limit=10)
        assert scene.at_college.id in entry.subjects
        assert len(await audit.page(tx, event="cohort-counts.done", limit=10)) == 1
