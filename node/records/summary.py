"""What a record is about, in few words: for lists, for search, for a person who is asked to share it.

Every reader here is total: for any JSON object it gives a summary and never raises, so that a holder can look at what
was offered before anything is checked. A summary says what the document says; whether that is true, verification says.
Texts are cut to a length and freed from control characters, for they end up on terminals and pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.records.attached import Attached, attached
from node.records.shown import shown, shown_text
from protocols.credentials import model
from protocols.credentials.times import parse_time
from protocols.credentials.views import viewed
from storage.credentials import Skill

__all__ = ["MAX_SKILLS", "RecordSummary", "skills_of", "summary"]

MAX_SKILLS = 200

_UNSAID = ("", "VerifiableCredential")


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """What a record says.

    Attributes:
        id: of the credential; ``None`` where it has none.
        name: the credential's, else its achievement's, else its most special type.
        issuer: the issuer's DID or URL.
        subject: DID or URL of whom it is about; ``None`` where the record does not name it so.
        results: what was reached, each ``(name of the result, value)``.
        types: of the credential, without ``VerifiableCredential``.
        status_purposes: what its status entries are for, e.g. ``revocation``.
        attached: terms of use, evidence and refresh services.
    """

    id: str | None
    name: str
    issuer: str | None
    issuer_name: str | None
    subject: str | None
    achievement_id: str | None
    achievement_name: str | None
    skills: tuple[Skill, ...]
    valid_from: datetime | None
    valid_until: datetime | None
    results: tuple[tuple[str, str], ...]
    types: tuple[str, ...]
    status_purposes: tuple[str, ...]
    attached: tuple[Attached, ...]


def summary(document: dict[str, Any]) -> RecordSummary:
    """Read what any credential says, be it an Open Badges record or not; an SD-JWT VC has names of its own."""
    document = viewed(document)
    achievement = next(_achievements(document), {})
    stated = [*model.types_of(document)[:20], *(text for text in [document.get("vct")] if isinstance(text, str))]
    types = tuple(kind for name in stated if (kind := shown(name)) not in _UNSAID)
    issuer = document.get("issuer")
    achievement_name = shown_text(achievement.get("name"))
    return RecordSummary(
        id=model.id_of(document),
        name=shown_text(document.get("name")) or achievement_name or next(reversed(types), "Credential"),
        issuer=model.issuer_id(document) or model.id_of(document.get("iss")),
        issuer_name=shown_text(issuer.get("name")) if isinstance(issuer, dict) else None,
        subject=next((found for found in model.subject_ids(document) if found), model.id_of(document.get("sub"))),
        achievement_id=model.id_of(achievement),
        achievement_name=achievement_name,
        skills=skills_of(model.alignments(document)),
        valid_from=_time(document, "validFrom", "issuanceDate"),
        valid_until=_time(document, "validUntil", "expirationDate"),
        results=tuple(_results(document)),
        types=types,
        status_purposes=_purposes(document),
        attached=attached(document),
    )


def skills_of(alignments: Any) -> tuple[Skill, ...]:
    """The skills that Alignments (OB 3.0 §B) name, each once, in their order."""
    found: dict[Skill, None] = {}
    for item in model.as_list(alignments):
        name = shown_text(item.get("targetName")) if isinstance(item, dict) else None
        if name is None or len(found) == MAX_SKILLS:
            continue
        url = item.get("targetUrl")
        code, framework = shown_text(item.get("targetCode")), shown_text(item.get("targetFramework"))
        found[Skill(code=code, name=name, framework=framework, url=url if model.is_url(url) else None)] = None
    return tuple(found)


def _achievements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for subject in model.subjects(document):
        yield from (item for item in model.as_list(subject.get("achievement")) if isinstance(item, dict))


def _results(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    names = dict(_described(document))
    for subject in model.subjects(document):
        for result in model.as_list(subject.get("result"))[:MAX_SKILLS]:
            if not isinstance(result, dict):
                continue
            level = result.get("achievedLevel")
            reached = shown_text(result.get("value")) or shown_text(result.get("status")) or names.get(_key(level))
            if reached is not None:
                yield names.get(_key(result.get("resultDescription")), "Result"), reached


def _described(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for achievement in _achievements(document):
        for description in model.as_list(achievement.get("resultDescription")):
            if not isinstance(description, dict):
                continue
            for named in [description, *model.as_list(description.get("rubricCriterionLevel"))]:
                name = shown_text(named.get("name")) if isinstance(named, dict) else None
                if name is not None:
                    yield _key(named.get("id")), name


def _key(identifier: Any) -> str:
    return identifier if isinstance(identifier, str) else ""


def _purposes(document: dict[str, Any]) -> tuple[str, ...]:
    purposes = (shown_text(entry.get("statusPurpose")) for entry in model.status_entries(document))
    return tuple(dict.fromkeys(purpose for purpose in purposes if purpose))


def _time(document: dict[str, Any], *names: str) -> datetime | None:
    return next((parse_time(document[name], zone_required=False) for name in names if name in document), None)
