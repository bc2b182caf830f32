"""Token Status List: the values of a list and their compression (draft-ietf-oauth-status-list-20 §4.1).

Unlike the bits of a W3C list, values stand in each byte from its least significant bit on, and never across two bytes.
Promises: a list that unpacks to more than the limit is refused in constant memory; equal values give equal text.
"""

from __future__ import annotations

import zlib

from protocols.errors import BadInput
from protocols.multiformats import b64url_decode, b64url_encode
from protocols.status.errors import encoding_error, range_error, value_error
from protocols.status.inflate import MAX_LIST_BYTES, ZLIB, inflate

__all__ = ["STATUS_SIZES", "StatusArray"]

STATUS_SIZES = frozenset({1, 2, 4, 8})
"""The numbers of bits that a status may have."""


class StatusArray:
    """So many values of ``bits`` bits each, packed."""

    __slots__ = ("_bytes", "bits")

    def __init__(self, data: bytes, *, bits: int) -> None:
        """The values that stand in ``data``.

        Args:
            bits: 1, 2, 4 or 8.

        Raises:
            BadInput: ``status.size_unsupported`` or ``status.list_too_large``.
        """
        if bits not in STATUS_SIZES:
            raise BadInput("status.size_unsupported", "A status of this many bits cannot be.", "Use 1, 2, 4 or 8.")
        if len(data) > MAX_LIST_BYTES:
            raise BadInput(
                "status.list_too_large", f"The status list has more than {MAX_LIST_BYTES} bytes.", "Begin another list."
            )
        self._bytes = bytearray(data)
        self.bits = bits

    @classmethod
    def of_zeros(cls, entries: int, *, bits: int) -> StatusArray:
        """A list of zeros with room for ``entries`` values.

        Raises:
            BadInput: ``status.size_unsupported`` or ``status.list_too_large``.
        """
        return cls(bytes(min(-(-entries * bits // 8), MAX_LIST_BYTES + 1)), bits=bits)

    @classmethod
    def decode(cls, encoded: str, *, bits: int) -> StatusArray:
        """Unpack a ``lst``: base64url of one ZLIB stream.

        Raises:
            BadInput: ``status.list_encoding``, ``status.list_too_large`` or ``status.size_unsupported``.
        """
        try:
            packed = b64url_decode(encoded)
        except BadInput:
            raise encoding_error() from None
        return cls(inflate(packed, ZLIB), bits=bits)

    def __len__(self) -> int:
        return len(self._bytes) * 8 // self.bits

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)

    def get(self, index: int) -> int:
        """The value at ``index``.

        Raises:
            BadInput: ``status.index_out_of_range``.
        """
        place, shift = self._place(index)
        return self._bytes[place] >> shift & self._mask

    def set(self, index: int, value: int) -> None:
        """Let the value at ``index`` be ``value``.

        Raises:
            BadInput: ``status.index_out_of_range``, or ``status.value_out_of_range`` where the value needs more bits.
        """
        place, shift = self._place(index)
        if not 0 <= value <= self._mask:
            raise value_error(self.bits, value)
        self._bytes[place] = self._bytes[place] & ~(self._mask << shift) & 0xFF | value << shift

    def encode(self) -> str:
        """The ``lst`` of these values."""
        return b64url_encode(zlib.compress(bytes(self._bytes), level=9))

    @property
    def _mask(self) -> int:
        return (1 << self.bits) - 1

    def _place(self, index: int) -> tuple[int, int]:
        """The byte that holds the value, and how many bits stand below it."""
        if not 0 <= index < len(self):
            raise range_error()
        return index * self.bits // 8, index * self.bits % 8
