"""The node's own Ed25519 keys, their seeds sealed by the vault and bound to their rows."""

from __future__ import annotations

import asyncio
from datetime import datetime

from protocols.errors import BadInput, LernodeError
from protocols.keys import KeyPair
from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.secrets import Vault
from storage.values import to_micros

__all__ = ["add", "get", "load_all"]

_SEED_BYTES = 32


async def add(tx: Transaction, vault: Vault, verkey: str, seed: bytes, purpose: str, now: datetime) -> None:
    """Keep a key.

    Args:
        verkey: the public key that belongs to ``seed``, in raw base58.
        purpose: a word for what the key is used for.

    Raises:
        BadInput: ``key.mismatch`` where the seed gives another public key.
        WrongState: ``key.exists``.
    """
    if len(seed) != _SEED_BYTES or KeyPair.from_seed(seed).verkey != verkey:
        raise BadInput("key.mismatch", "The seed is not the one of this public key.", "Give both from one key pair.")
    sealed = vault.seal(_name(verkey), seed)
    inserted = await tx.execute(
        "INSERT INTO keys (verkey, purpose, sealed_seed, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (verkey, purpose, sealed, to_micros(now)),
    )
    if not inserted:
        raise already_stored("key")


async def get(tx: Transaction, vault: Vault, verkey: str) -> KeyPair:
    """One key.

    Raises:
        WrongState: ``key.unknown``.
        LernodeError: ``store.secret_altered``.
    """
    row = await tx.one("SELECT verkey, sealed_seed FROM keys WHERE verkey = ?", (verkey,))
    if row is None:
        raise unknown("key")
    return _open(vault, row)


async def load_all(tx: Transaction, vault: Vault) -> dict[str, KeyPair]:
    """Every key by its public key.

    Raises:
        LernodeError: ``store.secret_altered``.
    """
    rows = await tx.all("SELECT verkey, sealed_seed FROM keys ORDER BY created, verkey")
    # Thousands of connections have thousands of keys; opening them must not hold up the event loop.
    return await asyncio.to_thread(lambda: {row["verkey"]: _open(vault, row) for row in rows})


def _open(vault: Vault, row: Row) -> KeyPair:
    seed = vault.unseal(_name(row["verkey"]), row["sealed_seed"])
    pair = KeyPair.from_seed(seed) if len(seed) == _SEED_BYTES else None
    if pair is None or pair.verkey != row["verkey"]:
        raise LernodeError("store.secret_altered", "A stored key is damaged.", "Put back the last backup.")
    return pair


def _name(verkey: str) -> str:
    return f"keys/{verkey}"
