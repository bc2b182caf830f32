"""Skills: what a credential says, held against what this node knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.model import alignments, is_url
from protocols.credentials.verification import Check, CheckResult
from protocols.credentials.views import viewed

__all__ = ["check_skills"]

_SKILLS_SPEC = "Open Badges 3.0 §B.4"


async def check_skills(
    document: dict[str, Any], known_skills: Callable[[frozenset[str]], Awaitable[frozenset[str]]] | None
) -> CheckResult:
    """Whether the skills that the record is aligned to are in a framework that this node has."""
    stated = alignments(viewed(document))
    if not stated:
        reason = "The record is not aligned to any skill."
        return not_checked(Check.SKILLS, "skills.none", reason, _SKILLS_SPEC)
    targets = [item["targetUrl"] for item in stated if is_url(item.get("targetUrl"))]
    if len(targets) != len(stated):
        reason = "An alignment does not name its skill by a URL."
        return failed(Check.SKILLS, "skills.malformed", reason, _SKILLS_SPEC)
    if known_skills is None:
        reason = "This node has no framework of skills."
        return not_checked(Check.SKILLS, "skills.no_framework", reason, _SKILLS_SPEC)
    known = await known_skills(frozenset(targets))
    unknown = sum(target not in known for target in targets)
    details = {"skills": len(targets), "unknown": unknown}
    if unknown:
        reason = "The record is aligned to skills that no framework of this node has."
        return not_checked(Check.SKILLS, "skills.unknown", reason, _SKILLS_SPEC, details=details)
    return passed(Check.SKILLS, "Every skill is in a known framework.", _SKILLS_SPEC, details=details)
