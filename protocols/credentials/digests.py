"""Digests of resources as credentials state them: ``digestSRI`` and ``digestMultibase``.

Specs: VC Data Model 2.0 §5.3; Subresource Integrity §3.3 and §3.5 (of several digests the strongest kind counts, and
one of that kind has to match); VC Data Integrity 1.0 §2.6 (Multibase-encoded Multihash). A bare SHA-256 value in
Multibase is read too: the W3C's own test suite writes it so. What both properties state has to hold.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from protocols.credentials.model import as_list
from protocols.errors import BadInput
from protocols.multiformats import multibase_decode

__all__ = ["DIGESTS", "MAX_DIGESTS", "Digest", "digest_of_bytes", "digests_match", "has_digest", "is_digest_sri"]

DIGESTS = ("sha256", "sha384", "sha512")
"""The algorithms of Subresource Integrity, weakest first."""

MAX_DIGESTS = 8
"""How many digests of one resource are looked at in one property."""

_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}
_SRI = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/_-]{1,88}={0,2})(?:\?[\x21-\x7e]*)?", re.ASCII)
_MULTIHASHES = {b"\x12\x20": "sha256", b"\x20\x30": "sha384", b"\x13\x40": "sha512"}


@dataclass(frozen=True, slots=True)
class Digest:
    """What a document says that a resource's digest is.

    Attributes:
        algorithm: one of ``DIGESTS``.
    """

    algorithm: str
    value: bytes


def is_digest_sri(value: Any) -> bool:
    """Whether ``value`` is one or several strings of the form of the ``integrity`` attribute (SRI §3.5)."""
    texts = as_list(value)
    return bool(texts) and all(
        isinstance(text, str) and text.split() and all(_SRI.fullmatch(part) for part in text.split()) for text in texts
    )


def has_digest(item: dict[str, Any]) -> bool:
    """Whether an object states a digest of what its ``id`` names."""
    return "digestSRI" in item or "digestMultibase" in item


def digest_of_bytes(data: bytes) -> Callable[[str], bytes]:
    """Gives the digest of ``data`` by the name of the algorithm."""
    return lambda algorithm: hashlib.new(algorithm, data).digest()


def digests_match(item: dict[str, Any], digest_of: Callable[[str], bytes]) -> bool | None:
    """Whether a resource has the digests that ``item`` states; ``None`` where none of them is of a known kind.

    Args:
        item: an object with ``digestSRI``, ``digestMultibase`` or both.
        digest_of: gives the resource's digest by the name of the algorithm.
    """
    stated = [found for read in (_of_sri, _of_multibase) if (found := _strongest(read(item)))]
    if not stated:
        return None
    return all(any(digest.value == digest_of(digest.algorithm) for digest in one) for one in stated)


def _strongest(digests: Iterator[Digest]) -> list[Digest]:
    found = list(digests)
    best = max((DIGESTS.index(digest.algorithm) for digest in found), default=0)
    return [digest for digest in found if digest.algorithm == DIGESTS[best]]


def _of_sri(item: dict[str, Any]) -> Iterator[Digest]:
    parts = [part for text in as_list(item.get("digestSRI")) if isinstance(text, str) for part in text.split()]
    for part in parts[:MAX_DIGESTS]:
        match = _SRI.fullmatch(part)
        if match is not None:
            yield Digest(match[1], _base64(match[2]))


def _of_multibase(item: dict[str, Any]) -> Iterator[Digest]:
    for text in as_list(item.get("digestMultibase"))[:MAX_DIGESTS]:
        try:
            data = multibase_decode(text, max_chars=200) if isinstance(text, str) else b""
        except BadInput:
            continue
        algorithm = _MULTIHASHES.get(data[:2])
        if algorithm is not None and len(data) == 2 + _SIZES[algorithm]:
            yield Digest(algorithm, data[2:])
        elif len(data) == _SIZES["sha256"]:
            yield Digest("sha256", data)


def _base64(text: str) -> bytes:
    """The bytes of either alphabet, padded or not; nothing, which is no digest, where they cannot be read."""
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        return b""
