"""Revocation Notification as a state machine (Aries RFC 0183, RFC 0721): one message, acknowledged where that is asked.

The RFCs name the roles and no states. A holder believes nothing: it looks at the issuer's status list itself, outside
the transaction, and acknowledges an outcome once it has seen there that the record is revoked. A notice about a record
that did not come from this peer starts no exchange. An issuer waits for the ack until a time that it sets, or until the
connection ends; an ack that comes later still counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from protocols.didcomm.ack import Ack, AckStatus
from protocols.didcomm.message import AckOn
from protocols.didcomm.problem_report import ProblemReport
from protocols.errors import PeerFault
from protocols.machine import Expires, NewId, Send, Step, Verify
from protocols.revocation_notification.messages import Named, Revoke

__all__ = [
    "EXPIRED", "NOT_REVOKED", "TRANSITIONS", "Event", "Exchange", "Role", "State", "give_up", "notify", "receive_ack",
    "receive_revoke", "status_checked",
]  # fmt: skip

NOT_REVOKED = "revocation_notification.not_revoked"
EXPIRED = "revocation_notification.expired"


class Role(StrEnum):
    """RFC 0721 §Roles."""

    ISSUER = "issuer"
    HOLDER = "holder"


class State(StrEnum):
    """Where a notice is."""

    START = "start"
    REVOKE_SENT = "revoke-sent"
    REVOKE_RECEIVED = "revoke-received"
    DONE = "done"
    ABANDONED = "abandoned"


class Event(StrEnum):
    """What moves an exchange."""

    SEND_REVOKE = "send revoke"
    RECEIVE_ACK = "receive ack"
    GIVE_UP = "give up waiting for the ack"
    RECEIVE_REVOKE = "receive revoke"
    SEE_REVOKED = "see the record revoked in the status list"
    SEE_NOT_REVOKED = "fail to see that"


TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {
        (Role.ISSUER, State.START, Event.SEND_REVOKE): State.REVOKE_SENT,
        (Role.ISSUER, State.REVOKE_SENT, Event.RECEIVE_ACK): State.DONE,
        (Role.ISSUER, State.REVOKE_SENT, Event.GIVE_UP): State.ABANDONED,
        (Role.ISSUER, State.ABANDONED, Event.RECEIVE_ACK): State.DONE,
        (Role.HOLDER, State.START, Event.RECEIVE_REVOKE): State.REVOKE_RECEIVED,
        (Role.HOLDER, State.REVOKE_RECEIVED, Event.SEE_REVOKED): State.DONE,
        (Role.HOLDER, State.REVOKE_RECEIVED, Event.SEE_NOT_REVOKED): State.ABANDONED,
    }
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One notice.

    Attributes:
        record: as the message names it.
        outcome_wanted: whether the issuer wants to hear of the end.
        problem: why it ended badly.
    """

    thid: str
    pthid: str | None = None
    role: Role
    state: State
    record: Named
    outcome_wanted: bool = False
    problem: str | None = None


def notify(record: Named, *, new_id: NewId, until: int | None = None) -> Step[Exchange]:
    """As the issuer: tell the holder, and ask to hear when it knows.

    Args:
        until: the second since 1970 at which to :func:`give_up`; None: never.
    """
    message_id = new_id()
    start = Exchange(thid=message_id, role=Role.ISSUER, state=State.START, record=record, outcome_wanted=True)
    message = Revoke(message_id, message_id, record, please_ack=frozenset({AckOn.OUTCOME}))
    effects = (Send(message),) if until is None else (Send(message), Expires(until))
    return Step(_move(start, Event.SEND_REVOKE), effects)


def give_up(exchange: Exchange, *, problem: str = EXPIRED) -> Step[Exchange]:
    """As the issuer: the holder did not say in time that it knows, or can say so no more; it is owed no message.

    Raises:
        PeerFault: ``revocation_notification.unexpected_message`` where nothing is waited for.
    """
    return Step(msgspec.structs.replace(_move(exchange, Event.GIVE_UP), problem=problem))


def receive_ack(exchange: Exchange, message: Ack) -> Step[Exchange]:
    """As the issuer: the holder knows. A second ack, and one that promises an outcome, change nothing.

    Raises:
        PeerFault: ``revocation_notification.unexpected_message`` where nothing was sent to acknowledge.
    """
    if message.status is AckStatus.PENDING or (exchange.role is Role.ISSUER and exchange.state is State.DONE):
        return Step(exchange)
    return Step(msgspec.structs.replace(_move(exchange, Event.RECEIVE_ACK), problem=None))


def receive_revoke(message: Revoke, document: dict[str, Any]) -> Step[Exchange]:
    """As the holder: look at the status of ``document``, the record that the node found for the message."""
    start = Exchange(
        thid=message.thid,
        role=Role.HOLDER,
        state=State.START,
        record=message.record,
        outcome_wanted=AckOn.OUTCOME in message.please_ack,
    )
    return Step(_move(start, Event.RECEIVE_REVOKE), (Verify(document),))


def status_checked(exchange: Exchange, *, problem: str | None, new_id: NewId) -> Step[Exchange]:
    """As the holder: the record is revoked, or there is a ``problem``; an issuer that wants the outcome is told.

    Raises:
        PeerFault: ``revocation_notification.unexpected_message`` where nothing was to be checked.
    """
    if problem is None:
        effects = (Send(Ack(new_id(), exchange.thid)),) if exchange.outcome_wanted else ()
        return Step(_move(exchange, Event.SEE_REVOKED), effects)
    report = ProblemReport(new_id(), exchange.thid, problem, explain="The status list was not seen to say so.")
    moved = msgspec.structs.replace(_move(exchange, Event.SEE_NOT_REVOKED), problem=problem)
    return Step(moved, (Send(report),) if exchange.outcome_wanted else ())


def _move(exchange: Exchange, event: Event) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise PeerFault(
            "revocation_notification.unexpected_message",
            "The message does not fit the state of its thread.",
            "See Aries RFC 0721.",
        )
    return msgspec.structs.replace(exchange, state=state)
