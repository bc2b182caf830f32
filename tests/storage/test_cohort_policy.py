"""A budget of epsilon is never overdrawn, whoever spends at the same time, and a question is paid for once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from storage import cohort_policy
from storage.cohort_policy import Asker, CohortPolicy, Kept
from storage.engine import Store
from storage.engines import open_store
from tests.storage.rows import NOW

RULES = CohortPolicy(minimum=10, period=30, budget=1000)


def asker(name: str, budget: int = 1000) -> Asker:
    return Asker(connection_id=name, per_question=1000, budget=budget, review=False, created=NOW)


async def spend(
    store: Store, name: str, who: Asker, *, question: str, epsilon: int = 300, days: float = 0
) -> str | None:
    wanted = Kept(
        id=name, question=question, connection_id=who.connection_id, epsilon=epsilon, asked=NOW + timedelta(days=days)
    )
    async with store.write() as tx:
        kept = await cohort_policy.spend(tx, wanted, who, RULES)
        return None if kept is None else kept.id


async def test_two_processes_together_never_spend_more_than_there_is(store: Store, place: str) -> None:
    other = await open_store(place)
    results = await asyncio.gather(
        *(
            spend(each, f"{at}{number}", asker(f"c{number}"), question=f"q{at}{number}")
            for at, each in enumerate((store, other))
            for number in range(6)
        )
    )
    async with store.read() as tx:
        total = await cohort_policy.spent(tx, cohort_policy.since(NOW, RULES))
    await other.close()
    assert (sum(result is not None for result in results), total) == (3, 900)


async def test_a_question_that_two_processes_are_asked_at_once_is_paid_for_once(store: Store, place: str) -> None:
    other = await open_store(place)
    results = await asyncio.gather(
        *(
            spend(each, f"{at}{number}", asker(f"c{number}"), question="q")
            for at, each in enumerate((store, other))
            for number in range(4)
        )
    )
    await other.close()
    assert len(set(results)) == 1
    assert None not in results


async def test_an_asker_has_a_budget_of_its_own_and_time_gives_it_back(store: Store) -> None:
    small = asker("small", budget=300)
    assert await spend(store, "1", small, question="a") == "1"
    assert await spend(store, "2", small, question="b") is None
    assert await spend(store, "3", asker("other"), question="b") == "3"
    assert await spend(store, "4", small, question="b", days=29.9) == "3", "paid for by another"
    assert await spend(store, "5", small, question="c", days=30.1) == "5"
    async with store.read() as tx:
        assert await cohort_policy.spent(tx, NOW - timedelta(days=1), "small") == 600


async def test_an_answer_that_is_kept_is_never_replaced(store: Store) -> None:
    await spend(store, "1", asker("a"), question="a")
    async with store.write() as tx:
        assert await cohort_policy.keep_answer(tx, "1", "first")
        assert not await cohort_policy.keep_answer(tx, "1", "second")
        assert (await cohort_policy.get(tx, "1")).answer == "first"
