"""The DID document: which keys its subject has, and what each of them may be used for.

Spec: DID Core 1.0 §5. The point of the model is that a key is found only together with a verification
relationship: a key that stands in the document, but not under the relationship asked for, is not authorised, nor is
one that another DID controls or whose type lernode cannot use. What is not understood stays in ``raw``.
Leaves it to each DID method's file to obtain the document, and to callers to use the key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from protocols.did.methods import VerificationMethod, end_of_use, read_public_key
from protocols.did.services import DIDCOMM_V1_TYPES, DIDCOMM_V2_TYPE, V2_PROFILE, Service, read_services
from protocols.did.syntax import absolute_url, check_controller, controller_of
from protocols.errors import BadInput
from protocols.multiformats import Multicodec, b58_encode

__all__ = ["DidDocument", "Relationship", "Service", "VerificationMethod", "parse_document"]

_MAX_METHODS = 128
_MAX_SERVICES = 32


class Relationship(StrEnum):
    """What a key may be used for (DID Core §5.3)."""

    AUTHENTICATION = "authentication"
    ASSERTION_METHOD = "assertionMethod"
    KEY_AGREEMENT = "keyAgreement"
    CAPABILITY_INVOCATION = "capabilityInvocation"
    CAPABILITY_DELEGATION = "capabilityDelegation"


_Methods = Mapping[str, VerificationMethod]


@dataclass(frozen=True)
class DidDocument:
    """A parsed DID document.

    Attributes:
        id: the DID that was resolved.
        services: those that lernode can use, in their order.
        raw: the document as received; not to be changed.
    """

    id: str
    also_known_as: tuple[str, ...]
    services: tuple[Service, ...]
    raw: dict[str, Any]
    _authorised: Mapping[Relationship, _Methods] = field(repr=False)
    _known: frozenset[str] = field(repr=False)
    _ended: Mapping[str, BadInput] = field(repr=False)

    def method_for(self, did_url: str, relationship: Relationship) -> VerificationMethod:
        """The key that ``did_url`` (absolute, or ``#fragment``) names, if it may be used for ``relationship``.

        Raises:
            BadInput: ``did.method_unknown`` where the document has no such method; ``did.method_not_authorised``
                where it has, but not under the relationship, or under another controller, or of an unusable type;
                ``did.method_revoked``, ``did.method_expired``.
        """
        url = self.id + did_url if did_url.startswith("#") else did_url
        method = self._authorised[relationship].get(url)
        if method is not None:
            return method
        if url in self._ended:
            raise self._ended[url]
        if url not in self._known:
            raise BadInput(
                "did.method_unknown",
                "The DID document does not have the verification method.",
                "The key may have been removed, or the document at hand may be too old.",
            )
        raise BadInput(
            "did.method_not_authorised",
            f"The verification method may not be used for {relationship.value}.",
            "The DID's controller has to list a usable key under that relationship.",
        )

    def methods(self, relationship: Relationship) -> tuple[VerificationMethod, ...]:
        """The usable keys under ``relationship``, in the document's order."""
        return tuple(self._authorised[relationship].values())

    def didcomm_service(self) -> Service:
        """The DIDComm v1 service with the lowest priority number (Aries RFC 0067); a WebSocket only where it is alone.

        Raises:
            BadInput: ``did.no_didcomm_service``.
        """
        usable = [service for service in self.services if service.type in DIDCOMM_V1_TYPES]
        if not usable:
            raise BadInput(
                "did.no_didcomm_service",
                "The DID document has no service for DIDComm v1 that can be used.",
                "Ask the peer for a DID with a did-communication service and an Ed25519 recipient key.",
            )
        return min(usable, key=lambda s: (s.is_socket, s.priority, DIDCOMM_V1_TYPES.index(s.type)))

    def didcomm_v2_services(self) -> tuple[Service, ...]:
        """The services for DIDComm v2, the subject's favourite first; none where it reads other profiles only."""
        found = (service for service in self.services if service.type == DIDCOMM_V2_TYPE)
        return tuple(service for service in found if not service.accept or V2_PROFILE in service.accept)

    def socket_endpoint(self) -> str | None:
        """The URL of a WebSocket over which DIDComm is spoken with the subject itself, where the document names one."""
        direct = (service for service in self.services if service.is_didcomm and not service.routing_keys)
        return next((service.endpoint for service in direct if service.is_socket), None)


def parse_document(raw: Any, did: str, *, now: datetime | None = None) -> DidDocument:
    """Read ``raw`` (any parsed JSON) as the document of ``did``, with the keys that may be used at ``now``.

    Raises:
        BadInput: ``did.document_malformed`` or ``did.malformed``.
    """
    check_controller(did)
    if not isinstance(raw, dict) or raw.get("id") != did:
        raise _malformed("its id is not the DID that was resolved")
    declared: dict[str, VerificationMethod | None] = {}
    originals: dict[str, dict[str, Any]] = {}
    for item in _items(raw, "verificationMethod"):
        _declare(item, did, declared, originals)
    stated = {
        relationship: dict(_relationship(raw, relationship, did, declared, originals)) for relationship in Relationship
    }
    ended = {url: end for url, item in originals.items() if (end := end_of_use(item, now)) is not None}
    authorised = {
        relationship: {url: method for url, method in methods.items() if url not in ended}
        for relationship, methods in stated.items()
    }
    verkeys = {
        url: b58_encode(method.key.raw)
        for relationship in (Relationship.AUTHENTICATION, Relationship.KEY_AGREEMENT)
        for url, method in authorised[relationship].items()
        if method.key.codec is Multicodec.ED25519_PUB
    }
    return DidDocument(
        id=did,
        also_known_as=_also_known_as(raw),
        services=tuple(_services(raw, did, verkeys)),
        raw=raw,
        _authorised=authorised,
        _known=frozenset(declared),
        _ended=ended,
    )


def _items(raw: dict[str, Any], name: str, limit: int = _MAX_METHODS) -> list[Any]:
    value = raw.get(name, [])
    if not isinstance(value, list) or len(value) > limit:
        raise _malformed(f"{name} is not a list of at most {limit}")
    return value


def _declare(
    item: Any, did: str, declared: dict[str, VerificationMethod | None], originals: dict[str, dict[str, Any]]
) -> str:
    """Note a verification method and give its absolute id; the same id must not name two different methods."""
    if not isinstance(item, dict):
        raise _malformed("a verification method is not an object")
    for name in ("id", "type", "controller"):
        if not isinstance(item.get(name), str):
            raise _malformed(f"a verification method has no {name}")
    url = _absolute(item["id"], did)
    if url in originals and originals[url] != item:
        raise _malformed("two verification methods have the same id")
    originals[url] = item
    key = read_public_key(item)
    declared[url] = VerificationMethod(url, item["type"], item["controller"], key) if key else None
    return url


def _relationship(
    raw: dict[str, Any],
    relationship: Relationship,
    did: str,
    declared: dict[str, VerificationMethod | None],
    originals: dict[str, dict[str, Any]],
) -> Iterator[tuple[str, VerificationMethod]]:
    for item in _items(raw, relationship.value):
        # An embedded method may be used for this relationship only; it is known, but authorised nowhere else.
        url = _absolute(item, did) if isinstance(item, str) else _declare(item, did, declared, originals)
        method = declared.get(url)
        if method is not None and _is_usable(method, relationship, did):
            yield url, method


def _is_usable(method: VerificationMethod, relationship: Relationship, did: str) -> bool:
    """Only keys of the DID itself; and not every key can sign."""
    own = method.controller == did and controller_of(method.id) == did
    return own and (relationship is Relationship.KEY_AGREEMENT or method.key.can_sign)


def _services(raw: dict[str, Any], did: str, verkeys: dict[str, str]) -> Iterator[Service]:
    def find_verkey(reference: str) -> str | None:
        return verkeys.get(did + reference if reference.startswith("#") else reference)

    seen: set[str] = set()
    for item in _items(raw, "service", _MAX_SERVICES):
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise _malformed("a service has no id")
        service_id = did + item["id"] if item["id"].startswith("#") else item["id"]
        if service_id in seen:
            raise _malformed("two services have the same id")
        seen.add(service_id)
        yield from read_services(item, service_id, find_verkey)


def _also_known_as(raw: dict[str, Any]) -> tuple[str, ...]:
    names = _items(raw, "alsoKnownAs")
    if not all(isinstance(name, str) for name in names):
        raise _malformed("alsoKnownAs is not a list of URIs")
    return tuple(names)


def _absolute(reference: str, did: str) -> str:
    try:
        return absolute_url(reference, did)
    except BadInput:
        raise _malformed("a verification method's id is not a DID URL") from None


def _malformed(why: str) -> BadInput:
    return BadInput(
        "did.document_malformed", f"The DID document cannot be read: {why}.", "Its controller has to correct it."
    )
