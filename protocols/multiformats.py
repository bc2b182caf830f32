"""The few multiformats that DIDs and proofs use: multibase (z, u), varint multicodec keys, base64url.

Specs: Multikey in Controlled Identifiers 1.0 §2.2.2, did:key 0.9 §2, RFC 4648 §5.
"""

from __future__ import annotations

from enum import IntEnum

import base58
import pybase64
from gmpy2 import mpz

from protocols.errors import BadInput

__all__ = [
    "Multicodec", "b58_decode", "b58_encode", "b64url_decode", "b64url_decode_exact", "b64url_encode",
    "multibase_decode", "multibase_encode", "multikey_decode", "multikey_encode",
]  # fmt: skip


class Multicodec(IntEnum):
    """Key types of the multicodec table that lernode understands."""

    ED25519_PUB = 0xED
    X25519_PUB = 0xEC
    SECP256K1_PUB = 0xE7
    P256_PUB = 0x1200
    P384_PUB = 0x1201
    P521_PUB = 0x1202
    RSA_PUB = 0x1205


_KEY_LENGTH = {
    Multicodec.ED25519_PUB: 32,
    Multicodec.X25519_PUB: 32,
    Multicodec.SECP256K1_PUB: 33,
    Multicodec.P256_PUB: 33,
    Multicodec.P384_PUB: 49,
    Multicodec.P521_PUB: 67,
}
"""Bytes of a raw public key that is written as a Multikey; for the ECDSA curves, of a compressed point."""

_ALTERNATIVE = b"-_"
_TO_URL = str.maketrans("+/", "-_")
_PADDING = ("", "===", "==", "=")
"""What is missing of a group of four, by how many characters there are; one alone is never right."""
_NO_STRAY_BITS = ("", "", "AQgw", "AEIMQUYcgkosw048")
"""With which characters a last group of two, or of three, ends where no bit of it is left over."""

_GMP_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
_TO_BITCOIN = bytes.maketrans(_GMP_DIGITS, base58.BITCOIN_ALPHABET)
_TO_GMP = bytes.maketrans(base58.BITCOIN_ALPHABET, _GMP_DIGITS)


def b64url_encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return pybase64.b64encode_as_string(data, _ALTERNATIVE).rstrip("=")


def b64url_decode(text: str) -> bytes:
    """Base64url, padded or not, and the two characters that base64 has in their place.

    Raises:
        BadInput: ``encoding.base64url`` where a character or the length is not of base64url.
    """
    body = text.rstrip("=")
    if "+" in body or "/" in body:
        body = body.translate(_TO_URL)
    try:
        return pybase64.b64decode(body + _PADDING[len(body) % 4], _ALTERNATIVE, validate=True)
    except ValueError:
        raise _not_base64url() from None


def b64url_decode_exact(text: str) -> bytes:
    """Base64url as :func:`b64url_encode` writes it, so that bytes have one text only (RFC 7515 §2).

    Raises:
        BadInput: ``encoding.base64url``, also for padding, another alphabet and stray bits at the end.
    """
    tail = len(text) % 4
    has_stray_bits = tail and text[-1] not in _NO_STRAY_BITS[tail]
    if has_stray_bits or "=" in text or "+" in text or "/" in text:
        raise _not_base64url()
    try:
        return pybase64.b64decode(text + _PADDING[tail], _ALTERNATIVE, validate=True)
    except ValueError:
        raise _not_base64url() from None


def b58_encode(data: bytes) -> str:
    """Base58 with the Bitcoin alphabet.

    The digits come from GMP, in a tenth of the time or less: the base58 library divides by 58 once a digit, in Python,
    which takes two thirds as long as to sign.
    """
    significant = data.lstrip(b"\0")
    zeros = "1" * (len(data) - len(significant))
    if not significant:
        return zeros
    digits: bytes = mpz.from_bytes(significant, "big").digits(58).encode()
    return zeros + digits.translate(_TO_BITCOIN).decode()


def b58_decode(text: str, *, max_chars: int = 4096) -> bytes:
    """Base58 with the Bitcoin alphabet; long input is refused, for decoding is quadratic.

    Raises:
        BadInput: ``encoding.base58``.
    """
    if len(text) > max_chars:
        raise BadInput("encoding.base58", "A base58 value is too long.", f"Keep it under {max_chars} characters.")
    digits = text.encode("ascii", "replace")
    if digits.translate(None, base58.BITCOIN_ALPHABET):  # GMP itself passes over some characters
        raise BadInput("encoding.base58", "A value is not base58.", "Use the Bitcoin alphabet.")
    significant = digits.lstrip(b"1")
    zeros = bytes(len(digits) - len(significant))
    if not significant:
        return zeros
    number = mpz(significant.translate(_TO_GMP), 58)
    data: bytes = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return zeros + data


def multibase_encode(data: bytes) -> str:
    """Multibase base58-btc (prefix ``z``)."""
    return "z" + b58_encode(data)


def multibase_decode(text: str, *, max_chars: int = 4096) -> bytes:
    """Multibase base58-btc (``z``) or base64url without padding (``u``).

    Raises:
        BadInput: ``encoding.multibase``, ``encoding.base58`` or ``encoding.base64url``.
    """
    if text.startswith("z"):
        return b58_decode(text[1:], max_chars=max_chars)
    if text.startswith("u"):
        return b64url_decode_exact(text[1:])
    raise BadInput("encoding.multibase", "A value is not multibase.", "Start it with z (base58) or u (base64url).")


def multikey_encode(codec: Multicodec, key: bytes) -> str:
    """A public key as a ``publicKeyMultibase`` value."""
    return multibase_encode(_varint(codec) + key)


def multikey_decode(text: str) -> tuple[Multicodec, bytes]:
    """The key type and the raw public key of a ``publicKeyMultibase`` value.

    Raises:
        BadInput: ``key.malformed`` where the type is unknown, ``key.length`` where the length is not the type's;
            ``encoding.*``.
    """
    raw = multibase_decode(text, max_chars=512)
    for codec, length in _KEY_LENGTH.items():
        prefix = _varint(codec)
        if raw.startswith(prefix):
            key = raw[len(prefix) :]
            if len(key) == length:
                return codec, key
            raise BadInput("key.length", "A multikey has not the length of its type.", "Its owner has to correct it.")
    raise BadInput("key.malformed", "A multikey has an unknown type.", "Use an Ed25519, X25519, P-256 or P-384 key.")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _not_base64url() -> BadInput:
    return BadInput("encoding.base64url", "A value is not base64url.", "Encode it by RFC 4648 §5.")
