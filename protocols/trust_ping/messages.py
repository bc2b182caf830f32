"""Trust Ping 1.0 messages (Aries RFC 0048). ``~timing`` and localisation are ignored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.errors import PeerFault

__all__ = ["PROTOCOL", "Ping", "PingResponse", "TrustPingMessage", "decode"]

PROTOCOL = DIDCOMM_ORG + "trust_ping/1.0"
_KNOWN_AS = DIDCOMM_ORG + "trust_ping/1"


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
        return PlainMessage(f"{PROTOCOL}/ping", self.id, self.thid, self.pthid, body, wire=wire)


@dataclass(frozen=True, slots=True)
class PingResponse:
    """I am; ``thid`` is the ping's thread."""

    id: str
    thid: str
    comment: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body = {} if self.comment is None else {"comment": self.comment}
        return PlainMessage(f"{PROTOCOL}/ping_response", self.id, self.thid, body=body, wire=wire)


TrustPingMessage = Ping | PingResponse


def decode(message: PlainMessage) -> TrustPingMessage:
    """Read a message of the protocol, of any minor version.

    Raises:
        PeerFault: ``message.type`` or ``message.malformed``.
    """
    fields = Fields(message.body)
    if message.protocol == _KNOWN_AS and message.name == "ping":
        comment = fields.optional_text("comment")
        wanted = fields.boolean("response_requested", default=True)
        return Ping(message.id, message.thid, message.pthid, comment, wanted)
    if message.protocol == _KNOWN_AS and message.name == "ping_response":
        if message.thid == message.id:
            raise fields.fault("~thread.thid", "is missing")
        return PingResponse(message.id, message.thid, fields.optional_text("comment"))
    raise PeerFault("message.type", "Trust Ping 1.x has no such message.", "See Aries RFC 0048.")
