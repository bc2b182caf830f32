"""Issue Credential 2.0 as a state machine (Aries RFC 0453 §States and §Choreography Diagram).

:data:`TRANSITIONS` holds every transition there is; each function below is one or two steps through it.

* A message that does not fit its thread or state raises PeerFault, a decision that does not fit raises WrongState;
  either changes nothing. A message that was applied before changes nothing and does nothing, whatever its state.
* A request that is not the offer, or a credential that is not the request, ends the exchange for both (RFC 0453
  §States): the step abandons it and sends a problem report.
* An exchange sends at most one credential and stores at most one: the transitions that do so are on no cycle.
* Who speaks for an abandoned exchange is told once more that it is over, so that no side waits for ever, whatever the
  order in which messages arrive.

What may differ between offer, request and credential stands in ``ld_proof.py``. Signing, verifying and deciding are
left to the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from protocols.didcomm.ack import AckStatus
from protocols.errors import BadInput, PeerFault, WrongState
from protocols.issue_credential.ld_proof import (
    LdProofVcDetail,
    credential_difference,
    request_difference,
    with_holder,
)
from protocols.issue_credential.messages import (
    ISSUANCE_ABANDONED,
    PROTOCOL,
    Ack,
    IssueCredentialMessage,
    Message,
    OfferCredential,
    ProblemReport,
    ProposeCredential,
    RequestCredential,
)
from protocols.machine import Ask, Decision, NewId, Send, Step, StoreCredential, Verify

__all__ = [
    "TERMINAL", "TRANSITIONS", "Event", "Exchange", "Role", "State", "credential_checked", "decline", "issue", "offer",
    "propose", "receive", "request", "request_directly",
]  # fmt: skip

MAX_ROUNDS = 16
"""Proposals or offers that one side may send in one exchange; negotiation must end."""


class Role(StrEnum):
    """RFC 0453 §Roles."""

    ISSUER = "issuer"
    HOLDER = "holder"


class State(StrEnum):
    """RFC 0453 §States; ``start`` and ``abandoned`` are its ``null`` before and after."""

    START = "start"
    PROPOSAL_SENT = "proposal-sent"
    PROPOSAL_RECEIVED = "proposal-received"
    OFFER_SENT = "offer-sent"
    OFFER_RECEIVED = "offer-received"
    REQUEST_SENT = "request-sent"
    REQUEST_RECEIVED = "request-received"
    CREDENTIAL_ISSUED = "credential-issued"
    CREDENTIAL_RECEIVED = "credential-received"
    DONE = "done"
    ABANDONED = "abandoned"


class Event(StrEnum):
    """What moves an exchange."""

    SEND_PROPOSAL = "send propose-credential"
    RECEIVE_PROPOSAL = "receive propose-credential"
    SEND_OFFER = "send offer-credential"
    RECEIVE_OFFER = "receive offer-credential"
    SEND_REQUEST = "send request-credential"
    RECEIVE_REQUEST = "receive request-credential"
    SEND_CREDENTIAL = "send issue-credential"
    RECEIVE_CREDENTIAL = "receive issue-credential"
    SEND_ACK = "send ack"
    RECEIVE_ACK = "receive ack"
    SEND_PROBLEM_REPORT = "send problem-report"
    RECEIVE_PROBLEM_REPORT = "receive problem-report"


TERMINAL = frozenset({State.DONE, State.ABANDONED})

_ISSUER: dict[tuple[State, Event], State] = {
    (State.START, Event.RECEIVE_PROPOSAL): State.PROPOSAL_RECEIVED,
    (State.START, Event.SEND_OFFER): State.OFFER_SENT,
    (State.START, Event.RECEIVE_REQUEST): State.REQUEST_RECEIVED,
    (State.PROPOSAL_RECEIVED, Event.SEND_OFFER): State.OFFER_SENT,
    (State.PROPOSAL_RECEIVED, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.PROPOSAL_RECEIVED, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    (State.OFFER_SENT, Event.RECEIVE_PROPOSAL): State.PROPOSAL_RECEIVED,
    (State.OFFER_SENT, Event.RECEIVE_REQUEST): State.REQUEST_RECEIVED,
    (State.OFFER_SENT, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.OFFER_SENT, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    (State.REQUEST_RECEIVED, Event.SEND_CREDENTIAL): State.CREDENTIAL_ISSUED,
    (State.REQUEST_RECEIVED, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.REQUEST_RECEIVED, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    # What is issued cannot be declined, only revoked.
    (State.CREDENTIAL_ISSUED, Event.RECEIVE_ACK): State.DONE,
    (State.CREDENTIAL_ISSUED, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
}
_HOLDER: dict[tuple[State, Event], State] = {
    (State.START, Event.SEND_PROPOSAL): State.PROPOSAL_SENT,
    (State.START, Event.RECEIVE_OFFER): State.OFFER_RECEIVED,
    (State.START, Event.SEND_REQUEST): State.REQUEST_SENT,
    (State.PROPOSAL_SENT, Event.RECEIVE_OFFER): State.OFFER_RECEIVED,
    (State.PROPOSAL_SENT, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.PROPOSAL_SENT, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    (State.OFFER_RECEIVED, Event.SEND_PROPOSAL): State.PROPOSAL_SENT,
    (State.OFFER_RECEIVED, Event.SEND_REQUEST): State.REQUEST_SENT,
    (State.OFFER_RECEIVED, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.OFFER_RECEIVED, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    (State.REQUEST_SENT, Event.RECEIVE_CREDENTIAL): State.CREDENTIAL_RECEIVED,
    (State.REQUEST_SENT, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.REQUEST_SENT, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
    (State.CREDENTIAL_RECEIVED, Event.SEND_ACK): State.DONE,
    (State.CREDENTIAL_RECEIVED, Event.SEND_PROBLEM_REPORT): State.ABANDONED,
    (State.CREDENTIAL_RECEIVED, Event.RECEIVE_PROBLEM_REPORT): State.ABANDONED,
}
TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {(Role.ISSUER, *key): state for key, state in _ISSUER.items()}
    | {(Role.HOLDER, *key): state for key, state in _HOLDER.items()}
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One issuance, as this side sees it.

    Attributes:
        proposal, offer, requested: the last of each that was sent or received.
        credential: at the holder, the document while it is being verified; it leaves with the exchange's end.
        comment: the peer's last; for display, never trusted.
        replacement_id: the issuer's name for a line of credentials of which the last counts.
        applied: ids of the peer's messages that have been applied.
        problem: why it was abandoned: the peer's problem report code, or this side's own code.
    """

    thid: str
    pthid: str | None = None
    role: Role
    state: State
    proposal: LdProofVcDetail | None = None
    offer: LdProofVcDetail | None = None
    requested: LdProofVcDetail | None = None
    credential: dict[str, Any] | None = None
    comment: str | None = None
    replacement_id: str | None = None
    applied: tuple[str, ...] = ()
    problem: str | None = None


def propose(
    detail: LdProofVcDetail,
    *,
    new_id: NewId,
    exchange: Exchange | None = None,
    comment: str | None = None,
    pthid: str | None = None,
) -> Step[Exchange]:
    """As the holder: ask for a credential, or answer the offer of ``exchange`` with a counter-proposal.

    Raises:
        WrongState: ``issue_credential.wrong_state``.
    """
    message_id = new_id()
    current = exchange or _started(Role.HOLDER, message_id, pthid)
    sent = _decide(current, Event.SEND_PROPOSAL, proposal=detail)
    message = ProposeCredential(id=message_id, thid=sent.thid, pthid=sent.pthid, comment=comment, detail=detail)
    return Step(sent, (Send(message),))


def offer(
    detail: LdProofVcDetail,
    *,
    new_id: NewId,
    exchange: Exchange | None = None,
    comment: str | None = None,
    replacement_id: str | None = None,
    pthid: str | None = None,
) -> Step[Exchange]:
    """As the issuer: offer a credential, of one's own accord or in answer to the proposal of ``exchange``.

    Raises:
        WrongState: ``issue_credential.wrong_state``.
    """
    message_id = new_id()
    current = exchange or _started(Role.ISSUER, message_id, pthid)
    sent = _decide(current, Event.SEND_OFFER, offer=detail, replacement_id=replacement_id)
    message = OfferCredential(
        id=message_id,
        thid=sent.thid,
        pthid=sent.pthid,
        comment=comment,
        detail=detail,
        replacement_id=replacement_id,
    )
    return Step(sent, (Send(message),))


def request(
    exchange: Exchange, *, new_id: NewId, holder_did: str | None = None, comment: str | None = None
) -> Step[Exchange]:
    """As the holder: accept the offer.

    Args:
        holder_did: becomes ``credentialSubject.id`` where the offer left it open; not used where it did not.

    Raises:
        WrongState: ``issue_credential.wrong_state``.
    """
    offered = exchange.offer
    if offered is None:
        raise _wrong_state()
    detail = with_holder(offered, holder_did) if holder_did is not None else offered
    return _send_request(exchange, detail, message_id=new_id(), comment=comment)


def request_directly(
    detail: LdProofVcDetail, *, new_id: NewId, comment: str | None = None, pthid: str | None = None
) -> Step[Exchange]:
    """As the holder: begin with a request, where both sides know already what is to be issued (RFC 0453)."""
    message_id = new_id()
    return _send_request(_started(Role.HOLDER, message_id, pthid), detail, message_id=message_id, comment=comment)


def issue(
    exchange: Exchange, credential: dict[str, Any], *, new_id: NewId, comment: str | None = None
) -> Step[Exchange]:
    """As the issuer: send the signed credential.

    Raises:
        WrongState: ``issue_credential.wrong_state``.
        BadInput: ``issue_credential.not_as_requested``: the holder would refuse it.
    """
    issued = _decide(exchange, Event.SEND_CREDENTIAL)
    if exchange.requested is None:
        raise _wrong_state()
    differing = credential_difference(exchange.requested, credential)
    if differing is not None:
        raise BadInput(
            "issue_credential.not_as_requested",
            f"The signed credential differs from the requested one in {differing}.",
            "Sign what was requested, as its options say.",
        )
    message = IssueCredentialMessage(
        id=new_id(),
        thid=issued.thid,
        pthid=issued.pthid,
        comment=comment,
        credential=credential,
        replacement_id=issued.replacement_id,
    )
    return Step(issued, (Send(message),))


def decline(exchange: Exchange, *, reason: str, new_id: NewId) -> Step[Exchange]:
    """As either side: end the exchange and tell the peer.

    Args:
        reason: English text for the person at the other side; sent as it is.

    Raises:
        WrongState: ``issue_credential.wrong_state``: it is over, or the credential is issued already.
    """
    if (exchange.role, exchange.state, Event.SEND_PROBLEM_REPORT) not in TRANSITIONS:
        raise _wrong_state()
    return _abandon(exchange, "issue_credential.declined", reason, new_id)


def credential_checked(exchange: Exchange, *, ok: bool, new_id: NewId, code: str | None = None) -> Step[Exchange]:
    """As the holder: the credential that a ``Verify`` effect named has been verified; keep it, or refuse it.

    Args:
        code: of the check that failed; goes to the issuer.

    Raises:
        WrongState: ``issue_credential.wrong_state``, also where the result comes a second time.
    """
    document = exchange.credential
    if document is None:
        raise _wrong_state()
    if not ok:
        problem = code or "issue_credential.not_verified"
        return _abandon(exchange, problem, f"The credential was refused: {problem}.", new_id)
    done = _decide(exchange, Event.SEND_ACK, credential=None)
    confirmation = Ack(id=new_id(), thid=done.thid, pthid=done.pthid, protocol=PROTOCOL)
    return Step(done, (StoreCredential(document), Send(confirmation)))


def receive(exchange: Exchange | None, message: Message, *, new_id: NewId) -> Step[Exchange]:
    """As either side: take a message of the thread, or, without an exchange, one that starts a thread.

    Raises:
        PeerFault: ``issue_credential.unknown_thread``, ``issue_credential.wrong_thread`` or
            ``issue_credential.unexpected_message``.
    """
    if exchange is None:
        return _begin(message, new_id)
    if message.thid != exchange.thid:
        raise PeerFault("issue_credential.wrong_thread", "The message is of another thread.", "Set ~thread.thid.")
    if message.id in exchange.applied:
        return Step(exchange)
    if isinstance(message, Ack):
        return _receive_ack(exchange, message)
    if isinstance(message, ProblemReport):
        return _receive_problem_report(exchange, message)
    if exchange.state is State.ABANDONED:
        return Step(exchange, (Send(_report(exchange, "The exchange is over.", new_id)),))
    if isinstance(message, ProposeCredential | OfferCredential) and len(exchange.applied) >= MAX_ROUNDS:
        _apply(exchange, message)
        return _abandon(exchange, "issue_credential.too_many_rounds", "The negotiation took too many rounds.", new_id)
    return _receive_in_thread(exchange, message, new_id)


def _begin(message: Message, new_id: NewId) -> Step[Exchange]:
    if not isinstance(message, ProposeCredential | OfferCredential | RequestCredential) or message.thid != message.id:
        raise PeerFault("issue_credential.unknown_thread", "The message names no known thread.", "Start a new one.")
    role = Role.HOLDER if isinstance(message, OfferCredential) else Role.ISSUER
    return _receive_in_thread(_started(role, message.thid, message.pthid), message, new_id)


def _receive_in_thread(
    exchange: Exchange,
    message: ProposeCredential | OfferCredential | RequestCredential | IssueCredentialMessage,
    new_id: NewId,
) -> Step[Exchange]:
    match message:
        case ProposeCredential():
            return _receive_proposal(exchange, message)
        case OfferCredential():
            return _receive_offer(exchange, message)
        case RequestCredential():
            return _receive_request(exchange, message, new_id)
        case IssueCredentialMessage():
            return _receive_credential(exchange, message, new_id)


def _receive_proposal(exchange: Exchange, message: ProposeCredential) -> Step[Exchange]:
    received = _apply(exchange, message, proposal=message.detail)
    return Step(received, (Ask(Decision.ANSWER_CREDENTIAL_PROPOSAL),))


def _receive_offer(exchange: Exchange, message: OfferCredential) -> Step[Exchange]:
    received = _apply(exchange, message, offer=message.detail, replacement_id=message.replacement_id)
    return Step(received, (Ask(Decision.ACCEPT_OFFER),))


def _receive_request(exchange: Exchange, message: RequestCredential, new_id: NewId) -> Step[Exchange]:
    received = _apply(exchange, message, requested=message.detail)
    differing = None if exchange.offer is None else request_difference(exchange.offer, message.detail)
    if differing is not None:
        explain = "The request differs from the offer in more than the subject's id."
        return _abandon(received, "issue_credential.request_differs", explain, new_id)
    return Step(received, (Ask(Decision.ISSUE),))


def _receive_credential(exchange: Exchange, message: IssueCredentialMessage, new_id: NewId) -> Step[Exchange]:
    document = message.credential
    received = _apply(exchange, message, credential=document)
    if message.replacement_id is not None:
        received = msgspec.structs.replace(received, replacement_id=message.replacement_id)
    if exchange.requested is None or credential_difference(exchange.requested, document) is not None:
        explain = "The credential is not what was requested."
        return _abandon(received, "issue_credential.credential_differs", explain, new_id)
    return Step(received, (Verify(document),))


def _receive_ack(exchange: Exchange, message: Ack) -> Step[Exchange]:
    """The peer is content. Where that is no news it changes nothing: some agents acknowledge unasked."""
    if exchange.state in TERMINAL:
        return Step(exchange)
    done = _apply(exchange, message)
    # RFC 0015: PENDING says that the outcome will be told later.
    return Step(exchange if message.status is AckStatus.PENDING else done)


def _receive_problem_report(exchange: Exchange, message: ProblemReport) -> Step[Exchange]:
    """The peer gives up. What is over stays as it ended, and a report is never answered by a report."""
    if message.is_warning or exchange.state in TERMINAL:
        return Step(exchange)
    return Step(_apply(exchange, message, credential=None, problem=message.code))


_EVENTS: Mapping[type[Message], Event] = MappingProxyType(
    {
        ProposeCredential: Event.RECEIVE_PROPOSAL,
        OfferCredential: Event.RECEIVE_OFFER,
        RequestCredential: Event.RECEIVE_REQUEST,
        IssueCredentialMessage: Event.RECEIVE_CREDENTIAL,
        Ack: Event.RECEIVE_ACK,
        ProblemReport: Event.RECEIVE_PROBLEM_REPORT,
    }
)


def _started(role: Role, thid: str, pthid: str | None) -> Exchange:
    return Exchange(thid=thid, pthid=pthid, role=role, state=State.START)


def _send_request(
    exchange: Exchange, detail: LdProofVcDetail, *, message_id: str, comment: str | None
) -> Step[Exchange]:
    sent = _decide(exchange, Event.SEND_REQUEST, requested=detail)
    message = RequestCredential(id=message_id, thid=sent.thid, pthid=sent.pthid, comment=comment, detail=detail)
    return Step(sent, (Send(message),))


def _abandon(exchange: Exchange, problem: str, explain: str, new_id: NewId) -> Step[Exchange]:
    abandoned = _decide(exchange, Event.SEND_PROBLEM_REPORT, credential=None, problem=problem)
    return Step(abandoned, (Send(_report(abandoned, explain, new_id)),))


def _report(exchange: Exchange, explain: str, new_id: NewId) -> ProblemReport:
    return ProblemReport(
        id=new_id(),
        thid=exchange.thid,
        pthid=exchange.pthid,
        code=ISSUANCE_ABANDONED,
        protocol=PROTOCOL,
        explain=explain,
    )


def _apply(exchange: Exchange, message: Message, **changes: Any) -> Exchange:
    """The exchange after a message of the peer, which will not be applied again."""
    state = TRANSITIONS.get((exchange.role, exchange.state, _EVENTS[type(message)]))
    if state is None:
        raise PeerFault(
            "issue_credential.unexpected_message",
            "The message does not fit the role or state of its thread.",
            "See Aries RFC 0453.",
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
        "issue_credential.wrong_state",
        "The credential exchange is not in a state that allows this.",
        "Look at its state and whose turn it is.",
    )
