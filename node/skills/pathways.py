"""Which achievements close a gap, the cheapest set first: weighted set cover.

With at most :data:`EXACT_UP_TO` missing skills the set is the cheapest there is. With more it is chosen greedily, each
time the achievement that costs least for each skill that it adds; Chvátal (1979) proved that this costs at most H(d)
times the cheapest, where d is the most skills that one achievement closes and H(d) = 1 + 1/2 + ... + 1/d. Which of
the two it was, and that bound, is told. Everything here is a pure function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

__all__ = ["EXACT_UP_TO", "Choice", "Step", "cheapest"]

EXACT_UP_TO = 12


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be done.

    Attributes:
        closes: what it closes; others count for nothing.
        cost: not negative.
    """

    name: str
    closes: frozenset[int]
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do.

    Attributes:
        open: what nothing closes.
        exact: whether nothing is cheaper.
        bound: so many times the cheapest at most; 1 where it is exact.
    """

    steps: tuple[Step, ...]
    cost: Decimal
    open: frozenset[int]
    exact: bool
    bound: Fraction


def cheapest(missing: frozenset[int], steps: Sequence[Step]) -> Choice:
    """The cheapest steps that close all of ``missing`` that anything closes."""
    useful = _without_the_dominated([Step(s.name, s.closes & missing, s.cost) for s in steps if s.closes & missing])
    closable = frozenset[int]().union(*(step.closes for step in useful))
    exact = len(closable) <= EXACT_UP_TO
    chosen = _exactly(closable, useful) if exact else _greedily(closable, useful)
    most = max((len(step.closes) for step in useful), default=1)
    bound = Fraction(1) if exact else sum((Fraction(1, k) for k in range(1, most + 1)), Fraction())
    ordered = tuple(sorted(chosen, key=lambda step: (step.cost, step.name)))
    cost = sum((step.cost for step in ordered), Decimal())
    return Choice(ordered, cost, missing - closable, exact, bound)


def _without_the_dominated(steps: Sequence[Step]) -> list[Step]:
    """Of steps that close the same, the cheapest; the rest is never needed."""
    best: dict[frozenset[int], Step] = {}
    for step in sorted(steps, key=lambda step: (step.cost, step.name)):
        best.setdefault(step.closes, step)
    return list(best.values())


def _exactly(closable: frozenset[int], steps: Sequence[Step]) -> list[Step]:
    """The cheapest way to each set that can be reached, in order of what is closed first."""
    bits = {item: 1 << place for place, item in enumerate(sorted(closable))}
    masks = [sum(bits[item] for item in step.closes) for step in steps]
    whole = (1 << len(bits)) - 1
    best: dict[int, tuple[Decimal, int, tuple[int, ...]]] = {0: (Decimal(), 0, ())}
    for reached in range(whole):  # every step leads to a greater number
        if reached not in best:
            continue
        cost, count, taken = best[reached]
        for number, mask in enumerate(masks):
            following = reached | mask
            if following == reached:
                continue
            candidate = (cost + steps[number].cost, count + 1, (*taken, number))
            if following not in best or candidate < best[following]:
                best[following] = candidate
    return [steps[number] for number in best[whole][2]]


def _greedily(closable: frozenset[int], steps: Sequence[Step]) -> list[Step]:
    open_, chosen = set(closable), list[Step]()
    while open_:
        step = min(
            (step for step in steps if step.closes & open_),
            key=lambda step: (Fraction(step.cost) / len(step.closes & open_), -len(step.closes & open_), step.name),
        )
        chosen.append(step)
        open_ -= step.closes
    return chosen
