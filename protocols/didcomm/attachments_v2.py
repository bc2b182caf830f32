"""Attachments as DIDComm v2 writes them (2.1 §Attachments), to and from :class:`Attachment`.

What differs from v1 (Aries RFC 0017) is how things are called, ``format``, and that the hash is a multihash. SHA-256 is
the one that is read; content under another cannot be checked, so it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.didcomm.attachments import Attachment
from protocols.didcomm.fields import Fields
from protocols.errors import BadInput, PeerFault
from protocols.multiformats import multibase_decode, multibase_encode

__all__ = ["read", "write"]

_SHA2_256 = b"\x12\x20"
"""Code and length of SHA-256 in a multihash."""


def read(raw: Mapping[str, Any]) -> Attachment:
    """Read an attachment.

    Raises:
        PeerFault: ``attachment.malformed``.
    """
    fields = Fields(raw, where="attachment", code="attachment.malformed")
    data = dict(fields.mapping("data"))
    digest = Fields(data, where="attachment", code="attachment.malformed").optional_text("hash", max_chars=256)
    data.pop("hash", None)
    if digest is not None:
        data["sha256"] = _sha256(digest)
    lastmod = raw.get("lastmod_time")
    renamed = {
        "@id": raw.get("id"),
        "mime-type": raw.get("media_type"),
        "description": raw.get("description"),
        "filename": raw.get("filename"),
        "byte_count": raw.get("byte_count"),
        # A number of seconds like the other times of v2, or a text as in v1: the specification does not say.
        "lastmod_time": str(lastmod) if type(lastmod) is int else lastmod,
        "data": data,
    }
    return Attachment.from_wire(renamed, format=fields.optional_text("format", max_chars=256))


def write(attachment: Attachment) -> dict[str, Any]:
    """The attachment as JSON values, absent members left out."""
    raw = attachment.to_wire()
    data = raw.pop("data")
    digest = data.pop("sha256", None)
    if digest is not None:
        data["hash"] = multibase_encode(_SHA2_256 + bytes.fromhex(digest))
    names = {"@id": "id", "mime-type": "media_type"}
    renamed = {names.get(name, name): value for name, value in raw.items()}
    named = {} if attachment.format is None else {"format": attachment.format}
    return renamed | named | {"data": data}


def _sha256(digest: str) -> str:
    """The hex digest of a multihash, which is written in multibase."""
    try:
        raw = multibase_decode(digest, max_chars=256)
    except BadInput:
        raise _unknown() from None
    if not raw.startswith(_SHA2_256) or len(raw) != 34:
        raise _unknown()
    return raw[2:].hex()


def _unknown() -> PeerFault:
    return PeerFault("attachment.malformed", "The hash of an attachment is no multihash of SHA-256.", "Use that.")
