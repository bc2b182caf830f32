"""Trust Ping messages: 1.0 in DIDComm v1 (Aries RFC 0048), 2.0 in v2 (DIDComm 2.1 §Trust Ping Protocol 2.0).

``~timing`` and localisation are ignored; the comment of 1.0 is read and written in 2.0 too, which ignores it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.didcomm.versions import known_as, on_wire
from protocols.errors import PeerFault

__all__ = ["PROTOCOL", "Ping", "PingResponse", "TrustPingMessage", "decode"]

PROTOCOL = DIDCOMM_ORG + "trust_ping/1.0"
_RESPONSE = {Wire.V1: "ping_response", Wire.V2: "ping-response"}


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there? Answered unless ``response_requested`` is false."""

    id: str
    thid: str
    pthid: str | None = None
    comment: str | None = None
    response_requested: bool = True

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body: dict[str, Any] = {"response_requested": self.response_requested}
        if self.comment is not None:
            body["comment"] = self.comment
        return PlainMessage(f"{on_wire(PROTOCOL, wire)}/ping", self.id, self.thid, self.pthid, body, wire=wire)


@dataclass(frozen=True, slots=True)
class PingResponse:
    """I am; ``thid`` is the ping's thread."""

    id: str
    thid: str
    comment: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body = {} if self.comment is None else {"comment": self.comment}
        return PlainMessage(f"{on_wire(PROTOCOL, wire)}/{_RESPONSE[wire]}", self.id, self.thid, body=body, wire=wire)


TrustPingMessage = Ping | PingResponse


def decode(message: PlainMessage) -> TrustPingMessage:
    """Read a message of the protocol, of any minor version.

    Raises:
        PeerFault: ``message.type`` or ``message.malformed``.
    """
    fields = Fields(message.body)
    is_ours = message.protocol == known_as(PROTOCOL, message.wire)
    if is_ours and message.name == "ping":
        comment = fields.optional_text("comment")
        wanted = fields.boolean("response_requested", default=True)
        return Ping(message.id, message.thid, message.pthid, comment, wanted)
    if is_ours and message.name == _RESPONSE[message.wire]:
        if message.thid == message.id:
            raise fields.fault("thid", "is missing")
        return PingResponse(message.id, message.thid, fields.optional_text("comment"))
    raise PeerFault("message.type", "Trust Ping has no such message.", "See Aries RFC 0048 and DIDComm 2.1.")
