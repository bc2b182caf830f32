"""Turns a job profile into what a peer is asked for: its required skills, what counts for them, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from node.skills.matching import Through, Way
from node.skills.profile import JobProfile, Requirement
from protocols.credentials.model import is_url
from protocols.errors import BadInput
from protocols.exchange.query import MAX_SKILLS, WantedSkill, for_skills

__all__ = ["query_of"]

_MOST_NAMES = 32


def query_of(
    profile: JobProfile,
    ways: Mapping[int, Sequence[Way]],
    *,
    definition_id: str,
    wished: bool = False,
    most: int | None = None,
    at_least: int | None = None,
    name: str | None = None,
    purpose: str | None = None,
) -> dict[str, Any]:
    """A presentation definition (DIF Presentation Exchange) for a profile.

    A skill is answered by a record that attests it or what counts for it through an exact match, a CASE association or
    the tree. Where a level is asked for, the whole record has to be shown, for its result; else only the alignment.

    Args:
        ways: what counts, by the position of the requirement.
        wished: ask for the wished skills too.
        most: ask for so many only, those with the greatest importance.
        at_least: how many of those must be answered for, by whoever does not have all; None for each of them.

    Raises:
        BadInput: ``profile.too_many_skills``, ``profile.too_few_skills`` for more than are asked for.
    """
    asked = [
        (position, each) for position, each in enumerate(profile.requirements) if wished or each.need == "required"
    ]
    asked.sort(key=lambda pair: -(pair[1].importance or 0.0))
    chosen = asked[: most or len(asked)]
    if len(chosen) > MAX_SKILLS:
        raise BadInput(
            "profile.too_many_skills",
            f"The profile has {len(chosen)} skills to ask for; a query has at most {MAX_SKILLS}.",
            f"Ask for the most important ones: --most {MAX_SKILLS}",
        )
    if not chosen:
        raise BadInput("profile.too_many_skills", "The profile requires no skill.", "Ask for the wished ones: --wished")
    if at_least is not None and at_least > len(chosen):
        raise BadInput(
            "profile.too_few_skills",
            f"The profile has {len(chosen)} skills to ask for, which is fewer than have to be answered for.",
            f"Ask for fewer: --at-least {len(chosen)}",
        )
    title = name or f"Skills for: {profile.title}"
    return for_skills(
        [_wanted(each, ways.get(position, ())) for position, each in sorted(chosen)],
        name=title,
        purpose=purpose or title,
        definition_id=definition_id,
        at_least=at_least,
    )


def _wanted(requirement: Requirement, ways: Sequence[Way]) -> WantedSkill:
    skill = requirement.skill
    urls = [skill.url] if skill.url else []
    for way in ways:
        if way.through is not Through.NEAR:
            urls += [name for name in sorted(way.names) if is_url(name)]
    return WantedSkill(
        name=skill.name,
        urls=list(dict.fromkeys(urls))[:_MOST_NAMES],
        codes=[skill.code] if skill.code else [],
        whole=requirement.level is not None,
    )
