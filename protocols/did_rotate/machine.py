"""Another DID for one party, or the end of a relationship, as state machines (Aries RFC 0794).

A party that rotates asks under its old DID, and goes by the new one once the other acknowledges; a problem report
leaves everything as it was. The end is told once, and for good. The RFC names the roles and no states. Keys, documents,
and what an end means for other protocols' messages, are left to the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from protocols.did_rotate.messages import PROTOCOL, Ack, Hangup, ProblemCode, ProblemReport, Rotate
from protocols.errors import PeerFault, WrongState
from protocols.machine import NewId, Send, Step

__all__ = [
    "TRANSITIONS", "Event", "Exchange", "Role", "RotationState", "State", "hang_up", "receive_ack", "receive_hangup",
    "receive_report", "receive_rotate", "refusal", "require_completed", "rotate",
]  # fmt: skip


class Role(StrEnum):
    """RFC 0794 §Roles."""

    ROTATING_PARTY = "rotating_party"
    OBSERVING_PARTY = "observing_party"


class State(StrEnum):
    """Whether the parties speak with each other; ``completed`` is where DID Exchange leaves them."""

    COMPLETED = "completed"
    ENDED = "ended"


class RotationState(StrEnum):
    """How far a rotation is."""

    START = "start"
    ROTATE_SENT = "rotate-sent"
    DONE = "done"
    ABANDONED = "abandoned"


class Event(StrEnum):
    """What moves either."""

    SEND_HANGUP = "send hangup"
    RECEIVE_HANGUP = "receive hangup"
    SEND_ROTATE = "send rotate"
    RECEIVE_ROTATE = "receive rotate"
    RECEIVE_ACK = "receive ack"
    RECEIVE_REPORT = "receive problem-report"


TRANSITIONS: Mapping[tuple[Role, StrEnum, Event], StrEnum] = MappingProxyType(
    {
        (Role.ROTATING_PARTY, State.COMPLETED, Event.SEND_HANGUP): State.ENDED,
        (Role.OBSERVING_PARTY, State.COMPLETED, Event.RECEIVE_HANGUP): State.ENDED,
        (Role.ROTATING_PARTY, RotationState.START, Event.SEND_ROTATE): RotationState.ROTATE_SENT,
        (Role.ROTATING_PARTY, RotationState.ROTATE_SENT, Event.RECEIVE_ACK): RotationState.DONE,
        (Role.ROTATING_PARTY, RotationState.ROTATE_SENT, Event.RECEIVE_REPORT): RotationState.ABANDONED,
        (Role.OBSERVING_PARTY, RotationState.START, Event.RECEIVE_ROTATE): RotationState.DONE,
    }
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One rotation; ``to_did`` is what the rotating party goes by after it."""

    thid: str
    to_did: str
    role: Role
    state: RotationState
    problem: str | None = None


def rotate(state: str, to_did: str, *, new_id: NewId) -> Step[Exchange]:
    """As the rotating party: ask the other to take the new DID for the old one.

    Raises:
        WrongState: ``did_rotate.wrong_state`` where the connection is not complete, or has ended.
    """
    require_completed(state)
    message_id = new_id()
    exchange = Exchange(thid=message_id, to_did=to_did, role=Role.ROTATING_PARTY, state=RotationState.START)
    return Step(_move(exchange, Event.SEND_ROTATE), (Send(Rotate(message_id, message_id, to_did)),))


def receive_rotate(message: Rotate, *, new_id: NewId) -> Step[Exchange]:
    """As the observing party, for a DID that the node can use: take it, and say so."""
    exchange = Exchange(thid=message.thid, to_did=message.to_did, role=Role.OBSERVING_PARTY, state=RotationState.START)
    return Step(_move(exchange, Event.RECEIVE_ROTATE), (Send(Ack(new_id(), message.thid, protocol=PROTOCOL)),))


def refusal(message: Rotate, code: ProblemCode, explain: str, *, new_id: NewId) -> ProblemReport:
    """As the observing party, for a DID that the node cannot use; nothing changes."""
    return ProblemReport(new_id(), message.thid, code.value, PROTOCOL, pthid=message.thid, explain=explain)


def receive_ack(exchange: Exchange) -> Step[Exchange]:
    """As the rotating party: the other has the new DID.

    Raises:
        PeerFault: ``did_rotate.unexpected_message``.
    """
    return Step(_move(exchange, Event.RECEIVE_ACK))


def receive_report(exchange: Exchange, report: ProblemReport) -> Step[Exchange]:
    """As the rotating party: the other cannot use the new DID, so the old one stays.

    Raises:
        PeerFault: ``did_rotate.unexpected_message``.
    """
    return Step(msgspec.structs.replace(_move(exchange, Event.RECEIVE_REPORT), problem=report.code))


def hang_up(state: str, *, new_id: NewId) -> Step[State]:
    """End a relationship that is in ``state``, and tell the peer.

    Raises:
        WrongState: ``did_rotate.wrong_state`` where it is not complete, or has ended.
    """
    require_completed(state)
    return Step(State.ENDED, (Send(Hangup(new_id())),))


def receive_hangup(_message: Hangup) -> Step[State]:
    """The peer has ended it; nothing is answered."""
    return Step(State.ENDED)


def require_completed(state: str) -> None:
    """Check that there is a relationship.

    Raises:
        WrongState: ``did_rotate.wrong_state`` where it is not complete, or has ended.
    """
    if state != State.COMPLETED:
        raise WrongState("did_rotate.wrong_state", f"The connection is {state}.", "Look at it with: lernode status")


def _move(exchange: Exchange, event: Event) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if not isinstance(state, RotationState):
        raise PeerFault(
            "did_rotate.unexpected_message", "The message does not fit the state of its thread.", "See Aries RFC 0794."
        )
    return msgspec.structs.replace(exchange, state=state)
