"""Keys sealed at rest: a passphrase or a key opens a master key, the master key opens each secret.

The master key is 32 random bytes, wrapped with XSalsa20-Poly1305 (libsodium ``secretbox``) under Argon2id (RFC 9106,
libsodium ``pwhash``) of a passphrase, or under a :class:`WrappingKey` that has the strength of a key itself. Each
secret is sealed under the master key together with its own name, so that a sealed value moved to another row does not
open. A stolen file gives nothing without what wraps.

It leaves to others: where the passphrase or key comes from, and which secrets there are.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NoReturn

from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.utils import random as system_entropy

from protocols.errors import BadInput, LernodeError, WrongState
from storage import audit
from storage.engine import Store, Transaction
from storage.sealing import Sealing

__all__ = ["Secret", "Strength", "Vault", "WrappingKey"]

_MAX_PASSPHRASE = 1024
_PASSPHRASE, _KEY = "passphrase", "key"


@dataclass(frozen=True, slots=True)
class WrappingKey:
    """A key of 32 random bytes that opens a vault instead of a passphrase, with no work for each guess."""

    raw: bytes = field(repr=False)

    @classmethod
    def read(cls, data: bytes) -> WrappingKey:
        """The key that a file or variable holds: 32 bytes, or the same in hex or base64.

        Raises:
            BadInput: ``store.key_unusable``.
        """
        if len(data) == SecretBox.KEY_SIZE:
            return cls(data)
        text = data.strip()
        for decode in (binascii.unhexlify, _base64):
            try:
                raw = decode(text)
            except (ValueError, binascii.Error):
                continue
            if len(raw) == SecretBox.KEY_SIZE:
                return cls(raw)
        raise BadInput(
            "store.key_unusable",
            f"A key is {SecretBox.KEY_SIZE} random bytes, raw, in hex or in base64.",
            "Make one with: openssl rand -hex 32",
        )


Secret = str | WrappingKey
"""What opens a vault: a passphrase, or a key."""


class Strength(Enum):
    """How much work one guess at the passphrase costs: libsodium's (operations, bytes of memory)."""

    INTERACTIVE = (pwhash.argon2id.OPSLIMIT_INTERACTIVE, pwhash.argon2id.MEMLIMIT_INTERACTIVE)
    MODERATE = (pwhash.argon2id.OPSLIMIT_MODERATE, pwhash.argon2id.MEMLIMIT_MODERATE)
    SENSITIVE = (pwhash.argon2id.OPSLIMIT_SENSITIVE, pwhash.argon2id.MEMLIMIT_SENSITIVE)


@dataclass(frozen=True, slots=True)
class _Wrapping:
    kind: str
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
        secret: Secret,
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
        master = entropy(SecretBox.KEY_SIZE)
        row = await _wrap(master, secret, entropy, strength)
        async with store.write() as tx:
            inserted = await tx.execute(
                "INSERT INTO vault (id, kind, salt, opslimit, memlimit, wrapped_key) VALUES (1, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                row,
            )
            if not inserted:
                raise WrongState("vault.exists", "This store has a passphrase already.", "Unlock it with that.")
        store.unlock(Sealing(master, entropy))
        return cls(SecretBox(master), entropy)

    @classmethod
    async def unlock(cls, store: Store, secret: Secret, *, entropy: Callable[[int], bytes] = system_entropy) -> Vault:
        """Open the store's vault, and with it what its rows hold.

        Raises:
            BadInput: ``store.wrong_passphrase``, ``store.passphrase_unusable``.
            WrongState: ``vault.unknown`` where none was made.
            LernodeError: ``store.corrupt``.
        """
        async with store.read() as tx:
            master = await _unwrap(tx, secret)
        store.unlock(Sealing(master, entropy))
        return cls(SecretBox(master), entropy)

    @staticmethod
    async def rewrap(
        store: Store,
        old: Secret,
        new: Secret,
        now: datetime,
        *,
        entropy: Callable[[int], bytes] = system_entropy,
        strength: Strength = Strength.MODERATE,
    ) -> None:
        """Let ``new`` open the vault and ``old`` no longer, in one transaction; a node that runs goes on.

        What is sealed stays as it is, so this takes the same time whatever the store holds. A copy of the store that
        was made before still opens with ``old``.

        Raises:
            BadInput: ``store.wrong_passphrase``, ``store.passphrase_unusable``.
            WrongState: ``vault.unknown``.
        """
        async with store.write() as tx:
            master = await _unwrap(tx, old)
            row = await _wrap(master, new, entropy, strength)
            await tx.execute(
                "UPDATE vault SET kind = ?, salt = ?, opslimit = ?, memlimit = ?, wrapped_key = ? WHERE id = 1", row
            )
            await audit.append(tx, at=now, event="vault.rewrapped", actor="operator", details={"by": row[0]})

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


async def _wrap(
    master: bytes, secret: Secret, entropy: Callable[[int], bytes], strength: Strength
) -> tuple[str, bytes, int, int, bytes]:
    """The row of the vault: how the master key is wrapped, and the wrapped key."""
    salt = entropy(pwhash.argon2id.SALTBYTES)
    if isinstance(secret, WrappingKey):
        wrapping = _Wrapping(_KEY, salt, 0, 0)
    else:
        wrapping = _Wrapping(_PASSPHRASE, salt, *strength.value)
    box = await _derive(secret, wrapping)
    wrapped = bytes(box.encrypt(master, entropy(SecretBox.NONCE_SIZE)))
    return wrapping.kind, wrapping.salt, wrapping.opslimit, wrapping.memlimit, wrapped


async def _unwrap(tx: Transaction, secret: Secret) -> bytes:
    row = await tx.one("SELECT kind, salt, opslimit, memlimit, wrapped_key FROM vault WHERE id = 1")
    if row is None:
        raise WrongState("vault.unknown", "This store has no passphrase yet.", "Run `lernode init`.")
    wrapping = _Wrapping(row["kind"], row["salt"], row["opslimit"], row["memlimit"])
    if (wrapping.kind == _KEY) is not isinstance(secret, WrappingKey):
        raise BadInput(
            "store.wrong_passphrase",
            f"This store opens with a {wrapping.kind}, and another kind of secret was given.",
            f"Give its {wrapping.kind}; see docs/security.md.",
        )
    _check_cost(wrapping)
    box = await _derive(secret, wrapping)
    try:
        return bytes(box.decrypt(row["wrapped_key"]))
    except (CryptoError, ValueError, TypeError):
        raise BadInput(
            "store.wrong_passphrase", f"The {wrapping.kind} does not open this store.", "Check it, and try again."
        ) from None


async def _derive(secret: Secret, wrapping: _Wrapping) -> SecretBox:
    if isinstance(secret, WrappingKey):
        return SecretBox(secret.raw)
    # NFC (RFC 8265 §4.2): the same passphrase typed on another keyboard must give the same bytes.
    text = unicodedata.normalize("NFC", secret)
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
    if wrapping.kind == _KEY:
        return
    most_ops, most_memory = Strength.SENSITIVE.value
    least_memory = pwhash.argon2id.MEMLIMIT_MIN
    sane = 1 <= wrapping.opslimit <= most_ops and least_memory <= wrapping.memlimit <= most_memory
    if not sane or len(wrapping.salt) != pwhash.argon2id.SALTBYTES:
        raise LernodeError("store.corrupt", "The store's key parameters are damaged.", "Put back the last backup.")


def _base64(text: bytes) -> bytes:
    return base64.b64decode(text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4), validate=True)


def _altered() -> LernodeError:
    return LernodeError(
        "store.secret_altered", "A sealed key was altered or moved in the store.", "Put back the last backup."
    )
