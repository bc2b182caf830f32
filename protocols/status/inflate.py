"""Unpacking compressed status lists under a hard limit, so that a small text cannot fill a machine's memory."""

from __future__ import annotations

import zlib
from typing import Final

from protocols.errors import BadInput
from protocols.status.errors import encoding_error

__all__ = ["GZIP", "MAX_LIST_BYTES", "ZLIB", "inflate"]

GZIP: Final = zlib.MAX_WBITS | 16
"""The GZIP format (RFC 1952), of Bitstring Status Lists."""
ZLIB: Final = zlib.MAX_WBITS
"""The ZLIB format (RFC 1950), of Token Status Lists."""

MAX_LIST_BYTES: Final = 1 << 22
"""Most bytes a list may unpack to: 33 million entries of one bit."""


def inflate(packed: bytes, window: int, *, max_bytes: int = MAX_LIST_BYTES) -> bytes:
    """What ``packed`` holds, where it is one whole stream and nothing else; never more than ``max_bytes`` are unpacked.

    Args:
        window: :data:`GZIP` or :data:`ZLIB`.

    Raises:
        BadInput: ``status.list_encoding`` or ``status.list_too_large``.
    """
    unpacker = zlib.decompressobj(wbits=window)
    try:
        data = unpacker.decompress(packed, max_bytes + 1)
    except zlib.error:
        raise encoding_error() from None
    if len(data) > max_bytes:
        raise BadInput(
            "status.list_too_large",
            f"The status list unpacks to more than {max_bytes} bytes.",
            "Ask the issuer for a smaller list.",
        )
    if not unpacker.eof or unpacker.unused_data:
        raise encoding_error()
    return data
