"""The node's own key pairs, unsealed in memory while it runs, so that an envelope is opened without a query.

DIDComm v1 names a key by itself; v2 names it by the DID whose document lists it. So the keyring also knows which DID
speaks with which key: each of the node's did:peer DIDs has one Ed25519 key and the X25519 key that belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from node.runtime.hardware import Token, TokenSigner
from node.runtime.world import World
from protocols.did import peer2, peer4
from protocols.didcomm.envelope_v2 import SenderKey
from protocols.errors import WrongState
from protocols.keys import AgreementKeyPair, KeyPair, Signer, SoftwareSigner, new_key
from protocols.multiformats import Multicodec
from storage import dids, keys
from storage.dids import DidPurpose, OwnDid
from storage.engine import Store, Transaction
from storage.keys import StoredKey, TokenKey
from storage.secrets import Vault

__all__ = ["KEYS", "Keyring", "OwnSender"]

_AGREEMENT = {"peer:2": peer2.AGREEMENT_FRAGMENT, "peer:4": peer4.AGREEMENT_FRAGMENT}
"""Method -> fragment of the X25519 key in the documents of the node's DIDs."""

KEYS = "keys"
"""The channel on which a commit tells that there is a new key."""

_CLOCKS_DIFFER = timedelta(minutes=5)
_SPEAKING = (DidPurpose.CONNECTION, DidPurpose.INVITATION)


@dataclass(frozen=True, slots=True)
class OwnSender:
    """A DID of this node as the sender of a v2 message.

    Attributes:
        did: as the message names it.
        key: authenticates the envelope.
    """

    did: str
    key: SenderKey


class Keyring:
    """Finds key pairs by their public key (raw base58) or by DID URL.

    It is a :class:`protocols.didcomm.envelope_types.KeyStore` and an ``AgreementKeyStore``.
    """

    def __init__(self, vault: Vault, token: Token, world: World) -> None:
        self._vault = vault
        self.token = token
        self._world = world
        self._keys: dict[str, StoredKey] = {}
        self._loaded = world.clock()
        self._agreement: dict[str, AgreementKeyPair] = {}
        self._by_kid: dict[str, str] = {}
        self._speakers: dict[str, OwnDid] = {}

    async def load(self, store: Store) -> None:
        """Unseal every stored key.

        Raises:
            LernodeError: ``store.secret_altered``.
        """
        self._loaded = self._world.clock()
        async with store.read() as tx:
            self._keys = await keys.load_all(tx, self._vault)
            for purpose in _SPEAKING:
                for own in await dids.page(tx, purpose=purpose):
                    self._know(own)

    async def refresh(self, store: Store) -> None:
        """Learn the keys and DIDs that other processes of this node have made since.

        Raises:
            LernodeError: ``store.secret_altered``.
        """
        now, since = self._world.clock(), self._loaded - _CLOCKS_DIFFER
        async with store.read() as tx:
            self._keys |= await keys.load_since(tx, self._vault, since)
            for purpose in _SPEAKING:
                for own in await dids.page(tx, purpose=purpose, since=since):
                    self._know(own)
        self._loaded = now

    async def add_speaker(self, tx: Transaction, own: OwnDid) -> None:
        """Keep a DID that the node speaks with peers as; its key opens envelopes once this unit of work is committed.

        Raises:
            WrongState: ``did.exists``.
        """
        await dids.add(tx, own)
        tx.after_commit(lambda: self._know(own))

    def own_did(self, verkey: str) -> OwnDid:
        """The DID that speaks with this key.

        Raises:
            WrongState: ``key.unknown``.
        """
        own = self._speakers.get(verkey)
        if own is None:
            raise _unknown()
        return own

    def sender(self, verkey: str, *, short: bool) -> OwnSender:
        """The DID that speaks with this key, as the sender of a v2 message.

        Args:
            short: whether the peer knows the document of a did:peer:4, so that its short form is enough.

        Raises:
            WrongState: ``key.unknown``.
        """
        own = self.own_did(verkey)
        did = own.short_form if short and own.short_form else own.did
        return OwnSender(did, SenderKey(f"{did}#{_AGREEMENT[own.method]}", self._agreement_key(verkey)))

    def authenticator(self, verkey: str) -> SoftwareSigner:
        """Signs as the DID that speaks with this key; of a did:peer:4 as its short form, which the peer knows.

        Raises:
            WrongState: ``key.unknown``.
        """
        own = self.own_did(verkey)
        return SoftwareSigner(self.get(verkey), f"{own.short_form or own.did}#{own.keys[0].fragment}")

    def find_agreement(self, kid: str) -> AgreementKeyPair | None:
        """The X25519 pair that this DID URL names, or None."""
        verkey = self._by_kid.get(kid)
        return None if verkey is None else self._agreement_key(verkey)

    def verkey_named(self, kid: str) -> str:
        """The Ed25519 key that stands behind the X25519 key which this DID URL names.

        Raises:
            WrongState: ``key.unknown``.
        """
        verkey = self._by_kid.get(kid)
        if verkey is None:
            raise _unknown()
        return verkey

    def owns(self, name: str) -> bool:
        """Whether a key (raw base58), or the DID of a connection (of a did:peer:4 the short form), is this node's."""
        return name in self._keys or any(f"{name}#{fragment}" in self._by_kid for fragment in _AGREEMENT.values())

    async def create(self, tx: Transaction, purpose: str) -> KeyPair:
        """A fresh Ed25519 key, which also takes part in encryption; see :meth:`create_signing`."""
        pair = KeyPair.from_seed(self._world.entropy(32))
        await self._keep(tx, pair, purpose)
        return pair

    async def create_signing(self, tx: Transaction, wanted: Multicodec | TokenKey, purpose: str) -> StoredKey:
        """A fresh key of a kind, sealed in this unit of work and usable once it is committed; or one of the token."""
        key = wanted if isinstance(wanted, TokenKey) else new_key(wanted, self._world.entropy)
        await self._keep(tx, key, purpose)
        return key

    def find(self, verkey: str) -> KeyPair | None:
        """The Ed25519 pair of this public key, or None."""
        found = self._keys.get(verkey)
        return found if isinstance(found, KeyPair) else None

    def get(self, verkey: str) -> KeyPair:
        """The Ed25519 pair of this public key.

        Raises:
            WrongState: ``key.unknown``.
        """
        pair = self.find(verkey)
        if pair is None:
            raise _unknown()
        return pair

    async def signer(self, tx: Transaction, verkey: str, verification_method: str) -> Signer:
        """Signs with the key of whatever kind and place that has this public key.

        Raises:
            WrongState: ``key.unknown``.
            LernodeError: ``store.secret_altered``.
        """
        key = self._keys.get(verkey)
        if key is None:
            # Another process of this node may have made it just now.
            key = self._keys[verkey] = await keys.get(tx, self._vault, verkey)
        if isinstance(key, TokenKey):
            return TokenSigner(self.token, key, verification_method)
        return SoftwareSigner(key, verification_method)

    def _know(self, own: OwnDid) -> None:
        fragment = _AGREEMENT.get(own.method)
        if fragment is None:
            return
        verkey = own.keys[0].verkey
        self._speakers[verkey] = own
        for did in filter(None, (own.did, own.short_form)):
            self._by_kid[f"{did}#{fragment}"] = verkey

    def _agreement_key(self, verkey: str) -> AgreementKeyPair:
        key = self._agreement.get(verkey)
        if key is None:
            key = self._agreement[verkey] = AgreementKeyPair.of_ed25519(self.get(verkey))
        return key

    async def _keep(self, tx: Transaction, key: StoredKey, purpose: str) -> None:
        await keys.add(tx, self._vault, key, purpose, self._world.clock())
        tx.notify(KEYS)
        tx.after_commit(lambda: self._keys.__setitem__(keys.verkey_of(key), key))

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} keys)"


def _unknown() -> WrongState:
    return WrongState("key.unknown", "This node does not have that key.", "List its DIDs with: lernode did")
