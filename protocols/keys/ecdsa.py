"""ECDSA keys over P-256 with SHA-256 and over P-384 with SHA-384 (FIPS 186-5 §6), by OpenSSL.

Signatures are the two numbers one after the other, each as long as the curve's order (IEEE P1363), and are made
deterministically (RFC 6979), so that signing needs no entropy and repeats. Either of the two values of ``s`` that
hold for a message is read, as the standard has it: what is said does not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocols.errors import BadInput
from protocols.multiformats import Multicodec, multikey_encode

__all__ = ["EcdsaKeyPair", "coordinates", "ecdsa_verify", "is_ecdsa_key", "load_point", "public_from_coordinates"]


class _Curve(NamedTuple):
    curve: ec.EllipticCurve
    hash: hashes.HashAlgorithm
    size: int
    """Bytes of a coordinate, and of each half of a signature."""


_CURVES = {
    Multicodec.P256_PUB: _Curve(ec.SECP256R1(), hashes.SHA256(), 32),
    Multicodec.P384_PUB: _Curve(ec.SECP384R1(), hashes.SHA384(), 48),
    Multicodec.SECP256K1_PUB: _Curve(ec.SECP256K1(), hashes.SHA256(), 32),
    # Read, shown and agreed with only: no signature under it is checked (see the table of verifiers).
    Multicodec.P521_PUB: _Curve(ec.SECP521R1(), hashes.SHA512(), 66),
}


@dataclass(frozen=True, slots=True)
class EcdsaKeyPair:
    """An ECDSA key pair, made from its secret number.

    Attributes:
        seed: the secret number, big-endian, as long as the curve's order; what a store keeps.
        public: the compressed point.
    """

    codec: Multicodec
    seed: bytes = field(repr=False)
    public: bytes
    _key: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)

    @classmethod
    def from_seed(cls, codec: Multicodec, seed: bytes) -> EcdsaKeyPair:
        """The pair whose secret number is ``seed``: 32 bytes for P-256, 48 for P-384.

        Raises:
            BadInput: ``key.malformed`` where the number is not one of the curve's; with random bytes that is less
                likely than one in 2**32 (P-256), and means to draw again.
        """
        curve = _CURVES[codec]
        try:
            if len(seed) != curve.size:
                raise ValueError
            key = ec.derive_private_key(int.from_bytes(seed, "big"), curve.curve)
        except ValueError:
            raise _malformed() from None
        public = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return cls(codec, seed, public, key)

    @property
    def multikey(self) -> str:
        """The public key as ``publicKeyMultibase``."""
        return multikey_encode(self.codec, self.public)

    def sign(self, data: bytes) -> bytes:
        """The signature over the curve's hash of ``data``; 64 bytes for P-256, 96 for P-384."""
        curve = _CURVES[self.codec]
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(curve.hash, deterministic_signing=True)))
        return r.to_bytes(curve.size, "big") + s.to_bytes(curve.size, "big")


def ecdsa_verify(codec: Multicodec, public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (IEEE P1363) is one of ``data`` under the compressed point ``public``."""
    curve = _CURVES[codec]
    if len(signature) != 2 * curve.size:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[: curve.size], signature[curve.size :]))
    try:
        load_point(codec, public).verify(encode_dss_signature(r, s), data, ec.ECDSA(curve.hash))
    except (InvalidSignature, BadInput):
        return False
    return True


def is_ecdsa_key(codec: Multicodec, public: bytes) -> bool:
    """Whether the bytes are a compressed point of the curve."""
    try:
        load_point(codec, public)
    except BadInput:
        return False
    return True


def coordinates(codec: Multicodec, public: bytes) -> tuple[bytes, bytes]:
    """The x and y of a compressed point, each as long as the curve's field.

    Raises:
        BadInput: ``key.malformed`` where it is no point of the curve.
    """
    size = _CURVES[codec].size
    numbers = load_point(codec, public).public_numbers()
    return numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big")


def public_from_coordinates(codec: Multicodec, x: bytes, y: bytes) -> bytes:
    """The compressed point of two coordinates.

    Raises:
        BadInput: ``key.malformed`` where they have another length than the field's or are no point of the curve.
    """
    size = _CURVES[codec].size
    if len(x) != size or len(y) != size:
        raise _malformed()
    public = bytes([2 + (y[-1] & 1)]) + x
    if coordinates(codec, public)[1] != y:
        raise _malformed()
    return public


@lru_cache(maxsize=256)
def load_point(codec: Multicodec, public: bytes) -> ec.EllipticCurvePublicKey:
    """The key of a compressed point, kept: finding y from x costs as much as checking a signature.

    Raises:
        BadInput: ``key.malformed`` where it is no point of the curve.
    """
    # OpenSSL would take the long form of a point too; a key has one form here.
    if len(public) != _CURVES[codec].size + 1:
        raise _malformed()
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[codec].curve, public)
    except ValueError:
        raise _malformed() from None


def _malformed() -> BadInput:
    return BadInput("key.malformed", "A key is not one of its curve.", "Its owner has to correct it.")
