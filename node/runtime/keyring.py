"""The node's own key pairs, unsealed in memory while it runs, so that an envelope is opened without a query."""

from __future__ import annotations

from node.runtime.world import World
from protocols.errors import WrongState
from protocols.keys import KeyPair
from storage import keys
from storage.engine import Store, Transaction
from storage.secrets import Vault

__all__ = ["Keyring"]


class Keyring:
    """Finds key pairs by their public key (raw base58); a :class:`protocols.didcomm.envelope.KeyStore`."""

    def __init__(self, vault: Vault, world: World) -> None:
        self._vault = vault
        self._world = world
        self._pairs: dict[str, KeyPair] = {}

    async def load(self, store: Store) -> None:
        """Unseal every stored key.

        Raises:
            LernodeError: ``store.secret_altered``.
        """
        async with store.read() as tx:
            self._pairs = await keys.load_all(tx, self._vault)

    async def create(self, tx: Transaction, purpose: str) -> KeyPair:
        """A fresh key, sealed in this unit of work and usable once it is committed."""
        pair = KeyPair.from_seed(self._world.entropy(32))
        await keys.add(tx, self._vault, pair.verkey, pair.seed, purpose, self._world.clock())
        tx.after_commit(lambda: self._pairs.__setitem__(pair.verkey, pair))
        return pair

    def find(self, verkey: str) -> KeyPair | None:
        """The pair of this public key, or None."""
        return self._pairs.get(verkey)

    def get(self, verkey: str) -> KeyPair:
        """The pair of this public key.

        Raises:
            WrongState: ``key.unknown``.
        """
        pair = self._pairs.get(verkey)
        if pair is None:
            raise WrongState("key.unknown", "This node does not have that key.", "List its DIDs with: lernode did")
        return pair

    def __repr__(self) -> str:
        return f"Keyring({len(self._pairs)} keys)"
