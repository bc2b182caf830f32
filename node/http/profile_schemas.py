"""What the admin API gives about the skills that the held records attest."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from node.http.schemas import After, Limit, Name, Time, _Given, _View

__all__ = [
    "AttestationView",
    "BelievedView",
    "MatchView",
    "PictureView",
    "ProfileQuery",
    "ProfiledSkillDetail",
    "ProfiledSkillQuery",
    "ProfiledSkillView",
    "ReachedView",
    "SkillRecordView",
]

_AS = Annotated[
    Name | None,
    Meta(description="Tell the skills in terms of this framework (its short name here), through the matches known."),
]


class ProfileQuery(_Given, frozen=True, kw_only=True):
    """Which skills."""

    framework: _AS = None
    after: After = None
    limit: Limit = 100


class ProfiledSkillQuery(_Given, frozen=True, kw_only=True):
    """Which skill, and which of its records."""

    skill: Annotated[Name, Meta(description="Its code, URL or name, or its id in the profile.")]
    after: After = None
    limit: Limit = 100


class ReachedView(_View, frozen=True, kw_only=True):
    """A result."""

    name: str
    value: str
    kind: Annotated[str, Meta(description="The `resultType` (OB 3.0 §B); empty where it is not said.")]
    steps: Annotated[list[str], Meta(description="The values that there are, from low to high.")]
    low: str | None
    high: str | None


class BelievedView(_View, frozen=True, kw_only=True):
    """Whether the node's trust policy believes who awards; `self` where it is the holder's own statement."""

    by: Annotated[str, Meta(description="`trusted`, `untrusted`, `unclear` or `self`.")]
    code: str
    reason: str


class AttestationView(_View, frozen=True, kw_only=True):
    """Records that say the same of a skill."""

    issuer: str
    issuer_name: str | None
    believed: BelievedView
    about: Annotated[str, Meta(description="`holder`, `other` or `unnamed`.")]
    standing: Annotated[str, Meta(description="`valid`, `expired`, `suspended` or `revoked`, as the node knows.")]
    results: list[ReachedView]
    count: int
    first: Time
    last: Time


class SkillRecordView(_View, frozen=True, kw_only=True):
    """A record that attests a skill."""

    record_id: str
    name: str
    issuer: str
    issuer_name: str | None
    believed: BelievedView
    about: str
    standing: str
    awarded: Time
    expires: Time | None
    results: list[ReachedView]


class MatchView(_View, frozen=True, kw_only=True):
    """What a skill is matched with in another framework."""

    kind: str
    code: str
    name: str | None
    framework_id: str | None
    framework: str | None


class ProfiledSkillView(_View, frozen=True, kw_only=True):
    """A skill that held records attest."""

    id: str
    name: str
    code: str | None
    url: str | None
    framework: str | None
    framework_id: str | None
    known: Annotated[bool, Meta(description="Whether a framework of this node has it.")]
    count: Annotated[int, Meta(description="How many records attest it.")]
    valid: Annotated[int, Meta(description="How many of them are neither over nor taken back.")]
    last: Time
    attestations: list[AttestationView]
    records: Annotated[list[SkillRecordView], Meta(description="The latest.")]
    matches: list[MatchView]
    through: Annotated[MatchView | None, Meta(description="By which match it is told in terms of that framework.")]


class ProfiledSkillDetail(_View, frozen=True, kw_only=True):
    """A skill, and a page of all records that attest it."""

    skill: ProfiledSkillView
    records: list[SkillRecordView]
    next: str | None


class PictureView(_View, frozen=True, kw_only=True):
    """The profile to look at; both are whole files that load nothing."""

    svg: str
    html: str
