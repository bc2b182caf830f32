"""Credentials about the issuer that go along with a record (RFC 0453 2.2 §Issue Credential, supplements).

Each is an attachment without a format, in v1 in ``~attach``, which ``supplements`` names as an ``issuer-credential``.
An agent that does not know them reads the record all the same, and so does this one where it cannot read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from protocols import strict_json
from protocols.didcomm import attachments_v2
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import LernodeError

__all__ = ["MAX_SUPPLEMENTS", "read", "write"]

MAX_SUPPLEMENTS: Final = 4
"""In one message; accreditations of one issuer, by several or for several things."""

_TYPE = "issuer-credential"


def write(message: PlainMessage, documents: Sequence[dict[str, Any]]) -> PlainMessage:
    """The message with the documents along."""
    if not documents:
        return message
    made = [Attachment.of_json(document, id=f"{_TYPE}-{number}") for number, document in enumerate(documents, start=1)]
    named = [{"type": _TYPE, "ref": attachment.id, "attrs": list[Any]()} for attachment in made]
    body = {**message.body, "supplements": named}
    if message.wire is Wire.V2:
        attachments = (*message.attachments, *map(attachments_v2.write, made))
        return msgspec.structs.replace(message, body=body, attachments=attachments)
    return msgspec.structs.replace(message, body=body | {"~attach": [attachment.to_wire() for attachment in made]})


def read(message: PlainMessage) -> tuple[dict[str, Any], ...]:
    """The documents that can be read, in the order in which they are named."""
    is_v2 = message.wire is Wire.V2
    given, key = (message.attachments, "id") if is_v2 else (_objects(message.body.get("~attach")), "@id")
    by_id = {raw[key]: raw for raw in given if isinstance(raw.get(key), str)}
    named = [entry.get("ref") for entry in _objects(message.body.get("supplements")) if entry.get("type") == _TYPE]
    found = []
    for name in named[:MAX_SUPPLEMENTS]:
        with suppress(LernodeError, TypeError, ValueError):  # the last two of numbers that no JSON text may have
            raw = by_id.get(name) if isinstance(name, str) else None
            if raw is not None:
                value = (attachments_v2.read if is_v2 else Attachment.from_wire)(raw).json()
                # Once more as strictly as a record that is read from a file, for it is kept as one.
                found.append(strict_json.loads_object(strict_json.dumps(value)))
    return tuple(found)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
