"""A record of several achievements as an outline: which is a part of which.

Comprehensive Learner Records (CLR 2.0 §B, Association) and European Digital Credentials (``hasPart`` and others).

Total: for any JSON object it gives an outline and never raises. Each achievement stands once, under the first that it
is a part of; circles are cut where they close. Other associations (equal, related, before, replaced) are told beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from node.records.shown import shown, shown_text
from protocols.credentials import elm, model
from protocols.credentials.enveloped import ENVELOPED_CREDENTIAL
from protocols.credentials.reading import secured_item
from protocols.errors import BadInput
from protocols.jsonld.processor import DEFAULT

__all__ = ["MAX_LINES", "OutlineLine", "outline"]

MAX_LINES = 1_000

_DOWN, _UP = frozenset({"isParentOf"}), frozenset({"isChildOf", "isPartOf"})


@dataclass(frozen=True, slots=True)
class OutlineLine:
    """One achievement.

    Attributes:
        depth: 0 where it is a part of nothing.
        issuer: of the credential that awards it, or the name of the awarding body; None where the record only lists it.
        beside: its other associations, as (kind, name of the other one), and its levels and grades.
    """

    depth: int
    id: str
    name: str
    issuer: str | None
    beside: tuple[tuple[str, str], ...] = ()


def outline(document: dict[str, Any]) -> tuple[OutlineLine, ...]:
    """The achievements of a ClrCredential or EuropeanDigitalCredential; empty for other records."""
    if model.has_type(document, elm.EUROPEAN_DIGITAL_CREDENTIAL):
        return tuple(map(_line, elm.claims_of(document)))
    return _by_associations(document) if model.has_type(document, model.CLR_CREDENTIAL) else ()


def _line(claim: elm.Claim) -> OutlineLine:
    said = (("", f"{claim.relation} {claim.kind}".strip()), *((level.name, level.value) for level in claim.levels))
    return OutlineLine(
        claim.depth,
        shown(claim.id or ""),
        shown(claim.title),
        shown(", ".join(claim.bodies)) or None,
        tuple((shown(name), shown(value)) for name, value in said),
    )


def _by_associations(document: dict[str, Any]) -> tuple[OutlineLine, ...]:
    achievements = dict[str, tuple[str, str | None]]()
    for identifier, name, issuer in _achievements(document):
        if len(achievements) < MAX_LINES and (identifier not in achievements or issuer is not None):
            achievements[identifier] = (name, issuer)
    parts: dict[str, list[str]] = {}
    beside: dict[str, list[tuple[str, str]]] = {}
    placed = set[str]()
    for kind, source, target in _associations(document):
        if source not in achievements or target not in achievements or source == target:
            continue
        whole, part = (target, source) if kind in _UP else (source, target)
        if kind not in _UP | _DOWN:
            beside.setdefault(source, []).append((kind, achievements[target][0]))
        elif part not in placed:
            placed.add(part)
            parts.setdefault(whole, []).append(part)
    lines: dict[str, OutlineLine] = {}
    # What stands in a circle is under something, and under nothing that is at the top.
    for top in [*(each for each in achievements if each not in placed), *achievements]:
        waiting = [(top, 0)]
        while waiting:
            identifier, depth = waiting.pop()
            if identifier not in lines:
                name, issuer = achievements[identifier]
                others = tuple(beside.get(identifier, ()))
                lines[identifier] = OutlineLine(depth, shown(identifier), name, issuer, others)
                waiting += [(part, depth + 1) for part in reversed(parts.get(identifier, ()))]
    return tuple(lines.values())


def _achievements(document: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    for subject in model.subjects(document):
        for listed in model.as_list(subject.get("achievement")):
            yield from _named(listed, None)
        for credential in map(_opened, model.as_list(subject.get("verifiableCredential"))):
            for about in model.subjects(credential):
                for awarded in model.as_list(about.get("achievement")):
                    yield from _named(awarded, model.issuer_id(credential) or "")


def _named(achievement: Any, issuer: str | None) -> Iterator[tuple[str, str, str | None]]:
    identifier = model.id_of(achievement)
    if identifier is not None and isinstance(achievement, dict):
        yield identifier, shown_text(achievement.get("name")) or shown(identifier), issuer


def _opened(item: Any) -> dict[str, Any]:
    if not model.has_type(item, ENVELOPED_CREDENTIAL):
        return item if isinstance(item, dict) else {}
    try:
        return secured_item(item, DEFAULT).document
    except BadInput:
        return {}


def _associations(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for subject in model.subjects(document):
        for item in model.as_list(subject.get("association"))[: 2 * MAX_LINES]:
            if isinstance(item, dict):
                found = tuple(item.get(name) for name in ("associationType", "sourceId", "targetId"))
                if all(isinstance(each, str) for each in found):
                    yield shown(str(found[0])), str(found[1]), str(found[2])
