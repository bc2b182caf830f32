"""The states of Issue Credential 2.0: what each side does, and what it refuses without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from protocols.didcomm.ack import AckStatus
from protocols.errors import BadInput, PeerFault, WrongState
from protocols.issue_credential import machine
from protocols.issue_credential.ld_proof import LdProofVcDetail
from protocols.issue_credential.machine import TERMINAL, TRANSITIONS, Event, Exchange, Role, State
from protocols.issue_credential.messages import (
    PROTOCOL,
    Ack,
    IssueCredentialMessage,
    Message,
    OfferCredential,
    ProblemReport,
    ProposeCredential,
    RequestCredential,
)
from protocols.machine import Ask, Decision, Expires, Send, Step, StoreCredential, Verify
from protocols.negotiation import MAX_ROUNDS
from tests.didcomm.helpers import ids
from tests.issue_credential.manifests import APPLICATION, ASKING, OFFERED
from tests.issue_credential.samples import HOLDER, detail, signed

new_id = ids()


def sent(step: Step[Exchange]) -> Any:
    (message,) = [effect.message for effect in step.effects if isinstance(effect, Send)]
    return message


def received(exchange: Exchange | None, message: Message) -> Step[Exchange]:
    return machine.receive(exchange, message, new_id=new_id)


class Happy:
    """Both sides of an issuance, from offer to ack."""

    def __init__(self) -> None:
        self.offer_sent = machine.offer(detail(), new_id=new_id)
        self.offer_received = received(None, sent(self.offer_sent))
        self.request_sent = machine.request(self.offer_received.exchange, new_id=new_id, holder_did=HOLDER)
        self.request_received = received(self.offer_sent.exchange, sent(self.request_sent))
        requested = self.request_received.exchange.requested
        self.document = signed(requested[0])
        self.issued = machine.issue(self.request_received.exchange, self.document, new_id=new_id)
        self.credential_received = received(self.request_sent.exchange, sent(self.issued))
        self.stored = machine.credential_checked(self.credential_received.exchange, ok=True, new_id=new_id)
        self.done = received(self.issued.exchange, sent(self.stored))


def test_offer_request_issue_ack() -> None:
    h = Happy()
    assert h.offer_received.effects == (Ask(Decision.ACCEPT_OFFER),)
    assert h.request_received.effects == (Ask(Decision.ISSUE),)
    assert h.request_received.exchange.requested == (detail(subject_id=HOLDER),)
    assert h.issued.exchange.state is State.CREDENTIAL_ISSUED
    assert h.credential_received.effects == (Verify(h.document),)
    assert h.stored.effects[0] == StoreCredential(h.document)
    assert isinstance(sent(h.stored), Ack)
    assert (h.stored.exchange.state, h.done.exchange.state) == (State.DONE, State.DONE)
    assert h.stored.exchange.credentials == ()


def test_proposal_offer_counter_proposal_offer_request() -> None:
    proposed = machine.propose(detail(), new_id=new_id, comment="please")
    asked = received(None, sent(proposed))
    assert (asked.exchange.role, asked.effects) == (Role.ISSUER, (Ask(Decision.ANSWER_CREDENTIAL_PROPOSAL),))
    assert asked.exchange.comment == "please"
    offered = machine.offer(detail(), new_id=new_id, exchange=asked.exchange)
    considered = received(proposed.exchange, sent(offered))
    countered = machine.propose(detail(subject_id=HOLDER), new_id=new_id, exchange=considered.exchange)
    again = machine.offer(
        detail(subject_id=HOLDER), new_id=new_id, exchange=received(offered.exchange, sent(countered)).exchange
    )
    accepted = machine.request(received(countered.exchange, sent(again)).exchange, new_id=new_id)
    issuing = received(again.exchange, sent(accepted))
    assert issuing.exchange.state is State.REQUEST_RECEIVED
    assert issuing.exchange.thid == proposed.exchange.thid == sent(accepted).thid


def test_a_holder_may_begin_with_a_request() -> None:
    requested = machine.request_directly(detail(subject_id=HOLDER), new_id=new_id)
    assert received(None, sent(requested)).effects == (Ask(Decision.ISSUE),)


def test_a_parent_thread_goes_with_every_message() -> None:
    offered = machine.offer(detail(), new_id=new_id, pthid="invitation")
    accepted = machine.request(received(None, sent(offered)).exchange, new_id=new_id)
    assert sent(accepted).pthid == sent(offered).pthid == "invitation"


def test_an_offer_that_asks_for_records_is_taken_by_showing_some_only() -> None:
    asked = received(None, OfferCredential(id="o", thid="o", details=OFFERED, manifest=ASKING)).exchange
    assert asked.state is State.OFFER_RECEIVED
    for bare in (None, APPLICATION):
        with pytest.raises(WrongState) as refused:
            machine.request(asked, new_id=new_id, holder_did=HOLDER, application=bare)
        assert refused.value.code == "issue_credential.records_first"
    shown = {**APPLICATION, "presentation_submission": {"id": "s"}}
    taken = machine.request(asked, new_id=new_id, holder_did=HOLDER, application=shown)
    assert sent(taken).application == shown


@pytest.mark.parametrize("challenge", [None, ""])
def test_records_asked_for_without_a_challenge_end_the_exchange(challenge: str | None) -> None:
    unbound = msgspec.structs.replace(ASKING, challenge=challenge)
    over = received(None, OfferCredential(id="o", thid="o", details=OFFERED, manifest=unbound))
    assert (over.exchange.state, over.exchange.problem) == (State.ABANDONED, "issue_credential.no_challenge")
    assert isinstance(sent(over), ProblemReport)


def test_a_replacement_is_named_in_the_offer_and_the_credential() -> None:
    offered = machine.offer(detail(subject_id=HOLDER), new_id=new_id, replacement_id="diploma-7")
    considered = received(None, sent(offered)).exchange
    assert considered.replacement_id == "diploma-7"
    accepted = machine.request(considered, new_id=new_id)
    issuing = received(offered.exchange, sent(accepted)).exchange
    issued = machine.issue(issuing, signed(detail(subject_id=HOLDER)), new_id=new_id)
    assert sent(issued).replacement_id == "diploma-7"


def test_a_request_that_is_not_the_offer_ends_the_exchange_for_both() -> None:
    h = Happy()
    forged = RequestCredential(id="x", thid=h.offer_sent.exchange.thid, details=(detail(version=1),))
    refused = received(h.offer_sent.exchange, forged)
    assert (refused.exchange.state, refused.exchange.problem) == (
        State.ABANDONED,
        "issue_credential.request_differs",
    )
    told = received(h.request_sent.exchange, sent(refused))
    assert (told.exchange.state, told.exchange.problem) == (State.ABANDONED, "issuance-abandoned")


def test_a_credential_that_was_not_requested_is_neither_verified_nor_stored() -> None:
    h = Happy()
    other = h.document | {"credentialSubject": {"id": HOLDER, "achievement": {"name": "Astronaut"}}}
    refused = received(
        h.request_sent.exchange, IssueCredentialMessage(id="x", thid=h.request_sent.exchange.thid, credentials=(other,))
    )
    assert (refused.exchange.state, refused.exchange.problem) == (
        State.ABANDONED,
        "issue_credential.credential_differs",
    )
    assert [type(effect) for effect in refused.effects] == [Send]
    assert refused.exchange.credentials == ()


def test_the_issuer_cannot_send_what_the_holder_would_refuse() -> None:
    h = Happy()
    with pytest.raises(BadInput) as refused:
        machine.issue(h.request_received.exchange, h.document | {"name": "More"}, new_id=new_id)
    assert refused.value.code == "issue_credential.not_as_requested"


def test_a_credential_that_fails_verification_is_refused_with_the_check_that_failed() -> None:
    h = Happy()
    refused = machine.credential_checked(h.credential_received.exchange, ok=False, code="proof.invalid", new_id=new_id)
    assert refused.exchange.state is State.ABANDONED
    assert "proof.invalid" in sent(refused).explain
    assert not [effect for effect in refused.effects if isinstance(effect, StoreCredential)]
    assert received(h.issued.exchange, sent(refused)).exchange.state is State.ABANDONED


def test_a_result_of_verification_counts_once() -> None:
    h = Happy()
    for over in (h.stored.exchange, h.request_sent.exchange):
        for ok in (True, False):
            with pytest.raises(WrongState):
                machine.credential_checked(over, ok=ok, new_id=new_id)


def test_a_second_signature_is_not_sent() -> None:
    h = Happy()
    with pytest.raises(WrongState):
        machine.issue(h.issued.exchange, h.document, new_id=new_id)


def test_an_issued_credential_cannot_be_declined() -> None:
    with pytest.raises(WrongState):
        machine.decline(Happy().issued.exchange, reason="oops", new_id=new_id)


@pytest.mark.parametrize("step", ["offer_sent", "offer_received", "request_sent", "request_received"])
def test_either_side_may_decline_before_issuance(step: str) -> None:
    declined = machine.decline(getattr(Happy(), step).exchange, reason="Not now.", new_id=new_id)
    assert declined.exchange.state is State.ABANDONED
    assert (sent(declined).code, sent(declined).explain) == ("issuance-abandoned", "Not now.")


def test_who_speaks_for_an_abandoned_exchange_hears_that_it_is_over() -> None:
    h = Happy()
    withdrawn = machine.decline(h.offer_sent.exchange, reason="Withdrawn.", new_id=new_id)
    late = received(withdrawn.exchange, sent(h.request_sent))
    assert late.exchange == withdrawn.exchange
    assert received(h.request_sent.exchange, sent(late)).exchange.state is State.ABANDONED


def test_a_report_is_never_answered_and_a_warning_ends_nothing() -> None:
    h = Happy()
    report = ProblemReport(id="r", thid=h.offer_sent.exchange.thid, code="issuance-abandoned", protocol=PROTOCOL)
    over = received(h.offer_sent.exchange, report)
    again = ProblemReport(id="r2", thid=report.thid, code="other", protocol=PROTOCOL)
    assert received(over.exchange, again) == Step(over.exchange)
    assert received(h.done.exchange, again) == Step(h.done.exchange)
    warning = ProblemReport(id="r3", thid=report.thid, code="w.slow", protocol=PROTOCOL)
    assert received(h.offer_sent.exchange, warning) == Step(h.offer_sent.exchange)


def test_a_pending_ack_leaves_the_issuer_waiting() -> None:
    h = Happy()
    pending = Ack(id="a", thid=h.issued.exchange.thid, status=AckStatus.PENDING, protocol=PROTOCOL)
    assert received(h.issued.exchange, pending) == Step(h.issued.exchange)


def test_a_repeated_message_changes_and_does_nothing_in_any_later_state() -> None:
    h = Happy()
    for exchange in (h.offer_received.exchange, h.request_sent.exchange, h.stored.exchange):
        assert received(exchange, sent(h.offer_sent)) == Step(exchange)
    for exchange in (h.credential_received.exchange, h.stored.exchange):
        assert received(exchange, sent(h.issued)) == Step(exchange)
    for exchange in (h.request_received.exchange, h.issued.exchange, h.done.exchange):
        assert received(exchange, sent(h.request_sent)) == Step(exchange)


def test_negotiation_ends() -> None:
    issuer = machine.offer(detail(), new_id=new_id)
    holder = received(None, sent(issuer))
    for _ in range(MAX_ROUNDS):
        proposal = machine.propose(detail(), new_id=new_id, exchange=holder.exchange)
        answer = received(issuer.exchange, sent(proposal))
        issuer = machine.offer(detail(), new_id=new_id, exchange=answer.exchange)
        holder = received(proposal.exchange, sent(issuer))
        if holder.exchange.state is State.ABANDONED:
            break
    assert holder.exchange.problem == "issue_credential.too_many_rounds"
    assert received(issuer.exchange, sent(holder)).exchange.state is State.ABANDONED


MESSAGES: dict[Event, Callable[[str], Message]] = {
    Event.RECEIVE_PROPOSAL: lambda thid: ProposeCredential(id="x", thid=thid, details=(detail(subject_id=HOLDER),)),
    Event.RECEIVE_OFFER: lambda thid: OfferCredential(id="x", thid=thid, details=(detail(subject_id=HOLDER),)),
    Event.RECEIVE_REQUEST: lambda thid: RequestCredential(id="x", thid=thid, details=(detail(subject_id=HOLDER),)),
    Event.RECEIVE_CREDENTIAL: lambda thid: IssueCredentialMessage(
        id="x", thid=thid, credentials=(signed(detail(subject_id=HOLDER)),)
    ),
    Event.RECEIVE_ACK: lambda thid: Ack(id="x", thid=thid, protocol=PROTOCOL),
    Event.RECEIVE_PROBLEM_REPORT: lambda thid: ProblemReport(id="x", thid=thid, code="c", protocol=PROTOCOL),
}


def in_state(role: Role, state: State) -> Exchange:
    shown: LdProofVcDetail = detail(subject_id=HOLDER)
    documents = (signed(shown),) if state is State.CREDENTIAL_RECEIVED else ()
    return Exchange(thid="t", role=role, state=state, offer=(shown,), requested=(shown,), credentials=documents)


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
        assert refused.value.code == "issue_credential.unexpected_message"


DECISIONS: dict[Event, Callable[[Exchange], Step[Exchange]]] = {
    Event.SEND_PROPOSAL: lambda e: machine.propose(detail(), new_id=new_id, exchange=e),
    Event.SEND_OFFER: lambda e: machine.offer(detail(), new_id=new_id, exchange=e),
    Event.SEND_REQUEST: lambda e: machine.request(e, new_id=new_id),
    Event.SEND_CREDENTIAL: lambda e: machine.issue(e, signed(detail(subject_id=HOLDER)), new_id=new_id),
    Event.SEND_ACK: lambda e: machine.credential_checked(e, ok=True, new_id=new_id),
    Event.SEND_PROBLEM_REPORT: lambda e: machine.decline(e, reason="no", new_id=new_id),
}


@pytest.mark.parametrize("event", DECISIONS)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
def test_every_decision_in_every_state_moves_as_the_table_says_or_is_refused(
    role: Role, state: State, event: Event
) -> None:
    exchange = in_state(role, state)
    expected = TRANSITIONS.get((role, state, event))
    if expected is not None:
        assert DECISIONS[event](exchange).exchange.state is expected
    else:
        with pytest.raises(WrongState) as refused:
            DECISIONS[event](exchange)
        assert refused.value.code == "issue_credential.wrong_state"


@pytest.mark.parametrize("event", MESSAGES)
def test_a_message_of_another_thread_is_refused(event: Event) -> None:
    for role in Role:
        with pytest.raises(PeerFault) as refused:
            received(in_state(role, State.REQUEST_SENT), MESSAGES[event]("other"))
        assert refused.value.code == "issue_credential.wrong_thread"


STARTS_A_THREAD = (Event.RECEIVE_PROPOSAL, Event.RECEIVE_OFFER)


@pytest.mark.parametrize("event", STARTS_A_THREAD)
def test_a_thread_may_be_named_otherwise_than_by_the_message_that_starts_it(event: Event) -> None:
    assert received(None, MESSAGES[event]("named by the peer")).exchange.thid == "named by the peer"


@pytest.mark.parametrize("event", [event for event in MESSAGES if event not in STARTS_A_THREAD])
def test_an_answer_in_an_unknown_thread_starts_none(event: Event) -> None:
    with pytest.raises(PeerFault) as refused:
        received(None, MESSAGES[event]("unknown"))
    assert refused.value.code == "issue_credential.unknown_thread"


@pytest.mark.parametrize("event", [Event.RECEIVE_CREDENTIAL, Event.RECEIVE_ACK, Event.RECEIVE_PROBLEM_REPORT])
def test_a_thread_does_not_start_with_its_end(event: Event) -> None:
    with pytest.raises(PeerFault):
        received(None, MESSAGES[event]("x"))


def test_a_request_replayed_in_the_thread_of_another_offer_yields_no_credential() -> None:
    h = Happy()
    second = machine.offer(detail(version=1), new_id=new_id)
    request = sent(h.request_sent)
    moved = RequestCredential(id=request.id, thid=second.exchange.thid, details=request.details)
    assert received(second.exchange, moved).exchange.state is State.ABANDONED


def test_every_state_that_is_not_terminal_can_end() -> None:
    for role in Role:
        states = {s for r, s, _ in TRANSITIONS if r is role} | {t for (r, _, _), t in TRANSITIONS.items() if r is role}
        for state in states - TERMINAL - {State.START}:
            assert State.ABANDONED in {t for (r, s, _), t in TRANSITIONS.items() if (r, s) == (role, state)}
    assert not [key for key in TRANSITIONS if key[1] in TERMINAL]


def test_an_exchange_survives_storage() -> None:
    h = Happy()
    for step in (h.offer_sent, h.request_received, h.credential_received, h.stored):
        raw = msgspec.json.encode(step.exchange)
        assert msgspec.json.decode(raw, type=Exchange) == step.exchange


def test_who_declines_tells_the_other_side_why() -> None:
    offered = received(None, sent(machine.offer(detail(), new_id=new_id)))
    declined = machine.decline(offered.exchange, reason="I left the course", new_id=new_id)
    issuer = machine.offer(detail(), new_id=new_id)
    holder = received(None, sent(issuer))
    told = received(issuer.exchange, sent(machine.decline(holder.exchange, reason="not mine", new_id=new_id)))
    assert declined.exchange.explain == "I left the course"
    assert (told.exchange.state, told.exchange.explain) == (State.ABANDONED, "not mine")


def test_an_offer_that_says_until_when_it_holds_ends_at_that_time_on_both_sides() -> None:
    issuer = machine.offer(detail(), new_id=new_id, expires=2_000_000_000)
    holder = received(None, sent(issuer))
    assert Expires(2_000_000_000) in issuer.effects
    assert Expires(2_000_000_000) in holder.effects
    for step in (issuer, holder):
        over = machine.expire(step.exchange, new_id=new_id)
        assert (over.exchange.state, over.exchange.problem) == (State.ABANDONED, "issue_credential.expired")
        assert isinstance(sent(over), ProblemReport)


def test_an_answer_ends_the_waiting() -> None:
    issuer = machine.offer(detail(), new_id=new_id, expires=2_000_000_000)
    holder = received(None, sent(issuer))
    answered = machine.request(holder.exchange, new_id=new_id, holder_did=HOLDER)
    asked = received(issuer.exchange, sent(answered))
    assert answered.exchange.expires is asked.exchange.expires is None
    assert not [effect for effect in (*answered.effects, *asked.effects) if isinstance(effect, Expires)]


def test_what_is_outstanding_is_sent_again_as_it_was() -> None:
    happy = Happy()
    offered = machine.resend(happy.offer_sent.exchange)
    assert sent(offered) == sent(happy.offer_sent)
    assert offered.exchange == happy.offer_sent.exchange
    assert sent(machine.resend(happy.request_sent.exchange)) == sent(happy.request_sent)
    issued = machine.resend(happy.issued.exchange, issued=[happy.document])
    assert sent(issued) == sent(happy.issued)
    assert received(happy.request_received.exchange, sent(happy.request_sent)).effects == ()


def test_what_is_not_outstanding_is_not_sent_again() -> None:
    happy = Happy()
    with pytest.raises(WrongState):
        machine.resend(happy.offer_received.exchange)
    with pytest.raises(WrongState):
        machine.resend(happy.done.exchange)


class Several:
    """As :class:`Happy`, of two records, until the holder has them."""

    def __init__(self) -> None:
        self.offer_sent = machine.offer(detail(), detail(version=1), new_id=new_id)
        self.offer_received = received(None, sent(self.offer_sent))
        self.request_sent = machine.request(self.offer_received.exchange, new_id=new_id, holder_did=HOLDER)
        self.request_received = received(self.offer_sent.exchange, sent(self.request_sent))
        self.documents = [signed(each) for each in self.request_received.exchange.requested]
        self.issued = machine.issue(self.request_received.exchange, *self.documents, new_id=new_id)
        self.credential_received = received(self.request_sent.exchange, sent(self.issued))


def test_several_records_are_offered_requested_issued_and_kept_together() -> None:
    s = Several()
    assert s.offer_received.effects == (Ask(Decision.ACCEPT_OFFER),)
    assert [with_subject.credential["credentialSubject"]["id"] for with_subject in sent(s.request_sent).details] == (
        [HOLDER, HOLDER]
    )
    assert s.credential_received.effects == tuple(map(Verify, s.documents))
    stored = machine.credential_checked(s.credential_received.exchange, ok=True, new_id=new_id)
    assert stored.effects[:2] == (StoreCredential(s.documents[0], 0), StoreCredential(s.documents[1], 1))
    assert isinstance(sent(stored), Ack)
    assert received(s.issued.exchange, sent(stored)).exchange.state is State.DONE


def test_one_record_that_fails_declines_all_and_is_named() -> None:
    s = Several()
    exchange = s.credential_received.exchange
    refused = machine.credential_checked(exchange, ok=False, code="proof.invalid", position=1, new_id=new_id)
    assert refused.exchange.state is State.ABANDONED
    assert refused.exchange.credentials == ()
    assert [type(effect) for effect in refused.effects] == [Send]
    assert "attachment 2 of 2" in sent(refused).explain
    assert received(s.issued.exchange, sent(refused)).exchange.state is State.ABANDONED


NOT_ALL_AS_OFFERED: dict[str, Callable[[list[Any]], list[Any]]] = {
    "fewer": lambda them: them[:1],
    "more": lambda them: [*them, them[0]],
    "the same twice": lambda them: [them[0], them[0]],
    "another order": lambda them: them[::-1],
}


@pytest.mark.parametrize("altered", NOT_ALL_AS_OFFERED)
def test_a_request_for_other_records_than_all_that_are_offered_ends_the_exchange(altered: str) -> None:
    s = Several()
    details = tuple(NOT_ALL_AS_OFFERED[altered](list(sent(s.request_sent).details)))
    forged = RequestCredential(id="x", thid=s.offer_sent.exchange.thid, details=details)
    refused = received(s.offer_sent.exchange, forged)
    assert (refused.exchange.state, refused.exchange.problem) == (State.ABANDONED, "issue_credential.request_differs")


@pytest.mark.parametrize("altered", NOT_ALL_AS_OFFERED)
def test_other_records_than_all_that_were_requested_are_neither_verified_nor_stored(altered: str) -> None:
    s = Several()
    documents = tuple(NOT_ALL_AS_OFFERED[altered](s.documents))
    forged = IssueCredentialMessage(id="x", thid=s.offer_sent.exchange.thid, credentials=documents)
    refused = received(s.request_sent.exchange, forged)
    assert (refused.exchange.state, refused.exchange.problem) == (
        State.ABANDONED,
        "issue_credential.credential_differs",
    )
    assert [type(effect) for effect in refused.effects] == [Send]


def test_another_content_in_one_of_several_is_refused_and_named() -> None:
    s = Several()
    other = s.documents[1] | {"credentialSubject": {"id": HOLDER, "achievement": {"name": "Astronaut"}}}
    forged = IssueCredentialMessage(id="x", thid=s.offer_sent.exchange.thid, credentials=(s.documents[0], other))
    refused = received(s.request_sent.exchange, forged)
    assert "credentialSubject of attachment 2 of 2" in sent(refused).explain


@pytest.mark.parametrize("altered", NOT_ALL_AS_OFFERED)
def test_the_issuer_cannot_send_other_records_than_all_that_were_requested(altered: str) -> None:
    s = Several()
    with pytest.raises(BadInput) as refused:
        machine.issue(s.request_received.exchange, *NOT_ALL_AS_OFFERED[altered](s.documents), new_id=new_id)
    assert refused.value.code == "issue_credential.not_as_requested"


def test_who_wants_some_of_an_offer_proposes_those() -> None:
    s = Several()
    countered = machine.propose(s.offer_received.exchange.offer[0], new_id=new_id, exchange=s.offer_received.exchange)
    asked = received(s.offer_sent.exchange, sent(countered))
    assert asked.effects == (Ask(Decision.ANSWER_CREDENTIAL_PROPOSAL),)
    assert asked.exchange.proposal == s.offer_sent.exchange.offer[:1]


def test_several_records_are_sent_again_as_they_were() -> None:
    s = Several()
    for step, again in (
        (s.offer_sent, machine.resend(s.offer_sent.exchange)),
        (s.request_sent, machine.resend(s.request_sent.exchange)),
        (s.issued, machine.resend(s.issued.exchange, issued=s.documents)),
    ):
        assert sent(again) == sent(step)
    with pytest.raises(WrongState):
        machine.resend(s.issued.exchange, issued=s.documents[:1])


@pytest.mark.parametrize("count", [0, 17])
def test_no_record_and_more_than_a_message_has_room_for_cannot_be_offered_or_asked_for(count: int) -> None:
    for begin in (machine.offer, machine.propose, machine.request_directly):
        with pytest.raises(BadInput) as refused:
            begin(*[detail()] * count, new_id=new_id)
        assert refused.value.code == "issue_credential.too_many"
