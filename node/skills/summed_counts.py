"""Answers of several nodes to one question, added up: with bounds that hold for all of them together.

For each skill the bounds hold with the probability of :data:`node.skills.private_counts.CONFIDENCE`, whichever nodes
told a count and whichever kept theirs back, if each node adds the noise that it says. Somebody who is a learner of two
nodes is counted by both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.skills.private_counts import error_bound
from protocols.cohort_counts.messages import Counts, Wanted

__all__ = ["Summed", "summed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """A skill, and how many learners have it.

    Attributes:
        count: the sum of what was told; None where nobody told anything.
        low, high: between which the exact sum is, counting also what was kept back.
        told_by, kept_back_by: how many nodes.
    """

    skill: str
    count: int | None
    low: int
    high: int
    told_by: int
    kept_back_by: int


def summed(wanted: Wanted, answers: Sequence[Counts]) -> list[Summed]:
    """The sum of the answers for each skill of the question."""
    off = error_bound(wanted.epsilon, wanted.most, share=max(1, len(answers)))
    return [_sum(skill, place, answers, off) for place, skill in enumerate(wanted.skills)]


def _sum(skill: str, place: int, answers: Sequence[Counts], off: int) -> Summed:
    told = [count for answer in answers if (count := answer.counts[place]) is not None]
    kept_back = [answer.threshold - 1 + off for answer in answers if answer.counts[place] is None]
    return Summed(
        skill=skill,
        count=sum(told) if told else None,
        low=sum(max(0, count - off) for count in told),
        high=sum(told) + off * len(told) + sum(kept_back),
        told_by=len(told),
        kept_back_by=len(kept_back),
    )
