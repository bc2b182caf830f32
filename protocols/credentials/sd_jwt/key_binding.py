"""The key binding JWT: the holder's answer to a request, over the SD-JWT as it is presented (RFC 9901 §4.3, §7.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from protocols import strict_json
from protocols.credentials.checks.holder import no_binding
from protocols.credentials.checks.keys import find_key
from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.sd_jwt.text import SdJwt, digest_of
from protocols.credentials.secured import Asked
from protocols.credentials.verification import Check, CheckResult
from protocols.did.document import Relationship
from protocols.did.resolver import Resolver
from protocols.errors import BadInput, LernodeError, NotNow
from protocols.jose import Jwt, is_typ, method_url, read_jwt, sign_jws, time_problem
from protocols.keys import PublicKey, Signer, read_public_jwk

__all__ = ["bind", "check_key_binding"]

_SPEC = "RFC 9901 §7.3"
_TYP = "kb+jwt"


def bind(sd_jwt: SdJwt, signer: Signer, *, nonce: str, audience: str, now: datetime) -> str:
    """The SD-JWT with a key binding JWT in the place of the one that it may have had."""
    claims = {
        "iat": int(now.timestamp()),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": digest_of(sd_jwt.text, sd_jwt.hash_name),
    }
    # Where the key itself stands in the credential, nothing else has to be said of it.
    header = {"typ": _TYP} if _names_method(sd_jwt.jwt.claims) else {"typ": _TYP, "kid": None}
    return sd_jwt.text + sign_jws(strict_json.dumps(claims), signer, header)


async def check_key_binding(
    sd_jwt: SdJwt,
    subjects: Sequence[str | None],
    asked: Asked,
    *,
    resolver: Resolver,
    now: datetime,
    skew: timedelta,
) -> CheckResult:
    """Whether the holder of the key that the issuer named has bound what is disclosed to what was asked.

    Args:
        subjects: whom the credential is about: where it names no key (``cnf``), a key of its one subject is meant.
    """
    if sd_jwt.key_binding is None:
        return no_binding(asked)
    try:
        jwt = read_jwt(sd_jwt.key_binding)
        key = await _holder_key(sd_jwt.jwt.claims, jwt, subjects, resolver)
        holds = jwt.jws.holds_under(key)
    except LernodeError as error:
        make = not_checked if isinstance(error, NotNow) else failed
        return make(Check.HOLDER_BINDING, error.code, error.message, _SPEC)
    problem = _problem(jwt, sd_jwt, asked, now, skew) if holds else None
    if not holds:
        problem = "holder.binding_invalid", "The key binding is not signed with the holder's key."
    if problem is not None:
        return failed(Check.HOLDER_BINDING, *problem, _SPEC)
    if asked.challenge is None:
        reason = "No challenge was expected, so this may be a copy of an old answer."
        return not_checked(Check.HOLDER_BINDING, "holder.no_challenge", reason, _SPEC)
    reason = "It was made for this request by the holder of the record's key."
    return passed(Check.HOLDER_BINDING, reason, _SPEC)


def _problem(jwt: Jwt, sd_jwt: SdJwt, asked: Asked, now: datetime, skew: timedelta) -> tuple[str, str] | None:
    claims = jwt.claims
    texts = (claims.get("aud"), claims.get("nonce"), claims.get("sd_hash"))
    if not is_typ(jwt.jws.typ, _TYP) or "iat" not in claims or not all(isinstance(item, str) for item in texts):
        return "holder.binding_malformed", "The key binding lacks its type, iat, aud, nonce or sd_hash."
    if claims["sd_hash"] != digest_of(sd_jwt.text, sd_jwt.hash_name):
        return "holder.binding_foreign", "The key binding was made for other disclosures."
    if asked.challenge is not None and claims["nonce"] != asked.challenge:
        return "holder.challenge", "The presentation answers another challenge."
    if asked.domain is not None and claims["aud"] != asked.domain:
        return "holder.domain", "The presentation was made for another domain."
    return time_problem(claims, now=now, skew=skew)


async def _holder_key(
    claims: Mapping[str, Any], jwt: Jwt, subjects: Sequence[str | None], resolver: Resolver
) -> PublicKey:
    """The key with which the holder has to have signed (RFC 7800 §3).

    Raises:
        LernodeError: ``holder.key_unknown``; ``did.*``, ``key.malformed``, ``jws.no_kid``.
    """
    if "cnf" not in claims:
        subject = subjects[0] if len(subjects) == 1 else None
        if subject is None or not subject.startswith("did:"):
            raise _key_unknown()
        url = method_url(jwt.jws, subject)
        if url.partition("#")[0] != subject:
            raise BadInput("holder.not_subject", "The holder is not the subject of the record.")
        return await _method_key(url, resolver)
    named = claims["cnf"]
    match named:
        case {"jwk": jwk, **others} if not others:
            return read_public_jwk(jwk)
        case {"kid": str(kid), **others} if not others and kid.startswith("did:"):
            url = kid if "#" in kid else method_url(jwt.jws, kid)
            if url.partition("#")[0] != kid.partition("#")[0]:
                raise _key_unknown()
            return await _method_key(url, resolver)
    raise _key_unknown()


async def _method_key(url: str, resolver: Resolver) -> PublicKey:
    method, refusal = await find_key(url, Relationship.AUTHENTICATION, resolver)
    if refusal is not None or method is None:
        raise refusal or _key_unknown()
    return method.key


def _names_method(claims: Mapping[str, Any]) -> bool:
    confirmation = claims.get("cnf")
    return not (isinstance(confirmation, dict) and "jwk" in confirmation)


def _key_unknown() -> BadInput:
    return BadInput("holder.key_unknown", "The record names no key of its holder.", "Ask the issuer for one with cnf.")
