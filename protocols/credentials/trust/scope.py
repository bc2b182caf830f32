"""What a record awards, and what somebody may award: by the terms of Open Badges 3.0 (§B.1, §B.4).

Reading is total, as in ``model.py``: a record that says less than a scope asks for is outside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protocols.credentials.model import as_list, is_url, subjects
from protocols.credentials.times import parse_time
from protocols.credentials.views import viewed

__all__ = ["Achieved", "Award", "Scope", "award_of"]

_URL_ENDS = ("/", "#", "?", "=", ":")


@dataclass(frozen=True, slots=True)
class Achieved:
    """One achievement of a record.

    Attributes:
        achievement: its ``id``.
        achievement_type: its ``achievementType``, such as ``Certificate``.
        alignments: of each alignment, its ``targetFramework`` and its ``targetUrl``.
    """

    achievement: str | None = None
    achievement_type: str | None = None
    alignments: tuple[tuple[str | None, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Award:
    """What is to be believed of an issuer.

    Attributes:
        issuer: its id.
        achievements: what it awards; ``None`` where it awards nothing but recognises others.
        at: when, by the record's ``validFrom`` (``issuanceDate``); ``None`` where it does not say so.
    """

    issuer: str | None
    achievements: tuple[Achieved, ...] | None
    at: datetime | None


def award_of(document: dict[str, Any], issuer: str | None) -> Award:
    """What a credential of ``issuer`` awards."""
    found = (achieved for subject in subjects(viewed(document)) for achieved in as_list(subject.get("achievement")))
    return Award(issuer, tuple(_achieved(item) for item in found), issued_at(document))


def issued_at(document: dict[str, Any]) -> datetime | None:
    """When a credential was issued, by what it says itself."""
    start = document.get("validFrom", document.get("issuanceDate"))
    return parse_time(start, zone_required=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be awarded; a set that is empty limits nothing.

    Attributes:
        achievement_types: values of ``achievementType``.
        achievements: ids of achievements.
        frameworks: values of ``targetFramework``, or the beginnings of ``targetUrl`` where they are URLs themselves.
    """

    achievement_types: frozenset[str] = frozenset()
    achievements: frozenset[str] = frozenset()
    frameworks: frozenset[str] = frozenset()

    @property
    def is_limited(self) -> bool:
        """Whether anything may not be awarded."""
        return bool(self.achievement_types or self.achievements or self.frameworks)

    def refusal(self, award: Award) -> str | None:
        """By which of its limits some achievement of a record is outside, or ``None`` where all are within."""
        if award.achievements is None or not self.is_limited:
            return None
        if not award.achievements:
            return "no-achievement"
        return next((found for item in award.achievements if (found := self._refusal_of(item))), None)

    def _refusal_of(self, item: Achieved) -> str | None:
        if self.achievement_types and item.achievement_type not in self.achievement_types:
            return "achievement-type"
        if self.achievements and item.achievement not in self.achievements:
            return "achievement"
        if self.frameworks and not (item.alignments and all(self._has_framework(each) for each in item.alignments)):
            return "framework"
        return None

    def _has_framework(self, alignment: tuple[str | None, str | None]) -> bool:
        name, url = alignment
        return any(_begins(url, framework) if is_url(framework) else framework == name for framework in self.frameworks)


def _begins(url: str | None, framework: str) -> bool:
    """Whether a skill's URL is one below that of a framework: ``https://a.example`` does not have ``https://a.exampl``."""
    if url is None or not url.startswith(framework):
        return False
    return framework.endswith(_URL_ENDS) or url[len(framework) :][:1] in ("", *_URL_ENDS)


def _achieved(item: Any) -> Achieved:
    if not isinstance(item, dict):
        return Achieved()
    return Achieved(_text(item.get("id")), _text(item.get("achievementType")), tuple(_alignments(item)))


def _alignments(item: dict[str, Any]) -> Iterator[tuple[str | None, str | None]]:
    for alignment in as_list(item.get("alignment")):
        stated = alignment if isinstance(alignment, dict) else {}
        yield _text(stated.get("targetFramework")), _text(stated.get("targetUrl"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
