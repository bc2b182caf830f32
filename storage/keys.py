"""The node's own keys, their secrets sealed by the vault and bound to their rows.

A key is known by its public key in raw base58. Keys of different kinds have public keys of different lengths, so
that a secret moved to another row, or given another kind, no longer fits its name and is refused.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from protocols.errors import BadInput, LernodeError
from protocols.keys import KEY_KINDS, SigningKey, key_pair, kind_of
from protocols.multiformats import b58_encode
from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.secrets import Vault
from storage.values import to_micros

__all__ = ["add", "get", "load_all", "load_since", "verkey_of"]


def verkey_of(key: SigningKey) -> str:
    """How ``key`` is known in the store: its public key in raw base58."""
    return b58_encode(key.public)


async def add(tx: Transaction, vault: Vault, key: SigningKey, purpose: str, now: datetime) -> None:
    """Keep a key.

    Args:
        purpose: a word for what the key is used for.

    Raises:
        WrongState: ``key.exists``.
    """
    verkey = verkey_of(key)
    inserted = await tx.execute(
        "INSERT INTO keys (verkey, kind, purpose, sealed_seed, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (verkey, kind_of(key.codec), purpose, vault.seal(_name(verkey), key.seed), to_micros(now)),
    )
    if not inserted:
        raise already_stored("key")


async def get(tx: Transaction, vault: Vault, verkey: str) -> SigningKey:
    """One key.

    Raises:
        WrongState: ``key.unknown``.
        LernodeError: ``store.secret_altered``.
    """
    row = await tx.one("SELECT verkey, kind, sealed_seed FROM keys WHERE verkey = ?", (verkey,))
    if row is None:
        raise unknown("key")
    return _open(vault, row)


async def load_since(tx: Transaction, vault: Vault, since: datetime) -> dict[str, SigningKey]:
    """The keys that were made at or after a time, by their public keys.

    Raises:
        LernodeError: ``store.secret_altered``.
    """
    rows = await tx.all("SELECT verkey, kind, sealed_seed FROM keys WHERE created >= ?", (to_micros(since),))
    return {row["verkey"]: _open(vault, row) for row in rows}


async def load_all(tx: Transaction, vault: Vault) -> dict[str, SigningKey]:
    """Every key by its public key.

    Raises:
        LernodeError: ``store.secret_altered``.
    """
    rows = await tx.all("SELECT verkey, kind, sealed_seed FROM keys ORDER BY created, verkey")
    # Thousands of connections have thousands of keys; opening them must not hold up the event loop.
    return await asyncio.to_thread(lambda: {row["verkey"]: _open(vault, row) for row in rows})


def _open(vault: Vault, row: Row) -> SigningKey:
    seed = vault.unseal(_name(row["verkey"]), row["sealed_seed"])
    try:
        key = key_pair(KEY_KINDS[row["kind"]], seed)
    except BadInput:
        raise _damaged() from None
    if verkey_of(key) != row["verkey"]:
        raise _damaged()
    return key


def _name(verkey: str) -> str:
    return f"keys/{verkey}"


def _damaged() -> LernodeError:
    return LernodeError("store.secret_altered", "A stored key is damaged.", "Put back the last backup.")
