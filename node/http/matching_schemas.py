"""What the admin API takes and gives about job profiles and matches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from node.http.schemas import Most, Name, Text, Time, _Given, _View
from node.skills.profile import Need, Requirement

__all__ = [
    "JobProfileFile",
    "JobProfileQuery",
    "JobProfileRequest",
    "LineView",
    "MatchView",
    "NewJobProfile",
    "NewMatch",
    "OccupationToTake",
    "QueryView",
    "ReachedView",
    "SkillToAsk",
    "UnknownSkillView",
    "UsedView",
]

_Importance = Annotated[float, Meta(ge=0, le=100)]
_Number = Annotated[int, Meta(ge=1)]
_Outcome = Literal["met", "not-met", "not-checked"]


class _Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    pass


class JobProfileFile(_Query, frozen=True, kw_only=True):
    """What the profile in a file is called."""

    name: Annotated[Name | None, Meta(description="Else, for JSON, as it calls itself.")] = None
    title: Text | None = None


class JobProfileQuery(_Query, frozen=True, kw_only=True):
    """Which version."""

    number: Annotated[_Number | None, Meta(description="Else the last.")] = None


class JobProfileRequest(_Query, frozen=True, kw_only=True):
    """What of a profile is asked for."""

    number: Annotated[_Number | None, Meta(description="The version; else the last.")] = None
    wished: Annotated[bool, Meta(description="The wished skills too.")] = False
    most: Annotated[Most | None, Meta(description="Only so many, the most important ones.")] = None
    at_least: Annotated[
        Most | None, Meta(description="How many of these have to be answered for; else each of them.")
    ] = None


class OccupationToTake(_Given, frozen=True, kw_only=True):
    """An occupation of a framework, whose skills are taken."""

    code: Annotated[Name, Meta(description="Its code or URL.")]
    framework: Name | None = None
    required_from: Annotated[_Importance, Meta(description="From here on required; O*NET: 1 to 5.")] = 3.5
    wished_from: Annotated[_Importance, Meta(description="Skills of this importance are wished.")] = 3.0
    levels: Annotated[bool, Meta(description="Ask for the level that the framework states, too.")] = True


class SkillToAsk(_Given, frozen=True, kw_only=True):
    """A skill of an own list."""

    skill: Annotated[Name, Meta(description="Its code or URL.")]
    need: Need = "required"


class NewJobProfile(_Given, frozen=True, kw_only=True):
    """A profile: from an occupation, of skills, or both; what is listed replaces the same of the occupation."""

    name: Name
    title: Text | None = None
    occupation: OccupationToTake | None = None
    skills: Annotated[tuple[SkillToAsk, ...], Meta(max_length=200)] = ()


class QueryView(_View, frozen=True, kw_only=True):
    """A presentation definition."""

    definition: dict[str, Any]


class NewMatch(_Given, frozen=True, kw_only=True):
    """What is matched with a profile."""

    profile: Name
    number: Annotated[_Number | None, Meta(description="The version of the profile; else the last.")] = None
    exchange: Annotated[
        Name | None, Meta(description="What was presented in this exchange; else what the node holds itself.")
    ] = None
    check: Annotated[bool, Meta(description="Own records: verify those that decide a requirement now.")] = True
    trust: Annotated[tuple[Name, ...], Meta(max_length=50, description="DIDs of issuers to trust for this once.")] = ()


class ReachedView(_View, frozen=True, kw_only=True):
    """A result."""

    name: str
    value: str


class UsedView(_View, frozen=True, kw_only=True):
    """A record that was looked at for a requirement."""

    record: Annotated[str, Meta(description="Its id here, or its place in the presentation.")]
    record_name: str
    issuer: str
    skill: Annotated[str, Meta(description="The skill that it attests.")]
    skill_url: str | None
    skill_code: str | None
    through: Annotated[
        str, Meta(description="Why that counts: exact item, exactMatch, CASE association, child-of, or near.")
    ]
    relation: str | None
    source: Annotated[str | None, Meta(description="The framework or crosswalk that relates the two.")]
    outcome: _Outcome
    code: str
    reason: str
    result: ReachedView | None


class LineView(_View, frozen=True, kw_only=True):
    """One requirement, and how it stands."""

    requirement: Requirement
    outcome: _Outcome
    code: str
    reason: str
    used: UsedView | None
    others: list[UsedView]
    more: Annotated[int, Meta(description="How many further records were looked at, which are not listed.")]


class UnknownSkillView(_View, frozen=True, kw_only=True):
    """A skill of a record that no framework here knows."""

    record: str
    record_name: str
    skill: str
    framework: str | None
    url: str | None


class MatchView(_View, frozen=True, kw_only=True):
    """Every requirement in the order of the profile; there is no score."""

    profile: Name
    number: int
    title: str
    exchange: str | None
    at: Time
    lines: list[LineView]
    unknown: list[UnknownSkillView]
