"""The did:peer DIDs under which this node speaks with its peers: one a connection, so that no two can compare notes."""

from __future__ import annotations

from node.runtime.keyring import Keyring
from node.runtime.sealing import v2_service
from node.runtime.world import World
from protocols.did import peer4
from protocols.did.document import DidDocument
from protocols.didcomm.message import Wire
from storage.dids import DidPurpose, OwnDid, OwnKey
from storage.engine import Transaction

__all__ = ["PeerDids", "wire_with"]


class PeerDids:
    """Makes them. Their documents offer both wire versions at this node's endpoint."""

    def __init__(self, keyring: Keyring, world: World, endpoint: str) -> None:
        self._keyring = keyring
        self._world = world
        self._endpoint = endpoint

    async def create(self, tx: Transaction, purpose: DidPurpose) -> OwnDid:
        """A DID with a fresh key; both are usable once this unit of work is committed."""
        pair = await self._keyring.create(tx, purpose.value)
        did = peer4.create(pair.public, endpoint=self._endpoint, v2_uri=self._endpoint)
        own = OwnDid(
            did=did,
            short_form=peer4.short_form(did),
            method="peer:4",
            purpose=purpose,
            keys=(OwnKey(peer4.FRAGMENT, pair.verkey),),
            created=self._world.clock(),
        )
        await self._keyring.add_speaker(tx, own)
        return own


def wire_with(document: DidDocument) -> Wire:
    """The wire version to speak with the subject of a document: v2 where it takes that, else v1."""
    return Wire.V1 if v2_service(document) is None else Wire.V2
