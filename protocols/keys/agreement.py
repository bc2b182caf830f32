"""Key agreement: secrets that two keys share, over X25519 (RFC 7748) and the NIST curves (SP 800-56A).

X25519 is libsodium's, which makes a public key, as every envelope has one of its own, in half the time that OpenSSL
takes; the NIST curves are OpenSSL's.

Whoever holds a key stands behind :class:`AgreementKey`, so that a hardware module can. Promises that a secret is only
agreed on with a point of the key's own curve, and never one that is all zero. What a secret is used for is left to the
caller, who has to derive keys from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl import bindings
from nacl.exceptions import CryptoError

from protocols.errors import BadInput
from protocols.keys.ecdsa import load_point
from protocols.keys.ed25519 import KeyPair
from protocols.keys.signing import PublicKey
from protocols.multiformats import Multicodec

__all__ = ["AGREEMENT_CODECS", "AgreementKey", "AgreementKeyPair"]

_CURVES: dict[Multicodec, tuple[ec.EllipticCurve, int]] = {
    Multicodec.P256_PUB: (ec.SECP256R1(), 32),
    Multicodec.P384_PUB: (ec.SECP384R1(), 48),
    Multicodec.P521_PUB: (ec.SECP521R1(), 66),
}
_X25519_BYTES = 32

AGREEMENT_CODECS = frozenset({Multicodec.X25519_PUB, *_CURVES})
"""The kinds of keys that secrets can be agreed on with."""


class AgreementKey(Protocol):
    """A secret key that agrees on secrets with others' public keys."""

    @property
    def public(self) -> PublicKey:
        """The public key that belongs to it."""

    def agree(self, public: PublicKey) -> bytes:
        """The secret shared with the holder of ``public``: the x coordinate, as long as the curve's field.

        Raises:
            BadInput: ``key.malformed`` where the key is of another curve, or none that a secret can be shared with.
        """


@dataclass(frozen=True, slots=True)
class AgreementKeyPair:
    """An :class:`AgreementKey` in memory.

    Attributes:
        seed: the secret: 32 bytes for X25519, else the secret number, big-endian, as long as the curve's order.
    """

    public: PublicKey
    seed: bytes = field(repr=False)
    _key: ec.EllipticCurvePrivateKey | None = field(repr=False, compare=False)

    @classmethod
    def from_seed(cls, codec: Multicodec, seed: bytes) -> AgreementKeyPair:
        """The pair of a secret.

        Raises:
            BadInput: ``key.malformed`` where the secret is none of the curve, or the curve is not one of these.
        """
        if codec is Multicodec.X25519_PUB and len(seed) == _X25519_BYTES:
            return cls(PublicKey(codec, bindings.crypto_scalarmult_base(seed)), seed, None)
        key = _load_secret(codec, seed)
        public = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return cls(PublicKey(codec, public), seed, key)

    @classmethod
    def of_ed25519(cls, pair: KeyPair) -> AgreementKeyPair:
        """The X25519 pair that belongs to an Ed25519 pair, as DIDs such as did:key list it."""
        return cls.from_seed(Multicodec.X25519_PUB, pair.x25519_secret())

    @classmethod
    def fresh(cls, codec: Multicodec, entropy: Callable[[int], bytes]) -> AgreementKeyPair:
        """A new pair.

        Args:
            entropy: gives so many unpredictable bytes.

        Raises:
            BadInput: ``key.malformed`` where there is no agreement over the curve.
        """
        if codec not in AGREEMENT_CODECS:
            raise _malformed()
        size = _CURVES[codec][1] if codec in _CURVES else _X25519_BYTES
        spare = size * 8 - (_CURVES[codec][0].key_size if codec in _CURVES else size * 8)
        while True:
            raw = entropy(size)
            # Not every number is one of the curve's; FIPS 186-5 §A.2.2 draws again. P-521 has 7 bits to spare.
            seed = bytes([raw[0] & (0xFF >> spare)]) + raw[1:]
            try:
                return cls.from_seed(codec, seed)
            except BadInput:
                continue

    def agree(self, public: PublicKey) -> bytes:
        """As :meth:`AgreementKey.agree`."""
        if public.codec is not self.public.codec:
            raise _malformed()
        if self._key is not None:
            return self._key.exchange(ec.ECDH(), load_point(public.codec, public.raw))
        if len(public.raw) != _X25519_BYTES:  # PyNaCl does not look
            raise _malformed()
        try:
            # libsodium refuses points of small order, with which every secret is zero (RFC 7748 §6.1).
            return bindings.crypto_scalarmult(self.seed, public.raw)
        except CryptoError:
            raise _malformed() from None


def _load_secret(codec: Multicodec, seed: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        curve, size = _CURVES[codec]
        if len(seed) != size:
            raise _malformed()
        return ec.derive_private_key(int.from_bytes(seed, "big"), curve)
    except (KeyError, ValueError):
        raise _malformed() from None


def _malformed() -> BadInput:
    return BadInput("key.malformed", "A key is not one that secrets can be agreed on with.", "Use X25519, or P-256.")
