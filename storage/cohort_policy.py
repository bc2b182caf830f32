"""Who may ask for counts of skills, what they may learn, and what was spent of that and answered.

Promises: what is spent is what was answered in the period that ends now, so that no span of that length has more than
its budget; one unit of work at a time, on whichever process, looks at what is left and spends it (:func:`spend`). What
was answered once is kept and never drawn anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.connections import ENDED
from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query
from storage.values import from_micros, to_micros

__all__ = [
    "Asker", "CohortPolicy", "Kept", "allow", "asker", "askers", "get", "keep_answer", "policy", "refuse", "set_policy",
    "since", "spend", "spent",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPolicy:
    """What holds for all askers; epsilon is in thousandths.

    Attributes:
        minimum: learners that a group should have to be told.
        period: days after which what was spent counts no more.
        budget: that all askers together may spend in a period.
    """

    minimum: int = 10
    period: int = 365
    budget: int = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A peer that may ask; epsilon is in thousandths.

    Attributes:
        per_question: of one question at most.
        budget: of all in a period.
        review: whether a person looks at each question.
    """

    connection_id: str
    per_question: int
    budget: int
    review: bool
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer, or what is spent on one that is being counted.

    Attributes:
        question: digest of what was asked.
        connection_id: who asked first.
        answer: JSON; None while it is counted.
    """

    id: str
    question: str
    connection_id: str
    epsilon: int
    asked: datetime
    answer: str | None = None


async def policy(tx: Transaction) -> CohortPolicy:
    """What holds for all askers."""
    row = await tx.one("SELECT * FROM cohort_policy WHERE id = 1")
    return (
        CohortPolicy()
        if row is None
        else CohortPolicy(minimum=row["minimum"], period=row["period"], budget=row["budget"])
    )


async def set_policy(tx: Transaction, wanted: CohortPolicy) -> None:
    """Let this hold for all askers from now on."""
    await tx.execute(
        "INSERT INTO cohort_policy (id, minimum, period, budget) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "minimum = excluded.minimum, period = excluded.period, budget = excluded.budget",
        (wanted.minimum, wanted.period, wanted.budget),
    )


async def allow(tx: Transaction, wanted: Asker) -> None:
    """Let a peer ask, so much; instead of what it might before."""
    await tx.execute(
        "INSERT INTO cohort_askers (connection_id, per_question, budget, review, created) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (connection_id) DO UPDATE SET per_question = excluded.per_question, budget = excluded.budget, "
        "review = excluded.review",
        (wanted.connection_id, wanted.per_question, wanted.budget, int(wanted.review), to_micros(wanted.created)),
    )


async def refuse(tx: Transaction, connection_id: str) -> None:
    """Let a peer ask no more.

    Raises:
        WrongState: ``cohort_asker.unknown``.
    """
    if not await tx.execute("DELETE FROM cohort_askers WHERE connection_id = ?", (connection_id,)):
        raise unknown("cohort asker")


async def asker(tx: Transaction, connection_id: str) -> Asker | None:
    """What a peer may ask; None where it may not."""
    row = await tx.one("SELECT * FROM cohort_askers WHERE connection_id = ?", (connection_id,))
    return None if row is None else _asker(row)


async def askers(tx: Transaction) -> list[Asker]:
    """The peers that may ask and are still connected, those allowed first before the others; at most a thousand."""
    rows = await tx.all(
        "SELECT a.* FROM cohort_askers a JOIN connections c ON c.id = a.connection_id WHERE c.state <> ? "
        "ORDER BY a.created, a.connection_id LIMIT 1000",
        (ENDED,),
    )
    return [_asker(row) for row in rows]


async def spent(tx: Transaction, since: datetime, connection_id: str | None = None) -> int:
    """Thousandths of epsilon spent since then, by all askers or by one."""
    query = Query("SELECT SUM(epsilon) AS spent FROM cohort_answers").where("asked > ?", to_micros(since))
    row = await tx.one(*query.equal("connection_id", connection_id).end())
    return int(row["spent"] or 0) if row is not None else 0


async def spend(tx: Transaction, wanted: Kept, asker: Asker, rules: CohortPolicy) -> Kept | None:
    """Spend ``wanted``, unless its question was paid for in this period already; None where a budget does not allow it.

    Returns:
        What stands for the question now, which is ``wanted`` itself where it is new.
    """
    await tx.lock("cohort budget")
    begun = since(wanted.asked, rules)
    row = await tx.one(
        "SELECT * FROM cohort_answers WHERE question = ? AND asked > ? ORDER BY asked DESC, id LIMIT 1",
        (wanted.question, to_micros(begun)),
    )
    if row is not None:
        return _kept(row)
    if wanted.epsilon > asker.budget - await spent(tx, begun, asker.connection_id):
        return None
    if wanted.epsilon > rules.budget - await spent(tx, begun):
        return None
    await tx.execute(
        "INSERT INTO cohort_answers (id, question, connection_id, epsilon, asked, answer) VALUES (?, ?, ?, ?, ?, ?)",
        (wanted.id, wanted.question, wanted.connection_id, wanted.epsilon, to_micros(wanted.asked), wanted.answer),
    )
    return wanted


async def get(tx: Transaction, answer_id: str) -> Kept:
    """An answer.

    Raises:
        WrongState: ``cohort_answer.unknown``.
    """
    row = await tx.one("SELECT * FROM cohort_answers WHERE id = ?", (answer_id,))
    if row is None:
        raise unknown("cohort answer")
    return _kept(row)


async def keep_answer(tx: Transaction, answer_id: str, answer: str) -> bool:
    """Keep the answer; False where there is one already, which then stays the only one."""
    return bool(
        await tx.execute("UPDATE cohort_answers SET answer = ? WHERE id = ? AND answer IS NULL", (answer, answer_id))
    )


def since(now: datetime, which: CohortPolicy) -> datetime:
    """When the period that ends now began."""
    return now - timedelta(days=which.period)


def _asker(row: Row) -> Asker:
    return Asker(
        connection_id=row["connection_id"],
        per_question=row["per_question"],
        budget=row["budget"],
        review=bool(row["review"]),
        created=from_micros(row["created"]),
    )


def _kept(row: Row) -> Kept:
    return Kept(
        id=row["id"],
        question=row["question"],
        connection_id=row["connection_id"],
        epsilon=row["epsilon"],
        asked=from_micros(row["asked"]),
        answer=row["answer"],
    )
