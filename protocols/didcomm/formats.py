"""Which attachment of a message has which content format: ``formats`` of Aries RFC 0453 and RFC 0454, or ``format``.

In DIDComm v1 a message lists the formats beside the attachments of one field; in v2 each attachment names its own. It
promises that the formats and the attachments of a v1 message name each other one to one, and that what it hands out is
a JSON object that any JSON store can keep (RFC 7493 numbers and strings, bounded depth). What the object means is left
to each protocol.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from protocols.didcomm import attachments_v2
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import PeerFault
from protocols.strict_json import MAX_DEPTH

__all__ = ["MAX_ATTACHMENTS", "attach", "attach_object", "attached_object", "attached_objects", "named_formats"]

_MAX_ID = 256
MAX_ATTACHMENTS = 16
"""In one message."""

_MAX_SAFE_INTEGER = (1 << 53) - 1


def attach_object(
    message: PlainMessage, value: Mapping[str, Any], *, field: str, media_format: str, attach_id: str
) -> PlainMessage:
    """The message with one JSON object attached.

    It is embedded as ``data.json``: every reader must expect it (RFC 0453 §Message Attachments), and unlike ``base64``
    it is read the same by agents that decode only one of the two base64 alphabets.
    """
    return attach(message, Attachment.of_json(value, id=attach_id), field=field, media_format=media_format)


def attach(message: PlainMessage, attachment: Attachment, *, field: str, media_format: str) -> PlainMessage:
    """The message with one attachment more, as its wire has it; in v1 in the list ``field``."""
    if message.wire is Wire.V2:
        named = replace(attachment, format=media_format)
        return msgspec.structs.replace(message, attachments=(*message.attachments, attachments_v2.write(named)))
    body = message.body
    formats = [*body.get("formats", ()), {"attach_id": attachment.id, "format": media_format}]
    return msgspec.structs.replace(
        message, body={**body, "formats": formats, field: [*body.get(field, ()), attachment.to_wire()]}
    )


def named_formats(fields: Fields) -> tuple[tuple[str | None, str], ...]:
    """The ``(attach_id, format)`` pairs of a message.

    Raises:
        PeerFault: the malformed code of ``fields``.
    """
    pairs = []
    for entry in fields.mappings("formats", max_items=MAX_ATTACHMENTS):
        attach_id, name = entry.get("attach_id"), entry.get("format")
        if not _is_short(name) or not (attach_id is None or _is_short(attach_id)):
            raise fields.fault("formats", "has an entry without format or with a bad attach_id")
        pairs.append((attach_id, str(name)))
    return tuple(pairs)


def attached_object(
    message: PlainMessage, fields: Fields, *, field: str, accepted: Collection[str], area: str
) -> dict[str, Any]:
    """The JSON object of the one attachment that has an accepted format.

    Args and Raises: as :func:`attached_objects`; the malformed code of ``fields`` also where there are several.
    """
    objects = attached_objects(message, fields, field=field, accepted=accepted, area=area)
    if len(objects) > 1:
        raise fields.fault("formats", "names the same content twice")
    return objects[0]


def attached_objects(
    message: PlainMessage, fields: Fields, *, field: str, accepted: Collection[str], area: str
) -> tuple[dict[str, Any], ...]:
    """The JSON objects of the attachments that have an accepted format, in their order; one at least.

    Attachments of other formats, which say the same for other readers (RFC 0453 §Message Attachments), are not looked
    at.

    Args:
        fields: the body.
        field: the name of the attachments in v1, e.g. ``offers~attach``.
        area: of error codes, e.g. ``issue_credential``.

    Raises:
        PeerFault: ``<area>.unsupported_format`` where no format is accepted, the malformed code of ``fields`` where
            formats and attachments do not match, or ``attachment.*``.
    """
    attachments = _attachments_v2(message, fields) if message.wire is Wire.V2 else _attachments_v1(fields, field)
    matching = [raw for name, raw in attachments if name in accepted]
    if not matching:
        raise PeerFault(
            f"{area}.unsupported_format",
            "No attachment has a format that this node reads.",
            "See the formats it lists.",
        )
    read = attachments_v2.read if message.wire is Wire.V2 else Attachment.from_wire
    return tuple(_object(read(raw), fields, field) for raw in matching)


def _object(attachment: Attachment, fields: Fields, field: str) -> dict[str, Any]:
    value = attachment.json()
    if not isinstance(value, dict):
        raise fields.fault(field, "holds no JSON object")
    if not _is_portable(value):
        raise fields.fault(field, "holds a value outside I-JSON")
    return value


def _attachments_v1(fields: Fields, field: str) -> list[tuple[str, Mapping[str, Any]]]:
    formats = named_formats(fields)
    raw = {entry.get("@id"): entry for entry in _with_text_ids(fields, field)}
    named = dict(formats)
    if not formats:
        raise fields.fault("formats", "is missing")
    if len(named) != len(formats) or named.keys() != raw.keys():
        raise fields.fault("formats", f"and {field} do not name each other one to one")
    return [(name, raw[attach_id]) for attach_id, name in formats]


def _attachments_v2(message: PlainMessage, fields: Fields) -> list[tuple[str, Mapping[str, Any]]]:
    if not message.attachments:
        raise fields.fault("attachments", "is missing")
    if len(message.attachments) > MAX_ATTACHMENTS:
        raise fields.fault("attachments", f"has more than {MAX_ATTACHMENTS} items")
    ids = [raw["id"] for raw in message.attachments if isinstance(raw.get("id"), str)]
    if len(set(ids)) != len(ids):
        raise fields.fault("attachments", "has two attachments with one id")
    pairs = [(raw.get("format"), raw) for raw in message.attachments]
    return [(name, raw) for name, raw in pairs if isinstance(name, str)]


def _with_text_ids(fields: Fields, field: str) -> tuple[dict[str, Any], ...]:
    entries = fields.mappings(field, max_items=MAX_ATTACHMENTS)
    if not all(_is_short(entry.get("@id")) for entry in entries):
        raise fields.fault(field, "has an attachment without @id")
    if len({entry["@id"] for entry in entries}) != len(entries):
        raise fields.fault(field, "has two attachments with one @id")
    return entries


def _is_short(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_ID


def _is_portable(value: Any) -> bool:
    """Whether every number fits a double exactly (RFC 7493 §2.2) and nothing nests too deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
            elif isinstance(item, int) and not isinstance(item, bool) and abs(item) > _MAX_SAFE_INTEGER:
                return False
        if not deeper:
            return True
        level = deeper
    return False
