"""Keys sealed at rest: a passphrase opens a master key, the master key opens each secret.

The master key is 32 random bytes, wrapped under Argon2id (RFC 9106, libsodium ``pwhash``) of the passphrase with
XSalsa20-Poly1305 (libsodium ``secretbox``). Each secret is sealed under the master key together with its own name, so
that a sealed value moved to another row does not open. A stolen file gives nothing without the passphrase.

It leaves to others: where the passphrase comes from, and which secrets there are.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.utils import random as system_entropy

from protocols.errors import BadInput, LernodeError, WrongState
from storage.engine import Store
from storage.sealing import Sealing

__all__ = ["Strength", "Vault"]

_MAX_PASSPHRASE = 1024


class Strength(Enum):
    """How much work one guess at the passphrase costs: libsodium's (operations, bytes of memory)."""

    INTERACTIVE = (pwhash.argon2id.OPSLIMIT_INTERACTIVE, pwhash.argon2id.MEMLIMIT_INTERACTIVE)
    MODERATE = (pwhash.argon2id.OPSLIMIT_MODERATE, pwhash.argon2id.MEMLIMIT_MODERATE)
    SENSITIVE = (pwhash.argon2id.OPSLIMIT_SENSITIVE, pwhash.argon2id.MEMLIMIT_SENSITIVE)


@dataclass(frozen=True, slots=True)
class _Wrapping:
    salt: bytes
    opslimit: int
    memlimit: int


class Vault:
    """Seals and unseals secrets while a node runs; holds the master key in memory and shows it to nobody."""

    __slots__ = ("_box", "_entropy")

    def __init__(self, box: SecretBox, entropy: Callable[[int], bytes]) -> None:
        self._box = box
        self._entropy = entropy

    @classmethod
    async def create(
        cls,
        store: Store,
        passphrase: str,
        *,
        entropy: Callable[[int], bytes],
        strength: Strength = Strength.MODERATE,
    ) -> Vault:
        """Make the store's vault, once; the store is unlocked then.

        Args:
            entropy: gives so many unpredictable bytes; used for keys, salt and nonces, so it must not repeat.

        Raises:
            WrongState: ``vault.exists``.
            BadInput: ``store.passphrase_unusable``.
        """
        wrapping = _Wrapping(entropy(pwhash.argon2id.SALTBYTES), *strength.value)
        wrapping_box = await _derive(passphrase, wrapping)
        master = entropy(SecretBox.KEY_SIZE)
        wrapped = bytes(wrapping_box.encrypt(master, entropy(SecretBox.NONCE_SIZE)))
        async with store.write() as tx:
            inserted = await tx.execute(
                "INSERT INTO vault (id, salt, opslimit, memlimit, wrapped_key) VALUES (1, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (wrapping.salt, wrapping.opslimit, wrapping.memlimit, wrapped),
            )
            if not inserted:
                raise WrongState("vault.exists", "This store has a passphrase already.", "Unlock it with that.")
        store.unlock(Sealing(master, entropy))
        return cls(SecretBox(master), entropy)

    @classmethod
    async def unlock(cls, store: Store, passphrase: str, *, entropy: Callable[[int], bytes] = system_entropy) -> Vault:
        """Open the store's vault, and with it what its rows hold.

        Raises:
            BadInput: ``store.wrong_passphrase``, ``store.passphrase_unusable``.
            WrongState: ``vault.unknown`` where none was made.
            LernodeError: ``store.corrupt``.
        """
        async with store.read() as tx:
            row = await tx.one("SELECT salt, opslimit, memlimit, wrapped_key FROM vault WHERE id = 1")
        if row is None:
            raise WrongState("vault.unknown", "This store has no passphrase yet.", "Run `lernode init`.")
        wrapping = _Wrapping(row["salt"], row["opslimit"], row["memlimit"])
        _check_cost(wrapping)
        box = await _derive(passphrase, wrapping)
        try:
            master = box.decrypt(row["wrapped_key"])
            vault = cls(SecretBox(master), entropy)
        except (CryptoError, ValueError, TypeError):
            raise BadInput(
                "store.wrong_passphrase", "The passphrase does not open this store.", "Check it, and try again."
            ) from None
        store.unlock(Sealing(master, entropy))
        return vault

    def seal(self, name: str, secret: bytes) -> bytes:
        """``secret`` encrypted and authenticated together with the ``name`` of the place where it is kept."""
        label = name.encode()
        plaintext = len(label).to_bytes(4, "big") + label + secret
        return bytes(self._box.encrypt(plaintext, self._entropy(SecretBox.NONCE_SIZE)))

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """The secret that was sealed under ``name``.

        Raises:
            LernodeError: ``store.secret_altered`` where the value was changed, or sealed under another name or key.
        """
        label = name.encode()
        head = len(label).to_bytes(4, "big") + label
        try:
            plaintext = self._box.decrypt(sealed)
        except (CryptoError, ValueError, TypeError):
            raise _altered() from None
        if not plaintext.startswith(head):
            raise _altered()
        return plaintext[len(head) :]

    def __repr__(self) -> str:
        return "Vault()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A vault is not serialised.")


async def _derive(passphrase: str, wrapping: _Wrapping) -> SecretBox:
    # NFC (RFC 8265 §4.2): the same passphrase typed on another keyboard must give the same bytes.
    text = unicodedata.normalize("NFC", passphrase)
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raw = b""
    if not 0 < len(raw) <= _MAX_PASSPHRASE:
        raise BadInput(
            "store.passphrase_unusable",
            f"A passphrase has 1 to {_MAX_PASSPHRASE} bytes of UTF-8.",
            "Choose another passphrase.",
        )
    key = await asyncio.to_thread(
        pwhash.argon2id.kdf,
        SecretBox.KEY_SIZE,
        raw,
        wrapping.salt,
        opslimit=wrapping.opslimit,
        memlimit=wrapping.memlimit,
    )
    return SecretBox(key)


def _check_cost(wrapping: _Wrapping) -> None:
    """A doctored file must not make the node take all memory or run for days."""
    most_ops, most_memory = Strength.SENSITIVE.value
    least_memory = pwhash.argon2id.MEMLIMIT_MIN
    sane = 1 <= wrapping.opslimit <= most_ops and least_memory <= wrapping.memlimit <= most_memory
    if not sane or len(wrapping.salt) != pwhash.argon2id.SALTBYTES:
        raise LernodeError("store.corrupt", "The store's key parameters are damaged.", "Put back the last backup.")


def _altered() -> LernodeError:
    return LernodeError(
        "store.secret_altered", "A sealed key was altered or moved in the store.", "Put back the last backup."
    )
