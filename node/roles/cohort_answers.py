"""Answers questions of peers for counts of skills, as far as the owner's policy says, within budgets that are kept.

Promises: nobody is answered whom the owner has not allowed; what an answer costs is spent in the unit of work that
decides to give it, before anything is counted, and in turn with all others, on whichever process; the same question
gets the same answer for as long as what it cost counts, and costs nothing more, whoever asks. Exact counts are never
stored.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from node.roles.cohorts import Cohorts
from node.roles.threads import situation as situation_of
from node.runtime.exchanges import ExchangeKind, Exchanges, Situation, require_waiting
from node.runtime.jobs import Jobs
from node.runtime.world import World
from node.skills.private_counts import BoundedCounts, error_bound, is_available, with_noise
from protocols import strict_json
from protocols.cohort_counts import machine
from protocols.cohort_counts.messages import PROTOCOL, Counts, Question, Wanted, epsilon_text
from protocols.didcomm.message import Wire
from protocols.didcomm.versions import known_as
from protocols.machine import Decision, Step
from storage import audit, cohort_policy, connections, exchanges
from storage.cohort_policy import Asker, CohortPolicy, Kept
from storage.connections import Connection
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow, Filter
from storage.issued_by_learner import Which
from storage.jobs import Job

__all__ = ["COHORT_COUNTS", "CohortAnswers", "Standing"]

COHORT_COUNTS = ExchangeKind(known_as(PROTOCOL, Wire.V1), machine.Exchange)
_COUNT = "count-cohort"


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it is kept, whatever the order in which the skills are asked for."""

    counts: dict[str, int | None]
    threshold: int
    minimum: int
    counted_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The policy with what is spent of it; epsilon is in thousandths.

    Attributes:
        spent: by all together in the period that ends now.
        askers: each with its peer, and what it has spent.
    """

    policy: CohortPolicy
    spent: int
    askers: tuple[tuple[Asker, Connection, int], ...]


class CohortAnswers:
    """Decides, counts and answers."""

    def __init__(self, *, store: Store, steps: Exchanges, jobs: Jobs, cohorts: Cohorts, world: World) -> None:
        self._store = store
        self._steps = steps
        self._jobs = jobs
        self._cohorts = cohorts
        self._world = world
        steps.register(COHORT_COUNTS.protocol, {}, {Decision.ANSWER_QUESTION: self._decide})
        jobs.register(_COUNT, self._count)

    async def standing(self) -> Standing:
        """The owner's policy, and what is spent of it."""
        async with self._store.read() as tx:
            rules = await cohort_policy.policy(tx)
            since = cohort_policy.since(self._world.clock(), rules)
            found = [
                (
                    asker,
                    await connections.get(tx, asker.connection_id),
                    await cohort_policy.spent(tx, since, asker.connection_id),
                )
                for asker in await cohort_policy.askers(tx)
            ]
            return Standing(policy=rules, spent=await cohort_policy.spent(tx, since), askers=tuple(found))

    async def set_policy(self, wanted: CohortPolicy) -> None:
        """Let this hold for all askers from now on."""
        async with self._store.write() as tx:
            await cohort_policy.set_policy(tx, wanted)
            await self._note(tx, "cohort.policy_set")

    async def allow(self, connection_id: str, *, per_question: int, budget: int, review: bool) -> None:
        """Let a peer ask, for so many thousandths of epsilon.

        Raises:
            WrongState: ``connection.unknown``.
        """
        async with self._store.write() as tx:
            await connections.get(tx, connection_id)
            asker = Asker(
                connection_id=connection_id,
                per_question=per_question,
                budget=budget,
                review=review,
                created=self._world.clock(),
            )
            await cohort_policy.allow(tx, asker)
            await self._note(tx, "cohort.asker_allowed", connection_id)

    async def refuse(self, connection_id: str) -> None:
        """Let a peer ask no more; what it has spent stays spent.

        Raises:
            WrongState: ``cohort_asker.unknown``.
        """
        async with self._store.write() as tx:
            await cohort_policy.refuse(tx, connection_id)
            await self._note(tx, "cohort.asker_refused", connection_id)

    async def waiting(self) -> list[Situation]:
        """The questions that wait for a person, the latest first; at most a hundred."""
        async with self._store.read() as tx:
            rows = await exchanges.page(tx, Filter(waiting_for=Decision.ANSWER_QUESTION.value))
            return [await situation_of(tx, row.id, COHORT_COUNTS) for row in rows]

    async def approve(self, exchange_id: str) -> ExchangeRow:
        """Answer a question that waits for a person.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
        """
        async with self._store.write() as tx:
            found = await situation_of(tx, exchange_id, COHORT_COUNTS)
            require_waiting(found.row, Decision.ANSWER_QUESTION)
            return await self._go_on(tx, found, reviewed=True)

    async def decline(self, exchange_id: str, reason: str) -> ExchangeRow:
        """Refuse to answer a question that waits for a person.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
        """
        async with self._store.write() as tx:
            found = await situation_of(tx, exchange_id, COHORT_COUNTS)
            require_waiting(found.row, Decision.ANSWER_QUESTION)
            return await self._decline(tx, found, "cohort.declined", reason)

    async def receive(self, tx: Transaction, connection: Connection, message: Question) -> None:
        """A question of a peer."""
        await self._steps.apply(tx, COHORT_COUNTS, connection, None, machine.receive_question(message))

    async def _decide(self, tx: Transaction, found: Situation) -> None:
        await self._go_on(tx, found, reviewed=False)

    async def _go_on(self, tx: Transaction, found: Situation, *, reviewed: bool) -> ExchangeRow:
        wanted: Wanted = found.value.wanted
        asker = await cohort_policy.asker(tx, found.connection.id)
        if asker is None:
            return await self._decline(tx, found, "cohort.not_allowed", "The owner has not allowed you to ask.")
        if not is_available():
            return await self._decline(tx, found, "cohort.unavailable", "The node has no library for the noise.")
        if wanted.epsilon > asker.per_question:
            most = epsilon_text(asker.per_question)
            return await self._decline(
                tx, found, "cohort.epsilon_too_large", f"A question may cost an epsilon of {most}."
            )
        if asker.review and not reviewed:
            return found.row
        rules = await cohort_policy.policy(tx)
        kept = await self._spend(tx, asker, rules, wanted)
        if kept is None:
            return await self._decline(
                tx, found, "cohort.budget_spent", f"What may be told in {rules.period} days is told."
            )
        if kept.answer is not None:
            return await self._answer(tx, found, kept, rules)
        row = await self._apply(tx, found, machine.begin(found.value))
        await self._jobs.plan(tx, _COUNT, row.id, payload={"answer": kept.id})
        return row

    async def _spend(self, tx: Transaction, asker: Asker, rules: CohortPolicy, wanted: Wanted) -> Kept | None:
        """What was spent on the question already, or is now; None where the budget does not allow it."""
        new = Kept(
            id=self._world.new_id(),
            question=_digest(wanted),
            connection_id=asker.connection_id,
            epsilon=wanted.epsilon,
            asked=self._world.clock(),
        )
        kept = await cohort_policy.spend(tx, new, asker, rules)
        if kept is new:
            await self._note(tx, "cohort.epsilon_spent", asker.connection_id, new.id, actor=asker.connection_id)
        return kept

    async def _count(self, job: Job) -> Callable[[Transaction], Awaitable[None]]:
        """The slow part, outside any transaction: look at every learner."""
        async with self._store.read() as tx:
            found = await situation_of(tx, job.exchange_id or "", COHORT_COUNTS)
            kept = await cohort_policy.get(tx, job.payload["answer"])
            rules = await cohort_policy.policy(tx)
        told = None if kept.answer is not None else await self._told(found.value.wanted, rules)

        async def commit(tx: Transaction) -> None:
            current = await situation_of(tx, found.row.id, COHORT_COUNTS)
            if told is not None:
                await cohort_policy.keep_answer(tx, kept.id, msgspec.json.encode(told).decode())
            if current.connection.state != connections.ENDED and current.value.state is machine.State.COUNTING:
                await self._answer(tx, current, await cohort_policy.get(tx, kept.id), rules)

        return commit

    async def _told(self, wanted: Wanted, rules: CohortPolicy) -> _Told:
        bounded = BoundedCounts(wanted.skills, wanted.most)
        async for learner in self._cohorts.learners(Which()):
            bounded.add(learner)
        exact = [bounded.counts[skill] for skill in wanted.skills]
        drawn = await asyncio.to_thread(with_noise, exact, epsilon=wanted.epsilon, most=wanted.most)
        threshold = _threshold(wanted, rules.minimum)
        return _Told(
            counts={
                skill: count if count >= threshold else None for skill, count in zip(wanted.skills, drawn, strict=True)
            },
            threshold=threshold,
            minimum=rules.minimum,
            counted_at=int(self._world.clock().timestamp()),
        )

    async def _answer(self, tx: Transaction, found: Situation, kept: Kept, rules: CohortPolicy) -> ExchangeRow:
        wanted: Wanted = found.value.wanted
        told = msgspec.json.decode(kept.answer or "", type=_Told)
        # The owner may have raised the minimum since.
        minimum = max(told.minimum, rules.minimum)
        threshold = max(told.threshold, _threshold(wanted, minimum))
        counts = (told.counts[skill] for skill in wanted.skills)
        given = Counts(
            counts=tuple(count if count is not None and count >= threshold else None for count in counts),
            threshold=threshold,
            minimum=minimum,
            counted_at=told.counted_at,
        )
        return await self._apply(tx, found, machine.answer(found.value, given, new_id=self._world.new_id))

    async def _decline(self, tx: Transaction, found: Situation, code: str, explain: str) -> ExchangeRow:
        step = machine.decline(found.value, code=code, explain=explain, new_id=self._world.new_id)
        return await self._apply(tx, found, step)

    async def _apply(self, tx: Transaction, found: Situation, step: Step[machine.Exchange]) -> ExchangeRow:
        return await self._steps.apply(
            tx, COHORT_COUNTS, found.connection, found.row, step, error_code=step.exchange.problem
        )

    async def _note(self, tx: Transaction, event: str, *subjects: str, actor: str = "operator") -> None:
        await audit.append(tx, at=self._world.clock(), event=event, actor=actor, subjects=subjects)


def _threshold(wanted: Wanted, minimum: int) -> int:
    """From which count with noise on a group has ``minimum`` learners in all but one case of forty."""
    return minimum + error_bound(wanted.epsilon, wanted.most)


def _digest(wanted: Wanted) -> str:
    """The same for all questions that ask the same, in whatever order and for whatever purpose."""
    return hashlib.sha256(strict_json.dumps([sorted(wanted.skills), wanted.epsilon, wanted.most])).hexdigest()
