"""Definitions for what people ask most: a skill, a kind of record, one achievement (Open Badges 3.0).

Each function returns a raw ``presentation_definition``, ready for ``parse_definition`` and the wire. Presentation
Exchange looks at a path's first match only, so a condition on any element of an array stands in the filter
(``contains``), not in the path (``[*]``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.errors import BadInput

__all__ = ["for_achievement", "for_skill", "for_type"]

_ACHIEVEMENT_TYPES = ("OpenBadgeCredential", "AchievementCredential")
# A record has one subject; an issuer may still have written it as an array of one.
_SUBJECT_PATHS = ("$.credentialSubject", "$.credentialSubject[0]")
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

    Raises:
        BadInput: ``pex.query_empty`` where there is no skill, or more than a definition may hold.
    """
    alternatives = _alternatives(skills)
    aligned = {
        "type": "object",
        "anyOf": [
            {"required": [member], "properties": {member: {"enum": alternatives}}}
            for member in ("targetUrl", "targetCode")
        ],
    }
    field = {
        "path": [f"{subject}.achievement.alignment" for subject in _SUBJECT_PATHS],
        "purpose": purpose,
        "filter": {"anyOf": [{"type": "array", "contains": aligned}, aligned]},
    }
    return _definition(definition_id, descriptor_id, name, purpose, [_type_field(_ACHIEVEMENT_TYPES), field])


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
    return _definition(definition_id, descriptor_id, name, purpose, [_type_field(_ACHIEVEMENT_TYPES), field])


def for_type(
    types: Sequence[str], *, name: str, purpose: str, definition_id: str, descriptor_id: str = "record"
) -> dict[str, Any]:
    """Ask for a record of one of these types, each as the record's ``type`` writes it.

    Raises:
        BadInput: ``pex.query_empty``.
    """
    return _definition(definition_id, descriptor_id, name, purpose, [_type_field(types)])


def _definition(
    definition_id: str, descriptor_id: str, name: str, purpose: str, fields: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "id": definition_id,
        "name": name,
        "purpose": purpose,
        "input_descriptors": [
            {
                "id": descriptor_id,
                "name": name,
                "purpose": purpose,
                "schema": list(_ANY_RECORD),
                "constraints": {"fields": fields},
            }
        ],
    }


def _type_field(types: Sequence[str]) -> dict[str, Any]:
    one_of = {"enum": _alternatives(types)}
    return {"path": ["$.type"], "filter": {"anyOf": [{"type": "array", "contains": one_of}, one_of]}}


def _alternatives(values: Sequence[str]) -> list[str]:
    alternatives = list(dict.fromkeys(value for value in values if value))
    if not 1 <= len(alternatives) <= _MAX_ALTERNATIVES:
        raise BadInput(
            "pex.query_empty",
            f"A query needs 1 to {_MAX_ALTERNATIVES} values to look for.",
            "Name at least one, and split longer lists into several descriptors.",
        )
    return alternatives
