"""A connection by an invitation of Out-of-Band 2.0, as a state machine (DIDComm 2.1 §Out Of Band Messages).

There is no handshake: the receiver answers with a message of any protocol whose parent thread is the invitation, and
with it the sender knows the receiver's DID. lernode answers with a trust ping, or with what the invitation's goal code
calls for (:mod:`protocols.out_of_band.goals`). The specification names the roles and no
states; those here are called as DID Exchange calls its own. Who may come in, is left to the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.problem_report import ProblemReport
from protocols.didcomm.versions import EMPTY, known_as
from protocols.errors import PeerFault, WrongState
from protocols.machine import Ask, Decision, NewId, Send, Step
from protocols.out_of_band.machine import Role
from protocols.trust_ping import messages as ping

__all__ = [
    "NOT_ACCEPTED", "TRANSITIONS", "Event", "Exchange", "State", "accept", "answer", "is_greeting", "receive_any",
    "receive_first", "receive_report", "reject",
]  # fmt: skip

NOT_ACCEPTED = "e.p.req.not-accepted"
"""The code of the report that says no."""


class State(StrEnum):
    """How far the two are."""

    START = "start"
    REQUEST_SENT = "request-sent"
    REQUEST_RECEIVED = "request-received"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


class Event(StrEnum):
    """What moves an exchange."""

    SEND_FIRST = "send the first message"
    RECEIVE_FIRST = "receive the first message"
    SEND_ANSWER = "send an answer"
    RECEIVE_ANY = "receive any message"
    SEND_REPORT = "send problem-report"
    RECEIVE_REPORT = "receive problem-report"


TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {
        (Role.RECEIVER, State.START, Event.SEND_FIRST): State.REQUEST_SENT,
        (Role.RECEIVER, State.REQUEST_SENT, Event.RECEIVE_ANY): State.COMPLETED,
        (Role.RECEIVER, State.REQUEST_SENT, Event.RECEIVE_REPORT): State.ABANDONED,
        (Role.SENDER, State.START, Event.RECEIVE_FIRST): State.REQUEST_RECEIVED,
        (Role.SENDER, State.REQUEST_RECEIVED, Event.SEND_ANSWER): State.COMPLETED,
        (Role.SENDER, State.REQUEST_RECEIVED, Event.SEND_REPORT): State.ABANDONED,
    }
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One connection in the making.

    Attributes:
        pthid: the invitation's id.
        asks_for_answer: whether the first message is a ping that wants a response.
        greets: whether it is a greeting only, so that nothing else answers it.
    """

    thid: str
    pthid: str
    role: Role
    state: State
    asks_for_answer: bool = False
    greets: bool = True
    problem: str | None = None


def is_greeting(message: PlainMessage) -> bool:
    """Whether a message says no more than that its sender is there: a ping, or the empty message."""
    return message.protocol in {known_as(ping.PROTOCOL, Wire.V2), known_as(EMPTY, Wire.V2)}


def answer(invitation_id: str, *, new_id: NewId, begun: str | None = None) -> Step[Exchange]:
    """As the receiver: answer an invitation.

    Args:
        begun: the thread of another protocol whose first message answers it; None for a ping.
    """
    message_id = begun or new_id()
    exchange = Exchange(thid=message_id, pthid=invitation_id, role=Role.RECEIVER, state=State.START)
    sent = _move(exchange, Event.SEND_FIRST)
    return Step(sent, () if begun else (Send(ping.Ping(message_id, message_id, pthid=invitation_id)),))


def receive_any(exchange: Exchange) -> Step[Exchange]:
    """As the receiver: whatever the inviter says shows that it took the first message."""
    return Step(_move(exchange, Event.RECEIVE_ANY))


def receive_report(exchange: Exchange, report: ProblemReport) -> Step[Exchange]:
    """As the receiver: the inviter says no."""
    return Step(msgspec.structs.replace(_move(exchange, Event.RECEIVE_REPORT), problem=report.code))


def receive_first(message: PlainMessage) -> Step[Exchange]:
    """As the sender: somebody answers an invitation.

    Raises:
        PeerFault: ``out_of_band.no_parent`` where the message does not name it.
    """
    if message.pthid is None:
        raise PeerFault("out_of_band.no_parent", "The message answers no invitation.", "Name its id as pthid.")
    greets = is_greeting(message)
    first = ping.decode(message) if greets and message.protocol == known_as(ping.PROTOCOL, Wire.V2) else None
    exchange = Exchange(
        thid=message.thid,
        pthid=message.pthid,
        role=Role.SENDER,
        state=State.START,
        asks_for_answer=isinstance(first, ping.Ping) and first.response_requested,
        greets=greets,
    )
    return Step(_move(exchange, Event.RECEIVE_FIRST), (Ask(Decision.ACCEPT_CONNECTION),))


def accept(exchange: Exchange, *, new_id: NewId) -> Step[Exchange]:
    """As the sender: let it in. A greeting is answered; any other first message is its own protocol's to answer.

    Raises:
        WrongState: ``out_of_band.wrong_state``.
    """
    done = _decided(exchange, Event.SEND_ANSWER)
    if exchange.asks_for_answer:
        return Step(done, (Send(ping.PingResponse(new_id(), exchange.thid)),))
    if exchange.greets:
        message_id = new_id()
        return Step(done, (Send(ping.Ping(message_id, message_id, response_requested=False)),))
    return Step(done)


def reject(exchange: Exchange, *, explain: str, new_id: NewId) -> Step[Exchange]:
    """As the sender: do not let it in.

    Raises:
        WrongState: ``out_of_band.wrong_state``.
    """
    done = msgspec.structs.replace(_decided(exchange, Event.SEND_REPORT), problem=NOT_ACCEPTED)
    return Step(done, (Send(ProblemReport(new_id(), exchange.thid, NOT_ACCEPTED, explain=explain)),))


def _decided(exchange: Exchange, event: Event) -> Exchange:
    if (exchange.role, exchange.state, event) not in TRANSITIONS:
        raise WrongState("out_of_band.wrong_state", f"The connection is {exchange.state}.", "See: lernode status")
    return _move(exchange, event)


def _move(exchange: Exchange, event: Event) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise PeerFault(
            "out_of_band.unexpected_message", "The message does not fit the state of its thread.", "See DIDComm 2.1."
        )
    return msgspec.structs.replace(exchange, state=state)
