"""A learner's own statement as a record: an Open Badges 3.0 credential whose issuer is its subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from node.records.open_badges import OB_CONTEXT
from protocols.credentials.model import CONTEXT_V2
from protocols.credentials.times import format_time
from protocols.errors import BadInput
from storage.record_terms import Skill

__all__ = ["OWN_STATEMENT", "own_statement"]

OWN_STATEMENT = "Own statement of the holder; nobody else has checked it."
_MAX_NAME, _MAX_TEXT, _MAX_SKILLS = 200, 5000, 20


def own_statement(
    *, holder: str, label: str, name: str, text: str, skills: Sequence[Skill], new_id: str, now: datetime
) -> dict[str, Any]:
    """The unsigned record.

    Args:
        holder: the DID that says it of itself.
        new_id: a UUID.

    Raises:
        BadInput: ``statement.size``.
    """
    name, text = name.strip(), text.strip()
    if not 0 < len(name) <= _MAX_NAME or not 0 < len(text) <= _MAX_TEXT or len(skills) > _MAX_SKILLS:
        message = f"A statement has a name (up to {_MAX_NAME} characters), a text (up to {_MAX_TEXT}), and few skills."
        raise BadInput("statement.size", message, f"Say less, or make several; at most {_MAX_SKILLS} skills.")
    achievement: dict[str, Any] = {
        "id": f"urn:uuid:{new_id}#achievement",
        "type": ["Achievement"],
        "name": name,
        "description": text,
        "criteria": {"narrative": OWN_STATEMENT},
    }
    if skills:
        achievement["alignment"] = [_alignment(skill) for skill in skills]
    return {
        "@context": [CONTEXT_V2, OB_CONTEXT],
        "id": f"urn:uuid:{new_id}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": name,
        "issuer": {"id": holder, "type": ["Profile"], "name": label},
        "validFrom": format_time(now),
        "credentialSubject": {"id": holder, "type": ["AchievementSubject"], "achievement": achievement},
    }


def _alignment(skill: Skill) -> dict[str, Any]:
    if skill.url is None:
        raise BadInput("statement.skill_without_url", "The skill has no URL.", "Name one that has, or leave it out.")
    alignment = {"type": ["Alignment"], "targetName": skill.name, "targetUrl": skill.url}
    more = {"targetCode": skill.code, "targetFramework": skill.framework}
    return alignment | {name: value for name, value in more.items() if value}
