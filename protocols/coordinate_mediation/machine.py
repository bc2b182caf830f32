"""Coordinate Mediation as a state machine (Aries RFC 0211; 2.0 and 3.0 on didcomm.org).

The RFC names the roles and messages; the states are those of one relation between a recipient and its mediator. An
answer that was lost is no harm: a request can be sent again. Whether to grant, what fits in a keylist, and to whom a
recipient belongs, is left to the node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from protocols.coordinate_mediation.messages import (
    Keylist,
    KeylistQuery,
    KeylistUpdate,
    KeylistUpdateResponse,
    MediateDeny,
    MediateGrant,
    MediateRequest,
    Pagination,
    Update,
    Updated,
)
from protocols.errors import PeerFault, WrongState
from protocols.machine import Ask, Decision, NewId, Send, Step

__all__ = [
    "TRANSITIONS", "Event", "Exchange", "Role", "State", "answer_again", "answer_query", "answer_update", "deny",
    "grant", "receive_answer", "receive_request", "receive_update", "receive_update_response", "request",
    "request_again", "update_keylist",
]  # fmt: skip


class Role(StrEnum):
    """RFC 0211 §Roles."""

    MEDIATOR = "mediator"
    RECIPIENT = "recipient"


class State(StrEnum):
    """Where a relation is."""

    START = "start"
    REQUEST_SENT = "request-sent"
    REQUEST_RECEIVED = "request-received"
    GRANTED = "granted"
    DENIED = "denied"


class Event(StrEnum):
    """What moves it; in 3.0 the list is called recipient."""

    SEND_REQUEST = "send mediate-request"
    RECEIVE_REQUEST = "receive mediate-request"
    SEND_GRANT = "send mediate-grant"
    RECEIVE_GRANT = "receive mediate-grant"
    SEND_DENY = "send mediate-deny"
    RECEIVE_DENY = "receive mediate-deny"
    SEND_UPDATE = "send keylist-update"
    RECEIVE_UPDATE = "receive keylist-update"
    RECEIVE_QUERY = "receive keylist-query"
    RECEIVE_UPDATED = "receive keylist-update-response"


_RECIPIENT: dict[tuple[State, Event], State] = {
    (State.START, Event.SEND_REQUEST): State.REQUEST_SENT,
    (State.REQUEST_SENT, Event.SEND_REQUEST): State.REQUEST_SENT,
    (State.REQUEST_SENT, Event.RECEIVE_GRANT): State.GRANTED,
    (State.REQUEST_SENT, Event.RECEIVE_DENY): State.DENIED,
    (State.GRANTED, Event.SEND_UPDATE): State.GRANTED,
    (State.GRANTED, Event.RECEIVE_UPDATED): State.GRANTED,
    # A mediator may end what it granted.
    (State.GRANTED, Event.RECEIVE_DENY): State.DENIED,
}
_MEDIATOR: dict[tuple[State, Event], State] = {
    (State.START, Event.RECEIVE_REQUEST): State.REQUEST_RECEIVED,
    (State.REQUEST_RECEIVED, Event.SEND_GRANT): State.GRANTED,
    (State.REQUEST_RECEIVED, Event.SEND_DENY): State.DENIED,
    (State.GRANTED, Event.RECEIVE_UPDATE): State.GRANTED,
    (State.GRANTED, Event.RECEIVE_QUERY): State.GRANTED,
    (State.GRANTED, Event.SEND_DENY): State.DENIED,
}
TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {(Role.RECIPIENT, *key): state for key, state in _RECIPIENT.items()}
    | {(Role.MEDIATOR, *key): state for key, state in _MEDIATOR.items()}
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One relation, as this side sees it.

    Attributes:
        thid: the request's thread.
        major: the version of the protocol that it is in.
        endpoint, routing_keys, routing_dids: the route that was granted, as in :class:`MediateGrant`.
    """

    thid: str
    role: Role
    state: State
    major: int
    endpoint: str | None = None
    routing_keys: tuple[str, ...] = ()
    routing_dids: tuple[str, ...] = ()
    problem: str | None = None


def request(*, major: int, new_id: NewId) -> Step[Exchange]:
    """As the recipient: ask for mediation."""
    message_id = new_id()
    exchange = Exchange(thid=message_id, role=Role.RECIPIENT, state=State.START, major=major)
    return Step(_decided(exchange, Event.SEND_REQUEST), (Send(MediateRequest(message_id, message_id, major)),))


def request_again(exchange: Exchange, *, new_id: NewId) -> Step[Exchange]:
    """As the recipient: ask again, where the answer may be lost.

    Raises:
        WrongState: ``coordinate_mediation.wrong_state`` where it was answered.
    """
    again = Send(MediateRequest(new_id(), exchange.thid, exchange.major))
    return Step(_decided(exchange, Event.SEND_REQUEST), (again,))


def receive_request(message: MediateRequest) -> Step[Exchange]:
    """As the mediator: a peer asks; whether it may, is decided elsewhere."""
    exchange = Exchange(thid=message.thid, role=Role.MEDIATOR, state=State.START, major=message.major)
    return Step(_received(exchange, Event.RECEIVE_REQUEST), (Ask(Decision.GRANT_MEDIATION),))


def grant(
    exchange: Exchange,
    *,
    endpoint: str,
    routing_keys: tuple[str, ...],
    routing_dids: tuple[str, ...],
    new_id: NewId,
) -> Step[Exchange]:
    """As the mediator: yes, and this is the route.

    Raises:
        WrongState: ``coordinate_mediation.wrong_state``.
    """
    moved = _decided(exchange, Event.SEND_GRANT)
    if exchange.major == 1:
        granted = msgspec.structs.replace(moved, endpoint=endpoint, routing_keys=routing_keys)
    else:
        granted = msgspec.structs.replace(moved, routing_dids=routing_dids)
    return Step(granted, (Send(answer_again(granted, new_id=new_id)),))


def answer_again(exchange: Exchange, *, new_id: NewId) -> MediateGrant | MediateDeny:
    """As the mediator: what was answered, to who asks again.

    Raises:
        WrongState: ``coordinate_mediation.wrong_state`` where nothing was answered.
    """
    if exchange.state is State.DENIED:
        return MediateDeny(new_id(), exchange.thid, exchange.major)
    if exchange.state is not State.GRANTED:
        raise _wrong_state(exchange)
    return MediateGrant(
        new_id(), exchange.thid, exchange.major, exchange.endpoint, exchange.routing_keys, exchange.routing_dids
    )


def deny(exchange: Exchange, *, new_id: NewId) -> Step[Exchange]:
    """As the mediator: no, or no longer.

    Raises:
        WrongState: ``coordinate_mediation.wrong_state``.
    """
    message = MediateDeny(new_id(), exchange.thid, exchange.major)
    return Step(_decided(exchange, Event.SEND_DENY), (Send(message),))


def receive_answer(exchange: Exchange, message: MediateGrant | MediateDeny) -> Step[Exchange]:
    """As the recipient: yes or no. The same answer again changes nothing.

    An answer of 1.0 may be in no thread, as in the examples of RFC 0211 and in what ACA-Py sends.

    Raises:
        PeerFault: ``coordinate_mediation.wrong_thread`` or ``coordinate_mediation.unexpected_message``.
    """
    is_alone = message.major == 1 and message.thid == message.id
    if message.major != exchange.major or (message.thid != exchange.thid and not is_alone):
        raise _wrong_thread()
    if isinstance(message, MediateDeny):
        if exchange.state is State.DENIED:
            return Step(exchange)
        denied = _received(exchange, Event.RECEIVE_DENY)
        return Step(msgspec.structs.replace(denied, problem="coordinate_mediation.denied"))
    if exchange.state is State.GRANTED:
        return Step(exchange)
    granted = _received(exchange, Event.RECEIVE_GRANT)
    return Step(
        msgspec.structs.replace(
            granted,
            endpoint=message.endpoint,
            routing_keys=message.routing_keys,
            routing_dids=message.routing_dids,
        )
    )


def update_keylist(exchange: Exchange, updates: Iterable[Update], *, new_id: NewId) -> Step[Exchange]:
    """As the recipient: tell which recipients come, and which go.

    Raises:
        WrongState: ``coordinate_mediation.wrong_state`` where nothing was granted.
    """
    message_id = new_id()
    message = KeylistUpdate(message_id, message_id, exchange.major, tuple(updates))
    return Step(_decided(exchange, Event.SEND_UPDATE), (Send(message),))


def receive_update(exchange: Exchange) -> Exchange:
    """As the mediator: a change may be looked at.

    Raises:
        PeerFault: ``coordinate_mediation.unexpected_message`` where nothing was granted.
    """
    return _received(exchange, Event.RECEIVE_UPDATE)


def answer_update(
    exchange: Exchange, message: KeylistUpdate, updated: Iterable[Updated], *, new_id: NewId
) -> Step[Exchange]:
    """As the mediator: tell what became of each change.

    Raises:
        PeerFault: ``coordinate_mediation.unexpected_message`` where nothing was granted.
    """
    moved = receive_update(exchange)
    return Step(moved, (Send(KeylistUpdateResponse(new_id(), message.thid, message.major, tuple(updated))),))


def answer_query(
    exchange: Exchange, message: KeylistQuery, recipients: Iterable[str], page: Pagination, *, new_id: NewId
) -> Step[Exchange]:
    """As the mediator: tell a part of the keylist.

    Raises:
        PeerFault: ``coordinate_mediation.unexpected_message`` where nothing was granted.
    """
    moved = _received(exchange, Event.RECEIVE_QUERY)
    return Step(moved, (Send(Keylist(new_id(), message.thid, message.major, tuple(recipients), page)),))


def receive_update_response(exchange: Exchange, _message: KeylistUpdateResponse) -> Step[Exchange]:
    """As the recipient: the mediator has answered a change.

    Raises:
        PeerFault: ``coordinate_mediation.unexpected_message``.
    """
    return Step(_received(exchange, Event.RECEIVE_UPDATED))


def _received(exchange: Exchange, event: Event) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise PeerFault(
            "coordinate_mediation.unexpected_message",
            "The message does not fit the state of the mediation.",
            "Ask for mediation first; see Aries RFC 0211.",
        )
    return msgspec.structs.replace(exchange, state=state)


def _decided(exchange: Exchange, event: Event) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise _wrong_state(exchange)
    return msgspec.structs.replace(exchange, state=state)


def _wrong_state(exchange: Exchange) -> WrongState:
    return WrongState(
        "coordinate_mediation.wrong_state", f"The mediation is {exchange.state}.", "Look at it: lernode mediation"
    )


def _wrong_thread() -> PeerFault:
    return PeerFault(
        "coordinate_mediation.wrong_thread", "The answer belongs to another request.", "Use the request's thread."
    )
