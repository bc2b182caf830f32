"""Base58 with the Bitcoin alphabet (draft-msporny-base58-03): the text of keys and of signatures.

It stands here and not in a library for its speed: the libraries at hand take as long for one signature's text as
libsodium takes to sign. Two digits are made at a time, and four read.
"""

from __future__ import annotations

__all__ = ["decode", "encode"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_NO_DIGIT = 0xFF
_VALUES = bytes(_ALPHABET.find(chr(code)) & _NO_DIGIT for code in range(256))


def encode(data: bytes) -> str:
    """The text of ``data``; each leading zero byte is a ``1``."""
    number = int.from_bytes(data, "big")
    pairs = []
    while number:
        number, pair = divmod(number, 58 * 58)
        pairs.append(_PAIRS[pair])
    pairs.reverse()
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(pairs).lstrip("1")


def decode(text: str) -> bytes:
    """The bytes that ``text`` stands for. It takes time quadratic in the length, which the caller bounds.

    Raises:
        ValueError: a character is not of the alphabet.
    """
    digits = text.encode("ascii").translate(_VALUES)
    if _NO_DIGIT in digits:
        raise ValueError("not of the alphabet")
    zeros = len(digits) - len(digits.lstrip(b"\0"))
    padded = iter(bytes(-len(digits) % 4) + digits)
    number = 0
    for a, b, c, d in zip(padded, padded, padded, padded, strict=True):
        number = number * 58**4 + ((a * 58 + b) * 58 + c) * 58 + d
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
