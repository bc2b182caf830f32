"""The ``hangup`` of DID Rotate 1.0 (Aries RFC 0794 §Hangup). It has no answer; ``rotate`` is not spoken."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.errors import PeerFault

__all__ = ["PROTOCOL", "Hangup", "decode"]

PROTOCOL = DIDCOMM_ORG + "did-rotate/1.0"
_KNOWN_AS = DIDCOMM_ORG + "did-rotate/1"


@dataclass(frozen=True, slots=True)
class Hangup:
    """The sender is done with the relationship, and will answer no more."""

    id: str

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return PlainMessage(f"{PROTOCOL}/hangup", self.id, self.id, wire=wire)


def decode(message: PlainMessage) -> Hangup:
    """Read a message of the protocol, of any minor version.

    Raises:
        PeerFault: ``message.type``.
    """
    if message.protocol == _KNOWN_AS and message.name == "hangup":
        return Hangup(message.id)
    raise PeerFault("message.type", "This node speaks no such message of DID Rotate.", "It takes hangup only.")
