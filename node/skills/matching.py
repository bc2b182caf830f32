"""Holds records against a job profile: which requirements are met, by which record, and what could not be checked.

Nothing is computed that is not shown: a requirement is met, not met, or not checked, and says why; there is no score,
and nobody is compared with anybody. A requirement is

- *met* where a record that verifies attests the skill, or one that counts for it, at the level that is asked for;
- *not checked* where something attests it but it is not known whether that holds or is enough: a status that was not
  looked at, a level on another scale, a skill that is only near; or where no framework here knows the skill, so that
  nobody could look what else counts for it;
- *not met* otherwise. What attests it and does not hold, or is below the level, is told.

Everything here is a pure function. Which skills count for which (:class:`Way`) and what the records say and whether
they hold (:class:`Evidence`) comes from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.records.results import number_of
from node.skills.profile import AtLeast, JobProfile, Requirement, Scale
from storage.record_skills import Reached
from storage.record_terms import Skill

__all__ = ["THROUGH", "Evidence", "Line", "Outcome", "Report", "Standing", "Through", "Unknown", "Used", "Way", "match"]

_NOT_REACHED = frozenset({"enrolled", "failed", "inprogress", "onhold", "withdrew"})
"""Statuses of a Result (OB 3.0 §B, ResultStatusType) that say that it was not reached."""
_LEAST_STEPS = 2


class Outcome(StrEnum):
    """How a requirement stands."""

    MET = "met"
    NOT_MET = "not-met"
    NOT_CHECKED = "not-checked"


class Standing(StrEnum):
    """Whether a record can be relied on."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


class Through(StrEnum):
    """Why a record's skill counts for the one that is asked for."""

    EXACT = "exact item"
    EXACT_MATCH = "exactMatch"
    CASE = "CASE association"
    CHILD = "child-of"
    NEAR = "near"
    """Related, but not the same: whether it is enough is for a person to say."""


THROUGH: Mapping[str, Through] = {
    "exactMatch": Through.EXACT_MATCH,
    "exactMatchOf": Through.CASE,
    "isTranslationOf": Through.CASE,
    "replacedBy": Through.CASE,
    "closeMatch": Through.NEAR,
    "relatedMatch": Through.NEAR,
    "broadMatch": Through.NEAR,
    "narrowMatch": Through.NEAR,
    "related": Through.NEAR,
    "isPeerOf": Through.NEAR,
    "isPartOf": Through.NEAR,
    "isRelatedTo": Through.NEAR,
}
"""What a relation between items of frameworks means for a skill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A skill that counts for the one that is asked for.

    Attributes:
        names: its URL and code; any of them names it.
        skill: its name, for people.
        relation: the word of the framework or crosswalk, such as ``exactMatchOf``.
        source: the title of the framework or crosswalk that relates the two; empty for the skill itself.
        framework: of the skill, where it is known: a code of another framework is another skill.
    """

    names: frozenset[str]
    skill: str
    through: Through
    relation: str = ""
    source: str = ""
    framework: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One skill of one record.

    Attributes:
        record: its id in the node, or its place in the presentation.
        reason: why the record stands so; a sentence.
    """

    record: str
    record_name: str
    issuer: str
    skill: Skill
    reached: tuple[Reached, ...] = ()
    standing: Standing
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A record that was looked at for a requirement.

    Attributes:
        outcome: what would hold if there were no other record.
        code: why, for programs; ``ok`` where it meets the requirement.
        reason: why, for people.
        result: what was reached, where the level hung on it.
    """

    evidence: Evidence
    way: Way
    outcome: Outcome
    code: str
    reason: str
    result: Reached | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One requirement.

    Attributes:
        used: the record that decided it, where one did.
        others: what else was looked at, in the order of the records.
    """

    requirement: Requirement
    outcome: Outcome
    code: str
    reason: str
    used: Used | None = None
    others: tuple[Used, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A skill of a record that no framework here knows, so that nobody could look what it counts for."""

    record: str
    record_name: str
    skill: Skill


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every requirement in the order of the profile, and what of the records nobody could relate to anything."""

    lines: tuple[Line, ...]
    unknown: tuple[Unknown, ...] = ()

    def count(self, outcome: Outcome, need: str = "required") -> int:
        """How many requirements of a need stand so."""
        return sum(line.outcome is outcome and line.requirement.need == need for line in self.lines)


def match(
    profile: JobProfile,
    evidence: Sequence[Evidence],
    *,
    ways: Mapping[int, Sequence[Way]],
    known: frozenset[int],
    unknown: Sequence[Unknown] = (),
) -> Report:
    """How records stand to a profile.

    Args:
        evidence: of records, in the order in which they are to be preferred.
        ways: what counts for the requirement at that position, beside the very skill.
        known: the positions of requirements whose skill is in a framework of this node.
    """
    index: dict[str, list[Evidence]] = {}
    for each in evidence:
        for name in {each.skill.url, each.skill.code} - {None}:
            index.setdefault(str(name), []).append(each)
    lines = tuple(
        _line(requirement, [_exact(requirement), *ways.get(position, ())], index, is_known=position in known)
        for position, requirement in enumerate(profile.requirements)
    )
    return Report(lines=lines, unknown=tuple(unknown))


def _exact(requirement: Requirement) -> Way:
    skill = requirement.skill
    names = frozenset(name for name in (skill.url, skill.code) if name)
    return Way(names=names, skill=skill.name, through=Through.EXACT, framework=skill.framework)


def _line(
    requirement: Requirement, ways: Sequence[Way], index: Mapping[str, list[Evidence]], *, is_known: bool
) -> Line:
    looked_at = tuple(_look(requirement, way, each) for way in ways for each in _attesting(way, index))
    for outcome in (Outcome.MET, Outcome.NOT_CHECKED):
        best = next((used for used in looked_at if used.outcome is outcome), None)
        if best is not None:
            others = tuple(used for used in looked_at if used is not best)
            return Line(
                requirement=requirement,
                outcome=outcome,
                code=best.code,
                reason=best.reason,
                used=best,
                others=others,
            )
    if not is_known:
        code, reason = "skill.unknown", "No framework here knows the skill, so that nothing else could count for it."
        return Line(requirement=requirement, outcome=Outcome.NOT_CHECKED, code=code, reason=reason, others=looked_at)
    if looked_at:
        first, rest = looked_at[0], looked_at[1:]
        return Line(
            requirement=requirement,
            outcome=Outcome.NOT_MET,
            code=first.code,
            reason=first.reason,
            used=first,
            others=rest,
        )
    reason = "No record attests it, or a skill that counts for it."
    return Line(requirement=requirement, outcome=Outcome.NOT_MET, code="skill.not_attested", reason=reason)


def _attesting(way: Way, index: Mapping[str, list[Evidence]]) -> Iterator[Evidence]:
    """What attests the skill of a way, each once: by its URL, or by its code in the same framework."""
    seen: set[int] = set()
    for name in sorted(way.names):
        for each in index.get(name, ()):
            if id(each) not in seen and (each.skill.url == name or _same_framework(way, each.skill)):
                seen.add(id(each))
                yield each


def _same_framework(way: Way, skill: Skill) -> bool:
    if skill.framework is None or way.framework is None:
        return way.framework is None
    return skill.framework.casefold() == way.framework.casefold()


def _look(requirement: Requirement, way: Way, evidence: Evidence) -> Used:
    def used(outcome: Outcome, code: str, reason: str, result: Reached | None = None) -> Used:
        return Used(evidence=evidence, way=way, outcome=outcome, code=code, reason=reason, result=result)

    by = f"“{evidence.record_name}”{_through(requirement, way)}"
    if evidence.standing is Standing.FAILS:
        return used(Outcome.NOT_MET, "record.not_verified", f"{by} does not count: {evidence.reason}")
    ended = next((each for each in evidence.reached if each.value.casefold() in _NOT_REACHED), None)
    if ended is not None and len(evidence.reached) == 1:
        return used(Outcome.NOT_MET, "result.not_reached", f"{by} says “{ended.value}”.", ended)
    outcome, code, reason, result = _level(requirement.level, evidence.reached)
    if outcome is Outcome.NOT_MET:
        return used(outcome, code, f"{by}: {reason}", result)
    if evidence.standing is Standing.UNKNOWN:
        return used(Outcome.NOT_CHECKED, "record.not_checked", f"{by}: {evidence.reason}", result)
    if outcome is Outcome.MET and way.through is Through.NEAR:
        near = f"{by} is near, which is not the same; judge whether it is enough."
        return used(Outcome.NOT_CHECKED, "crosswalk.near", near, result)
    return used(outcome, code, f"{by}{': ' if outcome is Outcome.NOT_CHECKED else ' attests it'}{reason}", result)


def _through(requirement: Requirement, way: Way) -> str:
    if way.through is Through.EXACT:
        return ""
    where = f" in {way.source}" if way.source else ""
    if way.through is Through.CHILD:
        return f", by “{way.skill}”, which stands under “{requirement.skill.name}”{where},"
    return f", by “{way.skill}” ({way.relation}{where}),"


def _level(wanted: AtLeast | None, reached: Iterable[Reached]) -> tuple[Outcome, str, str, Reached | None]:
    if wanted is None:
        return Outcome.MET, "ok", ".", None
    below: tuple[str, Reached] | None = None
    other: Reached | None = None
    for each in reached:
        enough = _is_enough(wanted, each)
        if enough:
            return Outcome.MET, "ok", f" with {each.value}, where {_asked(wanted)} is asked for.", each
        if enough is None:
            other = each
        else:
            below = (f"{each.value} is below {_asked(wanted)}.", each)
    if below is not None:
        return Outcome.NOT_MET, "level.below", *below
    if other is not None:
        said = f"“{other.value}” is on another scale than {_asked(wanted)}."
        return Outcome.NOT_CHECKED, "level.not_comparable", said, other
    return Outcome.NOT_CHECKED, "level.not_stated", f"it states no level, and {_asked(wanted)} is asked for.", None


def _asked(wanted: AtLeast) -> str:
    return f"{wanted.value} ({wanted.scale.name})"


def _is_enough(wanted: AtLeast, reached: Reached) -> bool | None:
    """None where the two scales cannot be compared."""
    scale = wanted.scale
    same = scale.description is not None and scale.description == reached.description
    if scale.steps:
        steps = _folded(scale.steps)
        theirs = _folded(reached.steps)
        comparable = same or (len(theirs) >= _LEAST_STEPS and theirs == [step for step in steps if step in theirs])
        if not comparable or reached.value.casefold() not in steps:
            return None
        return steps.index(reached.value.casefold()) >= steps.index(wanted.value.casefold())
    value, least = number_of(reached.value), number_of(wanted.value)
    if value is None or least is None or not (same or _same_bounds(scale, reached)):
        return None
    return value >= least


def _same_bounds(scale: Scale, reached: Reached) -> bool:
    low, high = number_of(reached.low), number_of(reached.high)
    return low is not None and high is not None and (low, high) == (number_of(scale.low), number_of(scale.high))


def _folded(steps: Iterable[str]) -> list[str]:
    return [step.casefold() for step in steps]
