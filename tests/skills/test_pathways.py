"""The cheapest achievements that close a gap, held against trying every set."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from node.skills.pathways import EXACT_UP_TO, Step, cheapest

_STEPS = st.lists(
    st.builds(
        lambda closes, cost, name: Step(str(name), closes, Decimal(cost)),
        st.frozensets(st.integers(0, 5), max_size=4), st.integers(0, 9), st.integers(0, 99),
    ),
    max_size=8,
)  # fmt: skip
_MISSING = st.frozensets(st.integers(0, 6), max_size=6)


def _by_trying(missing: frozenset[int], steps: list[Step]) -> Decimal:
    closable = missing & frozenset[int]().union(*(step.closes for step in steps))
    sets = (some for size in range(len(steps) + 1) for some in combinations(steps, size))
    return min(
        sum((step.cost for step in some), Decimal())
        for some in sets
        if closable <= frozenset[int]().union(*(step.closes for step in some))
    )


@given(_MISSING, _STEPS)
def test_with_few_missing_skills_nothing_is_cheaper(missing: frozenset[int], steps: list[Step]) -> None:
    found = cheapest(missing, steps)
    assert found.exact
    assert found.cost == _by_trying(missing, steps) == sum((step.cost for step in found.steps), Decimal())
    closed = frozenset[int]().union(*(step.closes for step in found.steps))
    assert missing - closed == found.open
    assert not found.open & frozenset[int]().union(*(step.closes for step in steps))


_LARGE = frozenset(range(EXACT_UP_TO + 1))
_COVERING = [Step(f"group-{n}", frozenset(range(5 * n, min(5 * n + 5, 13))), Decimal(5)) for n in range(3)]


@given(st.lists(st.tuples(st.frozensets(st.integers(0, 12), min_size=1, max_size=5), st.integers(1, 9)), max_size=6))
def test_with_many_the_stated_bound_holds(given_steps: list[tuple[frozenset[int], int]]) -> None:
    steps = [Step(f"s{n}", closes, Decimal(cost)) for n, (closes, cost) in enumerate(given_steps)] + _COVERING
    found = cheapest(_LARGE, steps)
    assert not found.exact
    assert not found.open
    assert found.bound == Fraction(137, 60)  # 1 + 1/2 + 1/3 + 1/4 + 1/5
    least = _by_trying(_LARGE, steps)
    assert least <= found.cost <= Decimal(137) / Decimal(60) * least


def test_a_large_gap_is_answered_at_once() -> None:
    steps = [Step(f"s{n}", frozenset({n % 60, n * 7 % 60, n * 13 % 60}), Decimal(n % 9 + 1)) for n in range(2_000)]
    found = cheapest(frozenset(range(60)), steps)
    assert not found.exact
    assert not found.open
    few = cheapest(frozenset(range(EXACT_UP_TO)), steps)
    assert few.exact


def test_the_greedy_choice_is_told_from_the_cheapest() -> None:
    steps = [Step("both", frozenset({0, 1}), Decimal("2.1")), Step("a", frozenset({0}), Decimal(1)),
             Step("b", frozenset({1}), Decimal(1))]  # fmt: skip
    assert [step.name for step in cheapest(frozenset({0, 1}), steps).steps] == ["a", "b"]
