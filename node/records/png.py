"""The texts of a PNG file, and putting one in: its chunks, without looking at a pixel.

Spec: PNG (W3C Recommendation, third edition) §5 and §11.3.3. Libraries that read PNG decode the picture, which is the
part that a hostile file attacks, and write it anew; here every chunk but the texts stays as it is, to the byte.

Promises: bounded by the size of the file, and a compressed text by :data:`MAX_TEXT_BYTES`; a file whose chunks do not
fit together, or whose check sums do not, is refused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from protocols.errors import BadInput

__all__ = ["MAX_TEXT_BYTES", "SIGNATURE", "texts", "with_text"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT_BYTES = 1 << 20
"""Of one text, when it is decompressed."""

_MAX_CHUNKS = 10_000
_TEXT_TYPES = (b"iTXt", b"tEXt", b"zTXt")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk; ``whole`` is all of it as it stands in the file."""

    type: bytes
    data: bytes
    whole: bytes


def texts(data: bytes, *keywords: str) -> list[tuple[str, str]]:
    """The texts with one of these keywords, each with its keyword, in their order.

    Raises:
        BadInput: ``badge.image``, ``badge.too_large``.
    """
    found = []
    for chunk in _chunks(data):
        keyword = chunk.data.partition(b"\0")[0].decode("latin-1")
        if chunk.type in _TEXT_TYPES and keyword in keywords:
            found.append((keyword, _text(chunk)))
    return found


def with_text(data: bytes, keyword: str, text: str) -> bytes:
    """The file with this text, not compressed, instead of those that it has under the same keyword.

    Raises:
        BadInput: ``badge.image``.
    """
    name = keyword.encode("latin-1")
    kept = [
        chunk for chunk in _chunks(data) if not (chunk.type in _TEXT_TYPES and chunk.data.partition(b"\0")[0] == name)
    ]
    body = b"iTXt" + name + b"\0" + b"\0\0" + b"\0" + b"\0" + text.encode()
    made = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return SIGNATURE + b"".join(chunk.whole for chunk in kept[:-1]) + made + kept[-1].whole


def _chunks(data: bytes) -> Iterator[_Chunk]:
    if not data.startswith(SIGNATURE):
        raise _broken("it does not begin like one")
    at, count = len(SIGNATURE), 0
    while at < len(data):
        if len(data) - at < 12 or count == _MAX_CHUNKS:
            raise _broken("it ends in the middle, or has too many parts")
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            raise _broken("it ends in the middle")
        body = data[at + 4 : end - 4]
        if zlib.crc32(body) != struct.unpack_from(">I", data, end - 4)[0]:
            raise _broken("a part of it is damaged")
        if (count == 0) != (body[:4] == b"IHDR"):
            raise _broken("its parts stand in the wrong order")
        yield _Chunk(body[:4], body[4:], data[at:end])
        if body[:4] == b"IEND":
            return  # what follows is not of the picture (§5.6)
        at, count = end, count + 1
    raise _broken("it has no end")


def _text(chunk: _Chunk) -> str:
    rest = chunk.data.partition(b"\0")[2]
    if chunk.type == b"tEXt":
        return rest.decode("latin-1")
    if chunk.type == b"zTXt":
        return _inflated(rest[1:]).decode("latin-1")
    is_compressed, rest = rest[:1] == b"\1", rest[2:]
    body = rest.partition(b"\0")[2].partition(b"\0")[2]  # after the language tag and the translated keyword
    try:
        return (_inflated(body) if is_compressed else body).decode()
    except UnicodeDecodeError:
        raise _broken("a text in it is not UTF-8") from None


def _inflated(data: bytes) -> bytes:
    """Decompressed, as far as is allowed: a text of some kilobytes can stand for gigabytes."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data, MAX_TEXT_BYTES + 1)
    except zlib.error:
        raise _broken("a text in it cannot be decompressed") from None
    if len(text) > MAX_TEXT_BYTES:
        raise BadInput("badge.too_large", "A text in the image is larger than a record can be.", "Bring another file.")
    if not stream.eof:
        raise _broken("a text in it ends in the middle")
    return text


def _broken(why: str) -> BadInput:
    return BadInput("badge.image", f"The PNG file cannot be read: {why}.", "Bring the file as it was downloaded.")
