"""What is verified in the unit of work of its message, and what is left to a job as something has to be fetched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from node.app import Node
from node.roles.issuer import Award
from node.roles.recent_lists import RecentLists
from protocols.credentials.asking import SeenLists
from protocols.credentials.checks.core import CoreChecks
from protocols.credentials.checks.status_lists import CheckedList
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.status.source import StatusListCopy
from storage.engine import Transaction
from tests.node.nodes import WELDING, Nodes, connect, exchange_in, held

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_PASS = CheckResult(Check.PROOF, Outcome.PASS, "proof.valid", "It holds.", "")


class Planned:
    """Counts the jobs that a node plans, by kind."""

    def __init__(self, node: Node) -> None:
        self.kinds: list[str] = []
        self._plan = node.jobs.plan
        node.jobs.plan = self._note  # type: ignore[method-assign, assignment]

    async def _note(self, tx: Transaction, kind: str, *args: object, **options: object) -> None:
        self.kinds.append(kind)
        await self._plan(tx, kind, *args, **options)  # type: ignore[arg-type]


async def test_only_the_first_record_of_an_issuer_waits_for_a_job(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    planned = Planned(learner)
    for number in (1, 2, 3):
        offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
        await exchange_in(college, offered.id, "done")
        assert len(await held(learner)) == number
    assert planned.kinds == ["verify-credential"]


def _seen(outcome: Outcome) -> tuple[SeenLists, dict[str, object]]:
    document: dict[str, object] = {"id": "https://college.example/status/1"}
    seen = SeenLists()
    seen.copies["credential", "https://college.example/status/1"] = StatusListCopy(document, _NOW, False)
    core = CoreChecks({Check.PROOF: replace(_PASS, outcome=outcome)}, True)
    seen.checked[id(document)] = CheckedList(document, core)
    return seen, document


@pytest.mark.parametrize(
    ("outcome", "later", "known"),
    [
        (Outcome.PASS, timedelta(0), True),
        (Outcome.PASS, timedelta(seconds=1), True),
        (Outcome.PASS, timedelta(seconds=1.01), False),
        (Outcome.PASS, timedelta(seconds=-0.01), False),
        (Outcome.FAIL, timedelta(0), False),
        (Outcome.NOT_CHECKED, timedelta(0), False),
    ],
)
def test_the_checks_of_a_list_are_remembered_for_a_moment_and_only_where_they_passed(
    outcome: Outcome, later: timedelta, known: bool
) -> None:
    recent = RecentLists()
    seen, document = _seen(outcome)
    recent.keep(seen, _NOW)
    assert (id(document) in recent.seen(_NOW + later).checked) is known


def test_a_list_that_was_remembered_is_not_remembered_for_longer_by_being_used() -> None:
    recent = RecentLists()
    seen, document = _seen(Outcome.PASS)
    recent.keep(seen, _NOW)
    again = recent.seen(_NOW + timedelta(seconds=0.9))
    again.copies = seen.copies
    recent.keep(again, _NOW + timedelta(seconds=0.9))
    assert id(document) not in recent.seen(_NOW + timedelta(seconds=1.5)).checked


def test_a_list_whose_checks_a_verification_was_given_outlives_it_though_it_is_forgotten_meanwhile() -> None:
    recent = RecentLists()
    seen, document = _seen(Outcome.PASS)
    recent.keep(seen, _NOW)
    given = recent.seen(_NOW)
    recent.seen(_NOW + timedelta(seconds=2))
    assert any(known is document for known in given.known), "else another list could come to have its id"
