"""From the claims of a JWT to the credential or presentation that they state, and whether the two agree.

Specs: VC-JOSE-COSE 1.0 §3.1 (the claims set is the document, beside registered claims) and VC Data Model 1.1 §6.3.1
(the document stands in ``vc`` or ``vp``, and registered claims stand for members of it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from protocols.credentials.model import Version, as_list, id_of, version_of
from protocols.credentials.structure import Problem
from protocols.credentials.times import format_time, parse_time
from protocols.errors import BadInput

__all__ = ["JWT_CLAIMS", "claim_problems", "is_v1", "v1_document", "v1_problems", "v2_document", "v2_problems"]

JWT_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "cnf", "status"})
"""Claims about the token that may stand beside the members of a credential or presentation."""

_MAX_TIME = 253_402_300_799
_SPEC_V2 = "VC-JOSE-COSE 1.0 §3.1.3"
_SPEC_V1 = "VCDM 1.1 §6.3.1"


def is_v1(claims: Mapping[str, Any]) -> bool:
    """Whether the document stands in a claim of its own, as VC Data Model 1.1 has it."""
    return "@context" not in claims and ("vc" in claims or "vp" in claims)


def v2_document(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a claims set of VC-JOSE-COSE 1.0."""
    return {name: value for name, value in claims.items() if name not in JWT_CLAIMS}


def v1_document(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a claims set of VC Data Model 1.1 §6.3.1.2, with what registered claims say put in its place.

    Raises:
        BadInput: ``jwt.document`` where there is not one ``vc`` or ``vp`` object.
    """
    found = [claims[name] for name in ("vc", "vp") if name in claims]
    if len(found) != 1 or not isinstance(found[0], dict):
        raise BadInput("jwt.document", "The JWT has not one vc or vp object.", "Its maker has to correct it.")
    document = dict(found[0])
    if "jti" in claims:
        document["id"] = claims["jti"]
    if "vp" in claims:
        return _with(document, {"holder": claims.get("iss")})
    document = _with(document, {"issuanceDate": _time(claims.get("nbf")), "expirationDate": _time(claims.get("exp"))})
    if "iss" in claims:
        issuer = document.get("issuer")
        document["issuer"] = {**issuer, "id": claims["iss"]} if isinstance(issuer, dict) else claims["iss"]
    subject = document.get("credentialSubject")
    if "sub" in claims and isinstance(subject, dict):
        document["credentialSubject"] = {**subject, "id": claims["sub"]}
    return document


def v2_problems(claims: Mapping[str, Any]) -> Iterator[Problem]:
    """What a claims set of VC-JOSE-COSE 1.0 may not say."""
    if "vc" in claims or "vp" in claims:
        yield Problem("jwt.nested", "The JWT has a vc or vp claim beside the document.", _SPEC_V2)
    if version_of(dict(claims)) is Version.V1_1:
        message = "The JWT is itself a document of version 1.1, which belongs into its vc or vp claim."
        yield Problem("jwt.version", message, _SPEC_V1)


def v1_problems(claims: Mapping[str, Any]) -> Iterator[Problem]:
    """Where a registered claim and the member that it stands for say different things (VCDM 1.1 §6.3.1)."""
    stated = claims.get("vc", claims.get("vp"))
    document: dict[str, Any] = stated if isinstance(stated, dict) else {}
    subject = document.get("credentialSubject")
    if "sub" in claims and isinstance(subject, list):
        yield Problem("jwt.sub", "The JWT has one sub, and the credential is about several.", _SPEC_V1)
    if version_of(document) is Version.V2_0:
        yield Problem("jwt.version", "A document of version 2.0 stands in a vc or vp claim.", _SPEC_V2)
    for claim, name in (("nbf", "issuanceDate"), ("exp", "expirationDate")):
        moment, written = _moment(claims.get(claim)), parse_time(document.get(name), zone_required=False)
        if moment is not None and written is not None and abs((moment - written).total_seconds()) >= 1:
            yield _conflict(claim, name)


def claim_problems(
    claims: Mapping[str, Any], header: Mapping[str, Any], stated: Mapping[str, Any], owner: str
) -> Iterator[Problem]:
    """Where ``iss``, ``sub`` and ``jti`` say something else than the document ``stated``.

    Args:
        owner: the member that says who made it: ``issuer`` or ``holder``.
    """
    for source in (claims, header):
        named = id_of(stated.get(owner))
        if "iss" in source and named is not None and source["iss"] != named:
            yield _conflict("iss", owner)
        if "jti" in source and "id" in stated and source["jti"] != stated["id"]:
            yield _conflict("jti", "id")
        if "sub" in source and owner == "issuer":
            subjects = [item for item in as_list(stated.get("credentialSubject")) if isinstance(item, dict)]
            if any("id" in item and item["id"] != source["sub"] for item in subjects):
                yield _conflict("sub", "credentialSubject.id")
    for name in ("iss", "sub", "aud"):
        if name in claims and name in header and claims[name] != header[name]:
            yield _conflict(name, "the header's")


def _with(document: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, **{name: value for name, value in more.items() if value is not None}}


def _time(value: Any) -> str | None:
    moment = _moment(value)
    return None if moment is None else format_time(moment)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _MAX_TIME:
        return None
    return datetime.fromtimestamp(value, UTC)


def _conflict(claim: str, name: str) -> Problem:
    return Problem(f"jwt.{claim}", f"The JWT's {claim} is not {name}.", "VC-JOSE-COSE 1.0 §3.1.3, VCDM 1.1 §6.3.1")
