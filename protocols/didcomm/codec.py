"""Plaintext of whatever wire version: written as the message's own wire has it, read as the envelope's.

A version is one file and one line in the table.
"""

from __future__ import annotations

from typing import Any, Protocol

from protocols.didcomm import codec_v1, codec_v2
from protocols.didcomm.message import PlainMessage, Wire

__all__ = ["CODECS", "Codec", "decode", "encode", "encode_object"]


class Codec(Protocol):
    """How one wire version writes messages; see :mod:`protocols.didcomm.codec_v1` for the errors."""

    def decode(self, plaintext: bytes) -> PlainMessage: ...
    def decode_object(self, raw: dict[str, Any]) -> PlainMessage: ...
    def encode(self, message: PlainMessage) -> bytes: ...
    def encode_object(self, message: PlainMessage) -> dict[str, Any]: ...


CODECS: dict[Wire, Codec] = {Wire.V1: codec_v1, Wire.V2: codec_v2}
"""Wire version -> its codec."""


def decode(plaintext: bytes, wire: Wire) -> PlainMessage:
    """Read a plaintext message.

    Raises:
        LernodeError: as the wire's codec.
    """
    return CODECS[wire].decode(plaintext)


def encode(message: PlainMessage) -> bytes:
    """The message as plaintext.

    Raises:
        BadInput: ``message.unencodable``.
    """
    return CODECS[message.wire].encode(message)


def encode_object(message: PlainMessage) -> dict[str, Any]:
    """The message as a JSON object, to be attached to another."""
    return CODECS[message.wire].encode_object(message)
