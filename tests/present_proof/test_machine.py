"""The states of Present Proof 2.0: what each side does, and what it refuses without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from protocols.didcomm.ack import AckStatus
from protocols.errors import BadInput, PeerFault, WrongState
from protocols.machine import Ask, Decision, Expires, Send, Step, Verify
from protocols.negotiation import MAX_ROUNDS
from protocols.present_proof import machine
from protocols.present_proof.machine import TERMINAL, TRANSITIONS, Event, Exchange, Role, State
from protocols.present_proof.messages import (
    PROTOCOL,
    Ack,
    Message,
    Presentation,
    ProblemReport,
    ProposePresentation,
    RequestPresentation,
)
from tests.didcomm.helpers import ids
from tests.present_proof.samples import CHALLENGE, DEFINITION, DOMAIN, presentation

new_id = ids()


def sent(step: Step[Exchange]) -> Any:
    (message,) = [effect.message for effect in step.effects if isinstance(effect, Send)]
    return message


def received(exchange: Exchange | None, message: Message) -> Step[Exchange]:
    return machine.receive(exchange, message, new_id=new_id)


def ask(exchange: Exchange | None = None, *, will_confirm: bool = True, challenge: str = CHALLENGE) -> Step[Exchange]:
    return machine.request(
        DEFINITION,
        challenge=challenge,
        domain=DOMAIN,
        will_confirm=will_confirm,
        exchange=exchange,
        new_id=new_id,
    )


class Happy:
    """Both sides of a proof, from request to verification."""

    def __init__(self, *, will_confirm: bool = True) -> None:
        self.request_sent = ask(will_confirm=will_confirm)
        self.request_received = received(None, sent(self.request_sent))
        self.presented = machine.present(self.request_received.exchange, presentation(), new_id=new_id)
        self.presentation_received = received(self.request_sent.exchange, sent(self.presented))
        self.accepted = machine.presentation_checked(self.presentation_received.exchange, verified=True, new_id=new_id)


def test_request_presentation_ack() -> None:
    h = Happy()
    assert h.request_received.effects == (Ask(Decision.SHARE_RECORDS),)
    assert (h.request_received.exchange.role, h.request_received.exchange.definition) == (Role.PROVER, DEFINITION)
    assert h.presented.exchange.state is State.PRESENTATION_SENT
    assert h.presentation_received.effects == (Verify(presentation(), CHALLENGE, DOMAIN),)
    assert isinstance(sent(h.accepted), Ack)
    assert (h.accepted.exchange.state, h.accepted.exchange.verified) == (State.DONE, True)
    done = received(h.presented.exchange, sent(h.accepted)).exchange
    assert (done.state, done.verified) == (State.DONE, True)


def test_without_confirmation_the_prover_is_done_when_it_has_presented_and_no_ack_is_sent() -> None:
    h = Happy(will_confirm=False)
    assert (h.presented.exchange.state, h.presented.exchange.verified) == (State.DONE, None)
    assert (h.accepted.exchange.state, h.accepted.effects) == (State.DONE, ())


def test_an_ack_is_sent_where_only_the_prover_asks_for_it() -> None:
    h = Happy(will_confirm=False)
    asking = Presentation(id="x", thid=h.request_sent.exchange.thid, document=presentation(), wants_ack=True)
    taken = received(h.request_sent.exchange, asking).exchange
    assert isinstance(sent(machine.presentation_checked(taken, verified=True, new_id=new_id)), Ack)


def test_proposal_request_counter_proposal_request() -> None:
    proposed = machine.propose(None, new_id=new_id, comment="hire me")
    asked = received(None, sent(proposed))
    assert (asked.exchange.role, asked.effects) == (Role.VERIFIER, (Ask(Decision.ANSWER_PRESENTATION_PROPOSAL),))
    requested = ask(asked.exchange)
    considered = received(proposed.exchange, sent(requested))
    countered = machine.propose(DEFINITION, new_id=new_id, exchange=considered.exchange)
    wish = received(requested.exchange, sent(countered)).exchange
    assert wish.proposed == DEFINITION
    again = ask(wish, challenge="second")
    final = received(countered.exchange, sent(again)).exchange
    assert (final.state, final.challenge, final.thid) == (State.REQUEST_RECEIVED, "second", proposed.exchange.thid)


@pytest.mark.parametrize("bound", [{"challenge": "other"}, {"challenge": None}, {"domain": "other"}, {"domain": None}])
def test_a_presentation_that_is_not_for_this_request_is_not_sent(bound: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        machine.present(Happy().request_received.exchange, presentation(**bound), new_id=new_id)
    assert refused.value.code == "present_proof.not_bound"


def test_a_verifier_that_names_no_challenge_gets_an_unbound_presentation() -> None:
    asked = received(None, RequestPresentation(id="x", thid="x", definition=DEFINITION)).exchange
    unbound = presentation(challenge=None, domain=None)
    assert sent(machine.present(asked, unbound, new_id=new_id)).document == unbound


@pytest.mark.parametrize("will_confirm", [True, False])
def test_a_presentation_that_is_not_verified_is_reported(will_confirm: bool) -> None:
    h = Happy(will_confirm=will_confirm)
    refused = machine.presentation_checked(
        h.presentation_received.exchange, verified=False, code="status.revoked", new_id=new_id
    )
    assert (refused.exchange.state, refused.exchange.verified) == (State.ABANDONED, False)
    assert refused.exchange.problem == "status.revoked"
    assert "status.revoked" in sent(refused).explain
    told = received(h.presented.exchange, sent(refused)).exchange
    if will_confirm:
        assert (told.state, told.verified, told.problem) == (State.ABANDONED, False, "abandoned")
    else:
        assert told == h.presented.exchange


def test_a_result_of_verification_counts_once() -> None:
    h = Happy()
    for exchange in (h.accepted.exchange, h.request_sent.exchange, h.presented.exchange):
        for verified in (True, False):
            with pytest.raises(WrongState):
                machine.presentation_checked(exchange, verified=verified, new_id=new_id)


def test_a_second_presentation_is_refused() -> None:
    h = Happy()
    second = Presentation(id="x", thid=h.request_sent.exchange.thid, document=presentation())
    for exchange in (h.presentation_received.exchange, h.accepted.exchange):
        with pytest.raises(PeerFault) as refused:
            received(exchange, second)
        assert refused.value.code == "present_proof.unexpected_message"


def test_a_presentation_replayed_in_another_thread_is_checked_against_that_threads_challenge() -> None:
    old = sent(Happy().presented)
    other = ask(challenge="fresh").exchange
    with pytest.raises(PeerFault):
        received(other, old)
    moved = Presentation(id=old.id, thid=other.thid, document=old.document)
    assert received(other, moved).effects == (Verify(old.document, "fresh", DOMAIN),)


@pytest.mark.parametrize("step", ["request_sent", "request_received", "presented", "presentation_received"])
def test_either_side_may_decline_before_the_end(step: str) -> None:
    declined = machine.decline(getattr(Happy(), step).exchange, reason="Not now.", new_id=new_id)
    assert declined.exchange.state is State.ABANDONED
    assert (sent(declined).code, sent(declined).explain) == ("abandoned", "Not now.")


def test_who_speaks_for_an_abandoned_exchange_hears_that_it_is_over() -> None:
    h = Happy()
    withdrawn = machine.decline(h.request_sent.exchange, reason="Withdrawn.", new_id=new_id)
    late = received(withdrawn.exchange, sent(h.presented))
    assert late.exchange == withdrawn.exchange
    assert received(h.presented.exchange, sent(late)).exchange.state is State.ABANDONED


def test_a_report_is_never_answered_and_a_warning_ends_nothing() -> None:
    h = Happy()
    thid = h.request_sent.exchange.thid
    over = received(h.request_sent.exchange, ProblemReport(id="r", thid=thid, code="abandoned", protocol=PROTOCOL))
    again = ProblemReport(id="r2", thid=thid, code="other", protocol=PROTOCOL)
    assert received(over.exchange, again) == Step(over.exchange)
    assert received(h.accepted.exchange, again) == Step(h.accepted.exchange)
    warning = ProblemReport(id="r3", thid=thid, code="w.slow", protocol=PROTOCOL)
    assert received(h.request_sent.exchange, warning) == Step(h.request_sent.exchange)


def test_a_pending_ack_leaves_the_prover_waiting() -> None:
    h = Happy()
    pending = Ack(id="a", thid=h.presented.exchange.thid, status=AckStatus.PENDING, protocol=PROTOCOL)
    assert received(h.presented.exchange, pending) == Step(h.presented.exchange)


def test_a_repeated_message_changes_and_does_nothing_in_any_later_state() -> None:
    h = Happy()
    for exchange in (h.request_received.exchange, h.presented.exchange):
        assert received(exchange, sent(h.request_sent)) == Step(exchange)
    for exchange in (h.presentation_received.exchange, h.accepted.exchange):
        assert received(exchange, sent(h.presented)) == Step(exchange)


def test_negotiation_ends() -> None:
    verifier = ask()
    prover = received(None, sent(verifier))
    for _ in range(MAX_ROUNDS):
        wish = machine.propose(DEFINITION, new_id=new_id, exchange=prover.exchange)
        verifier = ask(received(verifier.exchange, sent(wish)).exchange)
        prover = received(wish.exchange, sent(verifier))
        if prover.exchange.state is State.ABANDONED:
            break
    assert prover.exchange.problem == "present_proof.too_many_rounds"
    assert received(verifier.exchange, sent(prover)).exchange.state is State.ABANDONED


MESSAGES: dict[Event, Callable[[str], Message]] = {
    Event.RECEIVE_PROPOSAL: lambda thid: ProposePresentation(id="x", thid=thid, definition=DEFINITION),
    Event.RECEIVE_REQUEST: lambda thid: RequestPresentation(id="x", thid=thid, definition=DEFINITION),
    Event.RECEIVE_PRESENTATION: lambda thid: Presentation(id="x", thid=thid, document=presentation()),
    Event.RECEIVE_ACK: lambda thid: Ack(id="x", thid=thid, protocol=PROTOCOL),
    Event.RECEIVE_PROBLEM_REPORT: lambda thid: ProblemReport(id="x", thid=thid, code="c", protocol=PROTOCOL),
}


def in_state(role: Role, state: State, *, will_confirm: bool = True) -> Exchange:
    return Exchange(
        thid="t",
        role=role,
        state=state,
        definition=DEFINITION,
        challenge=CHALLENGE,
        domain=DOMAIN,
        will_confirm=will_confirm,
    )


@pytest.mark.parametrize("event", MESSAGES)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
def test_every_message_in_every_state_moves_as_the_table_says_or_is_refused(
    role: Role, state: State, event: Event
) -> None:
    exchange = in_state(role, state)
    expected = TRANSITIONS.get((role, state, event))
    message = MESSAGES[event]("t")
    if expected is not None:
        assert received(exchange, message).exchange.state is expected
    elif state is State.ABANDONED or (state is State.DONE and isinstance(message, Ack | ProblemReport)):
        assert received(exchange, message).exchange == exchange
    else:
        with pytest.raises(PeerFault) as refused:
            received(exchange, message)
        assert refused.value.code == "present_proof.unexpected_message"


DECISIONS: dict[Event, Callable[[Exchange], Step[Exchange]]] = {
    Event.SEND_PROPOSAL: lambda e: machine.propose(DEFINITION, new_id=new_id, exchange=e),
    Event.SEND_REQUEST: ask,
    Event.SEND_PRESENTATION: lambda e: machine.present(e, presentation(), new_id=new_id),
    Event.SEND_LAST_PRESENTATION: lambda e: machine.present(e, presentation(), new_id=new_id),
    Event.ACCEPT_PRESENTATION: lambda e: machine.presentation_checked(e, verified=True, new_id=new_id),
    Event.SEND_PROBLEM_REPORT: lambda e: machine.decline(e, reason="no", new_id=new_id),
}


@pytest.mark.parametrize("event", DECISIONS)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
def test_every_decision_in_every_state_moves_as_the_table_says_or_is_refused(
    role: Role, state: State, event: Event
) -> None:
    exchange = in_state(role, state, will_confirm=event is not Event.SEND_LAST_PRESENTATION)
    expected = TRANSITIONS.get((role, state, event))
    if expected is not None:
        assert DECISIONS[event](exchange).exchange.state is expected
    else:
        with pytest.raises(WrongState) as refused:
            DECISIONS[event](exchange)
        assert refused.value.code == "present_proof.wrong_state"


@pytest.mark.parametrize("event", MESSAGES)
def test_a_message_of_another_thread_is_refused(event: Event) -> None:
    for role in Role:
        with pytest.raises(PeerFault) as refused:
            received(in_state(role, State.REQUEST_SENT), MESSAGES[event]("other"))
        assert refused.value.code == "present_proof.wrong_thread"


STARTS_A_THREAD = (Event.RECEIVE_PROPOSAL, Event.RECEIVE_REQUEST)


@pytest.mark.parametrize("event", STARTS_A_THREAD)
def test_a_thread_may_be_named_otherwise_than_by_the_message_that_starts_it(event: Event) -> None:
    assert received(None, MESSAGES[event]("named by the peer")).exchange.thid == "named by the peer"


@pytest.mark.parametrize("event", [event for event in MESSAGES if event not in STARTS_A_THREAD])
def test_an_answer_in_an_unknown_thread_starts_none(event: Event) -> None:
    with pytest.raises(PeerFault) as refused:
        received(None, MESSAGES[event]("unknown"))
    assert refused.value.code == "present_proof.unknown_thread"


@pytest.mark.parametrize("event", [Event.RECEIVE_PRESENTATION, Event.RECEIVE_ACK, Event.RECEIVE_PROBLEM_REPORT])
def test_a_thread_does_not_start_with_its_end(event: Event) -> None:
    with pytest.raises(PeerFault):
        received(None, MESSAGES[event]("x"))


def test_every_state_that_is_not_terminal_can_end() -> None:
    for role in Role:
        states = {s for r, s, _ in TRANSITIONS if r is role} | {t for (r, _, _), t in TRANSITIONS.items() if r is role}
        for state in states - TERMINAL - {State.START}:
            assert State.ABANDONED in {t for (r, s, _), t in TRANSITIONS.items() if (r, s) == (role, state)}
    assert not [key for key in TRANSITIONS if key[1] in TERMINAL]


def test_an_exchange_survives_storage() -> None:
    h = Happy()
    for step in (h.request_sent, h.request_received, h.presentation_received, h.accepted):
        assert msgspec.json.decode(msgspec.json.encode(step.exchange), type=Exchange) == step.exchange


def test_a_request_that_says_until_when_it_can_be_answered_ends_at_that_time_on_both_sides() -> None:
    verifier = machine.request(DEFINITION, challenge=CHALLENGE, new_id=new_id, expires=2_000_000_000)
    prover = received(None, sent(verifier))
    for step in (verifier, prover):
        assert Expires(2_000_000_000) in step.effects
        over = machine.expire(step.exchange, new_id=new_id)
        assert (over.exchange.state, over.exchange.problem) == (State.ABANDONED, "present_proof.expired")


def test_what_is_outstanding_is_sent_again_as_it_was() -> None:
    happy = Happy()
    assert sent(machine.resend(happy.request_sent.exchange)) == sent(happy.request_sent)
    assert sent(machine.resend(happy.presented.exchange)) == sent(happy.presented)
    with pytest.raises(WrongState):
        machine.resend(happy.request_received.exchange)


def test_a_prover_forgets_what_it_sent_once_that_is_confirmed() -> None:
    happy = Happy()
    assert happy.presented.exchange.presentation is not None
    confirmed = received(happy.presented.exchange, Ack(new_id(), happy.presented.exchange.thid, protocol=PROTOCOL))
    assert confirmed.exchange.state is State.DONE
    assert confirmed.exchange.presentation is None
