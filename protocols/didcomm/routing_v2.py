"""Routing 2.0: envelopes in ``forward`` messages for the mediators of their recipient (DIDComm 2.1 §Routing).

Sending only. Promises that each mediator learns the next hop and nothing else. Finding the documents of mediators, and
what a mediator does, are left to the node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocols import strict_json
from protocols.did.document import DidDocument, Relationship, VerificationMethod
from protocols.did.resolver import Resolver
from protocols.did.services import Service
from protocols.did.syntax import did_of
from protocols.didcomm import codec_v2
from protocols.didcomm.envelope_types import Entropy
from protocols.didcomm.envelope_v2 import pack, recipients_of
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.errors import BadInput
from protocols.multiformats import Multicodec

__all__ = ["FORWARD", "Route", "route_to", "wrap"]

FORWARD = DIDCOMM_ORG + "routing/2.0/forward"

_MAX_HOPS = 16
_CODECS = (Multicodec.X25519_PUB, Multicodec.P256_PUB, Multicodec.P384_PUB, Multicodec.P521_PUB)


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach the subject of a document.

    Attributes:
        endpoint: URL to send to.
        hops: the keys of each mediator, the one that is sent to first.
    """

    endpoint: str
    hops: tuple[tuple[VerificationMethod, ...], ...] = ()


async def route_to(service: Service, resolver: Resolver) -> Route:
    """The way that a service says (§Service Endpoint); a URI that is a DID is the mediator that is sent to first.

    Raises:
        BadInput: ``did.*``, ``envelope.recipient`` where a key is none to encrypt for, ``envelope.route`` where the
            way is too long or a mediator is behind another one.
        NotNow: ``did.unreachable``.
    """
    references: list[str] = list(service.routing_keys)
    endpoint = service.endpoint
    if endpoint.startswith("did:"):
        mediator = await resolver.resolve(did_of(endpoint))
        places = [place for place in mediator.didcomm_v2_services() if not place.endpoint.startswith("did:")]
        if not places:
            raise BadInput("envelope.route", "A mediator's DID document names no URL.", "Ask the peer for another DID.")
        references = [mediator.id, *places[0].routing_keys, *references]
        endpoint = places[0].endpoint
    if len(references) > _MAX_HOPS:
        raise BadInput("envelope.route", f"A route has at most {_MAX_HOPS} mediators.", "Ask the peer for another DID.")
    return Route(endpoint, tuple([await _keys_of(reference, resolver) for reference in references]))


def wrap(envelope: bytes, route: Route, *, to: str, new_id: Callable[[], str], entropy: Entropy) -> bytes:
    """The envelope in one ``forward`` a mediator, each encrypted anonymously (§Sender Process to Enable Forwarding).

    Args:
        to: the DID that the envelope is for.

    Raises:
        BadInput: ``envelope.recipient``.
    """
    following = to
    for keys in reversed(route.hops):
        message_id = new_id()
        mediator = did_of(keys[0].id)
        forward = PlainMessage(
            FORWARD,
            message_id,
            message_id,
            body={"next": following},
            wire=Wire.V2,
            to=(mediator,),
            attachments=({"data": {"json": strict_json.loads_object(envelope, max_bytes=len(envelope))}},),
        )
        envelope = pack(codec_v2.encode(forward), to=keys, sender=None, entropy=entropy)
        following = mediator
    return envelope


async def _keys_of(reference: str, resolver: Resolver) -> tuple[VerificationMethod, ...]:
    document: DidDocument = await resolver.resolve(did_of(reference))
    if "#" in reference:
        return (document.method_for(reference, Relationship.KEY_AGREEMENT),)
    return recipients_of(document, _CODECS)
