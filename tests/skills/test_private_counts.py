"""Counts with noise: nobody weighs more than was said, the noise is the library's, the bounds hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.skills import private_counts
from node.skills.cohort import Learner
from node.skills.private_counts import BoundedCounts, error_bound, with_noise
from node.skills.summed_counts import summed
from protocols.cohort_counts.messages import Counts, Wanted
from protocols.errors import NotNow
from storage.record_terms import Skill

SKILLS = tuple(f"S{number}" for number in range(8))
cohorts = st.lists(st.sets(st.sampled_from(SKILLS)), max_size=12)


def learner(number: int, codes: set[str]) -> Learner:
    made = Learner(number.to_bytes(8, "big"), f"urn:{number}")
    made.skills = {code: Skill(name=code, code=code) for code in sorted(codes)}
    return made


def counted(cohort: list[set[str]], most: int, without: int | None = None) -> list[int]:
    bounded = BoundedCounts(SKILLS, most)
    for number, codes in enumerate(cohort):
        if number != without:
            bounded.add(learner(number, codes))
    return list(bounded.counts.values())


@given(cohorts, st.integers(1, 8), st.data())
def test_leaving_out_one_learner_changes_the_counts_by_no_more_than_the_bound(
    cohort: list[set[str]], most: int, data: st.DataObject
) -> None:
    everybody = counted(cohort, most)
    if cohort:
        one = data.draw(st.integers(0, len(cohort) - 1))
        others = counted(cohort, most, without=one)
        assert sum(abs(a - b) for a, b in zip(everybody, others, strict=True)) == min(most, len(cohort[one]))
    assert sum(everybody) == sum(min(most, len(codes)) for codes in cohort)


def test_a_skill_is_found_by_its_url_and_by_its_code() -> None:
    bounded = BoundedCounts(("https://skills.example/W", "B"), 5)
    both = learner(1, set())
    both.skills = {
        "1": Skill(name="Welding", code="W", url="https://skills.example/W"),
        "2": Skill(name="Brazing", code="B", framework="F"),
    }
    bounded.add(both)
    assert bounded.counts == {"https://skills.example/W": 1, "B": 1}


def test_the_noise_is_neither_nothing_nor_more_than_its_scale_allows() -> None:
    # 400 counts, epsilon 1, one skill a learner: P(|X| > 40) < 4e-18 each, and P(all are 0) < 1e-130.
    drawn = with_noise([100] * 400, epsilon=1000, most=1)
    assert all(60 <= count <= 140 for count in drawn)
    assert len(set(drawn)) > 1
    # Their mean has a standard deviation of 0.07; by Bernstein's bound it is off by 0.7 with less than 1e-9.
    assert abs(sum(drawn) / 400 - 100) < 0.7
    # Twice as much weight, ten times less epsilon: twenty times the scale. P(all within 20) < (1 - e^-1)^400 < 1e-70.
    wide = with_noise([100] * 400, epsilon=100, most=2)
    assert max(abs(count - 100) for count in wide) > 20


@pytest.mark.parametrize("epsilon", [10, 100, 700, 1100, 3300, 10_000])
def test_the_scale_is_never_below_what_the_librarys_own_map_asks_for(epsilon: int) -> None:
    assert len(with_noise([5, 6, 7], epsilon=epsilon, most=1)) == 3
    assert len(with_noise([5, 6, 7], epsilon=epsilon, most=3)) == 3


@pytest.mark.parametrize(("epsilon", "most"), [(1000, 1), (500, 5), (100, 1), (10_000, 3)])
@pytest.mark.parametrize("share", [1, 7])
def test_the_bound_is_the_least_that_holds_so_often(epsilon: int, most: int, share: int) -> None:
    p = math.exp(-epsilon / (1000 * most))

    def beyond(bound: int) -> float:
        return 2 * p ** (bound + 1) / (1 + p)

    bound = error_bound(epsilon, most, share=share)
    assert beyond(bound) <= 0.05 / share + 1e-12
    assert bound == 0 or beyond(bound - 1) > 0.05 / share


def test_the_bound_is_the_librarys_own() -> None:
    from opendp.accuracy import discrete_laplacian_scale_to_accuracy

    theirs = discrete_laplacian_scale_to_accuracy(scale=10.0, alpha=0.05)
    assert error_bound(500, 5) == math.floor(theirs)


def test_without_the_library_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_counts, "find_spec", lambda _name: None)
    with pytest.raises(NotNow) as caught:
        with_noise([1], epsilon=1000, most=1)
    assert (caught.value.code, "lernode[aggregates]" in caught.value.hint) == ("cohort.unavailable", True)


def test_a_sum_says_between_what_the_exact_one_is_also_for_what_was_kept_back() -> None:
    wanted = Wanted(skills=("W", "B"), epsilon=1000, most=1)
    off = error_bound(1000, 1, share=2)
    answers = [
        Counts(counts=(100, None), threshold=13, minimum=10, counted_at=1),
        Counts(counts=(50, None), threshold=13, minimum=10, counted_at=1),
    ]
    welding, brazing = summed(wanted, answers)
    assert (welding.count, welding.low, welding.high, welding.told_by) == (150, 150 - 2 * off, 150 + 2 * off, 2)
    assert (brazing.count, brazing.low, brazing.high, brazing.kept_back_by) == (None, 0, 2 * (12 + off), 2)
    assert [each.count for each in summed(wanted, [])] == [None, None]
