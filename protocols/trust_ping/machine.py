"""Trust Ping 1.0 as a state machine (Aries RFC 0048): one ping, at most one response.

The RFC names the roles and leaves the states unnamed. Measuring how long an answer took is left to the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from protocols.errors import PeerFault
from protocols.machine import NewId, Send, Step
from protocols.trust_ping.messages import Ping, PingResponse

__all__ = ["TRANSITIONS", "Event", "Exchange", "Role", "State", "ping", "receive_ping", "receive_response"]


class Role(StrEnum):
    """RFC 0048 §Roles."""

    SENDER = "sender"
    RECEIVER = "receiver"


class State(StrEnum):
    """Where a ping is."""

    START = "start"
    PING_SENT = "ping-sent"
    DONE = "done"


class Event(StrEnum):
    """What moves an exchange."""

    SEND_PING = "send ping"
    SEND_ONE_WAY_PING = "send ping that wants no response"
    RECEIVE_PING = "receive ping"
    RECEIVE_RESPONSE = "receive ping_response"


TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {
        (Role.SENDER, State.START, Event.SEND_PING): State.PING_SENT,
        (Role.SENDER, State.START, Event.SEND_ONE_WAY_PING): State.DONE,
        (Role.SENDER, State.PING_SENT, Event.RECEIVE_RESPONSE): State.DONE,
        (Role.RECEIVER, State.START, Event.RECEIVE_PING): State.DONE,
    }
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One ping."""

    thid: str
    pthid: str | None = None
    role: Role
    state: State


def ping(*, new_id: NewId, response_requested: bool = True, comment: str | None = None) -> Step[Exchange]:
    """As the sender: ask whether the peer is there."""
    message_id = new_id()
    message = Ping(message_id, message_id, comment=comment, response_requested=response_requested)
    exchange = Exchange(thid=message_id, role=Role.SENDER, state=State.START)
    event = Event.SEND_PING if response_requested else Event.SEND_ONE_WAY_PING
    return Step(_move(exchange, event), (Send(message),))


def receive_ping(message: Ping, *, new_id: NewId) -> Step[Exchange]:
    """As the receiver: answer where an answer is wanted; where it is not, RFC 0048 forbids one."""
    exchange = Exchange(thid=message.thid, pthid=message.pthid, role=Role.RECEIVER, state=State.START)
    effects = (Send(PingResponse(new_id(), message.thid)),) if message.response_requested else ()
    return Step(_move(exchange, Event.RECEIVE_PING), effects)


def receive_response(exchange: Exchange, message: PingResponse) -> Step[Exchange]:
    """As the sender: the peer is there.

    Raises:
        PeerFault: ``trust_ping.wrong_thread`` or ``trust_ping.unexpected_message``.
    """
    if message.thid != exchange.thid:
        raise PeerFault(
            "trust_ping.wrong_thread", "The response belongs to another ping.", "Use the ping's id as thid."
        )
    return Step(_move(exchange, Event.RECEIVE_RESPONSE))


def _move(exchange: Exchange, event: Event) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise PeerFault(
            "trust_ping.unexpected_message", "The message does not fit the state of its thread.", "See Aries RFC 0048."
        )
    return msgspec.structs.replace(exchange, state=state)
