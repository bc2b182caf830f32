"""The machines of mediation: every transition of their tables, and nothing else."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from protocols import strict_json
from protocols.coordinate_mediation import machine as coordinate
from protocols.coordinate_mediation.messages import (
    Action,
    KeylistUpdate,
    KeylistUpdateResponse,
    MediateDeny,
    MediateGrant,
    MediateRequest,
    Result,
    Update,
    Updated,
)
from protocols.didcomm.problem_report import ProblemReport
from protocols.errors import PeerFault, WrongState
from protocols.keys import KeyPair
from protocols.machine import Ask, Decision, Send
from protocols.multiformats import b64url_encode
from protocols.pickup import machine as pickup
from protocols.pickup.messages import Delivery, DeliveryRequest, LiveDeliveryChange, MessagesReceived, Status
from protocols.routing import machine as routing
from protocols.routing.messages import Forward

KEY = KeyPair.from_seed(bytes(32)).verkey
OTHER = KeyPair.from_seed(bytes([1]) * 32).verkey
ROUTE: dict[str, Any] = {
    "endpoint": "https://m.example",
    "routing_keys": (KEY,),
    "routing_dids": ("did:web:m.example",),
}


def ids():  # type: ignore[no-untyped-def]
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


def relation(role: coordinate.Role, state: coordinate.State, major: int = 1) -> coordinate.Exchange:
    return coordinate.Exchange(thid="t", role=role, state=state, major=major)


RECIPIENT, MEDIATOR = coordinate.Role.RECIPIENT, coordinate.Role.MEDIATOR


@pytest.mark.parametrize("major", [1, 2, 3])
def test_mediation_is_asked_for_and_granted(major: int) -> None:
    asked = coordinate.request(major=major, new_id=ids())
    (send,) = asked.effects
    assert isinstance(send, Send)
    assert isinstance(send.message, MediateRequest)
    received = coordinate.receive_request(send.message)
    assert received.effects == (Ask(Decision.GRANT_MEDIATION),)
    granted = coordinate.grant(received.exchange, **ROUTE, new_id=ids())
    (answer,) = granted.effects
    assert isinstance(answer, Send)
    assert isinstance(answer.message, MediateGrant)
    mine = coordinate.receive_answer(asked.exchange, answer.message).exchange
    assert (mine.state, granted.exchange.state) == (coordinate.State.GRANTED, coordinate.State.GRANTED)
    assert (mine.endpoint is None, bool(mine.routing_dids)) == (major > 1, major > 1)
    assert coordinate.receive_answer(mine, answer.message).exchange == mine, "the same answer again changes nothing"


def test_what_was_answered_is_answered_again() -> None:
    granted = coordinate.grant(relation(MEDIATOR, coordinate.State.REQUEST_RECEIVED), **ROUTE, new_id=ids()).exchange
    assert isinstance(coordinate.answer_again(granted, new_id=ids()), MediateGrant)
    denied = coordinate.deny(granted, new_id=ids()).exchange
    assert isinstance(coordinate.answer_again(denied, new_id=ids()), MediateDeny)
    with pytest.raises(WrongState):
        coordinate.answer_again(relation(MEDIATOR, coordinate.State.REQUEST_RECEIVED), new_id=ids())


def test_a_denial_ends_the_exchange_with_a_reason() -> None:
    denied = coordinate.receive_answer(
        relation(RECIPIENT, coordinate.State.REQUEST_SENT), MediateDeny("1", "t", 1)
    ).exchange
    assert (denied.state, denied.problem) == (coordinate.State.DENIED, "coordinate_mediation.denied")


@pytest.mark.parametrize("state", [s for s in coordinate.State if s is not coordinate.State.GRANTED])
def test_only_a_client_may_name_recipients(state: coordinate.State) -> None:
    update = KeylistUpdate("1", "1", 1, (Update(KEY, Action.ADD),))
    with pytest.raises(PeerFault) as error:
        coordinate.answer_update(relation(MEDIATOR, state), update, [], new_id=ids())
    assert error.value.code == "coordinate_mediation.unexpected_message"


def test_an_answer_of_another_thread_is_refused() -> None:
    with pytest.raises(PeerFault) as error:
        coordinate.receive_answer(relation(RECIPIENT, coordinate.State.REQUEST_SENT), MediateDeny("1", "x", 1))
    assert error.value.code == "coordinate_mediation.wrong_thread"


def test_an_answer_of_1_0_may_be_in_no_thread_as_in_the_examples_of_the_rfc() -> None:
    asked = relation(RECIPIENT, coordinate.State.REQUEST_SENT)
    grant = MediateGrant("1", "1", 1, "https://mediator.example", (KEY,))
    assert coordinate.receive_answer(asked, grant).exchange.state is coordinate.State.GRANTED
    later = relation(RECIPIENT, coordinate.State.REQUEST_SENT, major=3)
    with pytest.raises(PeerFault) as error:
        coordinate.receive_answer(later, MediateGrant("1", "1", 3, routing_dids=("did:web:mediator.example",)))
    assert error.value.code == "coordinate_mediation.wrong_thread"


def test_a_grant_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(PeerFault) as error:
        coordinate.receive_answer(relation(MEDIATOR, coordinate.State.GRANTED), MediateDeny("1", "t", 1))
    assert error.value.code == "coordinate_mediation.unexpected_message"


def test_updates_are_answered_one_by_one() -> None:
    client = relation(MEDIATOR, coordinate.State.GRANTED)
    updated = [Updated(KEY, Action.ADD, Result.SUCCESS)]
    (send,) = coordinate.answer_update(client, KeylistUpdate("1", "9", 1, ()), updated, new_id=ids()).effects
    assert send == Send(KeylistUpdateResponse("id-1", "9", 1, tuple(updated)))


# Pickup -----------------------------------------------------------------------------------------------------------


def visit(state: pickup.State = pickup.State.IDLE, role: pickup.Role = pickup.Role.RECIPIENT) -> pickup.Visit:
    return pickup.Visit(role, 3, state)


def test_a_visit_ends_when_nothing_is_left() -> None:
    asked = pickup.ask(visit(), limit=10, new_id=ids())
    assert asked.messages == (DeliveryRequest("id-1", "id-1", 3, 10),)
    delivered = pickup.receive_delivery(asked.visit, Delivery("d", "id-1", 3, (("a", b"{}"), ("b", b"{}"))))
    told = pickup.acknowledge(delivered.visit, ["a"], new_id=ids())
    assert told.messages == (MessagesReceived("id-1", "id-1", 3, ("a",)),)
    ended = pickup.receive_status(told.visit, Status("s", "id-1", 3, 1)).visit
    assert (ended.state, ended.waiting) == (pickup.State.IDLE, 1)


def test_what_could_not_be_carried_out_is_not_acknowledged() -> None:
    kept = pickup.acknowledge(visit(pickup.State.DELIVERED), [], new_id=ids())
    assert (kept.visit.state, kept.messages) == (pickup.State.IDLE, ())


def test_live_mode_needs_a_channel_that_stays_open() -> None:
    change = LiveDeliveryChange("1", "1", 3, True)
    queue = pickup.Queue(0, 0)
    at_mediator = visit(role=pickup.Role.MEDIATOR)
    refused = pickup.answer_live_change(at_mediator, change, queue, stays_open=False, now=0, new_id=ids())
    (report,) = refused.messages
    assert isinstance(report, ProblemReport)
    assert (report.code, refused.visit.state) == ("e.m.live-mode-not-supported", pickup.State.IDLE)
    begun = pickup.answer_live_change(at_mediator, change, queue, stays_open=True, now=0, new_id=ids())
    (status,) = begun.messages
    assert isinstance(status, Status)
    assert (status.live_delivery, begun.visit.state) == (True, pickup.State.LIVE)


def test_where_nothing_is_held_a_status_is_the_answer() -> None:
    request = DeliveryRequest("1", "1", 3, 10, KEY)
    at_mediator = visit(role=pickup.Role.MEDIATOR)
    (status,) = pickup.answer_delivery_request(
        at_mediator, request, (), pickup.Queue(0, 0), now=0, new_id=ids()
    ).messages
    assert isinstance(status, Status)
    assert (status.message_count, status.recipient, status.thid) == (0, KEY, "1")


@pytest.mark.parametrize("role", list(pickup.Role))
def test_a_message_for_the_other_side_is_refused(role: pickup.Role) -> None:
    with pytest.raises(PeerFault) as error:
        if role is pickup.Role.RECIPIENT:
            pickup.status_of(visit(), DeliveryRequest("1", "1", 3, 1), pickup.Queue(0, 0), now=0, new_id=ids())
        else:
            pickup.receive_status(visit(role=role), Status("s", "s", 3, 0))
    assert error.value.code == "pickup.unexpected_message"


# Routing ----------------------------------------------------------------------------------------------------------


def envelope_for(*keys: str) -> bytes:
    protected = b64url_encode(strict_json.dumps({"recipients": [{"header": {"kid": key}} for key in keys]}))
    return strict_json.dumps({"protected": protected, "iv": "AA", "ciphertext": "AA", "tag": "AA"})


def owns(name: str) -> bool:
    return name == KEY


def test_an_envelope_is_held_for_whom_it_is_for() -> None:
    forward = Forward("1", OTHER, (envelope_for(OTHER),))
    assert routing.receive_forward(forward, is_own=owns, now=0) == routing.Hold(OTHER, forward.envelopes)


@pytest.mark.parametrize(
    ("forward", "code"),
    [
        (Forward("1", KEY, (envelope_for(OTHER),)), "routing.loop"),
        (Forward("1", OTHER, (envelope_for(KEY),)), "routing.loop"),
        (Forward("1", OTHER, (envelope_for(OTHER), envelope_for(OTHER, KEY))), "routing.loop"),
        (Forward("1", OTHER, (envelope_for(OTHER),), 99), "routing.expired"),
        (Forward("1", "nobody", (envelope_for(OTHER),)), "routing.recipient"),
    ],
)
def test_what_would_come_back_or_comes_too_late_is_refused(forward: Forward, code: str) -> None:
    with pytest.raises(PeerFault) as error:
        routing.receive_forward(forward, is_own=owns, now=100)
    assert error.value.code == code
