"""Pickup as a state machine (Aries RFC 0685; 3.0 on didcomm.org): one visit of a recipient to its mediator.

A visit lasts as long as a channel does: nothing of it outlives a WebSocket or, where each request is an HTTP request,
one round of asking. It promises that a message is acknowledged only when it was said to be done, so that what is lost
on the way, or with a crash, is delivered again. What stands in the queue, and how a channel is kept, is left to the
node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from protocols.didcomm.message import ProtocolMessage
from protocols.didcomm.problem_report import ProblemReport
from protocols.errors import PeerFault
from protocols.machine import NewId
from protocols.pickup.messages import (
    LIVE_MODE_NOT_SUPPORTED,
    Delivery,
    DeliveryRequest,
    LiveDeliveryChange,
    MessagesReceived,
    Status,
    StatusRequest,
)

__all__ = [
    "TRANSITIONS", "Event", "Queue", "Role", "State", "Visit", "Visiting", "acknowledge", "answer_delivery_request",
    "answer_live_change", "ask", "deliver_live", "go_live", "receive_delivery", "receive_status", "status_of",
]  # fmt: skip


class Role(StrEnum):
    """RFC 0685 §Roles."""

    RECIPIENT = "recipient"
    MEDIATOR = "mediator"


class State(StrEnum):
    """Where a visit is."""

    IDLE = "idle"
    ASKED = "asked"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    LIVE = "live"


class Event(StrEnum):
    """What moves it."""

    SEND_DELIVERY_REQUEST = "send delivery-request"
    RECEIVE_DELIVERY = "receive delivery"
    SEND_RECEIVED = "send messages-received"
    KEEP_NOTHING = "could carry out none of them now"
    RECEIVE_STATUS = "receive status"
    RECEIVE_REQUEST = "receive status-request / delivery-request / messages-received"
    RECEIVE_LIVE_ON = "receive live-delivery-change to true"
    RECEIVE_LIVE_OFF = "receive live-delivery-change to false"
    SEND_LIVE_DELIVERY = "send delivery of what has just arrived"


_RECIPIENT: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.SEND_DELIVERY_REQUEST): State.ASKED,
    (State.ASKED, Event.RECEIVE_DELIVERY): State.DELIVERED,
    (State.ASKED, Event.RECEIVE_STATUS): State.IDLE,
    (State.DELIVERED, Event.SEND_RECEIVED): State.ACKNOWLEDGED,
    (State.DELIVERED, Event.KEEP_NOTHING): State.IDLE,
    (State.ACKNOWLEDGED, Event.RECEIVE_STATUS): State.IDLE,
    # A mediator need not answer a receipt, and in live mode anything may come at any time.
    (State.ACKNOWLEDGED, Event.SEND_DELIVERY_REQUEST): State.ASKED,
    (State.IDLE, Event.RECEIVE_STATUS): State.IDLE,
    (State.IDLE, Event.RECEIVE_DELIVERY): State.DELIVERED,
    (State.ACKNOWLEDGED, Event.RECEIVE_DELIVERY): State.DELIVERED,
}
_MEDIATOR: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.RECEIVE_REQUEST): State.IDLE,
    (State.IDLE, Event.RECEIVE_LIVE_ON): State.LIVE,
    (State.LIVE, Event.RECEIVE_LIVE_ON): State.LIVE,
    (State.LIVE, Event.RECEIVE_REQUEST): State.LIVE,
    (State.LIVE, Event.RECEIVE_LIVE_OFF): State.IDLE,
    (State.IDLE, Event.RECEIVE_LIVE_OFF): State.IDLE,
    (State.LIVE, Event.SEND_LIVE_DELIVERY): State.LIVE,
}
TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {(Role.RECIPIENT, *key): state for key, state in _RECIPIENT.items()}
    | {(Role.MEDIATOR, *key): state for key, state in _MEDIATOR.items()}
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit, as this side sees it.

    Attributes:
        waiting: what the mediator said last that it still holds; the recipient's side only.
    """

    role: Role
    major: int
    state: State = State.IDLE
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Visiting:
    """What a step of a visit gives: the visit as it is now, and what is to be sent, over this channel and no other."""

    visit: Visit
    messages: tuple[ProtocolMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """What a mediator holds for a recipient; times in seconds since 1970."""

    count: int
    total_bytes: int
    oldest: int | None = None
    newest: int | None = None


# The recipient ----------------------------------------------------------------------------------------------------


def ask(visit: Visit, *, limit: int, new_id: NewId) -> Visiting:
    """Ask for what waits."""
    message_id = new_id()
    request = DeliveryRequest(message_id, message_id, visit.major, limit)
    return Visiting(_move(visit, Event.SEND_DELIVERY_REQUEST), (request,))


def go_live(visit: Visit, *, new_id: NewId) -> Visiting:
    """Ask for what comes, at once; only a channel that stays open can do that."""
    message_id = new_id()
    return Visiting(visit, (LiveDeliveryChange(message_id, message_id, visit.major, live_delivery=True),))


def receive_delivery(visit: Visit, message: Delivery) -> Visiting:
    """Messages came; they are to be carried out, and then acknowledged.

    Raises:
        PeerFault: ``pickup.unexpected_message``.
    """
    del message
    return Visiting(_move(visit, Event.RECEIVE_DELIVERY))


def acknowledge(visit: Visit, done: Iterable[str], *, new_id: NewId) -> Visiting:
    """Tell which messages are safe; those that are not stay where they are."""
    ids = tuple(done)
    if not ids:
        return Visiting(_move(visit, Event.KEEP_NOTHING))
    message_id = new_id()
    receipt = MessagesReceived(message_id, message_id, visit.major, ids)
    return Visiting(_move(visit, Event.SEND_RECEIVED), (receipt,))


def receive_status(visit: Visit, message: Status) -> Visiting:
    """The mediator said how much it still holds.

    Raises:
        PeerFault: ``pickup.unexpected_message``.
    """
    return Visiting(replace(_move(visit, Event.RECEIVE_STATUS), waiting=message.message_count))


# The mediator -----------------------------------------------------------------------------------------------------


def status_of(
    visit: Visit, request: StatusRequest | DeliveryRequest | MessagesReceived, queue: Queue, *, now: int, new_id: NewId
) -> Visiting:
    """Answer with how much there is: to who asks for it, for what is not there, and after a receipt."""
    recipient = None if isinstance(request, MessagesReceived) else request.recipient
    status = _status(visit, request.thid, request.major, queue, recipient, now, new_id)
    return Visiting(_move(visit, Event.RECEIVE_REQUEST), (status,))


def answer_delivery_request(
    visit: Visit,
    request: DeliveryRequest,
    messages: tuple[tuple[str, bytes], ...],
    queue: Queue,
    *,
    now: int,
    new_id: NewId,
) -> Visiting:
    """Answer with what there is, or with a status where there is nothing."""
    if not messages:
        return status_of(visit, request, queue, now=now, new_id=new_id)
    delivery = Delivery(new_id(), request.thid, request.major, messages, request.recipient)
    return Visiting(_move(visit, Event.RECEIVE_REQUEST), (delivery,))


def answer_live_change(
    visit: Visit, request: LiveDeliveryChange, queue: Queue, *, stays_open: bool, now: int, new_id: NewId
) -> Visiting:
    """Begin or end live mode, where the channel stays open."""
    if request.live_delivery and not stays_open:
        report = ProblemReport(
            new_id(), request.thid, LIVE_MODE_NOT_SUPPORTED, explain="Connection does not support Live Delivery"
        )
        return Visiting(visit, (report,))
    event = Event.RECEIVE_LIVE_ON if request.live_delivery else Event.RECEIVE_LIVE_OFF
    moved = _move(visit, event)
    return Visiting(moved, (_status(moved, request.thid, request.major, queue, None, now, new_id),))


def deliver_live(visit: Visit, messages: tuple[tuple[str, bytes], ...], *, new_id: NewId) -> Visiting:
    """Hand over what has just arrived; it stays in the queue until it is acknowledged."""
    message_id = new_id()
    delivery = Delivery(message_id, message_id, visit.major, messages)
    return Visiting(_move(visit, Event.SEND_LIVE_DELIVERY), (delivery,))


def _status(
    visit: Visit, thid: str, major: int, queue: Queue, recipient: str | None, now: int, new_id: NewId
) -> Status:
    return Status(
        new_id(),
        thid,
        major,
        queue.count,
        recipient,
        longest_waited_seconds=None if queue.oldest is None else max(0, now - queue.oldest),
        newest_received_time=queue.newest,
        oldest_received_time=queue.oldest,
        total_bytes=queue.total_bytes,
        live_delivery=visit.state is State.LIVE,
    )


def _move(visit: Visit, event: Event) -> Visit:
    state = TRANSITIONS.get((visit.role, visit.state, event))
    if state is None:
        raise PeerFault(
            "pickup.unexpected_message", "The message does not fit the state of its visit.", "See Aries RFC 0685."
        )
    return replace(visit, state=state)
