"""The plaintext of DIDComm v1: JSON with ``@type``, ``@id`` and decorators, to and from a PlainMessage.

Aries RFC 0003 (message types), RFC 0008 (identifiers and threads), RFC 0317 (``~please_ack``), and of RFC 0032
(``~timing``) ``expires_time``; the other times are tolerated and dropped.
It promises one reading a text, bounded, and that what it wrote it reads again as the same message.
``sender_order`` and ``received_orders`` are tolerated and dropped: order is the machines' matter.
A body's own fields are left to each protocol's ``messages.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from protocols import strict_json
from protocols.didcomm.fields import Fields, is_id
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.didcomm.message_type import normalise_type
from protocols.errors import BadInput, PeerFault

__all__ = ["decode", "decode_object", "encode", "encode_object"]

# A parent may be named by a DID URL (RFC 0023, implicit invitations), and a did:peer:4 long form is long.
_MAX_PARENT = 4096
_HEADERS = frozenset({"@type", "@id", "~thread", "~please_ack", "~timing"})


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
    type_uri, message_id = raw.get("@type"), raw.get("@id")
    if not isinstance(type_uri, str):
        raise PeerFault("message.type", "The message has no @type.", "Send a DIDComm v1 message.")
    if not isinstance(message_id, str) or not is_id(message_id):
        raise PeerFault("message.id", "The message's @id is missing or not an identifier.", "Use a UUID.")
    thid, pthid = _thread(raw.get("~thread"), message_id)
    return PlainMessage(
        type=normalise_type(type_uri),
        id=message_id,
        thid=thid,
        pthid=pthid,
        body={name: value for name, value in raw.items() if name not in _HEADERS},
        please_ack=_please_ack(raw),
        wire=Wire.V1,
        expires_time=_expires_time(raw),
    )


def encode(message: PlainMessage) -> bytes:
    """The message as DIDComm v1 plaintext, compact UTF-8 JSON.

    Raises:
        BadInput: ``message.unencodable`` where the body holds what JSON cannot.
    """
    try:
        return strict_json.dumps(encode_object(message))
    except (TypeError, ValueError, RecursionError):
        raise BadInput("message.unencodable", "A message holds a value that is not JSON.", "Use plain text.") from None


def encode_object(message: PlainMessage) -> dict[str, Any]:
    """The message as a JSON object, to be attached to another."""
    headers: dict[str, Any] = {"@type": message.type, "@id": message.id}
    if message.thid != message.id or message.pthid is not None:
        headers["~thread"] = {"thid": message.thid}
        if message.pthid is not None:
            headers["~thread"]["pthid"] = message.pthid
    if message.please_ack:
        headers["~please_ack"] = {"on": sorted(message.please_ack)}
    if message.expires_time is not None:
        headers["~timing"] = {"expires_time": _written(message.expires_time)}
    return headers | {name: value for name, value in message.body.items() if name not in _HEADERS}


def _thread(thread: Any, message_id: str) -> tuple[str, str | None]:
    """RFC 0008: an absent or empty thread, or one without ``thid``, means that the message starts its own."""
    if thread is None:
        return message_id, None
    if not isinstance(thread, dict):
        raise _bad_thread()
    thid, pthid = thread.get("thid"), thread.get("pthid")
    if thid is not None and not is_id(thid):
        raise _bad_thread()
    if pthid is not None and not is_id(pthid, max_chars=_MAX_PARENT):
        raise _bad_thread()
    return thid or message_id, pthid


def _bad_thread() -> PeerFault:
    return PeerFault("message.thread", "The message's ~thread is not a thread of RFC 0008.", "Name thid and pthid.")


def _expires_time(raw: dict[str, Any]) -> int | None:
    """RFC 0032: ISO 8601, with a space in the place of the T in its samples; a time without a zone is in UTC."""
    timing = Fields(Fields(raw).optional_mapping("~timing") or {}, where="~timing decorator")
    text = timing.optional_text("expires_time", max_chars=64)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return max(int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()), 0)
    except (ValueError, OverflowError):
        raise timing.fault("expires_time", "is not a time of ISO 8601") from None


def _written(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        raise BadInput("message.unencodable", "A message expires at a time that is none.", "Say another.") from None


def _please_ack(raw: dict[str, Any]) -> frozenset[AckOn]:
    """RFC 0317: ``on`` is required, so a decorator without it asks for nothing; values it does not define neither.

    The samples of RFC 0721 write the list alone, without ``on``.
    """
    decorator = raw.get("~please_ack")
    if isinstance(decorator, list):
        asked = Fields(raw).texts("~please_ack")
    else:
        asked = Fields(Fields(raw).optional_mapping("~please_ack") or {}, where="~please_ack decorator").texts("on")
    return frozenset(on for on in AckOn if on.value in asked)
