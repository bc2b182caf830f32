"""RSA keys of others, for RS256 (RFC 7518 §3.3), by OpenSSL: Open Badges, 2.0 and 3.0, name no other algorithm.

Read and checked with only: no node has such a key. It is known as a JSON Web Key or PEM, never as a Multikey.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from protocols.errors import BadInput

__all__ = ["is_rsa_key", "rsa_numbers", "rsa_public", "rsa_verify"]

_BITS = range(2048, 8193)


def rsa_public(modulus: bytes, exponent: bytes) -> bytes:
    """The key of two big-endian numbers, as PKCS #1 writes it.

    Raises:
        BadInput: ``key.malformed`` where they are no key, or one of fewer than 2048 or more than 8192 bits.
    """
    numbers = RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
    if numbers.n.bit_length() not in _BITS:
        raise _malformed()
    try:
        return numbers.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    except ValueError:
        raise _malformed() from None


def rsa_numbers(public: bytes) -> tuple[bytes, bytes]:
    """Modulus and exponent, big-endian and as short as they can be.

    Raises:
        BadInput: ``key.malformed``.
    """
    numbers = _load(public).public_numbers()
    modulus, exponent = (number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (numbers.n, numbers.e))
    return modulus, exponent


def is_rsa_key(public: bytes) -> bool:
    """Whether the bytes are a key that signatures are checked with."""
    try:
        _load(public)
    except BadInput:
        return False
    return True


def rsa_verify(public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is one of ``data``: RSASSA-PKCS1-v1_5 with SHA-256."""
    try:
        _load(public).verify(signature, data, PKCS1v15(), SHA256())
    except (InvalidSignature, BadInput):
        return False
    return True


@lru_cache(maxsize=64)
def _load(public: bytes) -> RSAPublicKey:
    try:
        key = load_der_public_key(public)
    except (ValueError, UnsupportedAlgorithm):
        raise _malformed() from None
    if not isinstance(key, RSAPublicKey) or key.key_size not in _BITS:
        raise _malformed()
    return key


def _malformed() -> BadInput:
    return BadInput("key.malformed", "An RSA key cannot be used.", "Use one of 2048 to 8192 bits.")
