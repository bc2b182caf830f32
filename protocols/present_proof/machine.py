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

from protocols.credentials.model import proofs_of
from protocols.errors import BadInput
from protocols.machine import Ask, Decision, NewId, Send, Step, Verify
from protocols.negotiation import Negotiation, Rules, awaiting, last_headers
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
    "TERMINAL", "TRANSITIONS", "Event", "Exchange", "Role", "State", "answer_again", "decline", "expire", "present",
    "presentation_checked", "propose", "receive", "request", "resend",
]  # fmt: skip


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


class Exchange(Negotiation, frozen=True, kw_only=True):
    """One request for proof, as this side sees it.

    Attributes:
        proposed: the prover's last wish, None where there is none or it named only a format.
        definition: the presentation definition last requested, exactly as sent or received.
        challenge, domain: what the presentation is signed for.
        will_confirm: the verifier announced an ack.
        ack_due: at the verifier, whether an ack says that the presentation is accepted.
        presentation: at the verifier, the document exactly as received; at the prover, as sent, until it is confirmed.
        verified: at the verifier, how verification ended; at the prover, what the verifier said; None until then.
    """

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


_RULES: Rules[Exchange] = Rules(
    area="present_proof",
    thing="proof",
    rfc="RFC 0454",
    protocol=PROTOCOL,
    abandoned_code=ABANDONED,
    transitions=TRANSITIONS,
    events=MappingProxyType(
        {
            ProposePresentation: Event.RECEIVE_PROPOSAL,
            RequestPresentation: Event.RECEIVE_REQUEST,
            Presentation: Event.RECEIVE_PRESENTATION,
            Ack: Event.RECEIVE_ACK,
            ProblemReport: Event.RECEIVE_PROBLEM_REPORT,
        }
    ),
    give_up=Event.SEND_PROBLEM_REPORT,
    abandoned=State.ABANDONED,
    terminal=TERMINAL,
)


def propose(
    definition: dict[str, Any] | None,
    *,
    new_id: NewId,
    exchange: Exchange | None = None,
    comment: str | None = None,
    pthid: str | None = None,
    expires: int | None = None,
) -> Step[Exchange]:
    """As the prover: ask to be asked, or answer the request of ``exchange`` with another wish.

    Args:
        definition: an object with ``input_descriptors``; with an ``id`` too, Credo can read it. None names a format
            only.
        expires: seconds since 1970 until which the verifier may answer.

    Raises:
        WrongState: ``present_proof.wrong_state``.
    """
    message_id = new_id()
    current = exchange or _started(Role.PROVER, message_id, pthid)
    sent = _sent(current, Event.SEND_PROPOSAL, message_id, comment, proposed=definition, expires=expires)
    return awaiting(sent, Send(_proposal(sent)))


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
    expires: int | None = None,
) -> Step[Exchange]:
    """As the verifier: ask for proof, of one's own accord or in answer to the proposal of ``exchange``.

    Args:
        challenge: fresh and unguessable for each request; without it an old presentation could be replayed.
        domain: names this verifier.
        expires: seconds since 1970 until which the prover may answer.

    Raises:
        WrongState: ``present_proof.wrong_state``.
    """
    message_id = new_id()
    current = exchange or _started(Role.VERIFIER, message_id, pthid)
    sent = _sent(
        current,
        Event.SEND_REQUEST,
        message_id,
        comment,
        definition=definition,
        challenge=challenge,
        domain=domain,
        will_confirm=will_confirm,
        expires=expires,
    )
    return awaiting(sent, Send(_request(sent, definition)))


def present(
    exchange: Exchange, presentation: dict[str, Any], *, new_id: NewId, comment: str | None = None
) -> Step[Exchange]:
    """As the prover: send the signed presentation.

    Raises:
        WrongState: ``present_proof.wrong_state``.
        BadInput: ``present_proof.not_bound``: no proof is for the challenge and domain of the request.
    """
    event = Event.SEND_PRESENTATION if exchange.will_confirm else Event.SEND_LAST_PRESENTATION
    sent = _sent(exchange, event, new_id(), comment, presentation=presentation)
    bound = (sent.challenge, sent.domain)
    if not any((proof.get("challenge"), proof.get("domain")) == bound for proof in proofs_of(presentation)):
        raise BadInput(
            "present_proof.not_bound",
            "The presentation is not signed for this request.",
            "Sign it with the request's challenge and domain.",
        )
    return Step(sent, (Send(_presentation(sent, presentation)),))


def decline(exchange: Exchange, *, reason: str, new_id: NewId) -> Step[Exchange]:
    """As either side: end the exchange and tell the peer.

    Args:
        reason: English text for the person at the other side; sent as it is.

    Raises:
        WrongState: ``present_proof.wrong_state``: it is over already.
    """
    return _abandon(exchange, "present_proof.declined", reason, new_id)


def expire(exchange: Exchange, *, new_id: NewId) -> Step[Exchange]:
    """As either side: end the exchange, because its last message was not answered in time.

    Raises:
        WrongState: ``present_proof.wrong_state``: it is over already.
    """
    return _RULES.expire(exchange, new_id)


def resend(exchange: Exchange) -> Step[Exchange]:
    """As either side: send the last message again, as it was, where the peer owes an answer to it.

    Raises:
        WrongState: ``present_proof.wrong_state``.
    """
    message = _last_sent(exchange)
    if message is None or exchange.state in TERMINAL:
        raise _RULES.wrong_state()
    return awaiting(exchange, Send(message, again=True))


def answer_again(exchange: Exchange, message_id: str) -> Message | None:
    """As either side: what answered a message of the peer, as it was; for a peer that repeats it.

    Returns:
        None where that message is not answered yet, asks for no answer, or the exchange has gone on from it.
    """
    return _last_sent(exchange) if exchange.applied[-1:] == (message_id,) else None


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
    if not _RULES.may(exchange, Event.ACCEPT_PRESENTATION):
        raise _RULES.wrong_state()
    if not verified:
        problem = code or "present_proof.not_verified"
        explain = f"The presentation was not accepted: {problem}."
        return _abandon(exchange, problem, explain, new_id, verified=False)
    if not exchange.ack_due:
        return Step(_RULES.decide(exchange, Event.ACCEPT_PRESENTATION, verified=True))
    done = _RULES.decide(exchange, Event.ACCEPT_PRESENTATION, verified=True, sent_id=new_id())
    return Step(done, (Send(_RULES.last_ack(done)),))


def receive(exchange: Exchange | None, message: Message, *, new_id: NewId) -> Step[Exchange]:
    """As either side: take a message of the thread, or, without an exchange, one that starts a thread.

    Raises:
        PeerFault: ``present_proof.unknown_thread``, ``present_proof.wrong_thread`` or
            ``present_proof.unexpected_message``.
    """
    if exchange is None:
        return _begin(message)
    negotiates = isinstance(message, ProposePresentation | RequestPresentation)
    settled = _RULES.before(exchange, message, negotiates=negotiates, new_id=new_id)
    if settled is not None:
        return settled
    match message:
        case Ack():
            return _RULES.receive_ack(exchange, message, verified=True, **_forget(exchange))
        case ProblemReport():
            verified = False if exchange.state is State.PRESENTATION_SENT else exchange.verified
            return _RULES.receive_report(exchange, message, verified=verified, **_forget(exchange))
        case _:
            return _receive_in_thread(exchange, message)


def _begin(message: Message) -> Step[Exchange]:
    """The message may name its new thread otherwise than by its own id, as Credo does (RFC 0008 would not)."""
    if not isinstance(message, ProposePresentation | RequestPresentation):
        raise _RULES.unknown_thread()
    role = Role.PROVER if isinstance(message, RequestPresentation) else Role.VERIFIER
    return _receive_in_thread(_started(role, message.thid, message.pthid), message)


def _receive_in_thread(
    exchange: Exchange, message: ProposePresentation | RequestPresentation | Presentation
) -> Step[Exchange]:
    match message:
        case ProposePresentation():
            received = _RULES.apply(exchange, message, proposed=message.definition)
            return awaiting(received, Ask(Decision.ANSWER_PRESENTATION_PROPOSAL))
        case RequestPresentation():
            received = _RULES.apply(
                exchange,
                message,
                definition=message.definition,
                challenge=message.challenge,
                domain=message.domain,
                will_confirm=message.will_confirm,
            )
            return awaiting(received, Ask(Decision.SHARE_RECORDS))
        case Presentation():
            ack_due = exchange.will_confirm or message.wants_ack
            received = _RULES.apply(exchange, message, presentation=message.document, ack_due=ack_due)
            return Step(received, (Verify(message.document, received.challenge, received.domain),))


def _forget(exchange: Exchange) -> dict[str, Any]:
    """At the prover, what was sent is kept only as long as it may have to be sent again."""
    return {"presentation": None} if exchange.role is Role.PROVER else {}


def _started(role: Role, thid: str, pthid: str | None) -> Exchange:
    return Exchange(thid=thid, pthid=pthid, role=role, state=State.START)


def _sent(exchange: Exchange, event: Event, message_id: str, comment: str | None, **changes: Any) -> Exchange:
    return _RULES.decide(exchange, event, sent_id=message_id, sent_comment=comment, **changes)


def _last_sent(exchange: Exchange) -> Message | None:
    """The last message that this side sent; None where there is none, or what was shown is forgotten."""
    match exchange.role, exchange.state:
        case _, State.PROPOSAL_SENT:
            return _proposal(exchange)
        case _, State.REQUEST_SENT if exchange.definition is not None:
            return _request(exchange, exchange.definition)
        case Role.PROVER, State.PRESENTATION_SENT | State.DONE if exchange.presentation is not None:
            return _presentation(exchange, exchange.presentation)
        case Role.VERIFIER, State.DONE if exchange.ack_due:
            return _RULES.last_ack(exchange)
        case _, State.ABANDONED if exchange.sent_id is not None:
            return _RULES.last_report(exchange)
        case _:
            return None


def _proposal(exchange: Exchange) -> ProposePresentation:
    return ProposePresentation(**last_headers(exchange), definition=exchange.proposed)


def _request(exchange: Exchange, definition: dict[str, Any]) -> RequestPresentation:
    return RequestPresentation(
        **last_headers(exchange),
        definition=definition,
        challenge=exchange.challenge,
        domain=exchange.domain,
        will_confirm=exchange.will_confirm,
    )


def _presentation(exchange: Exchange, document: dict[str, Any]) -> Presentation:
    return Presentation(**last_headers(exchange), document=document)


def _abandon(exchange: Exchange, problem: str, explain: str, new_id: NewId, **changes: Any) -> Step[Exchange]:
    return _RULES.abandon(exchange, problem, explain, new_id, **_forget(exchange), **changes)
