"""The match: each requirement stands as what is known of the records says, and nothing else moves it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.skills.matching import Evidence, Outcome, Report, Standing, Through, Way, match
from node.skills.profile import AtLeast, JobProfile, Requirement, Scale, WantedSkill
from storage.record_skills import Reached
from storage.record_terms import Skill

CEFR = Scale(name="CEFR", steps=("A1", "A2", "B1", "B2", "C1", "C2"))
ONET = Scale(name="O*NET level", low="0", high="7")


def skill(name: str) -> Skill:
    return Skill(name=name, url=f"urn:skill:{name}")


def wants(name: str, *, level: AtLeast | None = None, need: str = "required") -> Requirement:
    return Requirement(skill=WantedSkill(name=name, url=f"urn:skill:{name}"), need=need, level=level)  # type: ignore[arg-type]


def has(name: str, *reached: Reached, record: str = "r", standing: Standing = Standing.HOLDS) -> Evidence:
    return Evidence(record=record, record_name=f"Record {record}", issuer="did:x", skill=skill(name), reached=reached,
                    standing=standing, reason="because.")  # fmt: skip


def profile(*requirements: Requirement) -> JobProfile:
    return JobProfile(name="job", title="Job", requirements=requirements)


def one(
    requirement: Requirement, *evidence: Evidence, ways: tuple[Way, ...] = (), known: bool = True
) -> tuple[str, str]:
    found = match(profile(requirement), evidence, ways={0: ways}, known=frozenset({0} if known else ()))
    return found.lines[0].outcome.value, found.lines[0].code


def through(name: str, kind: Through, relation: str = "") -> Way:
    return Way(
        names=frozenset({f"urn:skill:{name}"}), skill=name, through=kind, relation=relation, source="A crosswalk"
    )


@pytest.mark.parametrize(
    ("evidence", "ways", "known", "expected"),
    [
        ([has("a")], (), True, ("met", "ok")),
        ([], (), True, ("not-met", "skill.not_attested")),
        ([], (), False, ("not-checked", "skill.unknown")),
        ([has("a")], (), False, ("met", "ok")),
        ([has("b")], (), True, ("not-met", "skill.not_attested")),
        ([has("b")], (through("b", Through.EXACT_MATCH, "exactMatch"),), True, ("met", "ok")),
        ([has("b")], (through("b", Through.CASE, "exactMatchOf"),), True, ("met", "ok")),
        ([has("b")], (through("b", Through.CHILD, "childOf"),), True, ("met", "ok")),
        ([has("b")], (through("b", Through.NEAR, "closeMatch"),), True, ("not-checked", "crosswalk.near")),
        ([has("a", standing=Standing.FAILS)], (), True, ("not-met", "record.not_verified")),
        ([has("a", standing=Standing.UNKNOWN)], (), True, ("not-checked", "record.not_checked")),
        ([has("a", standing=Standing.FAILS), has("a", record="s")], (), True, ("met", "ok")),
        ([has("a", Reached(name="Status", value="Failed"))], (), True, ("not-met", "result.not_reached")),
    ],
)
def test_a_requirement_stands_as_its_records_do(
    evidence: list[Evidence], ways: tuple[Way, ...], known: bool, expected: tuple[str, str]
) -> None:
    assert one(wants("a"), *evidence, ways=ways, known=known) == expected


@pytest.mark.parametrize(
    ("level", "reached", "expected"),
    [
        (AtLeast(value="B2", scale=CEFR), Reached(name="French", value="C1", steps=CEFR.steps), ("met", "ok")),
        (AtLeast(value="B2", scale=CEFR), Reached(name="French", value="b2", steps=("B1", "B2")), ("met", "ok")),
        (AtLeast(value="B2", scale=CEFR), Reached(name="French", value="B1", steps=CEFR.steps),
         ("not-met", "level.below")),
        (AtLeast(value="B2", scale=CEFR), Reached(name="French", value="B2"), ("not-checked", "level.not_comparable")),
        (AtLeast(value="B2", scale=CEFR), Reached(name="Grade", value="A", steps=("C", "B", "A")),
         ("not-checked", "level.not_comparable")),
        (AtLeast(value="3.5", scale=ONET), Reached(name="Level", value="4", low="0", high="7"), ("met", "ok")),
        (AtLeast(value="3.5", scale=ONET), Reached(name="Level", value="3.49", low="0.0", high="7.0"),
         ("not-met", "level.below")),
        (AtLeast(value="3.5", scale=ONET), Reached(name="Points", value="80", low="0", high="100"),
         ("not-checked", "level.not_comparable")),
        (AtLeast(value="3.5", scale=ONET), Reached(name="Grade", value="B", low="0", high="7"),
         ("not-checked", "level.not_comparable")),
        (AtLeast(value="60", scale=Scale(name="Exam", low="0", high="100", description="urn:x:exam")),
         Reached(name="Exam", value="61", description="urn:x:exam"), ("met", "ok")),
    ],
)  # fmt: skip
def test_levels_are_compared_on_one_scale_only(level: AtLeast, reached: Reached, expected: tuple[str, str]) -> None:
    assert one(wants("a", level=level), has("a", reached)) == expected


def test_a_level_that_is_asked_for_and_not_stated_is_not_checked() -> None:
    assert one(wants("a", level=AtLeast(value="3.5", scale=ONET)), has("a")) == ("not-checked", "level.not_stated")


def test_a_code_of_another_framework_is_another_skill() -> None:
    wanted = Requirement(skill=WantedSkill(name="Weld", code="W", framework="Welding"), need="required")

    def attested(framework: str | None) -> Evidence:
        return Evidence(record="r", record_name="R", issuer="i", skill=Skill(name="W", code="W", framework=framework),
                        standing=Standing.HOLDS, reason="it verifies.")  # fmt: skip

    assert one(wanted, attested("WELDING"))[0] == "met"
    assert one(wanted, attested("Woodwork"))[0] == "not-met"
    assert one(wanted, attested(None))[0] == "not-met"


def test_a_line_says_by_which_record_and_through_what() -> None:
    found = match(
        profile(wants("a")), [has("b")], ways={0: [through("b", Through.CASE, "exactMatchOf")]}, known=frozenset({0})
    )
    (line,) = found.lines
    assert line.used is not None
    assert (line.used.evidence.record, line.used.way.relation) == ("r", "exactMatchOf")
    assert line.reason == "“Record r”, by “b” (exactMatchOf in A crosswalk), attests it."


_NAMES = st.sampled_from("abcd")
_REACHED = st.builds(Reached, name=st.just("R"), value=st.sampled_from(["A1", "B2", "C2", "Failed", "3", "9"]),
                     steps=st.sampled_from([(), CEFR.steps, ("B", "A")]), low=st.sampled_from([None, "0"]),
                     high=st.sampled_from([None, "7"]))  # fmt: skip
_EVIDENCE = st.builds(
    lambda name, reached, record, standing: has(name, *reached, record=record, standing=standing),
    _NAMES, st.lists(_REACHED, max_size=2), st.sampled_from("rst"), st.sampled_from(Standing),
)  # fmt: skip
_LEVELS = st.sampled_from([None, AtLeast(value="B1", scale=CEFR), AtLeast(value="2", scale=ONET)])
_PROFILES = st.lists(st.tuples(_NAMES, _LEVELS, st.sampled_from(["required", "wished"])), min_size=1, max_size=4,
                     unique_by=lambda each: each[0])  # fmt: skip
_WAYS = st.dictionaries(
    st.integers(0, 3), st.lists(st.builds(through, _NAMES, st.sampled_from(list(Through)[1:])), max_size=3)
)

_Wanted = list[tuple[str, AtLeast | None, str]]


def _matched(wanted: _Wanted, evidence: list[Evidence], ways: dict[int, list[Way]]) -> Report:
    asked = profile(*(wants(name, level=level, need=need) for name, level, need in wanted))
    return match(asked, evidence, ways=ways, known=frozenset(range(len(wanted))))


_ORDER = {Outcome.NOT_MET: 0, Outcome.NOT_CHECKED: 1, Outcome.MET: 2}


@given(_PROFILES, st.lists(_EVIDENCE, max_size=6), _WAYS, st.randoms(use_true_random=False))
def test_the_outcome_hangs_on_no_order(
    wanted: list[tuple[str, AtLeast | None, str]],
    evidence: list[Evidence],
    ways: dict[int, list[Way]],
    mixed: random.Random,
) -> None:
    other = list(evidence)
    mixed.shuffle(other)
    assert [line.outcome for line in _matched(wanted, evidence, ways).lines] == [
        line.outcome for line in _matched(wanted, other, ways).lines
    ]


@given(_PROFILES, st.lists(_EVIDENCE, max_size=5), _EVIDENCE, _WAYS)
def test_a_further_record_makes_nothing_worse(
    wanted: _Wanted, evidence: list[Evidence], more: Evidence, ways: dict[int, list[Way]]
) -> None:
    before, after = _matched(wanted, evidence, ways), _matched(wanted, [*evidence, more], ways)
    for old, new in zip(before.lines, after.lines, strict=True):
        assert _ORDER[new.outcome] >= _ORDER[old.outcome]


@given(_PROFILES, st.lists(_EVIDENCE, max_size=6), _WAYS)
def test_what_is_met_is_met_by_a_record_that_holds_and_every_line_says_why(
    wanted: _Wanted, evidence: list[Evidence], ways: dict[int, list[Way]]
) -> None:
    for line in _matched(wanted, evidence, ways).lines:
        assert line.reason
        if line.outcome is Outcome.MET:
            assert line.used is not None
            assert line.used.evidence.standing is Standing.HOLDS
            assert line.used.evidence in evidence
            assert line.used.way.through is not Through.NEAR
            assert line.requirement.level is None or line.used.result is not None
        else:
            assert line.code != "ok"


@given(_PROFILES, st.lists(_EVIDENCE, max_size=6), _WAYS)
def test_without_a_record_that_holds_nothing_is_met(
    wanted: _Wanted, evidence: list[Evidence], ways: dict[int, list[Way]]
) -> None:
    doubtful = [each for each in evidence if each.standing is not Standing.HOLDS]
    assert _matched(wanted, doubtful, ways).count(Outcome.MET) == 0
