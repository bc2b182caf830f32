"""The Digital Credentials Consortium's registries of known issuers: JSON that nobody signed.

There are two files: one that names registries (``known-did-registries.json``), and a registry, which names issuers by
their DIDs under ``registry``. Registries of OpenID Federation (``oidf``) are named in the first one too, and not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocols import strict_json
from protocols.credentials.trust.recognition import Entry
from protocols.credentials.trust.scope import Scope
from protocols.did.syntax import check_did
from protocols.errors import BadInput

__all__ = ["KnownRegistry", "is_registry_file", "read_known_registries", "read_registry"]

_MAX_ISSUERS = 10_000
_MAX_REGISTRIES = 20
_READ = frozenset({None, "dcc-legacy"})


@dataclass(frozen=True, slots=True)
class KnownRegistry:
    """A registry, by where it is published."""

    name: str
    url: str


def is_registry_file(body: bytes) -> bool:
    """Whether a body may be one of the two files, rather than a credential."""
    if body.lstrip()[:1] == b"[":
        return True
    try:
        return "registry" in (found := strict_json.loads_object(body)) and "@context" not in found
    except BadInput:
        return False


def read_known_registries(body: bytes) -> list[KnownRegistry] | None:
    """The registries that a file names, in its order; ``None`` where it is a registry itself.

    Raises:
        BadInput: ``trust.registry_malformed``, ``json.*``.
    """
    if body.lstrip()[:1] != b"[":
        return None
    listed = strict_json.loads_object(b'{"registries":' + body + b"}")["registries"]
    if len(listed) > _MAX_REGISTRIES or not all(isinstance(item, dict) for item in listed):
        raise _malformed()
    wanted = [item for item in listed if item.get("type") in _READ]
    if not wanted or not all(_is_short(item.get("url"), 2000) for item in wanted):
        raise _malformed()
    return [KnownRegistry(_name(item) or item["url"], item["url"]) for item in wanted]


def read_registry(body: bytes) -> tuple[Entry, ...]:
    """Whom a registry names; a key that is no DID, and what is said of it, are left out.

    Raises:
        BadInput: ``trust.registry_malformed``, ``json.*``.
    """
    named = strict_json.loads_object(body).get("registry")
    if not isinstance(named, dict) or not named or len(named) > _MAX_ISSUERS:
        raise _malformed()
    return tuple(Entry(did=did, name=_name(about), scope=Scope()) for did, about in named.items() if _is_did(did))


def _is_did(text: str) -> bool:
    try:
        return bool(check_did(text))
    except BadInput:
        return False


def _name(about: Any) -> str:
    name = about.get("name") if isinstance(about, dict) else None
    return name[:400] if isinstance(name, str) else ""


def _is_short(value: Any, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most


def _malformed() -> BadInput:
    return BadInput(
        "trust.registry_malformed", "That is no registry of known issuers.", "See the formats in docs/trust.md."
    )
