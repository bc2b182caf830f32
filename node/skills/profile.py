"""Profiles of jobs: which skills a job requires and which it wishes for, with levels. JSON in and out.

A level is a value on a scale, and a scale says what its values are: the steps in their order, or the lowest and highest
number. Without that nobody can tell whether a level of a record is enough, so that a level without a scale is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from node.records.results import number_of
from protocols import strict_json
from protocols.errors import BadInput

__all__ = [
    "MAX_REQUIREMENTS",
    "ONET_LEVEL",
    "AtLeast",
    "JobProfile",
    "Need",
    "Occupation",
    "Requirement",
    "Scale",
    "WantedSkill",
    "check",
    "decode",
    "encode",
]

MAX_REQUIREMENTS = 200
_MAX_BYTES = 1 << 20

_Short = Annotated[str, Meta(min_length=1, max_length=500)]
_Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")]
Need = Literal["required", "wished"]


class _Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    pass


class WantedSkill(_Value, frozen=True, kw_only=True):
    """A skill in the words of its framework; it has a code or a URL."""

    name: _Short
    code: _Short | None = None
    url: _Short | None = None
    framework: _Short | None = None


class Scale(_Value, frozen=True, kw_only=True):
    """What levels there are: steps from low to high, or numbers from low to high.

    Attributes:
        description: the id of the ResultDescription (OB 3.0 §B) whose scale it is; results of another one can be
            compared too, where they say that they have the same steps or bounds.
    """

    name: _Short
    steps: Annotated[tuple[_Short, ...], Meta(max_length=50)] = ()
    low: _Short | None = None
    high: _Short | None = None
    description: _Short | None = None


class AtLeast(_Value, frozen=True, kw_only=True):
    """The least level that is enough."""

    value: _Short
    scale: Scale


class Requirement(_Value, frozen=True, kw_only=True):
    """One skill.

    Attributes:
        importance: as its source says, for people; nothing is computed from it.
    """

    skill: WantedSkill
    need: Need
    importance: float | None = None
    level: AtLeast | None = None


class Occupation(_Value, frozen=True, kw_only=True):
    """The item of a framework that a profile was made from, in the version that it was made from."""

    name: _Short
    code: _Short | None = None
    url: _Short | None = None
    framework: _Short
    number: Annotated[int, Meta(ge=1)]


class JobProfile(_Value, frozen=True, kw_only=True, tag="JobProfile", tag_field="type"):
    """A profile in one version.

    Attributes:
        name: short; what commands call it.
        number: counts the versions, from 1.
    """

    name: _Name
    number: Annotated[int, Meta(ge=1)] = 1
    title: _Short
    requirements: Annotated[tuple[Requirement, ...], Meta(min_length=1, max_length=MAX_REQUIREMENTS)]
    occupation: Occupation | None = None
    created: datetime | None = None


ONET_LEVEL = Scale(name="O*NET level", low="0", high="7")


def decode(data: bytes | str) -> JobProfile:
    """Read an exported profile.

    Raises:
        BadInput: ``profile.malformed``, which says where; ``json.*``.
    """
    found = strict_json.loads_object(data, max_bytes=_MAX_BYTES)
    try:
        profile = msgspec.convert(found, JobProfile)
    except msgspec.ValidationError as error:
        raise _malformed(f"{error}.") from None
    return check(profile)


def encode(profile: JobProfile) -> bytes:
    """The profile as JSON."""
    return msgspec.json.encode(profile)


def check(profile: JobProfile) -> JobProfile:
    """The profile itself, if it says nothing that contradicts itself.

    Raises:
        BadInput: ``profile.malformed``.
    """
    for number, requirement in enumerate(profile.requirements, start=1):
        for problem in _problems(requirement):
            raise _malformed(f"Requirement {number} (“{requirement.skill.name}”) {problem}.")
    named = [each.skill.url or each.skill.code for each in profile.requirements]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise _malformed(f"The skill {twice} stands there twice.")
    return profile


def _problems(requirement: Requirement) -> Iterator[str]:
    if requirement.skill.code is None and requirement.skill.url is None:
        yield "has neither a code nor a URL"
    level = requirement.level
    if level is None:
        return
    scale = level.scale
    if scale.steps:
        folded = [step.casefold() for step in scale.steps]
        if len(set(folded)) != len(folded):
            yield "has a scale with a step that stands there twice"
        if level.value.casefold() not in folded:
            yield f"asks for the level “{level.value}”, which its scale does not have"
        return
    bounds = [number_of(text) for text in (scale.low, level.value, scale.high)]
    known = [bound for bound in bounds if isinstance(bound, Decimal)]
    if len(known) != len(bounds):
        yield "has a scale with neither steps nor two numbers as bounds, or a level that is no number"
    elif known != sorted(known):
        yield f"asks for a level outside its scale, from {scale.low} to {scale.high}"


def _malformed(message: str) -> BadInput:
    return BadInput(
        "profile.malformed",
        f"The job profile cannot be used: {message}",
        "Mend it; see lernode profile show NAME --json.",
    )
