"""Pickup messages: 2.0 (Aries RFC 0685) and 3.0 (didcomm.org/messagepickup/3.0).

2.0 names recipients by key, 3.0 by DID; ``major`` says which one is meant. A delivered message is encrypted for the
recipient, and handed on as it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from protocols import strict_json
from protocols.didcomm import attachments_v2
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.fields import Fields, is_id
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.errors import PeerFault
from protocols.routing.names import MAX_NAME, name_of

__all__ = [
    "FAMILY", "LIVE_MODE_NOT_SUPPORTED", "MAX_MESSAGES", "Delivery", "DeliveryRequest", "LiveDeliveryChange",
    "MessagesReceived", "PickupMessage", "Status", "StatusRequest", "decode", "major_on",
]  # fmt: skip

FAMILY = DIDCOMM_ORG + "messagepickup"
LIVE_MODE_NOT_SUPPORTED = "e.m.live-mode-not-supported"
MAX_MESSAGES = 100
"""The most messages in a delivery, and ids in a receipt."""

_MAJORS = frozenset({2, 3})


def major_on(wire: Wire) -> int:
    """The version that goes with a wire."""
    return 3 if wire is Wire.V2 else 2


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """How much is there, for me or for one of my recipients?"""

    id: str
    thid: str
    major: int
    recipient: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _message(self, "status-request", _named(self.major, self.recipient), wire)


@dataclass(frozen=True, slots=True)
class Status:
    """So much; times are seconds since 1970.

    Attributes:
        recipient: whose, where it was asked for one; as it was written in the request.
    """

    id: str
    thid: str
    major: int
    message_count: int
    recipient: str | None = None
    longest_waited_seconds: int | None = None
    newest_received_time: int | None = None
    oldest_received_time: int | None = None
    total_bytes: int | None = None
    live_delivery: bool = False

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it; 2.0 writes times as text."""
        when = _text_time if self.major == 2 else int
        body = _named(self.major, self.recipient) | {
            "message_count": self.message_count,
            "longest_waited_seconds": self.longest_waited_seconds,
            "newest_received_time": None if self.newest_received_time is None else when(self.newest_received_time),
            "oldest_received_time": None if self.oldest_received_time is None else when(self.oldest_received_time),
            "total_bytes": self.total_bytes,
            "live_delivery": self.live_delivery,
        }
        return _message(self, "status", {name: value for name, value in body.items() if value is not None}, wire)


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """Give me up to ``limit`` of them."""

    id: str
    thid: str
    major: int
    limit: int
    recipient: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body = _named(self.major, self.recipient) | {"limit": self.limit}
        return _message(self, "delivery-request", body, wire)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Here they are, each under the name by which it is acknowledged; starts a thread where nobody asked."""

    id: str
    thid: str
    major: int
    messages: tuple[tuple[str, bytes], ...]
    recipient: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        kind = "application/didcomm-encrypted+json"
        attached = [Attachment.of_bytes(content, id=name, media_type=kind) for name, content in self.messages]
        body = _named(self.major, self.recipient)
        type_uri = f"{FAMILY}/{self.major}.0/delivery"
        if wire is Wire.V1:
            body["~attach"] = [each.to_wire() for each in attached]
            return PlainMessage(type_uri, self.id, self.thid, body=body, wire=wire)
        written = tuple(attachments_v2.write(each) for each in attached)
        return PlainMessage(type_uri, self.id, self.thid, body=body, attachments=written, wire=wire)


@dataclass(frozen=True, slots=True)
class MessagesReceived:
    """These are safe with me, forget them."""

    id: str
    thid: str
    major: int
    message_ids: tuple[str, ...]

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _message(self, "messages-received", {"message_id_list": list(self.message_ids)}, wire)


@dataclass(frozen=True, slots=True)
class LiveDeliveryChange:
    """Hand new ones over at once, or no longer."""

    id: str
    thid: str
    major: int
    live_delivery: bool

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _message(self, "live-delivery-change", {"live_delivery": self.live_delivery}, wire)


PickupMessage = StatusRequest | Status | DeliveryRequest | Delivery | MessagesReceived | LiveDeliveryChange


def decode(message: PlainMessage) -> PickupMessage:
    """Read a message of the protocol, of either version.

    Raises:
        PeerFault: ``message.type``, ``message.malformed``, ``attachment.*`` or ``routing.recipient``.
    """
    family, version = message.protocol.rsplit("/", 1)
    if family != FAMILY or int(version) not in _MAJORS:
        raise _no_such_message()
    head = (message.id, message.thid, int(version))
    fields = Fields(message.body)
    match message.name:
        case "status-request":
            return StatusRequest(*head, _recipient(fields, head[2]))
        case "delivery-request":
            limit = fields.optional_integer("limit")
            if not limit:
                raise fields.fault("limit", "is missing")
            return DeliveryRequest(*head, min(limit, MAX_MESSAGES), _recipient(fields, head[2]))
        case "messages-received":
            ids = fields.texts("message_id_list", max_items=MAX_MESSAGES, max_chars=128)
            if not ids or not all(is_id(each) for each in ids):
                raise fields.fault("message_id_list", "is not a list of identifiers")
            return MessagesReceived(*head, ids)
        case "live-delivery-change":
            if not fields.has("live_delivery"):
                raise fields.fault("live_delivery", "is missing")
            return LiveDeliveryChange(*head, fields.boolean("live_delivery", default=False))
        case "status":
            return _status(head, fields)
        case "delivery":
            return _delivery(head, message, fields)
    raise _no_such_message()


def _status(head: tuple[str, str, int], fields: Fields) -> Status:
    """The times are not read: they are text in 2.0, and nothing here depends on them."""
    count = fields.optional_integer("message_count")
    if count is None:
        raise fields.fault("message_count", "is missing")
    return Status(
        *head,
        count,
        _recipient(fields, head[2]),
        longest_waited_seconds=fields.optional_integer("longest_waited_seconds"),
        total_bytes=fields.optional_integer("total_bytes"),
        live_delivery=fields.boolean("live_delivery", default=False),
    )


def _delivery(head: tuple[str, str, int], message: PlainMessage, fields: Fields) -> Delivery:
    if message.wire is Wire.V2:
        attached = [attachments_v2.read(raw) for raw in message.attachments]
    else:
        attached = [Attachment.from_wire(raw) for raw in fields.mappings("~attach", max_items=MAX_MESSAGES)]
    return Delivery(*head, tuple(_delivered(each) for each in attached), _recipient(fields, head[2]))


def _delivered(attachment: Attachment) -> tuple[str, bytes]:
    """Agents in the field attach the envelope as bytes or as JSON."""
    if attachment.id is None or not is_id(attachment.id):
        raise PeerFault("attachment.malformed", "A delivered message has no id.", "Name each attachment.")
    if attachment.base64 is not None:
        return attachment.id, attachment.content()
    return attachment.id, strict_json.dumps(attachment.json())


def _recipient(fields: Fields, major: int) -> str | None:
    recipient = fields.optional_text("recipient_key" if major == 2 else "recipient_did", max_chars=MAX_NAME)
    if recipient is not None:
        name_of(recipient)
    return recipient


def _named(major: int, recipient: str | None) -> dict[str, Any]:
    return {} if recipient is None else {"recipient_key" if major == 2 else "recipient_did": recipient}


def _message(message: PickupMessage, name: str, body: dict[str, Any], wire: Wire) -> PlainMessage:
    return PlainMessage(f"{FAMILY}/{message.major}.0/{name}", message.id, message.thid, body=body, wire=wire)


def _text_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _no_such_message() -> PeerFault:
    return PeerFault("message.type", "Pickup has no such message.", "See Aries RFC 0685.")
