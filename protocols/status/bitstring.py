"""W3C Bitstring Status List 1.0: the bits of a list, and their encoding (§2.2, §3.3, §3.4).

Promises: a list that unpacks to more than the limit is refused in constant memory; equal bits give equal bytes, so
that an unchanged list keeps its ETag. Leaves to others: the entries of records (``entry``), the credential around the
list (``list_credential``).
"""

from __future__ import annotations

import zlib
from typing import Final

from protocols.errors import BadInput
from protocols.multiformats import b64url_decode, b64url_encode
from protocols.status.errors import encoding_error, range_error, value_error
from protocols.status.inflate import GZIP, MAX_LIST_BYTES, inflate

__all__ = ["MIN_LIST_ENTRIES", "Bitstring"]

MIN_LIST_ENTRIES: Final = 131_072
"""Fewest entries a list may have, so that one record hides among many (§3.2, §6.1)."""


class Bitstring:
    """The values of a list, each of ``size`` bits; index 0 stands left-most, highest bit first (§2.2)."""

    __slots__ = ("_bytes", "_size")

    def __init__(self, entries: int = MIN_LIST_ENTRIES, *, size: int = 1) -> None:
        """A list of zeros with room for ``entries`` values of ``size`` bits, rounded up to whole bytes.

        Raises:
            BadInput: ``status.list_length`` where that is fewer than the minimum or more than the limit.
        """
        length = -(-entries * size // 8)
        if entries < MIN_LIST_ENTRIES or length > MAX_LIST_BYTES:
            raise _length_error()
        self._bytes = bytearray(length)
        self._size = size

    @classmethod
    def from_bytes(cls, data: bytes, *, size: int = 1) -> Bitstring:
        """A list whose values are those of ``data``.

        Raises:
            BadInput: ``status.list_length`` (the STATUS_LIST_LENGTH_ERROR of §3.2).
        """
        values = cls(len(data) * 8 // size, size=size)
        values._bytes[:] = data
        return values

    @classmethod
    def decode(cls, encoded: str, *, size: int = 1) -> Bitstring:
        """Unpack an ``encodedList``: multibase base64url of one GZIP member (§3.4).

        Raises:
            BadInput: ``status.list_encoding``, ``status.list_too_large`` or ``status.list_length``.
        """
        if not encoded.startswith("u"):
            raise encoding_error()
        try:
            packed = b64url_decode(encoded[1:])
        except BadInput:
            raise encoding_error() from None
        return cls.from_bytes(inflate(packed, GZIP), size=size)

    def __len__(self) -> int:
        return len(self._bytes) * 8 // self._size

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bitstring) and (self._size, self._bytes) == (other._size, other._bytes)

    __hash__ = None  # type: ignore[assignment]  # it can change

    def get(self, index: int) -> int:
        """The value at ``index``.

        Raises:
            BadInput: ``status.index_out_of_range`` (the RANGE_ERROR of §3.2).
        """
        start, end, shift = self._window(index)
        return int.from_bytes(self._bytes[start:end], "big") >> shift & self._mask

    def set(self, index: int, value: int) -> None:
        """Let the value at ``index`` be ``value``.

        Raises:
            BadInput: ``status.index_out_of_range``, or ``status.value_out_of_range`` where the value needs more bits.
        """
        start, end, shift = self._window(index)
        if not 0 <= value <= self._mask:
            raise value_error(self._size, value)
        window = int.from_bytes(self._bytes[start:end], "big") & ~(self._mask << shift) | value << shift
        self._bytes[start:end] = window.to_bytes(end - start, "big")

    def encode(self) -> str:
        """The ``encodedList`` (§3.3); the GZIP header holds no time, so equal values give equal text."""
        packer = zlib.compressobj(level=9, wbits=GZIP)
        return "u" + b64url_encode(packer.compress(bytes(self._bytes)) + packer.flush())

    @property
    def _mask(self) -> int:
        return (1 << self._size) - 1

    def _window(self, index: int) -> tuple[int, int, int]:
        """The bytes that hold the entry, from and to, and how many bits follow it in them."""
        first, end = index * self._size, (index + 1) * self._size
        if index < 0 or end > len(self._bytes) * 8:
            raise range_error()
        return first // 8, -(-end // 8), -end % 8


def _length_error() -> BadInput:
    return BadInput(
        "status.list_length",
        f"The status list has fewer than {MIN_LIST_ENTRIES} entries, or more than this node reads.",
        "Ask the issuer for a list of allowed length.",
    )
