"""Ed25519 and X25519 keys (RFC 8032, RFC 7748), by libsodium."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from nacl import bindings
from nacl.exceptions import CryptoError

from protocols.multiformats import Multicodec, b58_encode, multikey_encode

__all__ = ["KeyPair", "ed25519_public_to_x25519", "ed25519_verify", "is_ed25519_key", "is_x25519_key"]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An Ed25519 key pair and the X25519 pair derived from it, made from a 32-byte seed."""

    seed: bytes = field(repr=False)
    public: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> KeyPair:
        """Derive the pair of RFC 8032 §5.1.5 from 32 bytes of entropy."""
        public, secret = bindings.crypto_sign_seed_keypair(seed)
        return cls(seed, public, secret)

    @property
    def codec(self) -> Multicodec:
        """What kind of key it is."""
        return Multicodec.ED25519_PUB

    @property
    def verkey(self) -> str:
        """The public key in raw base58, as Aries RFC 0019 names keys."""
        return b58_encode(self.public)

    @property
    def multikey(self) -> str:
        """The public key as ``publicKeyMultibase``."""
        return multikey_encode(Multicodec.ED25519_PUB, self.public)

    def sign(self, data: bytes) -> bytes:
        """The detached Ed25519 signature of ``data``."""
        return bindings.crypto_sign(data, self.secret)[: bindings.crypto_sign_BYTES]

    def x25519_public(self) -> bytes:
        """The X25519 public key that belongs to this pair."""
        return ed25519_public_to_x25519(self.public)

    def x25519_secret(self) -> bytes:
        """The X25519 secret key that belongs to this pair."""
        return bindings.crypto_sign_ed25519_sk_to_curve25519(self.secret)


def ed25519_verify(public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is the Ed25519 signature of ``data``.

    libsodium refuses small-order and non-canonical points and signatures, so one message has one signature.
    """
    if len(public) != bindings.crypto_sign_PUBLICKEYBYTES or len(signature) != bindings.crypto_sign_BYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + data, public)
    except CryptoError:
        return False
    return True


@lru_cache(maxsize=1024)
def ed25519_public_to_x25519(public: bytes) -> bytes:
    """The X25519 form of an Ed25519 public key (the birational map of RFC 7748 §4.1).

    Kept, as to check the point costs as much as to agree on a secret with it.

    Raises:
        nacl.exceptions.CryptoError: the bytes are not a point of the right order.
    """
    return bindings.crypto_sign_ed25519_pk_to_curve25519(public)


def is_ed25519_key(public: bytes) -> bool:
    """Whether the bytes are a point that a signer can have: in its one encoding, and a multiple of the base point.

    Under points of small order, and others that are no such multiple, signatures hold that nobody made, or that some
    verifiers take and others do not (Chalkias, Garillot and Nikolaenko, Taming the many EdDSAs, 2020).
    """
    return len(public) == bindings.crypto_sign_PUBLICKEYBYTES and bindings.crypto_core_ed25519_is_valid_point(public)


def is_x25519_key(public: bytes) -> bool:
    """Whether secrets can be agreed on with the key: with points of small order they are all zero (RFC 7748 §6.1)."""
    if len(public) != bindings.crypto_scalarmult_BYTES:
        return False
    try:
        bindings.crypto_scalarmult(_ANY_SECRET, public)
    except (CryptoError, RuntimeError):
        return False
    return True


_ANY_SECRET = bytes(range(32))
