"""Envelopes for peers: which keys, which DIDs, which endpoint, for whichever wire a message was written for.

In v1 what the peer last said of itself stands in the connection; in v2 its DID document says it, at the time of
sending. So a message that waited leaves for where the peer is now.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import msgspec

from node.runtime.keyring import Keyring
from node.runtime.world import World
from protocols.did import peer4
from protocols.did.document import DidDocument, Relationship
from protocols.did.resolver import Resolver
from protocols.did.services import QUEUE_ENDPOINT, Service
from protocols.didcomm import codec_v2, envelope_v1, envelope_v2
from protocols.didcomm.envelope import MEDIA_TYPES
from protocols.didcomm.from_prior import make_from_prior
from protocols.didcomm.message import Wire
from protocols.didcomm.routing_v2 import Route, route_to, wrap
from protocols.errors import NotNow
from protocols.multiformats import Multicodec
from storage import connections
from storage.connections import Connection
from storage.engine import Store

__all__ = ["PeerResolver", "Sealed", "Sealer", "v2_service"]

_REMEMBERED = 256
_AGREEMENT_KEYS = (Multicodec.X25519_PUB,)
_ENDPOINTS = ("http:", "https:", "did:", QUEUE_ENDPOINT)


class PeerResolver:
    """Resolves any DID, and did:peer:4 in short form where a peer told the long form."""

    def __init__(self, store: Store, resolver: Resolver) -> None:
        self._store = store
        self._resolver = resolver
        self._known: OrderedDict[str, DidDocument] = OrderedDict()

    def forget(self) -> None:
        """Keep no document of a peer in memory."""
        self._known.clear()

    async def resolve(self, did: str) -> DidDocument:
        """As :meth:`protocols.did.resolver.Resolver.resolve`."""
        if not did.startswith(peer4.PREFIX) or peer4.is_long_form(did):
            return await self._resolver.resolve(did)
        document = self._known.get(did)
        if document is None:
            async with self._store.read() as tx:
                long_form = await connections.long_form(tx, did)
            if long_form is None:
                return await self._resolver.resolve(did)
            document = self._known[did] = peer4.resolve_short(long_form)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return document


def v2_service(document: DidDocument) -> Service | None:
    """Where and how the subject of a document takes messages of v2 that this node can write; None where it does not."""
    if not any(key.key.codec in _AGREEMENT_KEYS for key in document.methods(Relationship.KEY_AGREEMENT)):
        return None
    return next((s for s in document.didcomm_v2_services() if s.endpoint.startswith(_ENDPOINTS)), None)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope, and where it goes: nowhere by itself, where it is for a channel."""

    envelope: bytes
    endpoint: str | None
    media_type: str


class Sealer:
    """Encrypts messages for the peers of connections."""

    def __init__(self, keyring: Keyring, resolver: Resolver, world: World) -> None:
        self._keyring = keyring
        self._resolver = resolver
        self._world = world

    async def seal(
        self, connection: Connection, plaintext: bytes, *, wire: Wire, my_verkey: str, for_channel: bool = False
    ) -> Sealed:
        """The envelope that carries ``plaintext`` to the peer of ``connection``, wrapped for its mediators.

        Args:
            wire: what ``plaintext`` is written in.
            my_verkey: the key of this node that it leaves under.
            for_channel: it goes over a channel that the peer itself holds open, past its mediators.

        Raises:
            NotNow: ``connection.no_key`` while the peer's key is not known, ``delivery.no_endpoint``,
                ``did.unreachable``.
            BadInput: ``did.*``, ``envelope.recipient`` where the peer's document cannot be used.
        """
        if wire is Wire.V1:
            return self._seal_v1(connection, plaintext, my_verkey, for_channel=for_channel)
        return await self._seal_v2(connection, plaintext, my_verkey, for_channel=for_channel)

    def _seal_v1(self, connection: Connection, plaintext: bytes, my_verkey: str, *, for_channel: bool) -> Sealed:
        endpoint = _reachable(connection.their_endpoint, for_channel=for_channel)
        if connection.their_verkey is None:
            raise _no_key()
        sender = self._keyring.get(my_verkey)
        to = connection.their_verkey
        envelope = envelope_v1.wrap_for_routing(
            envelope_v1.pack(plaintext, to=[to], sender=sender, entropy=self._world.entropy),
            to=to,
            routing_keys=() if for_channel else connection.their_routing_keys,
            new_id=self._world.new_id,
            entropy=self._world.entropy,
        )
        return Sealed(envelope, endpoint, MEDIA_TYPES[Wire.V1])

    async def _seal_v2(self, connection: Connection, plaintext: bytes, my_verkey: str, *, for_channel: bool) -> Sealed:
        if connection.their_did is None:
            raise _no_key()
        document = await self._resolver.resolve(peer4.shortest(connection.their_did))
        is_current = my_verkey == connection.my_verkey
        sender = self._keyring.sender(my_verkey, short=connection.knows_my_did or not is_current)
        prior = connection.my_prior_verkey if is_current else None
        message = msgspec.structs.replace(
            codec_v2.decode(plaintext),
            from_=sender.did,
            to=(document.id,),
            from_prior=None if prior is None else self._from_prior(sender.did, prior),
        )
        envelope = envelope_v2.pack(
            codec_v2.encode(message),
            to=envelope_v2.recipients_of(document, _AGREEMENT_KEYS),
            sender=sender.key,
            entropy=self._world.entropy,
        )
        endpoint = None
        if not for_channel:
            route = await self._route(v2_service(document))
            endpoint = _reachable(route.endpoint, for_channel=for_channel)
            envelope = wrap(envelope, route, to=document.id, new_id=self._world.new_id, entropy=self._world.entropy)
        return Sealed(envelope, endpoint, MEDIA_TYPES[Wire.V2])

    async def _route(self, service: Service | None) -> Route:
        if service is None:
            raise _no_endpoint()
        return await route_to(service, self._resolver)

    def _from_prior(self, did: str, prior_verkey: str) -> str:
        return make_from_prior(did, self._keyring.authenticator(prior_verkey), now=self._world.clock())


def _no_key() -> NotNow:
    return NotNow("connection.no_key", "The peer's key is not known yet.", "Wait for its answer.")


def _reachable(endpoint: str | None, *, for_channel: bool) -> str | None:
    """Where to send it, or None where there is a channel."""
    if for_channel:
        return None
    if endpoint is None or endpoint == QUEUE_ENDPOINT:
        raise _no_endpoint()
    return endpoint


def _no_endpoint() -> NotNow:
    return NotNow("delivery.no_endpoint", "The peer has no endpoint.", "Wait until it comes for its messages.")
