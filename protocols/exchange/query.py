"""Definitions for what people ask most: a skill, a kind of record, one achievement (Open Badges 3.0).

Each function returns a raw ``presentation_definition``, ready for ``parse_definition`` and the wire. Presentation
Exchange looks at a path's first match only, so a condition on any element of an array stands in the filter
(``contains``), not in the path (``[*]``).

Deployed agents, ACA-Py among them, know only ``type``, ``enum``, ``const``, ``pattern`` and bounds of JSON Schema, and
look at every match of a path. Where a condition needs more than that, it is asked for twice, as two descriptors, and an
answer to either will do (§Submission Requirement Feature): once in full, and once plainly, as far as paths can say it.
A record that answers the plain descriptor answers the full one too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.errors import BadInput

__all__ = ["for_achievement", "for_skill", "for_type"]

_ACHIEVEMENT_TYPES = ("OpenBadgeCredential", "AchievementCredential")
# A record has one subject; an issuer may still have written it as an array of one.
_SUBJECT_PATHS = ("$.credentialSubject", "$.credentialSubject[0]")
_ALIGNMENT = "$.credentialSubject.achievement.alignment"
_ALIGNED_BY = ("targetUrl", "targetCode")
# ``[*]`` is for those who look at every match, and finds the first for those who do not; as many paths as agents take.
_PLAIN_PLACES = ("[*]", "[1]", "[2]", "[3]", "[4]", "[5]", "[6]", "")
_MAX_ALTERNATIVES = 32
_ANY_RECORD = ({"uri": "https://www.w3.org/2018/credentials#VerifiableCredential"},)
"""What version 1 of Presentation Exchange requires of every descriptor, and ACA-Py therefore does too."""


def for_skill(
    skills: Sequence[str], *, name: str, purpose: str, definition_id: str, descriptor_id: str = "skill"
) -> dict[str, Any]:
    """Ask for an Open Badges 3.0 record whose achievement is aligned to one of ``skills``.

    Args:
        skills: ``alignment.targetUrl`` values or ``alignment.targetCode`` values; any one will do.
        name: what is asked for, in the words of a person.
        purpose: why.
        definition_id: a UUID; ACA-Py reads nothing else.

    Raises:
        BadInput: ``pex.query_empty`` where there is no skill, or more than a definition may hold.
    """
    alternatives = _alternatives(skills)
    aligned = {
        "type": "object",
        "anyOf": [{"required": [member], "properties": {member: {"enum": alternatives}}} for member in _ALIGNED_BY],
    }
    full = {
        "path": [f"{subject}.achievement.alignment" for subject in _SUBJECT_PATHS],
        "purpose": purpose,
        "filter": {"anyOf": [{"type": "array", "contains": aligned}, aligned]},
    }
    plain = {
        "path": [f"{_ALIGNMENT}{place}.{member}" for place in _PLAIN_PLACES for member in _ALIGNED_BY],
        "purpose": purpose,
        "filter": {"type": "string", "enum": alternatives},
    }
    either = ([_type_field(_ACHIEVEMENT_TYPES), full], [_plain_type_field(_ACHIEVEMENT_TYPES), plain])
    return _either(definition_id, descriptor_id, name, purpose, *either)


def for_achievement(
    achievement_id: str, *, name: str, purpose: str, definition_id: str, descriptor_id: str = "achievement"
) -> dict[str, Any]:
    """Ask for an Open Badges 3.0 record of the achievement with this ``id``.

    Raises:
        BadInput: ``pex.query_empty``.
    """
    field = {
        "path": [f"{subject}.achievement.id" for subject in _SUBJECT_PATHS],
        "purpose": purpose,
        "filter": {"type": "string", "enum": _alternatives([achievement_id])},
    }
    descriptor = _descriptor(descriptor_id, name, purpose, [field])
    return {"id": definition_id, "name": name, "purpose": purpose, "input_descriptors": [descriptor]}


def for_type(
    types: Sequence[str], *, name: str, purpose: str, definition_id: str, descriptor_id: str = "record"
) -> dict[str, Any]:
    """Ask for a record of one of these types, each as the record's ``type`` writes it.

    Raises:
        BadInput: ``pex.query_empty``.
    """
    return _either(definition_id, descriptor_id, name, purpose, [_type_field(types)], [_plain_type_field(types)])


def _either(
    definition_id: str,
    descriptor_id: str,
    name: str,
    purpose: str,
    full: list[dict[str, Any]],
    plain: list[dict[str, Any]],
) -> dict[str, Any]:
    """One thing asked for in full and plainly; a group holds the two."""
    descriptors = [
        _descriptor(descriptor_id, name, purpose, full),
        _descriptor(f"{descriptor_id}-plain", name, purpose, plain),
    ]
    return {
        "id": definition_id,
        "name": name,
        "purpose": purpose,
        "submission_requirements": [
            {"name": name, "purpose": purpose, "rule": "pick", "min": 1, "from": descriptor_id},
        ],
        "input_descriptors": [descriptor | {"group": [descriptor_id]} for descriptor in descriptors],
    }


def _descriptor(descriptor_id: str, name: str, purpose: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": descriptor_id,
        "name": name,
        "purpose": purpose,
        "schema": list(_ANY_RECORD),
        "constraints": {"fields": fields},
    }


def _type_field(types: Sequence[str]) -> dict[str, Any]:
    one_of = {"enum": _alternatives(types)}
    return {"path": ["$.type"], "filter": {"anyOf": [{"type": "array", "contains": one_of}, one_of]}}


def _plain_type_field(types: Sequence[str]) -> dict[str, Any]:
    return {
        "path": [f"$.type{place}" for place in _PLAIN_PLACES],
        "filter": {"type": "string", "enum": _alternatives(types)},
    }


def _alternatives(values: Sequence[str]) -> list[str]:
    alternatives = list(dict.fromkeys(value for value in values if value))
    if not 1 <= len(alternatives) <= _MAX_ALTERNATIVES:
        raise BadInput(
            "pex.query_empty",
            f"A query needs 1 to {_MAX_ALTERNATIVES} values to look for.",
            "Name at least one, and split longer lists into several descriptors.",
        )
    return alternatives
