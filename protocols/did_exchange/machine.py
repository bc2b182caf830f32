"""DID Exchange as a state machine (Aries RFC 0023 §States, the State Machine Tables).

:data:`TRANSITIONS` holds every transition there is; each function below is one or two steps through it. A message that
does not fit raises PeerFault and a decision that does not fit raises WrongState; either changes nothing. The exchange
is completed once, by ``complete`` or, where that is lost, by any other authenticated message of the requester.
Finding the exchange of a message, resolving DIDs and checking control of them
(:func:`protocols.did_exchange.provenance.check_control`) are left to the node.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from protocols.did_exchange.messages import FAMILY, MAJOR, MINOR, Complete, Problem, ProblemCode, Request, Response
from protocols.did_exchange.provenance import attached_document, check_response, sign_rotation
from protocols.didcomm.message_type import parse_protocol
from protocols.errors import BadInput, PeerFault, WrongState
from protocols.keys import KeyPair
from protocols.machine import Ask, Decision, NewId, Send, Step
from protocols.out_of_band.messages import Invitation

__all__ = [
    "TERMINAL", "TRANSITIONS", "Event", "Exchange", "Role", "State", "abandon", "accept_invitation", "answer_again",
    "implied_complete", "receive_complete", "receive_problem_report", "receive_request", "receive_response",
    "reject_request", "reject_response", "resend_request", "respond",
]  # fmt: skip


class Role(StrEnum):
    """RFC 0023 §Roles."""

    REQUESTER = "requester"
    RESPONDER = "responder"


class State(StrEnum):
    """RFC 0023 §States."""

    START = "start"
    INVITATION_SENT = "invitation-sent"
    INVITATION_RECEIVED = "invitation-received"
    REQUEST_SENT = "request-sent"
    REQUEST_RECEIVED = "request-received"
    RESPONSE_SENT = "response-sent"
    RESPONSE_RECEIVED = "response-received"
    ABANDONED = "abandoned"
    COMPLETED = "completed"


class Event(StrEnum):
    """What moves an exchange. A rejection may be mended, after ``abandon`` nothing follows (RFC 0023 §Errors)."""

    SEND_INVITATION = "send invitation"
    RECEIVE_INVITATION = "receive invitation"
    SEND_REQUEST = "send request"
    RECEIVE_REQUEST = "receive request"
    SEND_RESPONSE = "send response"
    RECEIVE_RESPONSE = "receive response"
    SEND_COMPLETE = "send complete"
    RECEIVE_COMPLETE = "receive complete"
    SEND_REJECTION = "send problem_report that rejects"
    RECEIVE_REJECTION = "receive problem_report that rejects"
    SEND_ABANDON = "send problem_report that abandons"
    RECEIVE_ABANDON = "receive problem_report that abandons"


TERMINAL = frozenset({State.ABANDONED, State.COMPLETED})

_REQUESTER: dict[tuple[State, Event], State] = {
    (State.START, Event.RECEIVE_INVITATION): State.INVITATION_RECEIVED,
    (State.INVITATION_RECEIVED, Event.SEND_REQUEST): State.REQUEST_SENT,
    (State.INVITATION_RECEIVED, Event.SEND_ABANDON): State.ABANDONED,
    (State.REQUEST_SENT, Event.RECEIVE_RESPONSE): State.RESPONSE_RECEIVED,
    (State.REQUEST_SENT, Event.RECEIVE_REJECTION): State.INVITATION_RECEIVED,
    (State.REQUEST_SENT, Event.RECEIVE_ABANDON): State.ABANDONED,
    # Not in the RFC's table, but a person may give up while waiting, and the peer should hear of it.
    (State.REQUEST_SENT, Event.SEND_ABANDON): State.ABANDONED,
    (State.RESPONSE_RECEIVED, Event.SEND_COMPLETE): State.COMPLETED,
    (State.RESPONSE_RECEIVED, Event.SEND_REJECTION): State.REQUEST_SENT,
    (State.RESPONSE_RECEIVED, Event.SEND_ABANDON): State.ABANDONED,
}
_RESPONDER: dict[tuple[State, Event], State] = {
    (State.START, Event.SEND_INVITATION): State.INVITATION_SENT,
    (State.INVITATION_SENT, Event.RECEIVE_REQUEST): State.REQUEST_RECEIVED,
    (State.INVITATION_SENT, Event.RECEIVE_ABANDON): State.ABANDONED,
    (State.REQUEST_RECEIVED, Event.SEND_RESPONSE): State.RESPONSE_SENT,
    (State.REQUEST_RECEIVED, Event.SEND_REJECTION): State.INVITATION_SENT,
    (State.REQUEST_RECEIVED, Event.SEND_ABANDON): State.ABANDONED,
    # Likewise: the requester may have given up while the responder thought.
    (State.REQUEST_RECEIVED, Event.RECEIVE_ABANDON): State.ABANDONED,
    (State.RESPONSE_SENT, Event.RECEIVE_COMPLETE): State.COMPLETED,
    (State.RESPONSE_SENT, Event.RECEIVE_REJECTION): State.REQUEST_RECEIVED,
    (State.RESPONSE_SENT, Event.RECEIVE_ABANDON): State.ABANDONED,
}
TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {(Role.REQUESTER, *key): state for key, state in _REQUESTER.items()}
    | {(Role.RESPONDER, *key): state for key, state in _RESPONDER.items()}
)

_REJECTED_BY: dict[Role, frozenset[str]] = {
    Role.REQUESTER: frozenset({ProblemCode.REQUEST_NOT_ACCEPTED, ProblemCode.REQUEST_PROCESSING_ERROR}),
    Role.RESPONDER: frozenset({ProblemCode.RESPONSE_NOT_ACCEPTED, ProblemCode.RESPONSE_PROCESSING_ERROR}),
}


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One DID exchange, as this side sees it.

    Attributes:
        thid: the request's thread.
        pthid: the invitation's id, or the DID URL of an implicit one.
        minor: of the protocol version that both sides speak.
        their_label: what the requester calls itself; for display, never trusted.
        their_document: the signed document that came with a did:peer:1, else None.
        problem: code of the last problem report, of either side.
        sent_id: of the last message that this side sent; None where the peer has given up.
        explain: of the last problem report, where this side sent it.
    """

    thid: str
    pthid: str
    role: Role
    state: State
    minor: int = MINOR
    my_did: str | None = None
    their_did: str | None = None
    their_label: str = ""
    their_document: dict[str, Any] | None = None
    problem: str | None = None
    sent_id: str | None = None
    explain: str = ""


def accept_invitation(invitation: Invitation, *, my_did: str, label: str, new_id: NewId) -> Step[Exchange]:
    """As the requester: answer an invitation with a request.

    Args:
        my_did: DID made for this relationship; resolvable without this exchange.
        label: what the responder may show; empty for none.

    Raises:
        BadInput: ``did_exchange.no_handshake`` where the invitation does not offer this protocol.
    """
    thid = new_id()
    start = Exchange(
        thid=thid, pthid=invitation.id, role=Role.REQUESTER, state=State.START, minor=_offered_minor(invitation)
    )
    received = _move(start, Event.RECEIVE_INVITATION)
    return _send_request(received, message_id=thid, my_did=my_did, label=label)


def resend_request(exchange: Exchange, *, my_did: str, label: str, new_id: NewId) -> Step[Exchange]:
    """As the requester: ask once more after the responder has rejected the request.

    Raises:
        WrongState: ``did_exchange.wrong_state``.
    """
    return _send_request(exchange, message_id=new_id(), my_did=my_did, label=label)


def receive_request(
    request: Request, *, invitation_id: str, sender: str | None, exchange: Exchange | None = None
) -> Step[Exchange]:
    """As the responder: take a request for an invitation that the node found by ``pthid`` and still holds open.

    Args:
        sender: the verkey that authenticated the envelope; whether it controls the DID is checked by the caller.
        exchange: the exchange of the same thread, where an earlier request of it was rejected.

    Raises:
        PeerFault: ``did_exchange.wrong_invitation``, ``did_exchange.anonymous``, ``did_exchange.wrong_thread``,
            ``did_exchange.unexpected_message``, ``did_exchange.document`` or ``attachment.*``.
    """
    if request.pthid != invitation_id:
        raise PeerFault(
            "did_exchange.wrong_invitation", "The request names another invitation.", "Set pthid to its id."
        )
    if sender is None:
        raise PeerFault("did_exchange.anonymous", "The request came in an anonymous envelope.", "Use Authcrypt.")
    if exchange is None:
        start = Exchange(thid=request.thid, pthid=request.pthid, role=Role.RESPONDER, state=State.START)
        exchange = _move(start, Event.SEND_INVITATION)
    _check_thread(exchange, request.thid, request.pthid)
    received = _move(
        exchange,
        Event.RECEIVE_REQUEST,
        minor=min(MINOR, request.minor),
        their_did=request.did,
        their_label=request.label,
        their_document=attached_document(request, signers=(sender,)),
        problem=None,
    )
    return Step(received, (Ask(Decision.ACCEPT_CONNECTION),))


def respond(exchange: Exchange, *, my_did: str, invitation_signer: KeyPair, new_id: NewId) -> Step[Exchange]:
    """As the responder: accept, with a DID for this relationship signed by the invitation's key.

    Raises:
        WrongState: ``did_exchange.wrong_state``.
    """
    sent = _move(exchange, Event.SEND_RESPONSE, my_did=my_did, problem=None, sent_id=new_id())
    return Step(sent, (Send(_response(sent, my_did, invitation_signer)),))


def answer_again(exchange: Exchange, *, invitation_signer: KeyPair | None) -> Response | Complete | Problem | None:
    """As either side: what answered the last request or response of the peer, as it was; for a peer that repeats it.

    Args:
        invitation_signer: as for :func:`respond`; the requester needs none.

    Returns:
        None where it is not answered yet.
    """
    match exchange.role, exchange.state:
        case Role.RESPONDER, State.RESPONSE_SENT | State.COMPLETED if exchange.my_did and invitation_signer:
            return _response(exchange, exchange.my_did, invitation_signer)
        case Role.REQUESTER, State.COMPLETED:
            return _complete(exchange)
        case Role.RESPONDER, State.INVITATION_SENT | State.ABANDONED if exchange.problem and exchange.sent_id:
            return _problem(exchange, exchange.problem)
        case _:
            return None


def reject_request(
    exchange: Exchange,
    *,
    explain: str,
    new_id: NewId,
    code: ProblemCode = ProblemCode.REQUEST_NOT_ACCEPTED,
) -> Step[Exchange]:
    """As the responder: refuse this request; the requester may send a better one.

    Raises:
        WrongState: ``did_exchange.wrong_state``.
    """
    return _report(exchange, Event.SEND_REJECTION, code, explain, new_id)


def receive_response(
    exchange: Exchange,
    response: Response,
    *,
    invitation_keys: Collection[str],
    sender: str | None,
    new_id: NewId,
) -> Step[Exchange]:
    """As the requester: check that the response comes from whoever invited, and complete.

    Args:
        invitation_keys: verkeys of the services of the invitation, or of its DID's document.
        sender: the verkey that authenticated the envelope; whether it controls the DID is checked by the caller.

    Raises:
        PeerFault: ``did_exchange.wrong_thread``, ``did_exchange.unexpected_message``, and those of
            :func:`check_response` and :func:`attached_document`; :func:`reject_response` then tells the responder.
    """
    _check_thread(exchange, response.thid, response.pthid)
    received = _move(exchange, Event.RECEIVE_RESPONSE)
    check_response(response, invitation_keys=invitation_keys, sender=sender)
    completed = _move(
        received,
        Event.SEND_COMPLETE,
        minor=min(exchange.minor, response.minor),
        their_did=response.did,
        their_document=attached_document(response, signers=invitation_keys),
        problem=None,
        sent_id=new_id(),
    )
    return Step(completed, (Send(_complete(completed)),))


def reject_response(
    exchange: Exchange,
    *,
    explain: str,
    new_id: NewId,
    code: ProblemCode = ProblemCode.RESPONSE_NOT_ACCEPTED,
) -> Step[Exchange]:
    """As the requester in ``request-sent``: tell the responder that the response just received is refused.

    Raises:
        WrongState: ``did_exchange.wrong_state``.
    """
    if (exchange.role, exchange.state, Event.RECEIVE_RESPONSE) not in TRANSITIONS:
        raise _wrong_state(Event.SEND_REJECTION)
    return _report(_move(exchange, Event.RECEIVE_RESPONSE), Event.SEND_REJECTION, code, explain, new_id)


def receive_complete(exchange: Exchange, complete: Complete) -> Step[Exchange]:
    """As the responder: the requester has the response. Coming late or twice, it changes nothing.

    Raises:
        PeerFault: ``did_exchange.wrong_thread`` or ``did_exchange.unexpected_message``.
    """
    _check_thread(exchange, complete.thid, complete.pthid)
    return implied_complete(exchange)


def implied_complete(exchange: Exchange) -> Step[Exchange]:
    """As the responder: an authenticated message of the requester shows that it has the response.

    Raises:
        PeerFault: ``did_exchange.unexpected_message``.
    """
    if exchange.role is Role.RESPONDER and exchange.state is State.COMPLETED:
        return Step(exchange)
    return Step(_move(exchange, Event.RECEIVE_COMPLETE))


def receive_problem_report(exchange: Exchange, problem: Problem) -> Step[Exchange]:
    """Either side: go back a step where the peer rejects our last message, give up for any other problem.

    A warning (``w.``, RFC 0035) and a report after the end change nothing. A responder whose response was rejected
    decides again.

    Raises:
        PeerFault: ``did_exchange.wrong_thread``.
    """
    _check_thread(exchange, problem.thid, problem.pthid)
    if problem.code.startswith("w."):
        return Step(exchange)
    rejects = problem.code in _REJECTED_BY[exchange.role]
    if rejects and (exchange.role, exchange.state, Event.RECEIVE_REJECTION) in TRANSITIONS:
        moved = _move(exchange, Event.RECEIVE_REJECTION, problem=problem.code, sent_id=None)
        effects = (Ask(Decision.ACCEPT_CONNECTION),) if moved.role is Role.RESPONDER else ()
        return Step(moved, effects)
    if (exchange.role, exchange.state, Event.RECEIVE_ABANDON) not in TRANSITIONS:
        return Step(exchange)
    return Step(_move(exchange, Event.RECEIVE_ABANDON, problem=problem.code, sent_id=None))


def abandon(exchange: Exchange, *, explain: str, new_id: NewId) -> Step[Exchange]:
    """Either side: give up, and tell the peer.

    Raises:
        WrongState: ``did_exchange.wrong_state``.
    """
    return _report(exchange, Event.SEND_ABANDON, ProblemCode.ABANDONED, explain, new_id)


def _offered_minor(invitation: Invitation) -> int:
    for uri in invitation.handshake_protocols:
        try:
            version = parse_protocol(uri)
        except PeerFault:
            continue
        if (version.family, version.major) == (FAMILY, MAJOR):
            return min(MINOR, version.minor)
    raise BadInput(
        "did_exchange.no_handshake",
        "The invitation does not offer DID Exchange 1.x.",
        "Ask the sender for an invitation that does.",
    )


def _send_request(exchange: Exchange, *, message_id: str, my_did: str, label: str) -> Step[Exchange]:
    sent = _move(exchange, Event.SEND_REQUEST, my_did=my_did, problem=None, sent_id=message_id)
    request = Request(message_id, exchange.thid, exchange.pthid, my_did, label, minor=exchange.minor)
    return Step(sent, (Send(request),))


def _report(exchange: Exchange, event: Event, code: ProblemCode, explain: str, new_id: NewId) -> Step[Exchange]:
    moved = _move(exchange, event, problem=code.value, sent_id=new_id(), explain=explain)
    return Step(moved, (Send(_problem(moved, code.value)),))


def _response(exchange: Exchange, my_did: str, invitation_signer: KeyPair) -> Response:
    message_id = exchange.sent_id or ""
    return Response(
        id=message_id,
        thid=exchange.thid,
        pthid=exchange.pthid,
        did=my_did,
        did_rotate=sign_rotation(my_did, invitation_signer, attachment_id=message_id),
        minor=exchange.minor,
    )


def _complete(exchange: Exchange) -> Complete:
    return Complete(exchange.sent_id or "", exchange.thid, exchange.pthid, exchange.minor)


def _problem(exchange: Exchange, code: str) -> Problem:
    return Problem(exchange.sent_id or "", exchange.thid, code, exchange.explain, exchange.pthid, exchange.minor)


def _check_thread(exchange: Exchange, thid: str, pthid: str | None) -> None:
    """RFC 0023 asks for ``pthid`` in request and complete; elsewhere it may be left out, but must not differ."""
    if thid != exchange.thid or pthid not in {None, exchange.pthid}:
        raise PeerFault("did_exchange.wrong_thread", "The message belongs to another thread.", "Echo thid and pthid.")


def _move(exchange: Exchange, event: Event, **changes: Any) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None and event.value.startswith("receive"):
        raise PeerFault(
            "did_exchange.unexpected_message",
            "The message does not fit the state of its thread.",
            "See the state machine tables of Aries RFC 0023.",
        )
    if state is None:
        raise _wrong_state(event)
    return msgspec.structs.replace(exchange, state=state, **changes)


def _wrong_state(event: Event) -> WrongState:
    return WrongState(
        "did_exchange.wrong_state", f"The connection is not in a state to {event.value}.", "Look at its status first."
    )
