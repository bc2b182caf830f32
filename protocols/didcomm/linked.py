"""Attachments whose content is not in the message but behind links (Aries RFC 0017 §links, DIDComm 2.1 §Attachments).

What is behind a link is whatever its server says today, so that the message has to state its hash; one that does not is
refused, and content that does not agree with it too. Fetching is left to the node: :func:`linked` says what, and
:func:`embedded` gives the message as it would be with the content in it, which every reader then reads as usual.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from protocols.didcomm import attachments_v2
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import PeerFault
from protocols.multiformats import b64url_encode

__all__ = ["Linked", "embedded", "linked"]

_MAX_ATTACHMENTS = 16
_V1_FIELD = "~attach"


@dataclass(frozen=True, slots=True)
class Linked:
    """An attachment to fetch.

    Attributes:
        field: of the body that lists it in v1; empty in v2.
        index: its place in the list.
    """

    field: str
    index: int
    links: tuple[str, ...]


def linked(message: PlainMessage, formats: Collection[str]) -> tuple[Linked, ...]:
    """The attachments of these content formats whose content is behind links.

    Raises:
        PeerFault: ``attachment.malformed``, ``attachment.no_digest``.
    """
    found = []
    for field, index, raw in _attachments(message, formats):
        data = raw.get("data")
        if not isinstance(data, dict) or data.get("links") is None:
            continue
        attachment = _read(message.wire, raw)
        if attachment.sha256 is None:
            raise PeerFault(
                "attachment.no_digest", "An attachment is behind a link and has no hash.", "State its SHA-256."
            )
        found.append(Linked(field, index, attachment.links))
    return tuple(found)


def embedded(message: PlainMessage, contents: Mapping[Linked, bytes]) -> PlainMessage:
    """The message with what was fetched in the place of the links.

    Raises:
        PeerFault: ``attachment.hash`` where the content is not what the message says.
    """
    body, attachments = dict(message.body), list(message.attachments)
    for place, content in contents.items():
        listed: list[Any] = attachments
        if place.field:
            listed = body[place.field] = list(body[place.field])
        attachment = replace(_read(message.wire, listed[place.index]), links=(), base64=b64url_encode(content))
        attachment.content()
        listed[place.index] = attachment.to_wire() if message.wire is Wire.V1 else attachments_v2.write(attachment)
    return msgspec.structs.replace(message, body=body, attachments=tuple(attachments))


def _attachments(message: PlainMessage, formats: Collection[str]) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    if message.wire is Wire.V2:
        for index, raw in enumerate(message.attachments[:_MAX_ATTACHMENTS]):
            if _is_one_of(raw.get("format"), formats):
                yield "", index, raw
        return
    fields = Fields(message.body, code="attachment.malformed")
    named = fields.mappings("formats", max_items=_MAX_ATTACHMENTS)
    wanted = [entry.get("attach_id") for entry in named if _is_one_of(entry.get("format"), formats)]
    for field in message.body:
        if field.endswith(_V1_FIELD):
            for index, raw in enumerate(fields.mappings(field, max_items=_MAX_ATTACHMENTS)):
                if raw.get("@id") in wanted:
                    yield field, index, raw


def _is_one_of(name: object, formats: Collection[str]) -> bool:
    return isinstance(name, str) and name in formats


def _read(wire: Wire, raw: Mapping[str, Any]) -> Attachment:
    return Attachment.from_wire(raw) if wire is Wire.V1 else attachments_v2.read(raw)
