"""A peer that speaks DIDComm v2 by itself, so that it can also say what a node never would."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from node.app import Node
from protocols.did import peer2, peer4
from protocols.did.document import DidDocument
from protocols.did.resolver import resolve_offline
from protocols.didcomm import codec_v2, envelope_v2
from protocols.didcomm.envelope import open_envelope
from protocols.didcomm.envelope_v2 import MEDIA_TYPE, SenderKey
from protocols.didcomm.message import PlainMessage, Wire
from protocols.keys import AgreementKeyPair, KeyPair
from protocols.multiformats import Multicodec
from protocols.out_of_band import link
from protocols.out_of_band.messages import Invitation
from tests.node.wire_peer import Answer, WirePeer, new_id


class WirePeerV2(WirePeer):
    """As WirePeer, with a DID whose document offers v2; both wires can be spoken."""

    def __init__(self) -> None:
        super().__init__()
        self.did = self.new_did(self.pair)

    def new_did(self, pair: KeyPair) -> str:
        """A DID at this peer's endpoint."""
        return peer4.create(pair.public, endpoint=f"{self.url}/in", v2_uri=f"{self.url}/in")

    def use_peer2(self) -> None:
        """Go by a did:peer:2."""
        self.did = peer2.create(self.pair.public, endpoint=f"{self.url}/in", v2_uri=f"{self.url}/in")

    @property
    def short(self) -> str:
        return peer4.shortest(self.did)

    def invitation(self) -> str:
        """An invitation of this peer."""
        accept = (Wire.V2.value,)
        return link.to_link(Invitation(new_id(), (self.did,), accept=accept, wire=Wire.V2), "https://peer.example/")

    def key(self, did: str | None = None, pair: KeyPair | None = None) -> SenderKey:
        """The key that authenticates for a DID of this peer."""
        agreement = AgreementKeyPair.of_ed25519(pair or self.pair)
        return SenderKey(_agreement_kid(did or self.short), agreement)

    def message(self, type_uri: str, body: dict[str, Any] | None = None, **headers: Any) -> PlainMessage:
        """A message from this peer to the node that it speaks with."""
        message_id = new_id()
        values: dict[str, Any] = {"thid": message_id, "from_": self.short, "to": (peer4.shortest(self.their_did),)}
        return PlainMessage(type_uri, message_id, body=body or {}, wire=Wire.V2, **(values | headers))

    def sealed(self, message: PlainMessage | bytes, *, sender: SenderKey | None = None, to: str | None = None) -> bytes:
        """An authenticated envelope for the node."""
        return self._pack(message, sender=sender or self.key(), to=to)

    def anonymous(self, message: PlainMessage | bytes) -> bytes:
        """An envelope that does not say who packed it."""
        return self._pack(message, sender=None, to=None)

    async def tell(self, node: Node, message: PlainMessage | bytes, **how: Any) -> Answer:
        """A message in v2."""
        return await self.post(node, self.sealed(message, **how), MEDIA_TYPE)

    async def opened(self, envelope: bytes) -> PlainMessage:
        return (await open_envelope(envelope, self, self)).message

    def find_agreement(self, kid: str) -> AgreementKeyPair | None:
        """As an AgreementKeyStore: keys of this peer's DID."""
        mine = kid in {_agreement_kid(did) for did in (self.did, self.short)}
        return AgreementKeyPair.of_ed25519(self.pair) if mine else None

    async def resolve(self, did: str) -> DidDocument:
        """As a Resolver: the node's DIDs in short form are those that it told."""
        if self.their_did.startswith(peer4.PREFIX) and peer4.shortest(self.their_did) == did:
            return peer4.resolve_short(self.their_did)
        document = resolve_offline(did)
        assert document is not None
        return document

    def _pack(self, message: PlainMessage | bytes, *, sender: SenderKey | None, to: str | None) -> bytes:
        name = to or self.their_did
        document = peer4.resolve_short(name) if name.startswith(peer4.PREFIX) else peer2.resolve(name)
        keys = envelope_v2.recipients_of(document, [Multicodec.X25519_PUB])
        plaintext = message if isinstance(message, bytes) else codec_v2.encode(message)
        return envelope_v2.pack(plaintext, to=keys, sender=sender, entropy=os.urandom)


def _agreement_kid(did: str) -> str:
    method = peer4 if did.startswith(peer4.PREFIX) else peer2
    return f"{did}#{method.AGREEMENT_FRAGMENT}"


def altered(message: PlainMessage, **headers: Any) -> PlainMessage:
    """The same message, saying something else of itself."""
    return msgspec.structs.replace(message, **headers)
