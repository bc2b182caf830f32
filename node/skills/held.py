"""A learner's skills: which, by which records, how strong, and what they are called elsewhere.

How strong a skill is, is never one number here: it is told by its parts, which are how many records attest it, who
awards them and whether this node believes that one, which results were reached on which scale, when, and what of it is
over by now. Skills are listed by framework and name, not by how good anybody is at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from storage.record_skills import Reached
from storage.record_terms import IssuedState

__all__ = ["Attestation", "Believed", "Match", "ProfiledSkill", "SkillRecord", "age", "in_order",
           "in_terms_of", "scale_of", "standing", "told", "told_results"]  # fmt: skip

_DAYS_A_YEAR, _DAYS_A_MONTH = 365, 30


@dataclass(frozen=True, slots=True)
class Believed:
    """Whether the node's trust policy believes who awards.

    Attributes:
        by: ``self`` where the node's own DID says it, ``trusted``, ``untrusted`` or ``unclear``.
        code: of the check ``issuer-trusted``.
        reason: one sentence.
    """

    by: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """Records that say the same of a skill.

    Attributes:
        about: whom they are about: ``holder`` of this node, ``other``, or ``unnamed``.
        standing: ``valid``, ``expired``, ``suspended`` or ``revoked``, as the node knows.
        first, last: when the earliest and the latest of them were awarded.
    """

    issuer: str
    issuer_name: str | None
    believed: Believed
    about: str
    standing: str
    results: tuple[Reached, ...]
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class SkillRecord:
    """One record that attests a skill.

    Attributes:
        place: of what it says of the skill, for the next page.
    """

    place: str
    record_id: str
    name: str
    issuer: str
    issuer_name: str | None
    believed: Believed
    about: str
    standing: str
    awarded: datetime
    expires: datetime | None
    results: tuple[Reached, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What a skill is matched with in another framework.

    Attributes:
        kind: of the relation, such as ``exactMatch``; with an arrow before it where it was stated the other way round.
        framework_id: the framework's short name here, where the node has it.
    """

    kind: str
    code: str
    name: str | None
    framework_id: str | None
    framework: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfiledSkill:
    """One skill.

    Attributes:
        id: names it within the profile.
        known: whether a framework of this node has it.
        framework_id: that framework's short name here.
        records: the latest; ``count`` says how many there are.
        through: the match by which it is told in terms of another framework than its records name.
    """

    id: str
    name: str
    code: str | None
    url: str | None
    framework: str | None
    framework_id: str | None
    known: bool
    matches: tuple[Match, ...]
    attestations: tuple[Attestation, ...]
    records: tuple[SkillRecord, ...]
    through: Match | None = None

    @property
    def count(self) -> int:
        """How many records attest it."""
        return sum(each.count for each in self.attestations)

    @property
    def valid(self) -> int:
        """How many of them are neither over nor taken back."""
        return sum(each.count for each in self.attestations if each.standing == "valid")

    @property
    def last(self) -> datetime:
        """When it was attested last."""
        return max(each.last for each in self.attestations)

    @property
    def results(self) -> tuple[Reached, ...]:
        """The results in force, each once."""
        return tuple(
            dict.fromkeys(each for part in self.attestations if part.standing == "valid" for each in part.results)
        )


def standing(state: IssuedState, *, expired: bool) -> str:
    """What a record is worth by now."""
    if state is not IssuedState.ACTIVE:
        return state.value
    return "expired" if expired else "valid"


def in_terms_of(skills: Sequence[ProfiledSkill], framework_id: str) -> list[ProfiledSkill]:
    """The skills of one framework, and those of others that are matched with an item of it, each under that item.

    A skill that several items match stands under each; one that none matches is left out.
    """
    found: list[ProfiledSkill] = []
    for skill in skills:
        if skill.framework_id == framework_id:
            found.append(skill)
            continue
        found += [
            replace(
                skill,
                id=f"{skill.id}.{number}",
                name=match.name or match.code,
                code=match.code,
                framework=match.framework,
                framework_id=framework_id,
                known=True,
                through=replace(match, code=skill.code or skill.url or skill.name, name=skill.name),
            )
            for number, match in enumerate(skill.matches)
            if match.framework_id == framework_id
        ]
    return in_order(found)


def in_order(skills: Iterable[ProfiledSkill]) -> list[ProfiledSkill]:
    """By framework and name."""
    return sorted(skills, key=lambda each: ((each.framework or "").casefold(), each.name.casefold(), each.id))


def age(then: datetime, now: datetime) -> str:
    """How long ago, in words that one sees at a glance."""
    days = (now - then).days
    for size, word in ((_DAYS_A_YEAR, "year"), (_DAYS_A_MONTH, "month"), (1, "day")):
        if days >= size:
            count = days // size
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "today" if days >= 0 else "in the future"


def told(each: Attestation) -> str:
    """An attestation in a sentence."""
    records = "1 record" if each.count == 1 else f"{each.count} records"
    by = f"{each.issuer_name} ({each.issuer})" if each.issuer_name else each.issuer
    dates = f"{each.first:%Y-%m-%d}"
    if each.last.date() != each.first.date():
        dates += f" to {each.last:%Y-%m-%d}"
    who = "own statement" if each.believed.by == "self" else f"by {by}; {_BELIEVED[each.believed.by]}"
    parts = [f"{records}, {who}", dates, each.standing if each.standing != "valid" else "", _ABOUT[each.about]]
    parts.append(told_results(each.results))
    return "; ".join(part for part in parts if part) + "."


def told_results(results: Iterable[Reached]) -> str:
    """Results in words, each with its scale."""
    return "; ".join(
        f"{each.name}: {each.value}" + (f" (of {scale})" if (scale := scale_of(each)) else "") for each in results
    )


def scale_of(each: Reached) -> str:
    """What the value is one of, where the record says it."""
    if each.steps:
        return " < ".join(each.steps)
    return f"{each.low} to {each.high}" if each.low and each.high else ""


_BELIEVED = {
    "trusted": "issuer trusted here",
    "untrusted": "issuer not trusted here",
    "unclear": "whether to trust the issuer is undecided",
}
_ABOUT = {"holder": "", "other": "about somebody else", "unnamed": "does not name whom it is about"}
