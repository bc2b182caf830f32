"""What a badge says, in the terms of Open Badges 3.0, so that it is listed, searched and matched like other records.

Follows the mapping of the Open Badges 3.0 Implementation Guide (upgrading from 2.0). Total: for any JSON object it
gives a document and never raises. The type stays ``Assertion``, for it is no Verifiable Credential.
"""

from __future__ import annotations

from typing import Any

from protocols.credentials.model import as_list, id_of, is_url

__all__ = ["in_terms_of_3"]

_IDENTITY_TYPES = {"email": "emailAddress", "telephone": "ext:telephone", "url": "ext:url", "id": "identifier"}
_KEPT_AS_THEY_ARE = ("name", "description", "alignment")


def in_terms_of_3(badge: dict[str, Any]) -> dict[str, Any]:
    """The document of a badge, with its parts inside or not."""
    badge_class = _object(badge.get("badge"))
    dates = {"validFrom": badge.get("issuedOn"), "validUntil": badge.get("expires")}
    return {
        "id": badge.get("id"),
        "type": ["Assertion"],
        **_there({"name": badge_class.get("name")}),
        "issuer": _issuer(badge_class.get("issuer")),
        **_there(dates),
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": _identity(_object(badge.get("recipient"))),
            "achievement": _achievement(badge, badge_class),
        },
        **_there({"evidence": _evidence(badge)}),
    }


def _achievement(badge: dict[str, Any], badge_class: dict[str, Any]) -> dict[str, Any]:
    image = badge.get("image") or badge_class.get("image")
    criteria = badge_class.get("criteria")
    said = {name: badge_class.get(name) for name in _KEPT_AS_THEY_ARE}
    return {
        **_there({"id": id_of(badge.get("badge"))}),
        "type": ["Achievement"],
        **_there(said),
        **_there(
            {
                "criteria": {"id": criteria} if isinstance(criteria, str) else criteria,
                "image": {"id": image, "type": "Image"} if isinstance(image, str) else image,
                "tag": badge_class.get("tags"),
            }
        ),
    }


def _issuer(value: Any) -> dict[str, Any]:
    issuer = _object(value)
    return {"id": id_of(value), "type": ["Profile"], **_there({"name": issuer.get("name"), "url": issuer.get("url")})}


def _identity(recipient: dict[str, Any]) -> list[dict[str, Any]]:
    named = recipient.get("type")
    identity = {
        "type": "IdentityObject",
        "hashed": recipient.get("hashed"),
        "identityHash": recipient.get("identity"),
        "identityType": _IDENTITY_TYPES.get(named, named) if isinstance(named, str) else None,
    }
    return [{**identity, **_there({"salt": recipient.get("salt")})}]


def _evidence(badge: dict[str, Any]) -> list[Any]:
    stated = [{"id": each} if is_url(each) else each for each in as_list(badge.get("evidence"))]
    told = [{"narrative": badge["narrative"]}] if isinstance(badge.get("narrative"), str) else []
    return [{"type": ["Evidence"], **each} for each in (*stated, *told) if isinstance(each, dict)]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _there(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, [])}
