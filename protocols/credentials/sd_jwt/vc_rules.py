"""What an SD-JWT VC has to say and may not (draft-ietf-oauth-sd-jwt-vc §2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from protocols.credentials.model import is_url
from protocols.credentials.secured import Kind
from protocols.credentials.structure import Problem
from protocols.credentials.verification import Check
from protocols.did.document import Relationship
from protocols.jose import is_typ

__all__ = ["ALWAYS_SHOWN", "SD_JWT_VC", "claims_problems", "vc_problems"]

ALWAYS_SHOWN = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"})
"""Claims that may not be in a disclosure, nor any part of them (§2.2.2.3)."""

_SPEC = "SD-JWT VC §2.2.2"


def claims_problems(claims: dict[str, Any]) -> list[Problem]:
    """The rules that the claims break by themselves."""
    return list(_claims_problems(claims))


def vc_problems(claims: dict[str, Any], disclosed: Sequence[tuple[str, ...]], typ: str | None) -> Iterator[Problem]:
    """The rules that an SD-JWT VC breaks.

    Args:
        claims: the processed payload.
        disclosed: the places in it that came from disclosures.
        typ: of the issuer's JWT; ``vc+sd-jwt`` was its name in drafts before November 2024.
    """
    yield from _claims_problems(claims)
    if not is_typ(typ, "dc+sd-jwt", "vc+sd-jwt"):
        yield Problem("sd_jwt.typ", "The type of the token is not dc+sd-jwt.", "SD-JWT VC §2.2.1")
    if any(place[0] in ALWAYS_SHOWN for place in disclosed):
        message = "A claim that has to be seen by everybody came in a disclosure."
        yield Problem("sd_jwt.always_shown", message, "SD-JWT VC §2.2.2.3")


def _claims_problems(claims: dict[str, Any]) -> Iterator[Problem]:
    types = claims.get("vct")
    if not isinstance(types, str) or not types:
        yield Problem("sd_jwt.vct", "There is no vct.", _SPEC)
    others = claims.get("aka_vcts", ["-"])
    if not isinstance(others, list) or not others or not all(isinstance(item, str) for item in others):
        yield Problem("sd_jwt.aka_vcts", "The aka_vcts are not a list of types.", _SPEC)
    elif types in others:
        yield Problem("sd_jwt.aka_vcts", "The aka_vcts name the vct.", _SPEC)
    if not is_url(claims.get("iss")):
        yield Problem("sd_jwt.iss", "There is no iss that is a URL, so nothing says whose key it is.", _SPEC)
    for name in ("sub", "vct#integrity"):
        if not isinstance(claims.get(name, ""), str):
            yield Problem(f"sd_jwt.{name}", f"The {name} is not a string.", _SPEC)
    if not isinstance(claims.get("cnf", {}), dict):
        yield Problem("sd_jwt.cnf", "The cnf is not an object.", "RFC 7800 §3.1")


def _issuer(claims: dict[str, Any]) -> str | None:
    issuer = claims.get("iss")
    return issuer if is_url(issuer) else None


SD_JWT_VC = Kind(
    "credential",
    claims_problems,
    Relationship.ASSERTION_METHOD,
    _issuer,
    "issuer",
    (
        Check.STRUCTURE,
        Check.PROOF,
        Check.PROOF_PURPOSE,
        Check.CONTROLLER,
        Check.ISSUER_TRUSTED,
        Check.VALID_TIME,
        Check.STATUS,
    ),
)
