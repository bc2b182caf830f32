"""The node's own key pairs, unsealed in memory while it runs, so that an envelope is opened without a query."""

from __future__ import annotations

from node.runtime.world import World
from protocols.errors import WrongState
from protocols.keys import KeyPair, SigningKey, new_key
from protocols.multiformats import Multicodec
from storage import keys
from storage.engine import Store, Transaction
from storage.secrets import Vault

__all__ = ["Keyring"]


class Keyring:
    """Finds key pairs by their public key (raw base58); a :class:`protocols.didcomm.envelope_types.KeyStore`."""

    def __init__(self, vault: Vault, world: World) -> None:
        self._vault = vault
        self._world = world
        self._keys: dict[str, SigningKey] = {}

    async def load(self, store: Store) -> None:
        """Unseal every stored key.

        Raises:
            LernodeError: ``store.secret_altered``.
        """
        async with store.read() as tx:
            self._keys = await keys.load_all(tx, self._vault)

    async def create(self, tx: Transaction, purpose: str) -> KeyPair:
        """A fresh Ed25519 key, which also takes part in encryption; see :meth:`create_signing`."""
        pair = KeyPair.from_seed(self._world.entropy(32))
        await self._keep(tx, pair, purpose)
        return pair

    async def create_signing(self, tx: Transaction, codec: Multicodec, purpose: str) -> SigningKey:
        """A fresh key of a kind, sealed in this unit of work and usable once it is committed."""
        key = new_key(codec, self._world.entropy)
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

    def signing_key(self, verkey: str) -> SigningKey:
        """The key of whatever kind that has this public key.

        Raises:
            WrongState: ``key.unknown``.
        """
        key = self._keys.get(verkey)
        if key is None:
            raise _unknown()
        return key

    async def _keep(self, tx: Transaction, key: SigningKey, purpose: str) -> None:
        await keys.add(tx, self._vault, key, purpose, self._world.clock())
        tx.after_commit(lambda: self._keys.__setitem__(keys.verkey_of(key), key))

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} keys)"


def _unknown() -> WrongState:
    return WrongState("key.unknown", "This node does not have that key.", "List its DIDs with: lernode did")
