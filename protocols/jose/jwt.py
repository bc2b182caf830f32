"""JSON Web Tokens in signed form (RFC 7519): claims as I-JSON, times, media types, and which method signed.

Leaves to the caller which claims have to be there, and whether the signature holds under the method's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from protocols import strict_json
from protocols.did.syntax import absolute_url
from protocols.errors import BadInput
from protocols.jose.jws import ALGORITHMS, Jws, read_jws, sign_jws
from protocols.keys import Signer
from protocols.multiformats import Multicodec

__all__ = ["Jwt", "is_typ", "method_url", "read_jwt", "sign_jwt", "time_problem"]

_MAX_TIME = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True, slots=True)
class Jwt:
    """A signed JWT that was read, not verified.

    Attributes:
        claims: the payload; not to be changed.
    """

    jws: Jws
    claims: dict[str, Any]


def read_jwt(text: str | bytes, algorithms: Mapping[str, Multicodec] = ALGORITHMS, *, allow_jwk: bool = False) -> Jwt:
    """Read a signed JWT in compact serialisation.

    Args:
        algorithms, allow_jwk: as :func:`~protocols.jose.jws.read_jws` takes them.

    Raises:
        BadInput: as :func:`~protocols.jose.jws.read_jws`; ``json.*`` where the payload is not a JSON object.
    """
    jws = read_jws(text, algorithms, allow_jwk=allow_jwk)
    return Jwt(jws, strict_json.loads_object(jws.payload))


def sign_jwt(claims: Mapping[str, Any], signer: Signer, *, typ: str, cty: str | None = None) -> str:
    """A signed JWT of ``claims``.

    Args:
        typ: the media type of the JWT without ``application/`` (RFC 8725 §3.11).
        cty: the media type of its payload, likewise.

    Raises:
        BadInput: ``jws.key_type``.
    """
    header = {"typ": typ, **({} if cty is None else {"cty": cty})}
    return sign_jws(strict_json.dumps(claims), signer, header)


def is_typ(typ: str | None, *names: str) -> bool:
    """Whether ``typ`` is one of the media types ``names``, however it is written (RFC 7515 §4.1.9)."""
    return typ is not None and typ.lower().removeprefix("application/") in names


def method_url(jws: Jws, controller: str | None) -> str:
    """The DID URL of the verification method that ``kid`` names.

    Args:
        controller: the DID of the one who has to have signed; a ``kid`` that is a fragment or a plain name is one of
            its methods. What it is worth shows only once that DID's document has the method.

    Raises:
        BadInput: ``jws.no_kid`` where it names none, or not a method of a DID.
    """
    kid = jws.kid
    if kid and kid.startswith("did:"):
        return kid
    # A plain name is the fragment; a URL of another scheme is not in a DID document.
    if kid and ":" not in kid and controller is not None and controller.startswith("did:"):
        try:
            return absolute_url(kid if kid.startswith("#") else f"#{kid}", controller)
        except BadInput:
            pass
    raise BadInput("jws.no_kid", "The JWS does not name its key by a DID URL.", "Its maker has to put it in kid.")


def time_problem(claims: Mapping[str, Any], *, now: datetime, skew: timedelta) -> tuple[str, str] | None:
    """Why the JWT is not valid at ``now``, as code and reason, by ``exp``, ``nbf`` and ``iat`` (RFC 7519 §4.1).

    Args:
        now: timezone-aware.
        skew: how far clocks may differ.
    """
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if not all(_is_time(value) for value in times.values()):
        return "time.malformed", "A time of the signature cannot be read."
    moment, slack = now.timestamp(), skew.total_seconds()
    for name in ("nbf", "iat"):
        if name in times and times[name] - slack > moment:
            return "time.proof_from_future", "The signature is from the future."
    if "exp" in times and times["exp"] + slack <= moment:
        return "time.proof_expired", "The signature has expired."
    return None


def _is_time(value: Any) -> bool:
    """Whether it is a NumericDate (RFC 7519 §2); Python takes True for a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MAX_TIME
