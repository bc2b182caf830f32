"""Definitions for what people ask most: a skill, a kind of record, one achievement (Open Badges 3.0).

Each function returns a raw ``presentation_definition``, ready for ``parse_definition`` and the wire, which is valid in
version 1 of Presentation Exchange. For ACA-Py insists on ``schema``, which version 1 had, and the library that Credo
uses then insists that all of it is of version 1, whose filters know no ``contains`` and no ``anyOf``.

Both look at every match of a path, and Credo at no further path once one has matches. So a condition on any element of
an array is written with ``[*]``, followed by its first elements one by one for who looks at a path's first match only;
and what may stand in several members is asked for in several descriptors, one of which will do (§Submission
Requirement Feature).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from protocols.errors import BadInput

__all__ = ["MAX_SKILLS", "WantedSkill", "for_achievement", "for_skill", "for_skills", "for_type"]

MAX_SKILLS = 32
"""How many skills a definition of :func:`for_skills` may ask for, each by URL and by code."""

_ACHIEVEMENT_TYPES = ("OpenBadgeCredential", "AchievementCredential")
# A record has one subject; an issuer may still have written it as an array of one.
_SUBJECT_PATHS = ("$.credentialSubject", "$.credentialSubject[0]")
_ALIGNED_BY = {"url": "targetUrl", "code": "targetCode"}
_PLACES = ("[*]", "[1]", "[2]", "[3]", "[4]", "[5]", "[6]", "")
"""The last is for what stands there alone. Twice as many are as many as a field may have paths."""
_MAX_ALTERNATIVES = 32
_MOST_WITH_ALL_PLACES = 6
"""A definition has so many characters of paths in all; with more skills than this, elements are named by ``[*]``."""
_ANY_RECORD = (
    "https://www.w3.org/2018/credentials/v1",
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/2018/credentials#VerifiableCredential",
)
"""Any of these. Credo's library looks among a record's contexts, ACA-Py among its types, and at the last where it has
found that one (Presentation Exchange 1 §Input Descriptor, ``schema``)."""


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
    arrays = [f"{subject}.achievement.alignment" for subject in _SUBJECT_PATHS]
    descriptors = [
        _descriptor(
            f"{descriptor_id}-by-{how}",
            name,
            purpose,
            [_type_field(_ACHIEVEMENT_TYPES), _one_of(arrays, f".{member}", alternatives)],
        )
        for how, member in _ALIGNED_BY.items()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSkill:
    """A skill that is asked for.

    Attributes:
        urls, codes: what names it, or what counts for it.
        whole: show the whole record, for what was reached in the skill; else only that it attests the skill.
    """

    name: str
    urls: Sequence[str] = ()
    codes: Sequence[str] = ()
    whole: bool = False


def for_skills(
    wanted: Sequence[WantedSkill], *, name: str, purpose: str, definition_id: str, at_least: int | None = None
) -> dict[str, Any]:
    """Ask for Open Badges 3.0 records that attest each of these skills; one record may answer for several.

    Records that can be shown in part are asked to show no more than that they attest the skill
    (``limit_disclosure: preferred``), where it is not ``whole`` that is asked for.

    Args:
        at_least: how many of the skills must be answered for; the holder may answer for more. None for each of them.

    Raises:
        BadInput: ``pex.query_empty`` where there is no skill, or more than a definition may hold.
    """
    if not 1 <= len(wanted) <= MAX_SKILLS:
        raise BadInput(
            "pex.query_empty", f"A query has 1 to {MAX_SKILLS} skills, not {len(wanted)}.", "Ask for fewer at a time."
        )
    places = _PLACES if len(wanted) <= _MOST_WITH_ALL_PLACES else _PLACES[:1]
    subjects = _SUBJECT_PATHS if len(wanted) <= _MOST_WITH_ALL_PLACES else _SUBJECT_PATHS[:1]
    arrays = [f"{subject}.achievement.alignment" for subject in subjects]
    requirements: list[dict[str, Any]] = []
    descriptors: list[dict[str, Any]] = []
    for number, skill in enumerate(wanted, start=1):
        group = f"skill-{number}"
        for how, names in (("url", skill.urls), ("code", skill.codes)):
            if names:
                by = _one_of(arrays, f".{_ALIGNED_BY[how]}", _alternatives(names), places)
                of_type = _one_of(["$.type"], "", list(_ACHIEVEMENT_TYPES), places)
                descriptor = _descriptor(f"{group}-by-{how}", skill.name, purpose, [of_type, by])
                if not skill.whole:
                    descriptor["constraints"]["limit_disclosure"] = "preferred"
                descriptors.append(descriptor | {"group": [group]})
        requirements.append({"name": skill.name, "purpose": purpose, "rule": "pick", "min": 1, "from": group})
    if at_least is not None:
        some = {"name": name, "purpose": purpose, "rule": "pick", "min": at_least, "from_nested": requirements}
        requirements = [some]
    return {
        "id": definition_id,
        "name": name,
        "purpose": purpose,
        "submission_requirements": requirements,
        "input_descriptors": descriptors,
    }


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
    descriptor = _descriptor(descriptor_id, name, purpose, [_type_field(types)])
    return {"id": definition_id, "name": name, "purpose": purpose, "input_descriptors": [descriptor]}


def _descriptor(descriptor_id: str, name: str, purpose: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": descriptor_id,
        "name": name,
        "purpose": purpose,
        "schema": [{"uri": uri, "required": False} for uri in _ANY_RECORD],
        "constraints": {"fields": fields},
    }


def _type_field(types: Sequence[str]) -> dict[str, Any]:
    return _one_of(["$.type"], "", _alternatives(types))


def _one_of(
    arrays: Sequence[str], member: str, alternatives: list[str], places: Sequence[str] = _PLACES
) -> dict[str, Any]:
    """A field that any element of one of these arrays, or what stands in its place, may answer."""
    return {
        "path": [f"{array}{place}{member}" for array in arrays for place in places],
        "filter": {"type": "string", "enum": alternatives},
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
