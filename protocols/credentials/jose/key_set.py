"""The key of a JWT by an issuer that is named by an ``https`` URL, found in the JWK Set of the issuer's server.

Specs: Open Badges 3.0 §8.2 and CLR 2.0 §8.2 (``kid`` or ``jwk`` in the header) with the implementation guide's key
provenance: the set is at ``/.well-known/jwks.json`` of the authority of the issuer's id, the key has to be in it under
its ``kid``, or be the very one that ``jwk`` shows, and an ``iss`` in it has to be the issuer. A key that only the
header brings proves nothing of who signed.
"""

from __future__ import annotations

from typing import Any

from protocols.did.document import DidDocument, Relationship, VerificationMethod
from protocols.did.https_controller import key_set_url
from protocols.did.resolver import RenewingResolver, Resolver
from protocols.errors import BadInput, LernodeError, NotNow
from protocols.jose import Jws
from protocols.keys import public_jwk, read_public_jwk

__all__ = ["find_in_key_set"]


async def find_in_key_set(
    jws: Jws, issuer: str, resolver: Resolver
) -> tuple[VerificationMethod | None, LernodeError | None]:
    """The key that the header names, or why there is none.

    Args:
        issuer: an ``https`` URL.
    """
    url = key_set_url(issuer)
    try:
        found = _find(await resolver.resolve(url), jws, issuer)
        if found is None and isinstance(resolver, RenewingResolver):
            found = _find(await resolver.resolve_anew(url), jws, issuer)  # the key may be newer than the copy
    except NotNow:
        return None, NotNow(
            "controller.unresolvable",
            "The key set of the issuer's server cannot be had, so nothing says whose key it is.",
            "Try again later.",
        )
    except LernodeError as error:
        return None, error
    if found is not None:
        return found, None
    return None, BadInput(
        "did.method_unknown", "The key set of the issuer's server does not have the key.", "Ask the issuer."
    )


def _find(document: DidDocument, jws: Jws, issuer: str) -> VerificationMethod | None:
    jwks = {method["id"]: method["publicKeyJwk"] for method in document.raw["verificationMethod"]}
    for method in document.methods(Relationship.ASSERTION_METHOD):
        jwk = jwks[method.id]
        is_issuers = jwk.get("iss", issuer) == issuer and jwk.get("alg", jws.header["alg"]) == jws.header["alg"]
        if is_issuers and _is_named(jws, jwk, method):
            return method
    return None


def _is_named(jws: Jws, jwk: dict[str, Any], method: VerificationMethod) -> bool:
    """Whether the header means this key: by its ``kid``, by showing it, or, where it has both, by both."""
    if jws.kid is not None and jwk.get("kid") != jws.kid:
        return False
    if "jwk" not in jws.header:
        return jws.kid is not None
    try:
        return public_jwk(read_public_jwk(jws.header["jwk"])) == public_jwk(method.key)
    except BadInput:
        return False
