"""Records as they stand in JSON messages: an object as it is, the compact text of a JWT or SD-JWT as a string."""

from __future__ import annotations

import msgspec

from protocols.credentials.enveloped import envelope, media_type_of
from protocols.credentials.reading import read_secured
from protocols.jsonld.processor import DEFAULT

__all__ = ["document_bytes", "document_json", "document_object"]


def document_json(document: bytes) -> msgspec.Raw:
    """A kept document as a member of an answer."""
    return msgspec.Raw(document if _is_object(document) else msgspec.json.encode(document.decode()))


def document_bytes(member: msgspec.Raw) -> bytes:
    """The document that :func:`document_json` has written, as it was kept."""
    data = bytes(member)
    return data if _is_object(data) else msgspec.json.decode(data, type=str).encode()


def document_object(document: bytes) -> msgspec.Raw:
    """A kept document where only objects may stand: compact text in an envelope (VCDM 2.0 §4.13.1)."""
    if _is_object(document):
        return msgspec.Raw(document)
    securing = read_secured(document, DEFAULT).securing or "vc+jwt"
    return msgspec.Raw(msgspec.json.encode(envelope(document.decode(), media_type_of(securing))))


def _is_object(document: bytes) -> bool:
    return document.startswith(b"{")
