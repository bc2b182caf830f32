"""The end of a relationship as a state machine (Aries RFC 0794 §Hangup): either party ends it, once and for good.

The RFC names the roles and no states. What an end means for the messages of other protocols is left to the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from protocols.did_rotate.messages import Hangup
from protocols.errors import WrongState
from protocols.machine import NewId, Send, Step

__all__ = ["TRANSITIONS", "Event", "Role", "State", "hang_up", "receive_hangup"]


class Role(StrEnum):
    """RFC 0794 §Roles."""

    ROTATING_PARTY = "rotating_party"
    OBSERVING_PARTY = "observing_party"


class State(StrEnum):
    """Whether the parties speak with each other; ``completed`` is where DID Exchange leaves them."""

    COMPLETED = "completed"
    ENDED = "ended"


class Event(StrEnum):
    """What ends it."""

    SEND_HANGUP = "send hangup"
    RECEIVE_HANGUP = "receive hangup"


TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {
        (Role.ROTATING_PARTY, State.COMPLETED, Event.SEND_HANGUP): State.ENDED,
        (Role.OBSERVING_PARTY, State.COMPLETED, Event.RECEIVE_HANGUP): State.ENDED,
    }
)


def hang_up(state: str, *, new_id: NewId) -> Step[State]:
    """End a relationship that is in ``state``, and tell the peer.

    Raises:
        WrongState: ``did_rotate.wrong_state`` where it is not complete, or has ended.
    """
    if state != State.COMPLETED:
        raise WrongState("did_rotate.wrong_state", f"The connection is {state}.", "Look at it with: lernode status")
    return Step(TRANSITIONS[Role.ROTATING_PARTY, State.COMPLETED, Event.SEND_HANGUP], (Send(Hangup(new_id())),))


def receive_hangup(_message: Hangup) -> Step[State]:
    """The peer has ended it; nothing is answered."""
    return Step(TRANSITIONS[Role.OBSERVING_PARTY, State.COMPLETED, Event.RECEIVE_HANGUP])
