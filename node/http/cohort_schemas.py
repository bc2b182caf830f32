"""What the admin API takes and gives about cohorts."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from node.http.schemas import After, Limit, Name, Time, _Given, _View

__all__ = ["CohortLearner", "CohortLearnersQuery", "CohortQuery", "CohortSkill", "CohortSkills", "LearnersSkill"]


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
