"""Opens what a node is kept in: its folder's lock, its store, and the vault that its secret unlocks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from node.config import Config, load
from node.runtime.home_lock import HomeLock
from node.runtime.opening import is_in_home, open_node_store
from node.runtime.world import World
from storage.engine import Store
from storage.secrets import Secret, Vault

__all__ = ["Unlocked", "unlock"]


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What a node in ``home`` is made of; this process alone has it, where the store is in that folder."""

    home: Path
    config: Config
    world: World
    lock: HomeLock | None
    store: Store
    vault: Vault

    async def close(self) -> None:
        """Give all of it back."""
        await self.store.close()
        if self.lock is not None:
            self.lock.release()


async def unlock(home: Path, secret: Secret, *, config: Config | None = None, world: World | None = None) -> Unlocked:
    """Open the store of the node in ``home`` and its vault, which takes a passphrase a moment.

    Raises:
        NotNow: ``node.in_use`` where another process has it open.
        LernodeError: ``config.*``, ``store.*``.
    """
    world = world or World()
    config = config or load(home)
    lock = HomeLock(home) if is_in_home(config) else None
    try:
        store = await open_node_store(home, config, environ=world.environ)
        try:
            vault = await Vault.unlock(store, secret, entropy=world.entropy)
        except BaseException:
            await store.close()
            raise
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    return Unlocked(home, config, world, lock, store, vault)
