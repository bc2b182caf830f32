"""The node's own keys, their secrets sealed by the vault and bound to their rows.

A key is known by its public key in raw base58. Keys of different kinds have public keys of different lengths, so
that a secret moved to another row, or given another kind, no longer fits its name and is refused. Of a key that a token
holds, only its label is kept here, sealed the same way.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from protocols.errors import BadInput, LernodeError
from protocols.keys import KEY_KINDS, SigningKey, key_pair, kind_of
from protocols.multiformats import Multicodec, b58_decode, b58_encode
from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.secrets import Vault
from storage.values import to_micros

__all__ = ["StoredKey", "TokenKey", "add", "altered", "get", "load_all", "load_since", "verkey_of"]

_SELECT = "SELECT verkey, kind, place, sealed_seed FROM keys"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that a PKCS#11 token holds under a label.

    Attributes:
        public: as :class:`protocols.keys.PublicKey` has it.
    """

    codec: Multicodec
    public: bytes
    label: str


StoredKey = SigningKey | TokenKey


def verkey_of(key: StoredKey) -> str:
    """How ``key`` is known in the store: its public key in raw base58."""
    return b58_encode(key.public)


async def add(tx: Transaction, vault: Vault, key: StoredKey, purpose: str, now: datetime) -> None:
    """Keep a key.

    Args:
        purpose: a word for what the key is used for.

    Raises:
        WrongState: ``key.exists``.
    """
    verkey = verkey_of(key)
    if isinstance(key, TokenKey):
        place, sealed = "token", vault.seal(_token_name(verkey), key.label.encode())
    else:
        place, sealed = "store", vault.seal(_name(verkey), key.seed)
    inserted = await tx.execute(
        "INSERT INTO keys (verkey, kind, purpose, place, sealed_seed, created) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (verkey, kind_of(key.codec), purpose, place, sealed, to_micros(now)),
    )
    if not inserted:
        raise already_stored("key")


async def get(tx: Transaction, vault: Vault, verkey: str) -> StoredKey:
    """One key.

    Raises:
        WrongState: ``key.unknown``.
        LernodeError: ``store.secret_altered``.
    """
    row = await tx.one(f"{_SELECT} WHERE verkey = ?", (verkey,))
    if row is None:
        raise unknown("key")
    return _open(vault, row)


async def load_since(tx: Transaction, vault: Vault, since: datetime) -> dict[str, StoredKey]:
    """The keys that were made at or after a time, by their public keys.

    Raises:
        LernodeError: ``store.secret_altered``.
    """
    rows = await tx.all(f"{_SELECT} WHERE created >= ?", (to_micros(since),))
    return {row["verkey"]: _open(vault, row) for row in rows}


async def load_all(tx: Transaction, vault: Vault) -> dict[str, StoredKey]:
    """Every key by its public key.

    Raises:
        LernodeError: ``store.secret_altered``.
    """
    rows = await tx.all(f"{_SELECT} ORDER BY created, verkey")
    # Thousands of connections have thousands of keys; opening them must not hold up the event loop.
    return await asyncio.to_thread(lambda: {row["verkey"]: _open(vault, row) for row in rows})


async def altered(tx: Transaction, vault: Vault) -> list[str]:
    """The public keys of those that do not open, or are not the keys that they are kept as."""
    rows = await tx.all(f"{_SELECT} ORDER BY created, verkey")
    return await asyncio.to_thread(lambda: [row["verkey"] for row in rows if not _opens(vault, row)])


def _opens(vault: Vault, row: Row) -> bool:
    try:
        _open(vault, row)
    except LernodeError:
        return False
    return True


def _open(vault: Vault, row: Row) -> StoredKey:
    if row["place"] == "token":
        label = vault.unseal(_token_name(row["verkey"]), row["sealed_seed"]).decode()
        return TokenKey(KEY_KINDS[row["kind"]], b58_decode(row["verkey"]), label)
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


def _token_name(verkey: str) -> str:
    return f"token-keys/{verkey}"


def _damaged() -> LernodeError:
    return LernodeError("store.secret_altered", "A stored key is damaged.", "Put back the last backup.")
