"""Present Proof 2.0 as a state machine (Aries RFC 0454 §States and §Choreography Diagram).

:data:`TRANSITIONS` holds every transition there is; each function below is one or two steps through it.

* A message that does not fit its thread or state raises PeerFault, a decision that does not fit raises WrongState;
  either changes nothing. A message that was applied before changes nothing and does nothing, whatever its state.
* An exchange has at most one presentation, verified once and confirmed at most once.
* A presentation that is not verified ends the exchange with a problem report (RFC 0454 §Problem Report).
* Who speaks for an abandoned exchange is told once more that it is over, so that no side waits for ever, whatever the
  order in which messages arrive.

Matching records to the definition and building the presentation are left to ``protocols.exchange``; signing,
verifying and deciding to the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from protocols.credentials.model import proofs_of
from protocols.didcomm.ack import AckStatus
from protocols.errors import BadInput, PeerFault, WrongState
from protocols.machine import Ask, Decision, NewId, Send, Step, Verify
from protocols.present_proof.messages import (
    ABANDONED,
    PROTOCOL,
    Ack,
    Message,
    Presentation,
    ProblemReport,
    ProposePresentation,
    RequestPresentation,
)

__all__ = [
    "TERMINAL", "TRANSITIONS", "Event", "Exchange", "Role", "State", "decline", "present", "presentation_checked",
    "propose", "receive", "request",
]  # fmt: skip

MAX_ROUNDS = 16
"""Proposals or requests that one side may send in one exchange; negotiation must end."""


class Role(StrEnum):
    """RFC 0454 §Roles."""

    VERIFIER = "verifier"
    PROVER = "prover"


class State(StrEnum):
    """RFC 0454 §States."""

    START = "start"
    PROPOSAL_SENT = "proposal-sent"
    PROPOSAL_RECEIVED = "proposal-received"
    REQUEST_SENT = "request-sent"
    REQUEST_RECEIVED = "request-received"
    PRESENTATION_SENT = "presentation-sent"
    PRESENTATION_RECEIVED = "presentation-received"
    DONE = "done"
    ABANDONED = "abandoned"


class Event(StrEnum):
    """What moves an exchange."""

    SEND_PROPOSAL = "send propose-presentation"
    RECEIVE_PROPOSAL = "receive propose-presentation"
    SEND_REQUEST = "send request-presentation"
    RECEIVE_REQUEST = "receive request-presentation"
    SEND_PRESENTATION = "send presentation that will be confirmed"
    SEND_LAST_PRESENTATION = "send presentation that will not be confirmed"
    RECEIVE_PRESENTATION = "receive presentation"
    ACCEPT_PRESENTATION = "accept presentation, send ack where one is due"
    RECEIVE_ACK = "receive ack"
    SEND_PROBLEM_REPORT = "send problem-report"
    RECEIVE_PROBLEM_REPORT = "receive problem-report"


TERMINAL = frozenset({State.DONE, State.ABANDONED})

_VERIFIER: dict[tuple[State, Event], State] = {
    (State.START, Event.SEND_REQUEST): State.REQUEST_SENT,
    (State.START, Event.RECEIVE_PROPOSAL): State.PROPOSAL_RECEIVED,
    (State.PROPOSAL_RECEIVED, Event.SEND_REQUEST): State.REQUEST_SENT,
    (State.PROPOSAL_RECEIVED, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.PROPOSAL_RECEIVED, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    (State.REQUEST_SENT, Event.RECEIVE_PROPOSAL): State.PROPOSAL_RECEIVED,
    (State.REQUEST_SENT, Event.RECEIVE_PRESENTATION): State.PRESENTATION_RECEIVED,
    (State.REQUEST_SENT, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.REQUEST_SENT, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    (State.PRESENTATION_RECEIVED, Event.ACCEPT_PRESENTATION): State.DONE,
    (State.PRESENTATION_RECEIVED, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.PRESENTATION_RECEIVED, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
}
_PROVER: dict[tuple[State, Event], State] = {
    (State.START, Event.RECEIVE_REQUEST): State.REQUEST_RECEIVED,
    (State.START, Event.SEND_PROPOSAL): State.PROPOSAL_SENT,
    (State.PROPOSAL_SENT, Event.RECEIVE_REQUEST): State.REQUEST_RECEIVED,
    (State.PROPOSAL_SENT, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.PROPOSAL_SENT, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    (State.REQUEST_RECEIVED, Event.SEND_PROPOSAL): State.PROPOSAL_SENT,
    (State.REQUEST_RECEIVED, Event.SEND_PRESENTATION): State.PRESENTATION_SENT,
    (State.REQUEST_RECEIVED, Event.SEND_LAST_PRESENTATION): State.DONE,
    (State.REQUEST_RECEIVED, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.REQUEST_RECEIVED, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    (State.PRESENTATION_SENT, Event.RECEIVE_ACK): State.DONE,
    (State.PRESENTATION_SENT, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.PRESENTATION_SENT, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
}
TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {(Role.VERIFIER, *key): state for key, state in _VERIFIER.items()}
    | {(Role.PROVER, *key): state for key, state in _PROVER.items()}
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request for proof, as this side sees it.

    Attributes:
        proposed: the prover's last wish, None where there is none or it named only a format.
        definition: the presentation definition last requested, exactly as sent or received.
        challenge, domain: what the presentation is signed for.
        will_confirm: the verifier announced an ack.
        ack_due: at the verifier, whether it owes an ack when the presentation is accepted.
        presentation: at the verifier, the document exactly as received.
        verified: at the verifier, how verification ended; at the prover, what the verifier said; None until then.
        comment: the peer's last; for display, never trusted.
        applied: ids of the peer's messages that have been applied.
        problem: why it was abandoned: the peer's problem report code, or this side's own code.
    """

    thid: str
    pthid: str | None = None
    role: Role
    state: State
    proposed: dict[str, Any] | None = None
    definition: dict[str, Any] | None = None
    challenge: str | None = None
    domain: str | None = None
    will_confirm: bool = False
    ack_due: bool = False
    presentation: dict[str, Any] | None = None
    verified: bool | None = None
    comment: str | None = None
    applied: tuple[str, ...] = ()
    problem: str | None = None


def propose(
    definition: dict[str, Any] | None,
    *,
    new_id: NewId,
    exchange: Exchange | None = None,
    comment: str | None = None,
    pthid: str | None = None,
) -> Step[Exchange]:
    """As the prover: ask to be asked, or answer the request of ``exchange`` with another wish.

    Args:
        definition: an object with ``input_descriptors``; with an ``id`` too, Credo can read it. None names a format
            only.

    Raises:
        WrongState: ``present_proof.wrong_state``.
    """
    message_id = new_id()
    current = exchange or _started(Role.PROVER, message_id, pthid)
    sent = _decide(current, Event.SEND_PROPOSAL, proposed=definition)
    message = ProposePresentation(
        id=message_id, thid=sent.thid, pthid=sent.pthid, comment=comment, definition=definition
    )
    return Step(sent, (Send(message),))


def request(
    definition: dict[str, Any],
    *,
    challenge: str,
    new_id: NewId,
    domain: str | None = None,
    exchange: Exchange | None = None,
    will_confirm: bool = True,
    comment: str | None = None,
    pthid: str | None = None,
) -> Step[Exchange]:
    """As the verifier: ask for proof, of one's own accord or in answer to the proposal of ``exchange``.

    Args:
        challenge: fresh and unguessable for each request; without it an old presentation could be replayed.
        domain: names this verifier.

    Raises:
        WrongState: ``present_proof.wrong_state``.
    """
    message_id = new_id()
    current = exchange or _started(Role.VERIFIER, message_id, pthid)
    sent = _decide(
        current,
        Event.SEND_REQUEST,
        definition=definition,
        challenge=challenge,
        domain=domain,
        will_confirm=will_confirm,
    )
    message = RequestPresentation(
        id=message_id,
        thid=sent.thid,
        pthid=sent.pthid,
        comment=comment,
        definition=definition,
        challenge=challenge,
        domain=domain,
        will_confirm=will_confirm,
    )
    return Step(sent, (Send(message),))


def present(
    exchange: Exchange, presentation: dict[str, Any], *, new_id: NewId, comment: str | None = None
) -> Step[Exchange]:
    """As the prover: send the signed presentation.

    Raises:
        WrongState: ``present_proof.wrong_state``.
        BadInput: ``present_proof.not_bound``: no proof is for the challenge and domain of the request.
    """
    event = Event.SEND_PRESENTATION if exchange.will_confirm else Event.SEND_LAST_PRESENTATION
    sent = _decide(exchange, event)
    bound = (sent.challenge, sent.domain)
    if not any((proof.get("challenge"), proof.get("domain")) == bound for proof in proofs_of(presentation)):
        raise BadInput(
            "present_proof.not_bound",
            "The presentation is not signed for this request.",
            "Sign it with the request's challenge and domain.",
        )
    message = Presentation(id=new_id(), thid=sent.thid, pthid=sent.pthid, comment=comment, document=presentation)
    return Step(sent, (Send(message),))


def decline(exchange: Exchange, *, reason: str, new_id: NewId) -> Step[Exchange]:
    """As either side: end the exchange and tell the peer.

    Args:
        reason: English text for the person at the other side; sent as it is.

    Raises:
        WrongState: ``present_proof.wrong_state``: it is over already.
    """
    return _abandon(exchange, "present_proof.declined", reason, new_id)


def presentation_checked(
    exchange: Exchange, *, verified: bool, new_id: NewId, code: str | None = None
) -> Step[Exchange]:
    """As the verifier: the presentation that a ``Verify`` effect named has been verified; say how it ended.

    Args:
        verified: as business sees it: proof, trust, status and query, not the signature alone (RFC 0454 §States).
        code: of the check that failed; goes to the prover.

    Raises:
        WrongState: ``present_proof.wrong_state``, also where the result comes a second time.
    """
    if (exchange.role, exchange.state, Event.ACCEPT_PRESENTATION) not in TRANSITIONS:
        raise _wrong_state()
    if not verified:
        problem = code or "present_proof.not_verified"
        explain = f"The presentation was not accepted: {problem}."
        return _abandon(exchange, problem, explain, new_id, verified=False)
    done = _decide(exchange, Event.ACCEPT_PRESENTATION, verified=True, ack_due=False)
    if not exchange.ack_due:
        return Step(done)
    return Step(done, (Send(Ack(id=new_id(), thid=done.thid, pthid=done.pthid, protocol=PROTOCOL)),))


def receive(exchange: Exchange | None, message: Message, *, new_id: NewId) -> Step[Exchange]:
    """As either side: take a message of the thread, or, without an exchange, one that starts a thread.

    Raises:
        PeerFault: ``present_proof.unknown_thread``, ``present_proof.wrong_thread`` or
            ``present_proof.unexpected_message``.
    """
    if exchange is None:
        return _begin(message)
    if message.thid != exchange.thid:
        raise PeerFault("present_proof.wrong_thread", "The message is of another thread.", "Set ~thread.thid.")
    if message.id in exchange.applied:
        return Step(exchange)
    if isinstance(message, Ack):
        return _receive_ack(exchange, message)
    if isinstance(message, ProblemReport):
        return _receive_problem_report(exchange, message)
    if exchange.state is State.ABANDONED:
        return Step(exchange, (Send(_report(exchange, "The exchange is over.", new_id)),))
    if not isinstance(message, Presentation) and len(exchange.applied) >= MAX_ROUNDS:
        _apply(exchange, message)
        return _abandon(exchange, "present_proof.too_many_rounds", "The negotiation took too many rounds.", new_id)
    return _receive_in_thread(exchange, message)


def _begin(message: Message) -> Step[Exchange]:
    if not isinstance(message, ProposePresentation | RequestPresentation) or message.thid != message.id:
        raise PeerFault("present_proof.unknown_thread", "The message names no known thread.", "Start a new one.")
    role = Role.PROVER if isinstance(message, RequestPresentation) else Role.VERIFIER
    return _receive_in_thread(_started(role, message.thid, message.pthid), message)


def _receive_in_thread(
    exchange: Exchange, message: ProposePresentation | RequestPresentation | Presentation
) -> Step[Exchange]:
    match message:
        case ProposePresentation():
            received = _apply(exchange, message, proposed=message.definition)
            return Step(received, (Ask(Decision.ANSWER_PRESENTATION_PROPOSAL),))
        case RequestPresentation():
            received = _apply(
                exchange,
                message,
                definition=message.definition,
                challenge=message.challenge,
                domain=message.domain,
                will_confirm=message.will_confirm,
            )
            return Step(received, (Ask(Decision.SHARE_RECORDS),))
        case Presentation():
            ack_due = exchange.will_confirm or message.wants_ack
            received = _apply(exchange, message, presentation=message.document, ack_due=ack_due)
            return Step(received, (Verify(message.document, received.challenge, received.domain),))


def _receive_ack(exchange: Exchange, message: Ack) -> Step[Exchange]:
    """The peer is content. Where that is no news it changes nothing: some agents acknowledge unasked."""
    if exchange.state in TERMINAL:
        return Step(exchange)
    done = _apply(exchange, message, verified=True)
    # RFC 0015: PENDING says that the outcome will be told later.
    return Step(exchange if message.status is AckStatus.PENDING else done)


def _receive_problem_report(exchange: Exchange, message: ProblemReport) -> Step[Exchange]:
    """The peer gives up. What is over stays as it ended, and a report is never answered by a report."""
    if message.is_warning or exchange.state in TERMINAL:
        return Step(exchange)
    verified = False if exchange.state is State.PRESENTATION_SENT else exchange.verified
    return Step(_apply(exchange, message, problem=message.code, verified=verified))


_EVENTS: Mapping[type[Message], Event] = MappingProxyType(
    {
        ProposePresentation: Event.RECEIVE_PROPOSAL,
        RequestPresentation: Event.RECEIVE_REQUEST,
        Presentation: Event.RECEIVE_PRESENTATION,
        Ack: Event.RECEIVE_ACK,
        ProblemReport: Event.RECEIVE_PROBLEM_REPORT,
    }
)


def _started(role: Role, thid: str, pthid: str | None) -> Exchange:
    return Exchange(thid=thid, pthid=pthid, role=role, state=State.START)


def _abandon(exchange: Exchange, problem: str, explain: str, new_id: NewId, **changes: Any) -> Step[Exchange]:
    abandoned = _decide(exchange, Event.SEND_PROBLEM_REPORT, problem=problem, **changes)
    return Step(abandoned, (Send(_report(abandoned, explain, new_id)),))


def _report(exchange: Exchange, explain: str, new_id: NewId) -> ProblemReport:
    return ProblemReport(
        id=new_id(),
        thid=exchange.thid,
        pthid=exchange.pthid,
        code=ABANDONED,
        protocol=PROTOCOL,
        explain=explain,
    )


def _apply(exchange: Exchange, message: Message, **changes: Any) -> Exchange:
    """The exchange after a message of the peer, which will not be applied again."""
    state = TRANSITIONS.get((exchange.role, exchange.state, _EVENTS[type(message)]))
    if state is None:
        raise PeerFault(
            "present_proof.unexpected_message",
            "The message does not fit the role or state of its thread.",
            "See Aries RFC 0454.",
        )
    comment = getattr(message, "comment", None) or exchange.comment
    applied = (*exchange.applied, message.id)
    return msgspec.structs.replace(exchange, state=state, comment=comment, applied=applied, **changes)


def _decide(exchange: Exchange, event: Event, **changes: Any) -> Exchange:
    """The exchange after a decision of this side."""
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise _wrong_state()
    return msgspec.structs.replace(exchange, state=state, **changes)


def _wrong_state() -> WrongState:
    return WrongState(
        "present_proof.wrong_state",
        "The proof exchange is not in a state that allows this.",
        "Look at its state and whose turn it is.",
    )
