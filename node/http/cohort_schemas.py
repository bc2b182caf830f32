"""What the admin API takes and gives about cohorts."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from node.http.schemas import After, ExchangeView, Limit, Name, Time, _Given, _View

__all__ = [
    "AllowedAsker",
    "AskedPeer",
    "AskerToAllow",
    "CohortInquiry",
    "CohortLearner",
    "CohortLearnersQuery",
    "CohortPolicyToSet",
    "CohortPolicyView",
    "CohortQuery",
    "CohortQuestion",
    "CohortQuestionsQuery",
    "CohortSkill",
    "CohortSkills",
    "LearnersSkill",
    "SummedSkill",
    "WaitingQuestion",
]

Epsilon = Annotated[str, Meta(pattern=r"^[0-9]{1,2}(\.[0-9]{1,3})?$", description="From `0.01` to `10`.")]


class CohortQuery(_Given, frozen=True, kw_only=True):
    """Which issued records count: those that are active, not over, and about somebody."""

    achievement: Annotated[Name | None, Meta(description="Only those of this achievement, by its id.")] = None
    since: Annotated[Time | None, Meta(description="Issued then or later.")] = None
    until: Annotated[Time | None, Meta(description="Issued before.")] = None


class CohortLearnersQuery(CohortQuery, frozen=True, kw_only=True):
    """Which records, and which page of the learners."""

    after: After = None
    limit: Limit = 100


class CohortSkill(_View, frozen=True, kw_only=True):
    """A skill, and how many learners have it, exactly."""

    name: str
    code: str | None
    framework: str | None
    url: str | None
    learners: int


class CohortSkills(_View, frozen=True, kw_only=True):
    """Exact counts, for the issuer's own eyes."""

    learners: Annotated[int, Meta(description="With a record that counts, whether it names a skill or not.")]
    records: int
    skills: Annotated[list[CohortSkill], Meta(description="What most learners have first.")]


class LearnersSkill(_View, frozen=True, kw_only=True):
    """A skill that a learner has."""

    name: str
    code: str | None
    framework: str | None
    url: str | None


class CohortLearner(_View, frozen=True, kw_only=True):
    """A learner of the cohort."""

    subject: Annotated[str, Meta(description="Whom the records are about, as they say it.")]
    name: Annotated[str | None, Meta(description="As a record says it.")]
    records: int
    skills: list[LearnersSkill]


class CohortQuestion(_Given, frozen=True, kw_only=True):
    """What to ask peers: counts of skills with noise."""

    connections: Annotated[list[Name], Meta(min_length=1, max_length=100, description="By id or name; each once.")]
    skills: Annotated[tuple[Name, ...], Meta(max_length=500, description="By URL or code, as records have them.")] = ()
    framework: Annotated[Name | None, Meta(description="All skills of this framework, instead.")] = None
    epsilon: Epsilon = "1"
    most: (
        Annotated[int, Meta(ge=1, le=50, description="Skills for which one learner counts; else 5, or all if fewer.")]
        | None
    ) = None
    purpose: Annotated[Name | None, Meta(description="For the people there.")] = None


class CohortQuestionsQuery(_Given, frozen=True, kw_only=True):
    """How many questions."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class AskedPeer(_View, frozen=True, kw_only=True):
    """A peer that was asked."""

    exchange: ExchangeView
    problem: Annotated[str | None, Meta(description="Why it does not answer: its code.")]
    explain: Annotated[str, Meta(description="The same in the peer's words.")]
    counted: Annotated[Time | None, Meta(description="When it counted; an answer may be an old one.")]
    minimum: Annotated[int | None, Meta(description="Learners that a group should have there to be told.")]


class SummedSkill(_View, frozen=True, kw_only=True):
    """A skill, and how many learners have it, as all answers together say."""

    skill: str
    count: Annotated[int | None, Meta(description="The sum of what was told; null where nobody told anything.")]
    low: int
    high: Annotated[int, Meta(description="In 95 % of cases the exact sum is between the two.")]
    told_by: int
    kept_back_by: Annotated[int, Meta(description="Peers whose group may be too small; `high` allows for these.")]


class CohortInquiry(_View, frozen=True, kw_only=True):
    """A question to several peers, and what they answered so far."""

    id: str
    created: Time
    epsilon: str
    most: int
    purpose: str | None
    peers: list[AskedPeer]
    skills: list[SummedSkill]


class WaitingQuestion(_View, frozen=True, kw_only=True):
    """A question of a peer that a person here looks at; accept or decline its exchange."""

    exchange: ExchangeView
    skills: list[str]
    epsilon: str
    most: int
    purpose: Annotated[str | None, Meta(description="In the peer's words.")]


class CohortPolicyToSet(_Given, frozen=True, kw_only=True):
    """What holds for all askers; what is left out stays as it is."""

    minimum: Annotated[int, Meta(ge=1, le=100_000, description="Learners that a group should have.")] | None = None
    period: Annotated[int, Meta(ge=1, le=36_500, description="Days after which what was spent is back.")] | None = None
    budget: Annotated[Epsilon | None, Meta(description="Epsilon that all askers together may spend in that time.")] = (
        None
    )


class AskerToAllow(_Given, frozen=True, kw_only=True):
    """A peer that may ask."""

    connection: Name
    per_question: Epsilon = "1"
    budget: Annotated[Epsilon, Meta(description="Epsilon of all its questions in a period.")] = "2"
    review: Annotated[bool, Meta(description="Let a person look at each question.")] = False


class AllowedAsker(_View, frozen=True, kw_only=True):
    """A peer that may ask, and what it has spent."""

    connection: str
    peer: str | None
    per_question: str
    budget: str
    spent: str
    review: bool


class CohortPolicyView(_View, frozen=True, kw_only=True):
    """Who may ask for counts, and what is spent; nobody may where no asker is listed."""

    minimum: int
    period: int
    budget: str
    spent: Annotated[str, Meta(description="By all askers together in the period that ends now.")]
    can_answer: Annotated[bool, Meta(description="Whether the library for the noise is installed.")]
    askers: list[AllowedAsker]
