"""Reuse of a connection that both sides already have (Aries RFC 0434 §Reuse Messages), as a state machine.

The receiver of an invitation sends ``handshake-reuse`` over the old connection and stays in ``prepare-response`` until
``handshake-reuse-accepted`` comes; where it never comes, the node falls back to a handshake. The connection itself
does not change. Which connection belongs to the invitation's DID is left to the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from protocols.errors import PeerFault
from protocols.machine import NewId, Send, Step
from protocols.out_of_band.messages import HandshakeReuse, HandshakeReuseAccepted

__all__ = ["TRANSITIONS", "Event", "Exchange", "Role", "State", "receive_reuse", "receive_reuse_accepted", "reuse"]


class Role(StrEnum):
    """RFC 0434 §Roles."""

    SENDER = "sender"
    RECEIVER = "receiver"


class State(StrEnum):
    """RFC 0434 §States Reference."""

    INITIAL = "initial"
    AWAIT_RESPONSE = "await-response"
    PREPARE_RESPONSE = "prepare-response"
    DONE = "done"


class Event(StrEnum):
    """What moves an exchange."""

    SEND_REUSE = "send handshake-reuse"
    RECEIVE_REUSE = "receive handshake-reuse"
    RECEIVE_REUSE_ACCEPTED = "receive handshake-reuse-accepted"


TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {
        (Role.RECEIVER, State.INITIAL, Event.SEND_REUSE): State.PREPARE_RESPONSE,
        (Role.RECEIVER, State.PREPARE_RESPONSE, Event.RECEIVE_REUSE_ACCEPTED): State.DONE,
        (Role.SENDER, State.AWAIT_RESPONSE, Event.RECEIVE_REUSE): State.DONE,
    }
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One reuse of a connection; ``pthid`` is the invitation's id."""

    thid: str
    pthid: str
    role: Role
    state: State


def reuse(invitation_id: str, *, new_id: NewId) -> Step[Exchange]:
    """As the receiver: ask to use the connection at hand for this invitation."""
    message = HandshakeReuse(new_id(), invitation_id)
    exchange = Exchange(thid=message.thid, pthid=invitation_id, role=Role.RECEIVER, state=State.INITIAL)
    return Step(_move(exchange, Event.SEND_REUSE), (Send(message),))


def receive_reuse(message: HandshakeReuse, *, invitation_id: str, new_id: NewId) -> Step[Exchange]:
    """As the sender: accept, for the invitation that the node found by the message's ``pthid`` and still holds open.

    Raises:
        PeerFault: ``out_of_band.wrong_invitation``.
    """
    if message.pthid != invitation_id:
        raise PeerFault("out_of_band.wrong_invitation", "The reuse names another invitation.", "Use its id as pthid.")
    exchange = Exchange(thid=message.thid, pthid=message.pthid, role=Role.SENDER, state=State.AWAIT_RESPONSE)
    accepted = HandshakeReuseAccepted(new_id(), message.thid, message.pthid)
    return Step(_move(exchange, Event.RECEIVE_REUSE), (Send(accepted),))


def receive_reuse_accepted(exchange: Exchange, message: HandshakeReuseAccepted) -> Step[Exchange]:
    """As the receiver: the connection is reused.

    Raises:
        PeerFault: ``out_of_band.wrong_thread`` or ``out_of_band.unexpected_message``.
    """
    if (message.thid, message.pthid) != (exchange.thid, exchange.pthid):
        raise PeerFault("out_of_band.wrong_thread", "The message belongs to another thread.", "Echo thid and pthid.")
    return Step(_move(exchange, Event.RECEIVE_REUSE_ACCEPTED))


def _move(exchange: Exchange, event: Event) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise PeerFault(
            "out_of_band.unexpected_message", "The message does not fit the state of its thread.", "See Aries RFC 0434."
        )
    return msgspec.structs.replace(exchange, state=state)
