"""Services of a DID document: where and with which keys its subject can be reached.

Specs: DID Core 1.0 §5.4; Aries RFC 0067 (``did-communication``, ``IndyAgent``); DIDComm 2.1 §Service Endpoint.
Promises that every key of a DIDComm v1 service is a raw base58 Ed25519 key. A service that cannot be used (no
URI, no readable key) is left out, and stays in the document's ``raw``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.errors import BadInput
from protocols.multiformats import Multicodec, b58_decode, b58_encode, multikey_decode, multikey_encode

__all__ = [
    "DIDCOMM_V1_TYPES", "DIDCOMM_V2_TYPE", "QUEUE_ENDPOINT", "RFC19_PROFILE", "V2_PROFILE", "Service",
    "didcomm_services", "read_services",
]  # fmt: skip

DIDCOMM_V1_TYPES = ("did-communication", "IndyAgent")
"""Service types of DIDComm v1, the better one first."""

DIDCOMM_V2_TYPE = "DIDCommMessaging"
"""The service type of DIDComm v2 (2.1 §Service Endpoint)."""

RFC19_PROFILE = "didcomm/aip2;env=rfc19"
"""The media type profile of DIDComm v1 envelopes (Aries RFC 0044)."""

V2_PROFILE = "didcomm/v2"
"""The profile of DIDComm v2 (2.1 §Service Endpoint, ``accept``)."""

QUEUE_ENDPOINT = "didcomm:transport/queue"
"""The endpoint of who has none, as agents in the field write it: messages wait until it opens a channel."""

FindVerkey = Callable[[str], str | None]
"""Gives the base58 Ed25519 key that a DID URL names in the same document, if there is one."""

_SOCKETS = ("ws://", "wss://")
_MAX_KEYS = 16
_MAX_PLACES = 16
_MAX_ENDPOINT_CHARS = 2048


@dataclass(frozen=True, slots=True)
class Service:
    """A service.

    Attributes:
        id: DID URL, absolute where it was relative.
        type: where it has several types, the one for DIDComm, else the first.
        endpoint: URI.
        recipient_keys: raw base58 Ed25519 keys, references resolved; empty for services other than DIDComm v1.
        routing_keys: for DIDComm v1 raw base58 Ed25519 keys, for DIDComm v2 DID URLs as written.
        accept: media type profiles.
        priority: lower comes first.
    """

    id: str
    type: str
    endpoint: str
    recipient_keys: tuple[str, ...]
    routing_keys: tuple[str, ...]
    accept: tuple[str, ...]
    priority: int

    @property
    def is_didcomm(self) -> bool:
        """Whether it is for DIDComm, of either version."""
        return self.type in (*DIDCOMM_V1_TYPES, DIDCOMM_V2_TYPE)

    @property
    def is_socket(self) -> bool:
        """Whether it is a WebSocket, which carries a channel that stays open and no single message."""
        return self.endpoint.startswith(_SOCKETS)


def didcomm_services(
    key: str,
    endpoint: str,
    routing_keys: Sequence[str] = (),
    v2_uri: str | None = None,
    v2_routing_keys: Sequence[str] = (),
    socket: str | None = None,
) -> list[dict[str, Any]]:
    """The services of a DID for DIDComm, as ACA-Py and Credo write and read them (RFC 0067, DIDComm 2.1).

    Args:
        key: reference to the recipient key of v1.
        endpoint: where peers send messages of v1.
        routing_keys: mediators' keys, nearest to the recipient last; raw base58.
        v2_uri: where they send messages of v2, a URL or the DID of a mediator; None for v1 only.
        v2_routing_keys: mediators' keys as DID URLs, the outermost first.
        socket: URL of a WebSocket, for peers that want to hold a channel open; the last that others choose.

    Raises:
        BadInput: ``encoding.base58`` or ``key.malformed`` for a routing key, ``did.endpoint_malformed``.
    """
    services = [_did_communication(0, key, endpoint, routing_keys, priority=0)]
    if v2_uri is not None:
        uris = [uri for uri in (v2_uri, socket) if uri is not None]
        services.append(_didcomm_messaging(len(services), uris, v2_routing_keys))
    if socket is not None:
        services.append(_did_communication(len(services), key, socket, routing_keys, priority=1))
    return services


def _did_communication(
    number: int, key: str, endpoint: str, routing_keys: Sequence[str], *, priority: int
) -> dict[str, Any]:
    _check_endpoint(endpoint)
    return {
        "id": f"#didcomm-{number}",
        "type": DIDCOMM_V1_TYPES[0],
        "priority": priority,
        "recipientKeys": [key],
        "routingKeys": [_did_key_url(verkey) for verkey in routing_keys],
        "accept": [RFC19_PROFILE],
        "serviceEndpoint": endpoint,
    }


def _didcomm_messaging(number: int, uris: Sequence[str], routing_keys: Sequence[str]) -> dict[str, Any]:
    for uri in uris:
        _check_endpoint(uri)
    more = {"routingKeys": list(routing_keys)} if routing_keys else {}
    places = [{"uri": uri, "accept": [V2_PROFILE], **more} for uri in uris]
    return {"id": f"#didcomm-{number}", "type": DIDCOMM_V2_TYPE, "serviceEndpoint": places}


def read_services(raw: dict[str, Any], service_id: str, find_verkey: FindVerkey) -> tuple[Service, ...]:
    """The service, once for each of its endpoints that lernode can use, the subject's favourite first."""
    kind = _kind(raw.get("type"))
    priority = raw.get("priority", 0)
    places = raw.get("serviceEndpoint")
    places = places if isinstance(places, list) else [places]
    if kind is None or not isinstance(priority, int) or isinstance(priority, bool) or len(places) > _MAX_PLACES:
        return ()
    found = (_read_place(raw, kind, place, service_id, priority, find_verkey) for place in places)
    return tuple(service for service in found if service is not None)


def _read_place(
    raw: dict[str, Any], kind: str, value: Any, service_id: str, priority: int, find_verkey: FindVerkey
) -> Service | None:
    place = _place(value)
    if place is None:
        return None
    endpoint, inner = place
    accept = _strings(raw.get("accept", inner.get("accept", [])))
    routing = _strings(raw.get("routingKeys", inner.get("routingKeys", [])))
    if accept is None or routing is None:
        return None
    if kind not in DIDCOMM_V1_TYPES:
        return Service(service_id, kind, endpoint, (), routing, accept, priority)
    recipients = _verkeys(_strings(raw.get("recipientKeys")), find_verkey)
    routes = _verkeys(routing, find_verkey)
    # A recipient key that cannot be read may be left out; a route with a hole in it leads nowhere.
    if not recipients or len(routes) != len(routing):
        return None
    return Service(service_id, kind, endpoint, recipients, routes, accept, priority)


def _check_endpoint(endpoint: str) -> None:
    if not 0 < len(endpoint) <= _MAX_ENDPOINT_CHARS or ":" not in endpoint:
        raise BadInput("did.endpoint_malformed", "The endpoint is not a URI.", "Give a URL that peers can reach.")


def _kind(value: Any) -> str | None:
    names = (value,) if isinstance(value, str) else _strings(value)
    if not names:
        return None
    return next((name for name in (*DIDCOMM_V1_TYPES, DIDCOMM_V2_TYPE) if name in names), names[0])


def _place(value: Any) -> tuple[str, dict[str, Any]] | None:
    """The URI, and for the map form of DIDComm v2 the map around it."""
    inner = value if isinstance(value, dict) else {}
    uri = inner.get("uri") if inner else value
    if not isinstance(uri, str) or not 0 < len(uri) <= _MAX_ENDPOINT_CHARS:
        return None
    return uri, inner


def _strings(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list) or len(value) > _MAX_KEYS or not all(isinstance(item, str) for item in value):
        return None
    return tuple(value)


def _verkeys(references: tuple[str, ...] | None, find_verkey: FindVerkey) -> tuple[str, ...]:
    found = (_verkey(reference, find_verkey) for reference in references or ())
    return tuple(verkey for verkey in found if verkey is not None)


def _verkey(reference: str, find_verkey: FindVerkey) -> str | None:
    """Raw base58 of a key given as did:key (with or without fragment), as a reference, or as raw base58."""
    try:
        if reference.startswith("did:key:"):
            codec, key = multikey_decode(reference.removeprefix("did:key:").split("#", 1)[0])
            return b58_encode(key) if codec is Multicodec.ED25519_PUB else None
        if reference.startswith(("did:", "#")):
            return find_verkey(reference)
        return reference if len(b58_decode(reference, max_chars=64)) == 32 else None
    except BadInput:
        return None


def _did_key_url(verkey: str) -> str:
    key = b58_decode(verkey, max_chars=64)
    if len(key) != 32:
        raise BadInput("key.malformed", "A routing key is not an Ed25519 key.", "Give it in raw base58.")
    multikey = multikey_encode(Multicodec.ED25519_PUB, key)
    return f"did:key:{multikey}#{multikey}"
