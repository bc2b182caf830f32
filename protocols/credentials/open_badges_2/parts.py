"""The parts of a badge: telling an Assertion from other documents, and putting its parts together.

Spec: Open Badges 2.0, Assertion, BadgeClass, Profile. A badge refers to its class, and the class to its issuer, by URL
or by having them inside; both mean the same. :func:`assembled` gives it with both inside, which is how it is kept: an
Assertion of Open Badges 2.0, and for a signed one what was signed beside, under ``jws``.
"""

from __future__ import annotations

import re
from typing import Any

from protocols import strict_json
from protocols.credentials.model import has_type, id_of
from protocols.credentials.open_badges_2.source import BadgeSource
from protocols.errors import BadInput
from protocols.jose.jws import MAX_BYTES
from protocols.multiformats import b64url_decode

__all__ = ["JWS", "assembled", "assertion_of", "fetched", "is_assertion", "is_signed_assertion", "is_whole", "signed"]

JWS = "jws"
"""The member of a kept badge with the text that was signed."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+", re.ASCII)


def is_assertion(item: Any) -> bool:
    """Whether an object says that it is an Assertion."""
    return has_type(item, "Assertion") and "badge" in item and not has_type(item, "VerifiableCredential")


def is_signed_assertion(text: str) -> bool:
    """Whether a text is a JWS with an Assertion in it."""
    try:
        return is_assertion(signed(text))
    except BadInput:
        return False


def signed(text: str) -> dict[str, Any]:
    """What was signed, not verified.

    Raises:
        BadInput: ``jws.malformed``, ``encoding.base64url``, ``json.*``.
    """
    match = _COMPACT.fullmatch(text) if len(text) <= MAX_BYTES else None
    if match is None:
        raise BadInput("jws.malformed", "The JWS cannot be read.", "Its maker has to correct it.")
    return strict_json.loads_object(b64url_decode(match[1]))


def assertion_of(badge: dict[str, Any]) -> dict[str, Any]:
    """What a badge says by itself: what was signed, where that is kept with it.

    Raises:
        BadInput: as :func:`signed`.
    """
    text = badge.get(JWS)
    return signed(text) if isinstance(text, str) else badge


def is_whole(badge: dict[str, Any]) -> bool:
    """Whether a badge has its class and issuer inside."""
    inside = badge.get("badge")
    return isinstance(inside, dict) and inside.keys() > {"id"} and isinstance(inside.get("issuer"), dict)


async def assembled(given: dict[str, Any] | str, source: BadgeSource) -> dict[str, Any]:
    """A badge with its class and issuer inside.

    Args:
        given: an Assertion, or the text of a signed one.

    Raises:
        BadInput: ``badge.part`` where what is at a URL is something else; ``badge.not_there``, ``net.*``; as
            :func:`signed`.
        NotNow: ``badge.unreachable``.
    """
    badge = {JWS: given} if isinstance(given, str) else given
    text, assertion = badge.get(JWS), assertion_of(badge)
    badge = await _inside(assertion.get("badge"), source)
    issuer = await _inside(badge.get("issuer"), source)
    whole = {**assertion, "badge": {**badge, "issuer": issuer}}
    return {**whole, JWS: text} if isinstance(text, str) else whole


async def fetched(url: str, source: BadgeSource, *, refresh: bool = False) -> dict[str, Any]:
    """The object at a URL, which has to call itself so.

    Raises:
        BadInput, NotNow: as :func:`assembled`.
    """
    found = (await source.get(url, refresh=refresh)).document
    if not isinstance(found, dict) or found.get("id") != url:
        message = "What is at a URL that the badge refers to is something else."
        raise BadInput("badge.part", message, "Its issuer has to correct it.")
    return found


async def _inside(value: Any, source: BadgeSource) -> dict[str, Any]:
    if isinstance(value, dict) and value.keys() > {"id"}:
        return value
    url = id_of(value)
    if url is None:
        raise BadInput("badge.part", "The badge has no class, or its class no issuer.", "Its issuer has to correct it.")
    return await fetched(url, source)
