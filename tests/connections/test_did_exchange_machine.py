"""DID Exchange as a machine: the happy path, every refusal, and random walks in any order with loss and repetition."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.did import peer2, peer4
from protocols.did.document import Service
from protocols.did_exchange import machine
from protocols.did_exchange.machine import TERMINAL, TRANSITIONS, Exchange, Role, State
from protocols.did_exchange.messages import Complete, Problem, ProblemCode, Request, Response
from protocols.did_exchange.provenance import check_control, sign_rotation
from protocols.didcomm.attachments import Attachment
from protocols.errors import BadInput, LernodeError, PeerFault, WrongState
from protocols.machine import Ask, Decision, Send, Step
from protocols.multiformats import multibase_encode
from protocols.out_of_band.messages import Invitation
from tests.didcomm.helpers import ids, key

INVITER, COLLEGE, LEARNER = key("invitation key"), key("college"), key("learner")
COLLEGE_DID = peer4.create(COLLEGE.public, endpoint="https://college.example")
LEARNER_DID = peer2.create(LEARNER.public, endpoint="https://learner.example")
SERVICE = Service("#inline", "did-communication", "https://college.example", (INVITER.verkey,), (), (), 0)
INVITATION = Invitation(
    "invitation-1", (SERVICE,), "College", handshake_protocols=("https://didcomm.org/didexchange/1.1",)
)


def message_of(step: Step[Exchange]) -> Any:
    (effect,) = step.effects
    assert isinstance(effect, Send)
    return effect.message


def requested() -> tuple[Exchange, Request]:
    step = machine.accept_invitation(INVITATION, my_did=LEARNER_DID, label="Learner", new_id=ids("l"))
    return step.exchange, message_of(step)


def received() -> Exchange:
    step = machine.receive_request(requested()[1], invitation_id=INVITATION.id, sender=LEARNER.verkey)
    assert step.effects == (Ask(Decision.ACCEPT_CONNECTION),)
    return step.exchange


def responded() -> tuple[Exchange, Response]:
    step = machine.respond(received(), my_did=COLLEGE_DID, invitation_signer=INVITER, new_id=ids("c"))
    return step.exchange, message_of(step)


def take(exchange: Exchange, response: Response, *, sender: str | None = COLLEGE.verkey) -> Step[Exchange]:
    return machine.receive_response(
        exchange, response, invitation_keys=INVITATION.inline_recipient_keys, sender=sender, new_id=ids("x")
    )


def test_two_nodes_connect() -> None:
    requester, request = requested()
    assert (requester.state, request.thid, request.pthid) == (State.REQUEST_SENT, request.id, INVITATION.id)
    check_control(peer2.resolve(request.did), LEARNER.verkey)
    responder, response = responded()
    assert (responder.state, responder.their_did, responder.their_label) == (
        State.RESPONSE_SENT,
        LEARNER_DID,
        "Learner",
    )
    step = take(requester, response)
    complete = message_of(step)
    assert (step.exchange.state, step.exchange.their_did) == (State.COMPLETED, COLLEGE_DID)
    assert (complete.thid, complete.pthid) == (request.id, INVITATION.id)
    assert machine.receive_complete(responder, complete).exchange.state is State.COMPLETED


def test_an_exchange_is_kept_as_json() -> None:
    for exchange in (requested()[0], received(), responded()[0]):
        assert msgspec.json.decode(msgspec.json.encode(exchange), type=Exchange) == exchange


@pytest.mark.parametrize(
    ("offered", "minor"),
    [
        (("https://didcomm.org/didexchange/1.0",), 0),
        (("https://didcomm.org/connections/1.0", "https://didcomm.org/didexchange/1.3"), 1),
        (("rubbish", "did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/didexchange/1.0"), 0),
    ],
)
def test_the_lower_minor_version_is_spoken(offered: tuple[str, ...], minor: int) -> None:
    invitation = replace(INVITATION, handshake_protocols=offered)
    step = machine.accept_invitation(invitation, my_did=LEARNER_DID, label="", new_id=ids())
    request = message_of(step)
    assert request.minor == minor
    there = machine.receive_request(request, invitation_id=INVITATION.id, sender=LEARNER.verkey).exchange
    response = message_of(machine.respond(there, my_did=COLLEGE_DID, invitation_signer=INVITER, new_id=ids("c")))
    assert response.minor == minor
    assert message_of(take(step.exchange, response)).minor == minor


@pytest.mark.parametrize(
    "offered", [(), ("https://didcomm.org/connections/1.0",), ("https://didcomm.org/didexchange/2.0",)]
)
def test_an_invitation_to_another_handshake_is_refused(offered: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as caught:
        machine.accept_invitation(
            replace(INVITATION, handshake_protocols=offered), my_did=LEARNER_DID, label="", new_id=ids()
        )
    assert caught.value.code == "did_exchange.no_handshake"


def test_a_request_for_another_invitation_or_in_an_anonymous_envelope_is_refused() -> None:
    for invitation_id, sender, code in (
        ("other", LEARNER.verkey, "did_exchange.wrong_invitation"),
        (INVITATION.id, None, "did_exchange.anonymous"),
    ):
        with pytest.raises(PeerFault) as caught:
            machine.receive_request(requested()[1], invitation_id=invitation_id, sender=sender)
        assert caught.value.code == code


FORGED = sign_rotation(COLLEGE_DID, key("mallory"), attachment_id="a")
OTHER_DID = sign_rotation(LEARNER_DID, INVITER, attachment_id="a")


@pytest.mark.parametrize(
    ("changes", "sender", "code"),
    [
        ({"did_rotate": None}, COLLEGE.verkey, "did_exchange.unsigned_rotation"),
        ({"did_rotate": None}, None, "did_exchange.unsigned_rotation"),
        ({"did_rotate": FORGED}, COLLEGE.verkey, "attachment.signature"),
        ({"did_rotate": FORGED}, INVITER.verkey, "attachment.signature"),
        ({"did_rotate": replace(FORGED, jws=None)}, INVITER.verkey, "attachment.unsigned"),
        ({"did_rotate": OTHER_DID}, COLLEGE.verkey, "did_exchange.rotation"),
        ({"did": LEARNER_DID}, COLLEGE.verkey, "did_exchange.rotation"),
        ({"did_doc": Attachment.of_json({"id": COLLEGE_DID}, id="d")}, COLLEGE.verkey, "attachment.unsigned"),
        ({"thid": "other"}, COLLEGE.verkey, "did_exchange.wrong_thread"),
        ({"pthid": "other"}, COLLEGE.verkey, "did_exchange.wrong_thread"),
    ],
)
def test_a_response_from_somebody_else_is_refused(changes: dict[str, Any], sender: str | None, code: str) -> None:
    requester, response = requested()[0], responded()[1]
    with pytest.raises(PeerFault) as caught:
        take(requester, replace(response, **changes), sender=sender)
    assert caught.value.code == code
    rejected = machine.reject_response(requester, explain="No.", new_id=ids())
    assert rejected.exchange.state is State.REQUEST_SENT
    assert message_of(rejected).code == ProblemCode.RESPONSE_NOT_ACCEPTED
    assert take(rejected.exchange, response).exchange.state is State.COMPLETED


def test_a_response_packed_by_the_invitations_key_needs_no_signature() -> None:
    unsigned = replace(responded()[1], did_rotate=None, pthid=None)
    assert take(requested()[0], unsigned, sender=INVITER.verkey).exchange.state is State.COMPLETED


def genesis(document: dict[str, Any]) -> str:
    stored = json.dumps(document, separators=(",", ":")).encode()
    return "did:peer:1" + multibase_encode(b"\x12\x20" + hashlib.sha256(stored).digest())


def test_a_peer_did_of_method_1_brings_its_own_signed_document() -> None:
    document = {"@context": "https://w3id.org/did/v1", "authentication": []}
    did = genesis(document)

    def request(body: dict[str, Any], *, did: str = did) -> Request:
        text = json.dumps(body).encode()
        attachment = Attachment.of_bytes(text, id="d", media_type="application/json").signed(LEARNER)
        return replace(requested()[1], did=did, did_doc=attachment, minor=0)

    good = {**document, "id": did}
    step = machine.receive_request(request(good), invitation_id=INVITATION.id, sender=LEARNER.verkey)
    assert step.exchange.their_document == good
    for body in (document, {**good, "authentication": ["x"]}, {**good, "id": "did:peer:1zx"}):
        with pytest.raises(PeerFault) as caught:
            machine.receive_request(request(body), invitation_id=INVITATION.id, sender=LEARNER.verkey)
        assert caught.value.code == "did_exchange.document"
    with pytest.raises(PeerFault) as caught:
        machine.receive_request(request(good), invitation_id=INVITATION.id, sender=COLLEGE.verkey)
    assert caught.value.code == "attachment.signature"
    with pytest.raises(PeerFault) as caught:
        machine.receive_request(
            replace(request(good), did_doc=None), invitation_id=INVITATION.id, sender=LEARNER.verkey
        )
    assert caught.value.code == "did_exchange.document"


def test_a_rejected_request_may_be_sent_again_in_its_thread() -> None:
    rejected = machine.reject_request(received(), explain="Which DID method is that?", new_id=ids("c"))
    problem = message_of(rejected)
    back = machine.receive_problem_report(requested()[0], problem)
    assert (rejected.exchange.state, back.exchange.state) == (State.INVITATION_SENT, State.INVITATION_RECEIVED)
    assert back.exchange.problem == ProblemCode.REQUEST_NOT_ACCEPTED
    again = machine.resend_request(back.exchange, my_did=LEARNER_DID, label="Learner", new_id=ids("again"))
    request = message_of(again)
    assert request.thid == back.exchange.thid != request.id
    taken = machine.receive_request(
        request, invitation_id=INVITATION.id, sender=LEARNER.verkey, exchange=rejected.exchange
    )
    assert (taken.exchange.state, taken.exchange.problem) == (State.REQUEST_RECEIVED, None)


def test_a_responder_whose_response_is_rejected_decides_again() -> None:
    responder, _ = responded()
    problem = message_of(machine.reject_response(requested()[0], explain="No.", new_id=ids()))
    step = machine.receive_problem_report(responder, problem)
    assert (step.exchange.state, step.effects) == (State.REQUEST_RECEIVED, (Ask(Decision.ACCEPT_CONNECTION),))


def test_any_other_problem_ends_the_exchange_and_a_warning_does_not() -> None:
    requester, _ = requested()
    problem = Problem("p", requester.thid, "e.p.out-of-paper")
    assert machine.receive_problem_report(requester, problem).exchange.state is State.ABANDONED
    assert machine.receive_problem_report(requester, replace(problem, code="w.p.slow")) == Step(requester)
    with pytest.raises(PeerFault):
        machine.receive_problem_report(requester, replace(problem, thid="other"))


def test_nothing_but_silence_follows_a_report_after_the_end() -> None:
    completed = take(requested()[0], responded()[1]).exchange
    problem = Problem("p", completed.thid, "request_not_accepted")
    assert machine.receive_problem_report(completed, problem) == Step(completed)


def test_giving_up_tells_the_peer() -> None:
    for exchange in (requested()[0], received()):
        step = machine.abandon(exchange, explain="Changed my mind.", new_id=ids())
        assert step.exchange.state is State.ABANDONED
        assert message_of(step).code == "abandoned"
        with pytest.raises(WrongState):
            machine.abandon(step.exchange, explain="", new_id=ids())


def test_any_authenticated_message_completes_and_a_late_complete_changes_nothing() -> None:
    responder, _ = responded()
    done = machine.implied_complete(responder)
    assert (done.exchange.state, done.effects) == (State.COMPLETED, ())
    late = machine.receive_complete(done.exchange, Complete("c", responder.thid, responder.pthid))
    assert late == Step(done.exchange)


@pytest.mark.parametrize(("thid", "pthid"), [("other", INVITATION.id), (None, "other")])
def test_a_complete_of_another_thread_is_refused(thid: str | None, pthid: str) -> None:
    responder, _ = responded()
    with pytest.raises(PeerFault) as caught:
        machine.receive_complete(responder, Complete("c", thid or responder.thid, pthid))
    assert caught.value.code == "did_exchange.wrong_thread"


ALL_STATES = [(role, state) for role in Role for state in State]


def in_state(role: Role, state: State) -> Exchange:
    base = requested()[0] if role is Role.REQUESTER else received()
    return msgspec.structs.replace(base, state=state)


@pytest.mark.parametrize(("role", "state"), ALL_STATES, ids=str)
def test_a_message_that_does_not_fit_the_state_is_refused(role: Role, state: State) -> None:
    exchange = in_state(role, state)
    attempts = {
        (Role.REQUESTER, State.REQUEST_SENT): lambda: take(exchange, responded()[1]),
        (Role.RESPONDER, State.RESPONSE_SENT): lambda: machine.implied_complete(exchange),
        (Role.RESPONDER, State.INVITATION_SENT): lambda: machine.receive_request(
            requested()[1], invitation_id=INVITATION.id, sender=LEARNER.verkey, exchange=exchange
        ),
    }
    for fitting, attempt in attempts.items():
        if (role, state) == fitting:
            assert attempt().exchange.state is not state
        elif fitting[1] is State.RESPONSE_SENT and (role, state) == (Role.RESPONDER, State.COMPLETED):
            assert attempt() == Step(exchange)
        else:
            with pytest.raises(PeerFault) as caught:
                attempt()
            assert caught.value.code == "did_exchange.unexpected_message"


@pytest.mark.parametrize(("role", "state"), ALL_STATES, ids=str)
def test_a_decision_that_does_not_fit_the_state_is_refused(role: Role, state: State) -> None:
    exchange = in_state(role, state)
    decisions: dict[tuple[Role, State], Any] = {
        (Role.RESPONDER, State.REQUEST_RECEIVED): lambda: machine.respond(
            exchange, my_did=COLLEGE_DID, invitation_signer=INVITER, new_id=ids()
        ),
        (Role.REQUESTER, State.INVITATION_RECEIVED): lambda: machine.resend_request(
            exchange, my_did=LEARNER_DID, label="", new_id=ids()
        ),
        (Role.REQUESTER, State.REQUEST_SENT): lambda: machine.reject_response(exchange, explain="", new_id=ids()),
    }
    for fitting, decide in decisions.items():
        if (role, state) == fitting:
            assert len(decide().effects) == 1
        else:
            with pytest.raises(WrongState) as caught:
                decide()
            assert caught.value.code == "did_exchange.wrong_state"


def test_every_state_leads_somewhere_but_the_last_two() -> None:
    assert not [key for key in TRANSITIONS if key[1] in TERMINAL]
    reached = {(role, State.START) for role in Role} | {(key[0], state) for key, state in TRANSITIONS.items()}
    assert {key[:2] for key in TRANSITIONS} | {(role, state) for role in Role for state in TERMINAL} == reached


ACTIONS = [
    "deliver",
    "drop",
    "repeat",
    "respond",
    "reject request",
    "resend",
    "other message",
    "give up",
    "give up there",
]


class World:
    """Two nodes and a network that loses, repeats and reorders; a refused message changes nothing."""

    def __init__(self) -> None:
        self.ids = ids("w")
        step = machine.accept_invitation(INVITATION, my_did=LEARNER_DID, label="L", new_id=self.ids)
        self.exchanges: dict[Role, Exchange | None] = {Role.REQUESTER: step.exchange, Role.RESPONDER: None}
        self.network: list[tuple[Role, Any]] = []
        self.completes = 0
        self.past: dict[Role, list[State]] = {role: [] for role in Role}
        self.apply(Role.REQUESTER, lambda: step)

    def apply(self, role: Role, act: Any) -> None:
        try:
            step = act()
        except LernodeError:
            return
        self.exchanges[role] = step.exchange
        self.past[role].append(step.exchange.state)
        for effect in step.effects:
            if isinstance(effect, Send):
                self.completes += isinstance(effect.message, Complete)
                other = Role.RESPONDER if role is Role.REQUESTER else Role.REQUESTER
                self.network.append((other, effect.message))

    def deliver(self, to: Role, message: Any) -> None:
        mine = self.exchanges[to]
        if isinstance(message, Request):
            arrived = message
            self.apply(to, lambda: machine.receive_request(
                arrived, invitation_id=INVITATION.id, sender=LEARNER.verkey, exchange=mine
            ))  # fmt: skip
        elif mine is not None:
            handlers: dict[type[Any], Any] = {
                Response: lambda: take(mine, message),
                Complete: lambda: machine.receive_complete(mine, message),
                Problem: lambda: machine.receive_problem_report(mine, message),
            }
            self.apply(to, handlers[type(message)])

    def do(self, action: str, choice: int) -> None:
        requester, responder = self.exchanges[Role.REQUESTER], self.exchanges[Role.RESPONDER]
        if action in {"deliver", "drop", "repeat"} and self.network:
            number = choice % len(self.network)
            to, message = self.network[number] if action == "repeat" else self.network.pop(number)
            if action != "drop":
                self.deliver(to, message)
        elif action == "resend":
            self.apply(Role.REQUESTER, lambda: machine.resend_request(
                requester, my_did=LEARNER_DID, label="L", new_id=self.ids
            ))  # fmt: skip
        elif action == "give up":
            self.apply(Role.REQUESTER, lambda: machine.abandon(requester, explain="", new_id=self.ids))
        elif responder is not None:
            self.decide(action, responder)

    def decide(self, action: str, responder: Exchange) -> None:
        decisions: dict[str, Any] = {
            "respond": lambda: machine.respond(
                responder, my_did=COLLEGE_DID, invitation_signer=INVITER, new_id=self.ids
            ),
            "reject request": lambda: machine.reject_request(responder, explain="", new_id=self.ids),
            "give up there": lambda: machine.abandon(responder, explain="", new_id=self.ids),
            "other message": lambda: machine.implied_complete(responder),
        }
        if action in decisions:
            self.apply(Role.RESPONDER, decisions[action])


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 20)), max_size=40))
def test_no_order_loss_or_repetition_completes_twice_or_leaves_the_end(walk: list[tuple[str, int]]) -> None:
    world = World()
    for action, choice in walk:
        world.do(action, choice)
    assert world.completes <= 1
    for role, states in world.past.items():
        ended = [number for number, state in enumerate(states) if state in TERMINAL]
        assert all(state is states[ended[0]] for state in states[ended[0] :]) if ended else True
        allowed = {(before, after) for (r, before, _), after in TRANSITIONS.items() if r is role}
        through = {(State.REQUEST_SENT, State.COMPLETED)}  # response-received is passed within one step
        for before, after in pairwise(states):
            assert before is after or (before, after) in allowed | through
    requester = world.exchanges[Role.REQUESTER]
    if world.completes:
        assert requester is not None
        assert (requester.state, requester.their_did) == (State.COMPLETED, COLLEGE_DID)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 20), max_size=20))
def test_where_nothing_is_lost_and_nobody_refuses_both_sides_complete(repeats: list[int]) -> None:
    world = World()
    for choice in repeats:
        world.do("repeat", choice)
        world.do("respond", 0)
    for _ in range(6):
        world.do("deliver", 0)
        world.do("respond", 0)
    states = [exchange.state for exchange in world.exchanges.values() if exchange is not None]
    assert states == [State.COMPLETED, State.COMPLETED]
    assert world.completes == 1
