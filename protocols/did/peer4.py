"""did:peer:4: a hash and the document that it is the hash of (Peer DID Method Specification, Method 4).

The long form carries the document; the short form is the hash alone and needs a long form seen before, which
the caller keeps. Documents made here have the shape that ACA-Py gives its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from nacl.exceptions import CryptoError

from protocols import strict_json
from protocols.did.document import DidDocument, Relationship, parse_document
from protocols.did.services import didcomm_services
from protocols.did.syntax import check_did
from protocols.errors import BadInput
from protocols.keys import ed25519_public_to_x25519
from protocols.multiformats import Multicodec, b58_decode, multibase_encode, multikey_encode

__all__ = [
    "AGREEMENT_FRAGMENT", "FRAGMENT", "PREFIX", "create", "is_long_form", "resolve", "resolve_short", "short_form",
    "shortest",
]  # fmt: skip

PREFIX = "did:peer:4"
FRAGMENT = "key-0"
"""Of the Ed25519 key of the DIDs that lernode makes."""
AGREEMENT_FRAGMENT = "key-1"
"""Of their X25519 key."""

_JSON_CODEC = b"\x80\x04"  # multicodec 0x0200 as a varint
_SHA2_256 = b"\x12\x20"
_MAX_DOCUMENT_CHARS = 8192


def create(
    public: bytes,
    *,
    endpoint: str,
    routing_keys: Sequence[str] = (),
    v2_uri: str | None = None,
    v2_routing_keys: Sequence[str] = (),
    socket: str | None = None,
) -> str:
    """A did:peer:4 in long form, with one Ed25519 key and services for DIDComm.

    Args:
        public: raw Ed25519 public key.
        endpoint: where peers send messages of v1.
        routing_keys: mediators' keys in raw base58.
        v2_uri: where peers send messages of v2: a URL or a mediator's DID. With it the document also has the X25519
            key that belongs to the Ed25519 key; without it the DID speaks v1 only.
        v2_routing_keys: mediators' keys as DID URLs.
        socket: where they can hold a WebSocket open.

    Raises:
        BadInput: ``key.malformed``, ``encoding.base58`` or ``did.endpoint_malformed``.
    """
    methods = [_method(FRAGMENT, Multicodec.ED25519_PUB, public)]
    if v2_uri is not None:
        methods.append(_method(AGREEMENT_FRAGMENT, Multicodec.X25519_PUB, _agreement(public)))
    document = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "verificationMethod": methods,
        "authentication": [f"#{FRAGMENT}"],
        "keyAgreement": [method["id"] for method in methods],
        "service": didcomm_services(f"#{FRAGMENT}", endpoint, routing_keys, v2_uri, v2_routing_keys, socket),
    }
    encoded = multibase_encode(_JSON_CODEC + strict_json.dumps(document))
    return f"{PREFIX}{_hash(encoded)}:{encoded}"


def is_long_form(did: str) -> bool:
    """Whether ``did`` is written as a did:peer:4 with its document."""
    return did.startswith(PREFIX) and did.count(":") == 3


def short_form(did: str) -> str:
    """The short form of a did:peer:4 given in either form; the hash is checked in :func:`resolve`, not here.

    Raises:
        BadInput: ``did.malformed``.
    """
    check_did(did)
    if not did.startswith(PREFIX + "z") or did.count(":") not in (2, 3):
        raise _malformed("it is not did:peer:4 and a hash")
    return ":".join(did.split(":")[:3])


def shortest(did: str) -> str:
    """The short form of a did:peer:4, any other DID as it is: one name for one subject."""
    return did.rsplit(":", 1)[0] if is_long_form(did) else did


def resolve(did: str) -> DidDocument:
    """The document that a did:peer:4 in long form carries, with the long form as its id.

    Raises:
        BadInput: ``did.short_form`` for a short form; ``did.hash_mismatch``; ``did.malformed``;
            ``did.document_malformed``.
    """
    return parse_document(_contextualise(_decode(did), did, short_form(did)), did)


def resolve_short(did: str) -> DidDocument:
    """The same document for the short form of a long-form ``did``: its id is the short form.

    Raises:
        BadInput: as :func:`resolve`.
    """
    short = short_form(did)
    return parse_document(_contextualise(_decode(did), short, did), short)


def _method(fragment: str, codec: Multicodec, public: bytes) -> dict[str, str]:
    if len(public) != 32:
        raise BadInput("key.malformed", "An Ed25519 public key is 32 bytes.", "Give the raw key.")
    return {"id": f"#{fragment}", "type": "Multikey", "publicKeyMultibase": multikey_encode(codec, public)}


def _agreement(public: bytes) -> bytes:
    try:
        return ed25519_public_to_x25519(public)
    except CryptoError:
        raise BadInput("key.malformed", "The key is not an Ed25519 public key.", "Give the raw 32 bytes.") from None


def _decode(did: str) -> dict[str, Any]:
    short = short_form(did)
    if short == did:
        raise BadInput(
            "did.short_form",
            "A did:peer:4 in short form has no document.",
            "Use the long form, or the document kept from when the peer sent it.",
        )
    encoded = did[len(short) + 1 :]
    if len(encoded) > _MAX_DOCUMENT_CHARS or not encoded.startswith("z"):
        raise _malformed("its document is not base58, or too long")
    if short != PREFIX + _hash(encoded):
        raise BadInput(
            "did.hash_mismatch", "The document of the did:peer:4 is not the one of its hash.", "Do not trust this DID."
        )
    try:
        content = b58_decode(encoded[1:], max_chars=_MAX_DOCUMENT_CHARS)
        if not content.startswith(_JSON_CODEC):
            raise _malformed("its document is not JSON")
        return strict_json.loads_object(content.removeprefix(_JSON_CODEC))
    except BadInput as error:
        if error.code == "did.malformed":
            raise
        raise _malformed("its document is not base58 of JSON") from None


def _contextualise(document: dict[str, Any], did: str, other: str) -> dict[str, Any]:
    """The input document as the document of ``did``, which ``other`` is another name of."""
    if "id" in document:
        raise _malformed("its document has an id of its own")
    names = document.get("alsoKnownAs", [])
    result = {**document, "id": did, "alsoKnownAs": [*names, other] if isinstance(names, list) else names}
    for name in ("verificationMethod", *(relationship.value for relationship in Relationship)):
        methods = document.get(name)
        if isinstance(methods, list):
            result[name] = [{"controller": did, **m} if isinstance(m, dict) else m for m in methods]
    return result


def _hash(encoded: str) -> str:
    return multibase_encode(_SHA2_256 + hashlib.sha256(encoded.encode()).digest())


def _malformed(why: str) -> BadInput:
    return BadInput("did.malformed", f"The did:peer:4 cannot be read: {why}.", "Ask the peer for another DID.")
