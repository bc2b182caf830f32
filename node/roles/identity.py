"""The DIDs that this node speaks as, and the signers that belong to them."""

from __future__ import annotations

from node.runtime.keyring import Keyring
from node.runtime.world import World
from protocols.did import key as did_key
from protocols.did import web as did_web
from protocols.errors import WrongState
from protocols.keys import Signer, SoftwareSigner
from storage import audit, dids
from storage.dids import DidPurpose, OwnDid
from storage.engine import Transaction

__all__ = ["WEB_KEY_FRAGMENT", "Identity"]

WEB_KEY_FRAGMENT = "key-1"


class Identity:
    """Makes and finds the node's own DIDs."""

    def __init__(self, keyring: Keyring, world: World, endpoint: str) -> None:
        self._keyring = keyring
        self._world = world
        self._endpoint = endpoint

    async def create_web(self, tx: Transaction) -> OwnDid:
        """The did:web of this node's endpoint, under which it issues; there is one.

        Raises:
            WrongState: ``did.exists``.
            BadInput: ``did.web_url`` where the endpoint cannot be a did:web.
        """
        return await self._create(tx, "web", DidPurpose.ISSUER)

    async def create_key(self, tx: Transaction, purpose: DidPurpose = DidPurpose.HOLDER) -> OwnDid:
        """A fresh did:key: what a learner's records are about, or an issuer without a web address."""
        return await self._create(tx, "key", purpose)

    async def default(self, tx: Transaction, purpose: DidPurpose) -> OwnDid:
        """The DID to act as.

        Raises:
            WrongState: ``did.none``.
        """
        found = await dids.default(tx, purpose)
        if found is None:
            raise WrongState("did.none", f"This node has no DID as {purpose.value}.", "Make one with: lernode did")
        return found

    def signer(self, did: OwnDid) -> Signer:
        """Signs as ``did``."""
        pair = self._keyring.get(did.verkey)
        if did.method == "web":
            return SoftwareSigner(pair, f"{did.did}#{WEB_KEY_FRAGMENT}")
        return SoftwareSigner(pair, did_key.verification_method(did.did))

    async def _create(self, tx: Transaction, method: str, purpose: DidPurpose) -> OwnDid:
        pair = await self._keyring.create(tx, purpose.value)
        name = did_web.did_from_url(self._endpoint) if method == "web" else did_key.did_from_public(pair.public)
        now = self._world.clock()
        did = OwnDid(did=name, method=method, purpose=purpose, verkey=pair.verkey, created=now)
        await dids.add(tx, did)
        await audit.append(tx, at=now, event="did.created", actor="operator", subjects=(name,))
        return did
