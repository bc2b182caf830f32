"""Résumés as LER-RS documents: the Learning and Employment Record Resume Standard of HR Open.

Spec: HR Open Standards 4.5, ``LER-RSType`` (whose ``type`` names version 4.4) and ``VerifiableCredentialLER-RSType``,
which puts one into a credential. A résumé has sections; each entry of a section says something, and may bring
verifiable credentials that say so too (``verifications``). What brings none is the word of whom the résumé is about.

Reading is total for any JSON object that is recognised, and nothing is verified. What wraps a résumé is of the one who
made it: its proof is left aside, for it vouches for nothing that stands in the résumé.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from node.records.shown import shown, shown_text
from node.records.summary import summary
from protocols.credentials import model
from protocols.credentials.times import format_time
from protocols.credentials.views import viewed

__all__ = ["LER_RS_TYPE", "ResumeEntry", "WrittenEntry", "credentials_in", "entries_of", "is_ler_rs", "ler_rs"]

LER_RS_TYPE = "http://schema.hropenstandards.org/4.4/recruiting/json/ler-rs/LER-RSType.json"

_TYPE = re.compile(r"https?://schema\.hropenstandards\.org/[0-9A-Za-z.]+/recruiting/json/(?:ler-rs/)?LER-RSType\.json")
_SECTIONS = (
    "narratives", "employmentHistories", "educationAndLearnings", "certifications", "licenses", "skills", "attachments",
)  # fmt: skip
_MAX_ENTRIES = 1_000
_MAX_DEPTH = 6
_NAMES = ("name", "title", "jobTitle", "tradeName", "legalName", "formattedName", "content", "narrative")
_INSIDE = ("positionHistories", "educationDegrees", "organization", "institution", "issuingAuthority", "texts")
_DEGREES = frozenset(
    {
        "AssociateDegree", "BachelorDegree", "Degree", "Diploma", "DoctoralDegree", "GeneralEducationDevelopment",
        "MasterDegree", "ProfessionalDoctorate", "Qualification", "ResearchDoctorate", "SecondarySchoolDiploma",
    }
)  # fmt: skip
"""Values of ``achievementType`` (OB 3.0 §B) for what is a degree, and the class of a European qualification."""


@dataclass(frozen=True, slots=True)
class ResumeEntry:
    """One entry of a résumé that was read.

    Attributes:
        section: e.g. ``certifications``.
        credentials: what it brings, each as it stands there; empty where it is self-asserted.
    """

    section: str
    name: str
    credentials: tuple[dict[str, Any] | str, ...]


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """One entry of a résumé that is written.

    Attributes:
        document: what the record says, as far as it is shown.
        form: the record, or a part of it, as it stands in a presentation; None for an own statement.
        text: the learner's words about it.
    """

    document: dict[str, Any]
    form: dict[str, Any] | None
    text: str


def is_ler_rs(document: dict[str, Any]) -> bool:
    """Whether it is such a résumé, wrapped into a credential or not."""
    return _resume_in(document) is not None


def entries_of(document: dict[str, Any]) -> tuple[ResumeEntry, ...]:
    """The entries of a résumé, in the order of its sections."""
    resume = _resume_in(document) or {}
    found = ((section, item) for section in _SECTIONS for item in model.as_list(resume.get(section)))
    read = (ResumeEntry(section, _name(item), tuple(_verifications(item, 0))) for section, item in found)
    return tuple(entry for entry, _ in zip(read, range(_MAX_ENTRIES), strict=False))


def credentials_in(document: dict[str, Any]) -> list[dict[str, Any] | str]:
    """The credentials of all entries."""
    return [credential for entry in entries_of(document) for credential in entry.credentials]


def ler_rs(*, name: str, title: str, text: str, entries: Sequence[WrittenEntry], document_id: str) -> dict[str, Any]:
    """A résumé as such a document.

    Records go where their ``achievementType`` says, with the record itself in ``verifications``; own statements are
    narratives, for nobody else vouches for them.

    Args:
        name: of whom it is about.
        title, text: what stands at its head.
    """
    written: dict[str, Any] = {
        "type": LER_RS_TYPE,
        "documentId": {"value": document_id},
        "person": {"name": {"formattedName": name}},
        "narratives": [_narrative(title, text)] if text else [],
    }
    skills: dict[str, None] = {}
    for entry in entries:
        about = summary(entry.document)
        if entry.form is None:
            described = next(iter(_achievements(entry.document)), {}).get("description")
            said = [text for text in (shown_text(described), entry.text) if text]
            written["narratives"].append(_narrative(about.name, "\n".join(said)))
        else:
            section, item = _entry(entry)
            written.setdefault(section, []).append(item | {"verifications": [entry.form]})
        skills |= dict.fromkeys(skill.name for skill in about.skills)
    written["skills"] = [{"name": each} for each in skills]
    return {key: value for key, value in written.items() if value != []}


def _entry(entry: WrittenEntry) -> tuple[str, dict[str, Any]]:
    about = summary(entry.document)
    kinds = {each.get("achievementType") for each in _achievements(entry.document)}
    authority = {"name": about.issuer_name or about.issuer or "?"}
    words = {"descriptions": [entry.text]} if entry.text else {}
    since = format_time(about.valid_from) if about.valid_from else None
    if kinds & _DEGREES:
        degree = {"institution": authority, "educationDegrees": [{"name": about.name}], **words}
        return "educationAndLearnings", degree | ({"end": since} if since else {})
    item: dict[str, Any] = {"name": about.name, "issuingAuthority": authority, **words}
    if since is not None:
        item["firstIssued"] = since
        until = {"validTo": format_time(about.valid_until)} if about.valid_until else {}
        item["effectiveTimePeriod"] = {"validFrom": since, **until}
    return "licenses" if "License" in kinds else "certifications", item


def _narrative(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "texts": [{"name": name, "lines": text.splitlines() or [""]}]}


def _achievements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for subject in model.subjects(viewed(document)):
        yield from (each for each in model.as_list(subject.get("achievement")) if isinstance(each, dict))


def _resume_in(document: dict[str, Any]) -> dict[str, Any] | None:
    if _is_named(document) and not model.has_type(document, "VerifiableCredential"):
        return document
    inside = model.subjects(document)
    if model.has_type(document, "VerifiableCredential") and len(inside) == 1 and _is_named(inside[0]):
        return inside[0]
    return None


def _is_named(item: dict[str, Any]) -> bool:
    return any(_TYPE.fullmatch(name) for name in model.types_of(item))


def _name(item: Any) -> str:
    """What an entry is about, as far as it says so itself or in its first part."""
    if not isinstance(item, dict):
        return shown(str(item)) or "?"
    own = next((text for name in _NAMES if (text := shown_text(item.get(name)))), None)
    inside = (part for name in _INSIDE for part in model.as_list(item.get(name)) if isinstance(part, dict))
    return own or next((text for part in inside for name in _NAMES if (text := shown_text(part.get(name)))), "?")


def _verifications(item: Any, depth: int) -> Iterator[dict[str, Any] | str]:
    """What stands in ``verifications``, of the entry or of what it consists of."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(item, list):
        for part in item:
            yield from _verifications(part, depth + 1)
    elif isinstance(item, dict):
        for name, value in item.items():
            if name == "verifications":
                yield from (each for each in model.as_list(value) if isinstance(each, dict | str))
            else:
                yield from _verifications(value, depth + 1)
