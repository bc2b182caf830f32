"""did:key: the identifier is the key, and the document follows from it (did:key method 0.9).

A key that can sign has all relationships, but that for key agreement stands the X25519 key derived from an Ed25519
key; an X25519 key has that one only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from nacl.exceptions import CryptoError

from protocols.did.document import DidDocument, Relationship, parse_document
from protocols.did.syntax import check_did
from protocols.errors import BadInput
from protocols.keys import PublicKey, ed25519_public_to_x25519
from protocols.multiformats import Multicodec, multikey_decode, multikey_encode

__all__ = ["PREFIX", "did_from_key", "did_from_public", "resolve", "verification_method"]

PREFIX = "did:key:"
_MAX_CHARS = 128

_CONTEXTS = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]


def did_from_public(ed25519_public: bytes) -> str:
    """The did:key of a raw Ed25519 public key.

    Raises:
        BadInput: ``key.malformed`` where it is not 32 bytes.
    """
    if len(ed25519_public) != 32:
        raise BadInput("key.malformed", "An Ed25519 public key is 32 bytes.", "Give the raw key.")
    return did_from_key(PublicKey(Multicodec.ED25519_PUB, ed25519_public))


def did_from_key(key: PublicKey) -> str:
    """The did:key of a public key of any kind."""
    return PREFIX + key.multikey


def verification_method(did: str) -> str:
    """The DID URL of the one key that a did:key names.

    Raises:
        BadInput: ``did.malformed``.
    """
    return f"{did}#{_read(did)[0]}"


def resolve(did: str) -> DidDocument:
    """The document of a did:key, made from the identifier alone.

    Raises:
        BadInput: ``did.malformed``.
    """
    if len(did) > _MAX_CHARS + len(PREFIX):
        raise _malformed("it is too long")
    return _resolve(did)


@lru_cache(maxsize=256)
def _resolve(did: str) -> DidDocument:
    multikey, codec, key = _read(did)
    methods = [_method(did, multikey)]
    raw: dict[str, Any] = {"@context": list(_CONTEXTS), "id": did, "verificationMethod": methods}
    own = f"{did}#{multikey}"
    if codec is Multicodec.X25519_PUB:
        raw[Relationship.KEY_AGREEMENT.value] = [own]
        return parse_document(raw, did)
    for relationship in Relationship:
        raw[relationship.value] = [own]
    if codec is not Multicodec.ED25519_PUB:
        return parse_document(raw, did)
    try:
        derived = multikey_encode(Multicodec.X25519_PUB, ed25519_public_to_x25519(key))
    except CryptoError:
        raise _malformed("its key is not a point of the curve") from None
    methods.append(_method(did, derived))
    raw[Relationship.KEY_AGREEMENT.value] = [f"{did}#{derived}"]
    return parse_document(raw, did)


def _read(did: str) -> tuple[str, Multicodec, bytes]:
    check_did(did)
    multikey = did.removeprefix(PREFIX)
    if not did.startswith(PREFIX) or len(multikey) > _MAX_CHARS or not multikey.startswith("z"):
        raise _malformed("it is not did:key: and a base58 multikey")
    try:
        codec, key = multikey_decode(multikey)
    except BadInput:
        raise _malformed("its key is of an unknown kind or malformed") from None
    return multikey, codec, key


def _method(did: str, multikey: str) -> dict[str, str]:
    return {"id": f"{did}#{multikey}", "type": "Multikey", "controller": did, "publicKeyMultibase": multikey}


def _malformed(why: str) -> BadInput:
    return BadInput("did.malformed", f"The did:key cannot be used: {why}.", "Use did:key:z6Mk… of an Ed25519 key.")
