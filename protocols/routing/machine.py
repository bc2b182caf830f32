"""Routing as a state machine (Aries RFC 0094, DIDComm 2.1 §Routing Protocol 2.0): one message, and nothing is answered.

What a mediator does with a forward is to hold what is in it. It does not open it, so that there is nothing to follow
and no loop to be caught in; what is addressed back to the mediator itself is refused. Who is known as a recipient, and
what fits in the queue, is left to the node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from protocols import strict_json
from protocols.errors import LernodeError, PeerFault
from protocols.multiformats import b64url_decode
from protocols.routing.messages import Forward
from protocols.routing.names import name_of

__all__ = ["TRANSITIONS", "Event", "Hold", "Role", "State", "receive_forward"]


class Role(StrEnum):
    """RFC 0094, RFC 0046."""

    SENDER = "sender"
    MEDIATOR = "mediator"


class State(StrEnum):
    """Where a forward is."""

    START = "start"
    HELD = "held"
    SENT = "sent"


class Event(StrEnum):
    """What moves it."""

    SEND_FORWARD = "send forward"
    RECEIVE_FORWARD = "receive forward for a known recipient"


TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {
        (Role.SENDER, State.START, Event.SEND_FORWARD): State.SENT,
        (Role.MEDIATOR, State.START, Event.RECEIVE_FORWARD): State.HELD,
    }
)


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep these envelopes until their recipient comes for them.

    Attributes:
        recipient: by its one name.
    """

    recipient: str
    envelopes: tuple[bytes, ...]


def receive_forward(message: Forward, *, is_own: Callable[[str], bool], now: int) -> Hold:
    """As the mediator: what to hold, and for whom.

    Args:
        is_own: whether a key or DID, by its one name, is the mediator's own.
        now: seconds since 1970.

    Raises:
        PeerFault: ``routing.recipient``, ``routing.loop``, ``routing.expired``.
    """
    recipient = name_of(message.next)
    inner = (name for envelope in message.envelopes for name in _recipients(envelope))
    if is_own(recipient) or any(is_own(name) for name in inner):
        raise PeerFault("routing.loop", "The message would come back to the mediator.", "Send it without a forward.")
    if message.expires_time is not None and message.expires_time <= now:
        raise PeerFault("routing.expired", "The message has expired.", "Send it again, if it still matters.")
    return Hold(recipient, message.envelopes)


def _recipients(envelope: bytes) -> list[str]:
    """Whom an envelope names in the open as its readers (RFC 0019; DIDComm 2.1 §DIDComm Encrypted Messages)."""
    try:
        raw = strict_json.loads_object(envelope)
        listed = raw.get("recipients") or strict_json.loads_object(b64url_decode(raw["protected"])).get("recipients")
        kids = [each["header"]["kid"] for each in listed or ()]
        return [name_of(kid) for kid in kids if isinstance(kid, str)]
    except (LernodeError, KeyError, TypeError, AttributeError):
        return []  # nobody here can open what names its readers in no known way
