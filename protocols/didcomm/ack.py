"""Acknowledgements (Aries RFC 0015): ``notification/1.0/ack`` and the ones that protocols adopt as their own.

In DIDComm v2 (2.1 §ACKs) an ``ack`` header says which messages were received, here by the first of their thread; one of
no protocol is the empty message.

When an ack is due, and what it does to an exchange, is left to each machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.didcomm.versions import EMPTY, on_wire
from protocols.errors import PeerFault

__all__ = ["NOTIFICATION", "Ack", "AckStatus", "decode", "is_ack"]

NOTIFICATION = DIDCOMM_ORG + "notification/1.0"
_EMPTY = f"{EMPTY}/empty"


class AckStatus(StrEnum):
    """Whether the outcome is known (RFC 0015 §status); a failure is a problem report instead."""

    OK = "OK"
    PENDING = "PENDING"


@dataclass(frozen=True, slots=True)
class Ack:
    """The message that ``thid`` names was received or done.

    Attributes:
        protocol: URI with version of the protocol whose ack it is.
        message_id: the message, where it is not the first of the thread; only v2 says so.
    """

    id: str
    thid: str
    status: AckStatus = AckStatus.OK
    protocol: str = NOTIFICATION
    pthid: str | None = None
    message_id: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body = {"status": self.status.value}
        acknowledged = (self.message_id or self.thid,)
        if wire is Wire.V1:
            return PlainMessage(f"{self.protocol}/ack", self.id, self.thid, self.pthid, body, wire=wire)
        if self.protocol == NOTIFICATION:
            return PlainMessage(_EMPTY, self.id, self.thid, self.pthid, wire=wire, ack=acknowledged)
        type_uri = f"{on_wire(self.protocol, wire)}/ack"
        return PlainMessage(type_uri, self.id, self.thid, self.pthid, body, wire=wire, ack=acknowledged)


def is_ack(message: PlainMessage) -> bool:
    """Whether the message is an ack, of whatever protocol."""
    return message.name == "ack" or (message.type == _EMPTY and bool(message.ack))


def decode(message: PlainMessage) -> Ack:
    """Read an ack of any protocol.

    Raises:
        PeerFault: ``message.type`` where it is something else, ``message.malformed`` where its status is neither
            ``OK`` nor ``PENDING`` or it names no thread but its own.
    """
    if not is_ack(message):
        raise PeerFault("message.type", "The message is not an ack.", "See Aries RFC 0015.")
    fields = Fields(message.body)
    status = AckStatus.OK.value if message.wire is Wire.V2 and not fields.has("status") else fields.text("status")
    if status not in {member.value for member in AckStatus}:
        raise fields.fault("status", "is neither OK nor PENDING")
    # In v2 the header alone may say what is acknowledged; a thread is named by its first message. WACI-DIDComm names
    # the thread as the parent (Presentation §Step 5).
    named = (*message.ack, message.pthid) if message.wire is Wire.V2 else ()
    thid = next((each for each in named if each), message.id) if message.thid == message.id else message.thid
    if thid == message.id:
        raise fields.fault("thid", "is missing")
    return Ack(message.id, thid, AckStatus(status), message.type.rsplit("/", 1)[0], message.pthid)
