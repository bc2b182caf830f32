"""did:jwk: the identifier is a public JWK, and the document follows from it (did:jwk method).

``use`` says what the key is for: ``sig`` leaves out key agreement, ``enc`` leaves out everything else (did:jwk §2.1).
"""

from __future__ import annotations

from typing import Any

from protocols import strict_json
from protocols.did.document import DidDocument, Relationship, parse_document
from protocols.did.syntax import check_did
from protocols.errors import BadInput
from protocols.keys import PublicKey, public_jwk, read_public_jwk
from protocols.multiformats import b64url_decode, b64url_encode

__all__ = ["FRAGMENT", "PREFIX", "did_from_public", "resolve"]

PREFIX = "did:jwk:"
FRAGMENT = "0"
_MAX_CHARS = 4096
_CONTEXTS = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"]
_FOR_ENCRYPTION = (Relationship.KEY_AGREEMENT,)
_FOR_SIGNATURES = tuple(relationship for relationship in Relationship if relationship not in _FOR_ENCRYPTION)
_USES = {None: tuple(Relationship), "sig": _FOR_SIGNATURES, "enc": _FOR_ENCRYPTION}


def did_from_public(key: PublicKey) -> str:
    """The did:jwk of a public key, written with the members that its kind requires and no others.

    Raises:
        BadInput: ``key.malformed``.
    """
    return PREFIX + b64url_encode(strict_json.dumps(public_jwk(key)))


def resolve(did: str) -> DidDocument:
    """The document of a did:jwk, made from the identifier alone.

    Raises:
        BadInput: ``did.malformed``, also where the JWK has a secret or a key that lernode does not know.
    """
    check_did(did)
    encoded = did.removeprefix(PREFIX)
    if not did.startswith(PREFIX) or len(encoded) > _MAX_CHARS:
        raise _malformed("it is not did:jwk: and a key")
    try:
        jwk = strict_json.loads_object(b64url_decode(encoded))
        is_usable = read_public_jwk(jwk).is_usable
    except BadInput:
        is_usable = False
    if not is_usable:
        raise _malformed("it holds no public JWK over a known curve")
    relationships = _USES.get(jwk.get("use")) if isinstance(jwk.get("use"), str | None) else None
    if relationships is None:
        raise _malformed("its use is neither sig nor enc")
    method = {"id": f"{did}#{FRAGMENT}", "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": jwk}
    raw: dict[str, Any] = {"@context": list(_CONTEXTS), "id": did, "verificationMethod": [method]}
    raw |= {relationship.value: [method["id"]] for relationship in relationships}
    return parse_document(raw, did)


def _malformed(why: str) -> BadInput:
    return BadInput("did.malformed", f"The did:jwk cannot be used: {why}.", "Ask its owner for another DID.")
