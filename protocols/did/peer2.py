"""did:peer:2: keys and services written out in the identifier (Peer DID Method Specification, Method 2).

Reads services one an element, as the specification has it, and several in one JSON list, as early
implementations wrote them; writes the former only.
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
from protocols.multiformats import Multicodec, b64url_decode, b64url_encode, multibase_encode, multikey_encode

__all__ = ["AGREEMENT_FRAGMENT", "FRAGMENT", "PREFIX", "create", "resolve"]

PREFIX = "did:peer:2"
_MAX_ELEMENTS = 64

_PURPOSES = {
    "A": Relationship.ASSERTION_METHOD,
    "E": Relationship.KEY_AGREEMENT,
    "V": Relationship.AUTHENTICATION,
    "I": Relationship.CAPABILITY_INVOCATION,
    "D": Relationship.CAPABILITY_DELEGATION,
}
_LONG_KEYS = {"t": "type", "s": "serviceEndpoint", "r": "routingKeys", "a": "accept"}
_SHORT_KEYS = {long: short for short, long in _LONG_KEYS.items()}
_LONG_TYPES = {"dm": "DIDCommMessaging"}
_SHORT_TYPES = {long: short for short, long in _LONG_TYPES.items()}
AGREEMENT_FRAGMENT = "key-2"
"""Of the X25519 key of the DIDs that lernode makes."""
FRAGMENT = "key-1"
"""Of their Ed25519 key."""


def create(
    public: bytes,
    *,
    endpoint: str,
    routing_keys: Sequence[str] = (),
    v2_uri: str | None = None,
    v2_routing_keys: Sequence[str] = (),
    socket: str | None = None,
) -> str:
    """A did:peer:2 with one Ed25519 key, the X25519 key derived from it, and services for DIDComm.

    Args:
        public: raw Ed25519 public key.
        endpoint: where peers send messages of v1.
        routing_keys: mediators' keys in raw base58.
        v2_uri: where peers send messages of v2: a URL or a mediator's DID; None for a DID that speaks v1 only.
        v2_routing_keys: mediators' keys as DID URLs.
        socket: where they can hold a WebSocket open.

    Raises:
        BadInput: ``key.malformed``, ``encoding.base58`` or ``did.endpoint_malformed``.
    """
    try:
        agreement = ed25519_public_to_x25519(public)
    except (CryptoError, ValueError, TypeError):
        raise BadInput("key.malformed", "The key is not an Ed25519 public key.", "Give the raw 32 bytes.") from None
    services = didcomm_services(f"#{FRAGMENT}", endpoint, routing_keys, v2_uri, v2_routing_keys, socket)
    return (
        f"{PREFIX}.V{multikey_encode(Multicodec.ED25519_PUB, public)}"
        f".E{multikey_encode(Multicodec.X25519_PUB, agreement)}"
        + "".join(f".S{b64url_encode(strict_json.dumps(_abbreviate(service)))}" for service in services)
    )


def resolve(did: str) -> DidDocument:
    """The document that a did:peer:2 carries.

    Raises:
        BadInput: ``did.malformed`` or ``did.document_malformed``.
    """
    check_did(did)
    elements = did.removeprefix(PREFIX).split(".")
    if not did.startswith(PREFIX + ".") or len(elements) > _MAX_ELEMENTS:
        raise _malformed("it is not did:peer:2 and elements that start with a full stop")
    methods: list[dict[str, str]] = []
    services: list[dict[str, Any]] = []
    raw: dict[str, Any] = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": [_method_3(did)],
        "verificationMethod": methods,
        "service": services,
    }
    for element in elements[1:]:
        purpose, value = element[:1], element[1:]
        if purpose == "S":
            services.extend(_services(value))
        elif purpose in _PURPOSES and value.startswith("z"):
            methods.append(_method(did, len(methods) + 1, value))
            raw.setdefault(_PURPOSES[purpose].value, []).append(methods[-1]["id"])
        else:
            raise _malformed("an element has an unknown purpose")
    _name_services(services)
    return parse_document(raw, did)


def _method(did: str, number: int, multikey: str) -> dict[str, str]:
    return {"id": f"#key-{number}", "type": "Multikey", "controller": did, "publicKeyMultibase": multikey}


def _services(value: str) -> list[dict[str, Any]]:
    try:
        decoded = strict_json.loads(b64url_decode(value))
    except BadInput:
        raise _malformed("a service is not base64url of JSON") from None
    services = [_expand(item) for item in (decoded if isinstance(decoded, list) else [decoded])]
    if not all(isinstance(service, dict) for service in services):
        raise _malformed("a service is not an object")
    return services


def _abbreviate(value: Any) -> Any:
    """Shorten the names of keys, at every depth, and the value of ``type``."""
    if isinstance(value, list):
        return [_abbreviate(item) for item in value]
    if not isinstance(value, dict):
        return value
    short = {_SHORT_KEYS.get(name, name): _abbreviate(item) for name, item in value.items()}
    if short.get("t") in _SHORT_TYPES:
        short["t"] = _SHORT_TYPES[short["t"]]
    return short


def _expand(value: Any) -> Any:
    """Undo the abbreviations of key names, at every depth, and of the value of ``type``."""
    if isinstance(value, list):
        return [_expand(item) for item in value]
    if not isinstance(value, dict):
        return value
    expanded = {_LONG_KEYS.get(name, name): _expand(item) for name, item in value.items()}
    if len(expanded) != len(value):
        raise _malformed("a service has a property both in full and abbreviated")
    if isinstance(expanded.get("type"), str):
        expanded["type"] = _LONG_TYPES.get(expanded["type"], expanded["type"])
    return expanded


def _name_services(services: list[dict[str, Any]]) -> None:
    nameless = [service for service in services if "id" not in service]
    for number, service in enumerate(nameless):
        service["id"] = f"#service-{number}" if number else "#service"


def _method_3(did: str) -> str:
    """The same DID shortened by Method 3: the multihash of what follows ``did:peer:2``."""
    digest = hashlib.sha256(did.removeprefix(PREFIX).encode()).digest()
    return "did:peer:3" + multibase_encode(b"\x12\x20" + digest)


def _malformed(why: str) -> BadInput:
    return BadInput("did.malformed", f"The did:peer:2 cannot be read: {why}.", "Ask the peer for another DID.")
