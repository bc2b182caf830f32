"""Scopes of the Open Badges API (OB 3.0 §6.2.1), and how lists of them are written (RFC 6749 §3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from protocols.errors import BadInput

__all__ = [
    "OFFLINE_ACCESS",
    "PROFILE_READONLY",
    "PROFILE_UPDATE",
    "READONLY",
    "SCOPES",
    "UPSERT",
    "join",
    "read_scopes",
]

_BASE = "https://purl.imsglobal.org/spec/ob/v3p0/scope"
READONLY: Final = f"{_BASE}/credential.readonly"
UPSERT: Final = f"{_BASE}/credential.upsert"
PROFILE_READONLY: Final = f"{_BASE}/profile.readonly"
PROFILE_UPDATE: Final = f"{_BASE}/profile.update"
OFFLINE_ACCESS: Final = "offline_access"

SCOPES: Final[Mapping[str, str]] = {
    READONLY: "Read all your badges",
    UPSERT: "Add badges to your records, and replace them by newer ones",
    PROFILE_READONLY: "Read your profile",
    PROFILE_UPDATE: "Change your profile",
    OFFLINE_ACCESS: "Go on without asking you again, until you end it",
}
"""Every scope -> what it lets an app do, as its owner is told."""

_MAX_CHARS = 2000


def read_scopes(text: str) -> tuple[str, ...]:
    """A list of scopes, each once, in the order of :data:`SCOPES`.

    Raises:
        BadInput: ``oauth.invalid_scope`` where one is not known, or there is none.
    """
    given = set(text.split(" ")) - {""}
    if not given or len(text) > _MAX_CHARS or not given <= SCOPES.keys():
        raise BadInput(
            "oauth.invalid_scope", "A scope is not known here, or none is asked for.", "See scopes_supported."
        )
    return tuple(scope for scope in SCOPES if scope in given)


def join(scopes: Iterable[str]) -> str:
    """A list of scopes as it is written."""
    return " ".join(scopes)
