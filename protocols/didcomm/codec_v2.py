"""The plaintext of DIDComm v2: JSON with headers and ``body``, to and from a PlainMessage.

DIDComm 2.1 §Plaintext Message Structure, §Threading, §ACKs. It promises one reading a text, bounded, and that what it
wrote it reads again as the same message. Identifiers are kept as written and are as long as a UUID has to be, which the
specification's 32 bytes are not. Headers that it does not define are handed on; who may say what, is left to
``addressing_v2.py``, and a body's own fields to each protocol's ``messages.py``.
"""

from __future__ import annotations

from typing import Any

from protocols import strict_json
from protocols.did.syntax import did_of
from protocols.didcomm.fields import Fields, is_id
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.didcomm.message_type import normalise_type
from protocols.errors import BadInput, PeerFault

__all__ = ["MEDIA_TYPE", "decode", "decode_object", "encode", "encode_object", "is_media_type"]

MEDIA_TYPE = "application/didcomm-plain+json"

_MAX_DIDS = 64
_MAX_DID = 12_000
_MAX_PARENT = 4096
_MAX_ACKS = 64
_MAX_JWT = 32_768
_HEADERS = frozenset(
    {
        "typ", "type", "id", "thid", "pthid", "body", "from", "to", "created_time", "expires_time", "attachments",
        "from_prior", "lang", "please_ack", "ack",
    }
)  # fmt: skip


def decode(plaintext: bytes) -> PlainMessage:
    """Read a plaintext message.

    Raises:
        BadInput: ``json.*`` where it is not one I-JSON object within limits.
        PeerFault: ``message.type``, ``message.id``, ``message.thread`` or ``message.malformed``.
    """
    return decode_object(strict_json.loads_object(plaintext))


def decode_object(raw: dict[str, Any]) -> PlainMessage:
    """Read a message that is a JSON object already, e.g. one attached to an invitation.

    Raises:
        PeerFault: as :func:`decode`.
    """
    fields = Fields(raw)
    typ, type_uri, message_id = raw.get("typ"), raw.get("type"), raw.get("id")
    if typ is not None and not is_media_type(typ, MEDIA_TYPE):
        raise fields.fault("typ", "is not that of a plaintext message")
    if not isinstance(type_uri, str):
        raise PeerFault("message.type", "The message has no type.", "Send a DIDComm v2 message.")
    if not isinstance(message_id, str) or not is_id(message_id):
        raise PeerFault("message.id", "The message's id is missing or not an identifier.", "Use a UUID.")
    asked = _ids(fields, "please_ack", may_be_empty=True)
    this = {"", message_id}
    return PlainMessage(
        type=normalise_type(type_uri),
        id=message_id,
        thid=_thread(raw, "thid") or message_id,
        pthid=_thread(raw, "pthid", max_chars=_MAX_PARENT),
        body=fields.optional_mapping("body") or {},
        please_ack=frozenset() if this.isdisjoint(asked) else frozenset({AckOn.RECEIPT}),
        wire=Wire.V2,
        from_=_did(fields, fields.optional_text("from", max_chars=_MAX_DID), "from"),
        to=_dids(fields),
        created_time=fields.optional_integer("created_time"),
        expires_time=fields.optional_integer("expires_time"),
        attachments=fields.mappings("attachments"),
        from_prior=fields.optional_text("from_prior", max_chars=_MAX_JWT),
        lang=fields.optional_text("lang", max_chars=64),
        resend=tuple([each for each in asked if each not in this]),
        ack=_ids(fields, "ack"),
        headers={name: value for name, value in raw.items() if name not in _HEADERS},
    )


def encode(message: PlainMessage) -> bytes:
    """The message as DIDComm v2 plaintext, compact UTF-8 JSON.

    Raises:
        BadInput: ``message.unencodable`` where the body holds what JSON cannot.
    """
    try:
        return strict_json.dumps(encode_object(message))
    except (TypeError, ValueError, RecursionError):
        raise BadInput("message.unencodable", "A message holds a value that is not JSON.", "Use plain text.") from None


def encode_object(message: PlainMessage) -> dict[str, Any]:
    """The message as a JSON object, to be attached to another. v2 acknowledges receipt only, not outcomes."""
    asked = ([""] if AckOn.RECEIPT in message.please_ack else []) + list(message.resend)
    headers: dict[str, Any] = {
        "id": message.id,
        "typ": MEDIA_TYPE,
        "type": message.type,
        "from": message.from_,
        "to": list(message.to) or None,
        "thid": message.thid if message.thid != message.id else None,
        "pthid": message.pthid,
        "created_time": message.created_time,
        "expires_time": message.expires_time,
        "from_prior": message.from_prior,
        "lang": message.lang,
        "please_ack": asked or None,
        "ack": list(message.ack) or None,
        "attachments": [dict(attachment) for attachment in message.attachments] or None,
    }
    extensions = {name: value for name, value in message.headers.items() if name not in _HEADERS}
    present = {name: value for name, value in headers.items() if value is not None}
    return present | extensions | {"body": dict(message.body)}


def is_media_type(typ: Any, name: str) -> bool:
    """Whether ``typ`` is the media type ``name``, whose ``application/`` may be left out (DIDComm 2.1 §IANA)."""
    return isinstance(typ, str) and (typ if "/" in typ else f"application/{typ}").lower() == name


def _thread(raw: dict[str, Any], name: str, *, max_chars: int = 128) -> str | None:
    value = raw.get(name)
    if value is not None and not is_id(value, max_chars=max_chars):
        raise PeerFault("message.thread", f"The message's {name} is not an identifier.", "Name thid and pthid.")
    return value


def _ids(fields: Fields, name: str, *, may_be_empty: bool = False) -> tuple[str, ...]:
    values = fields.texts(name, max_items=_MAX_ACKS)
    for value in values:
        if not is_id(value) and (value or not may_be_empty):
            raise fields.fault(name, "has an item that is not an identifier")
    return values


def _dids(fields: Fields) -> tuple[str, ...]:
    values = fields.texts("to", max_items=_MAX_DIDS, max_chars=_MAX_DID)
    for value in values:
        _did(fields, value, "to")
    return values


def _did(fields: Fields, value: str | None, name: str) -> str | None:
    """A DID or a DID URL without fragment."""
    try:
        if value is not None and (did_of(value) and "#" in value):
            raise fields.fault(name, "names a key, not a DID")
    except BadInput:
        raise fields.fault(name, "is not a DID") from None
    return value
