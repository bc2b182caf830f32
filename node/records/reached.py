"""What a record says was reached in each skill: its results, in the light of what they are results of.

Open Badges 3.0 §B: a Result refers to a ResultDescription of its achievement, and both may be aligned to skills of
their own. A result that is aligned to nothing, nor is its description, is one of the whole achievement, and so of every
skill that the achievement is aligned to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from node.records.shown import shown_text
from node.records.summary import MAX_SKILLS, skills_of
from protocols.credentials import model
from protocols.credentials.trust.scope import award_of
from protocols.credentials.views import viewed
from storage.record_skills import Reached
from storage.record_terms import Skill
from storage.skill_awards import AwardedBy

__all__ = ["awarded_by", "reached_in"]

_MAX_STEPS = 50
_MAX_AWARD_PARTS = 100


def reached_in(document: dict[str, Any]) -> Mapping[Skill, tuple[Reached, ...]]:
    """The results of a record by the skill that they are about; skills without a result are left out."""
    found: dict[Skill, dict[Reached, None]] = {}
    for subject in model.subjects(viewed(document)):
        achievements = _objects(subject.get("achievement"))
        described = dict(_descriptions(achievements))
        for result in _objects(subject.get("result"))[:MAX_SKILLS]:
            named = result.get("resultDescription")
            description = described.get(named) if isinstance(named, str) else None
            reached = _reached(result, description or {})
            if reached is None:
                continue
            for skill in _about(result, description, achievements):
                found.setdefault(skill, {})[reached] = None
    return {skill: tuple(results) for skill, results in found.items()}


def awarded_by(document: dict[str, Any]) -> AwardedBy:
    """Who awards what to whom, by a record: what trust is decided by."""
    issuer = viewed(document).get("issuer")
    achieved = award_of(document, None).achievements or ()
    return AwardedBy(
        issuer=model.issuer_id(document) or "",
        issuer_name=shown_text(issuer.get("name")) if isinstance(issuer, dict) else None,
        subject=next((found for found in model.subject_ids(document) if found), None),
        achievements=tuple(
            (each.achievement, each.achievement_type, each.alignments[:_MAX_AWARD_PARTS])
            for each in achieved[:_MAX_AWARD_PARTS]
        ),
    )


def _about(
    result: dict[str, Any], description: dict[str, Any] | None, achievements: list[dict[str, Any]]
) -> tuple[Skill, ...]:
    own = skills_of(result.get("alignment")) + skills_of((description or {}).get("alignment"))
    return own or tuple(skill for each in achievements for skill in skills_of(each.get("alignment")))


def _reached(result: dict[str, Any], description: dict[str, Any]) -> Reached | None:
    levels = _objects(description.get("rubricCriterionLevel"))
    achieved = result.get("achievedLevel")
    level = next((shown_text(each.get("name")) for each in levels if achieved and each.get("id") == achieved), None)
    value = level or shown_text(result.get("value")) or shown_text(result.get("status"))
    if value is None:
        return None
    allowed = model.as_list(description.get("allowedValue"))
    steps = [shown_text(each.get("name")) for each in levels] if level else [shown_text(each) for each in allowed]
    whole = tuple(step for step in steps if step)
    return Reached(
        name=shown_text(description.get("name")) or "Result",
        value=value,
        description=model.id_of(description),
        kind=shown_text(description.get("resultType")) or "",
        steps=whole if len(whole) == len(steps) <= _MAX_STEPS else (),
        low=shown_text(description.get("valueMin")),
        high=shown_text(description.get("valueMax")),
    )


def _descriptions(achievements: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for achievement in achievements:
        for description in _objects(achievement.get("resultDescription")):
            if isinstance(description.get("id"), str):
                yield description["id"], description


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in model.as_list(value) if isinstance(each, dict)]
