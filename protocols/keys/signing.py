"""The one interface through which anything is signed, and the one value through which a signature is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Protocol

import msgspec

from protocols.keys.ecdsa import ecdsa_verify, is_ecdsa_key
from protocols.keys.ed25519 import ed25519_verify, is_ed25519_key, is_x25519_key
from protocols.keys.rsa import is_rsa_key, rsa_verify
from protocols.multiformats import Multicodec, multikey_decode, multikey_encode

__all__ = ["SIGNATURE_BYTES", "PublicKey", "Signer", "SigningKey", "SoftwareSigner"]


class Signer(Protocol):
    """Signs bytes as a verification method of a DID document."""

    @property
    def verification_method(self) -> str:
        """The DID URL of the verification method that verifies these signatures."""

    @property
    def codec(self) -> Multicodec:
        """What kind of key signs, which says the algorithm: EdDSA, or ECDSA with the curve's hash."""

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``: RFC 8032 for Ed25519, IEEE P1363 over the curve's hash for ECDSA."""


class SigningKey(Protocol):
    """A key pair in memory that can sign."""

    @property
    def codec(self) -> Multicodec: ...
    @property
    def seed(self) -> bytes: ...
    @property
    def public(self) -> bytes: ...
    @property
    def multikey(self) -> str: ...
    def sign(self, data: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class SoftwareSigner:
    """A :class:`Signer` whose key is in memory."""

    key: SigningKey
    verification_method: str

    @property
    def codec(self) -> Multicodec:
        """What kind of key signs."""
        return self.key.codec

    def sign(self, data: bytes) -> bytes:
        """The signature of ``data`` under the key."""
        return self.key.sign(data)


class PublicKey(msgspec.Struct, frozen=True):
    """A public key and what kind it is.

    Attributes:
        raw: 32 bytes for Ed25519 and X25519, the compressed point for P-256 (33 bytes) and P-384 (49 bytes), and for
            RSA what PKCS #1 writes.
    """

    codec: Multicodec
    raw: bytes

    @classmethod
    def from_multikey(cls, text: str) -> PublicKey:
        """The key that a ``publicKeyMultibase`` writes.

        Raises:
            BadInput: ``key.malformed``, ``encoding.*``.
        """
        return cls(*multikey_decode(text))

    @property
    def can_sign(self) -> bool:
        """Whether lernode can check signatures under keys of this kind."""
        return self.codec in _VERIFIERS

    @property
    def is_usable(self) -> bool:
        """Whether the bytes are a point that an honest key can be; under others, signatures hold that nobody made."""
        return _is_usable(self)

    @property
    def multikey(self) -> str:
        """The key as ``publicKeyMultibase``."""
        return multikey_encode(self.codec, self.raw)

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is one of ``data``; never for a key that cannot sign."""
        verify = _VERIFIERS.get(self.codec)
        return verify is not None and verify(self.raw, data, signature)


_VERIFIERS: dict[Multicodec, Callable[[bytes, bytes, bytes], bool]] = {
    Multicodec.ED25519_PUB: ed25519_verify,
    Multicodec.P256_PUB: partial(ecdsa_verify, Multicodec.P256_PUB),
    Multicodec.P384_PUB: partial(ecdsa_verify, Multicodec.P384_PUB),
    # For what peers say to each other (DIDComm 2.1 §Message Signing); no credential may be signed with it.
    Multicodec.SECP256K1_PUB: partial(ecdsa_verify, Multicodec.SECP256K1_PUB),
    Multicodec.RSA_PUB: rsa_verify,  # of JWTs and badges of others
}

_IS_KEY: dict[Multicodec, Callable[[bytes], bool]] = {codec: partial(is_ecdsa_key, codec) for codec in Multicodec} | {
    Multicodec.ED25519_PUB: is_ed25519_key,
    Multicodec.X25519_PUB: is_x25519_key,
    Multicodec.RSA_PUB: is_rsa_key,
}


@lru_cache(maxsize=1024)
def _is_usable(key: PublicKey) -> bool:
    """Kept, as it costs more than to check a signature."""
    return _IS_KEY[key.codec](key.raw)


SIGNATURE_BYTES = {
    Multicodec.ED25519_PUB: 64,
    Multicodec.P256_PUB: 64,
    Multicodec.P384_PUB: 96,
    Multicodec.SECP256K1_PUB: 64,
}
"""How long a signature of each kind of key is, but for RSA, where it is as long as the key."""
