"""What the admin API takes and gives about the catalogue of achievements."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from node.http.schemas import Name, SkillView, Text, Time, _Given, _View

__all__ = [
    "AchievementChange",
    "AchievementDetail",
    "AchievementVersion",
    "AchievementsToAdd",
    "CatalogueEntry",
    "CatalogueQuery",
    "CatalogueView",
    "Retirement",
    "SkillOfFramework",
    "SkillToAward",
]


class CatalogueQuery(_Given, frozen=True, kw_only=True):
    """Which achievements."""

    retired: Annotated[bool, Meta(description="Those too that are awarded no more.")] = False


class SkillOfFramework(_Given, frozen=True, kw_only=True):
    """An item of a framework that is imported here."""

    framework: Annotated[Name, Meta(description="The framework's short name.")]
    code: Annotated[Text, Meta(description="The item's code or URL.")]


class SkillToAward(SkillOfFramework, frozen=True, kw_only=True):
    """An item of a framework of which an achievement is made; its own words hold where nothing else is said."""

    name: Name | None = None
    description: Text | None = None
    criteria: Annotated[Text | None, Meta(description="What is asked of a learner.")] = None
    achievement_type: Annotated[Name, Meta(description="Of Open Badges 3.0.")] = "Competency"


class AchievementsToAdd(_Given, frozen=True, kw_only=True):
    """Achievements for the catalogue: as documents, or one made of an item of a framework."""

    documents: Annotated[
        tuple[dict[str, Any], ...], Meta(max_length=2000, description="Achievement objects of Open Badges 3.0.")
    ] = ()
    from_skill: SkillToAward | None = None


class AchievementChange(_Given, frozen=True, kw_only=True):
    """What an achievement says from now on."""

    document: Annotated[dict[str, Any] | None, Meta(description="The whole Achievement; else as it is.")] = None
    align: Annotated[
        tuple[SkillOfFramework, ...], Meta(max_length=50, description="Items to which it is aligned too.")
    ] = ()
    based_on: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Number of the version that was edited; refused where there is a later one."),
    ] = None


class Retirement(_Given, frozen=True, kw_only=True):
    """Whether an achievement is awarded no more."""

    undo: Annotated[bool, Meta(description="Award it again.")] = False


class CatalogueEntry(_View, frozen=True, kw_only=True):
    """An achievement of the catalogue, in one version."""

    id: Annotated[str, Meta(description="Of the Achievement; each version has its own.")]
    slug: Annotated[str, Meta(description="A short name that stands for the version that is awarded.")]
    name: str
    description: str
    number: Annotated[int, Meta(description="Of the version, from 1.")]
    retired: Annotated[bool, Meta(description="Whether it is awarded no more.")]
    skills: list[SkillView]
    document: Annotated[msgspec.Raw, Meta(description="The Achievement object.")]


class CatalogueView(_View, frozen=True, kw_only=True):
    """Achievements of the catalogue, each in the version that is awarded."""

    items: list[CatalogueEntry]


class AchievementVersion(_View, frozen=True, kw_only=True):
    """One version of an achievement."""

    number: int
    id: str
    made: Time
    current: Annotated[bool, Meta(description="Whether it is the one that is awarded.")]
    used: Annotated[bool, Meta(description="Whether records were made from it; it never changes then.")]


class AchievementDetail(CatalogueEntry, frozen=True, kw_only=True):
    """An achievement with its versions, the newest first."""

    versions: list[AchievementVersion]
