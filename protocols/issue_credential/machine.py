"""Issue Credential 2.0 as a state machine (Aries RFC 0453 §States and §Choreography Diagram).

:data:`TRANSITIONS` holds every transition there is; each function below is one or two steps through it.

* A message that does not fit its thread or state raises PeerFault, a decision that does not fit raises WrongState;
  either changes nothing. A message that was applied before changes nothing and does nothing, whatever its state.
* A request that is not the offer, or a credential that is not the request, ends the exchange for both (RFC 0453
  §States): the step abandons it and sends a problem report.
* An exchange is about one credential or about several, which are offered, requested and issued together, in one order.
  It sends each at most once and stores each at most once, for the transitions that do so are on no cycle; and the
  holder keeps all of them or none.
* Who speaks for an abandoned exchange is told once more that it is over, so that no side waits for ever, whatever the
  order in which messages arrive.

What may differ between offer, request and credential stands in ``ld_proof.py``, and where a manifest is offered, as
WACI-DIDComm says, in ``manifest.py``. Signing, verifying and deciding are left to the node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from protocols.didcomm.attachments import Attachment
from protocols.errors import BadInput, WrongState
from protocols.issue_credential.ld_proof import (
    LdProofVcDetail,
    credential_difference,
    request_difference,
    with_holder,
)
from protocols.issue_credential.manifest import Manifest, applicant, fulfillment_difference
from protocols.issue_credential.messages import (
    ISSUANCE_ABANDONED,
    MAX_CREDENTIALS,
    PROTOCOL,
    Ack,
    IssueCredentialMessage,
    Message,
    OfferCredential,
    ProblemReport,
    ProposeCredential,
    RequestCredential,
)
from protocols.issue_credential.supplements import MAX_SUPPLEMENTS
from protocols.machine import Ask, Authenticate, Decision, NewId, Send, Step, StoreCredential, Verify
from protocols.negotiation import Negotiation, Rules, awaiting, last_headers

__all__ = [
    "TERMINAL", "TRANSITIONS", "Event", "Exchange", "Role", "State", "answer_again", "answer_invitation",
    "applicant_checked", "credential_checked", "decline", "expire", "issue", "offer", "propose", "receive", "request",
    "request_directly", "resend",
]  # fmt: skip

_G = TypeVar("_G")


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


class Exchange(Negotiation, frozen=True, kw_only=True):
    """One issuance, as this side sees it.

    Attributes:
        proposal, offer, requested: the last of each that was sent or received, a detail for each credential.
        credentials: at the holder, the documents while they are being verified; they leave with the exchange's end.
        replacement_id: the issuer's name for a line of credentials of which the last counts.
        links: at the issuer, by position where the holder fetches a credential that is not in the message.
        supplements: what was sent along of credentials about the issuer; at the holder as long as ``credentials``.
        manifest: of the last offer, where it is one by Credential Manifest.
        application: for it, of the holder; the issuer has it while who applies is being authenticated.
    """

    role: Role
    state: State
    proposal: tuple[LdProofVcDetail, ...] = ()
    offer: tuple[LdProofVcDetail, ...] = ()
    requested: tuple[LdProofVcDetail, ...] = ()
    credentials: tuple[dict[str, Any], ...] = ()
    replacement_id: str | None = None
    links: dict[int, Attachment] = msgspec.field(default_factory=dict)
    supplements: tuple[dict[str, Any], ...] = ()
    manifest: Manifest | None = None
    application: dict[str, Any] | None = None


_RULES: Rules[Exchange] = Rules(
    area="issue_credential",
    thing="credential",
    rfc="RFC 0453",
    protocol=PROTOCOL,
    abandoned_code=ISSUANCE_ABANDONED,
    transitions=TRANSITIONS,
    events=MappingProxyType(
        {
            ProposeCredential: Event.RECEIVE_PROPOSAL,
            OfferCredential: Event.RECEIVE_OFFER,
            RequestCredential: Event.RECEIVE_REQUEST,
            IssueCredentialMessage: Event.RECEIVE_CREDENTIAL,
            Ack: Event.RECEIVE_ACK,
            ProblemReport: Event.RECEIVE_PROBLEM_REPORT,
        }
    ),
    give_up=Event.SEND_PROBLEM_REPORT,
    abandoned=State.ABANDONED,
    terminal=TERMINAL,
)


def propose(
    *details: LdProofVcDetail,
    new_id: NewId,
    exchange: Exchange | None = None,
    comment: str | None = None,
    pthid: str | None = None,
    expires: int | None = None,
) -> Step[Exchange]:
    """As the holder: ask for credentials, or answer the offer of ``exchange`` with a counter-proposal.

    Args:
        details: what is wanted; of an offer of several, whoever wants only some proposes those.
        expires: seconds since 1970 until which the issuer may answer.

    Raises:
        WrongState: ``issue_credential.wrong_state``.
        BadInput: ``issue_credential.too_many``.
    """
    _check_count(details)
    message_id = new_id()
    current = exchange or _started(Role.HOLDER, message_id, pthid)
    sent = _sent(current, Event.SEND_PROPOSAL, message_id, comment, proposal=details, expires=expires)
    return awaiting(sent, Send(_proposal(sent)))


def answer_invitation(*, new_id: NewId, pthid: str, expires: int | None = None) -> Step[Exchange]:
    """As the holder: propose whatever an invitation is for, which the issuer knows by it (WACI-DIDComm §Step 2).

    Args:
        pthid: the invitation's id.
        expires: seconds since 1970 until which the issuer may answer.
    """
    message_id = new_id()
    sent = _sent(_started(Role.HOLDER, message_id, pthid), Event.SEND_PROPOSAL, message_id, None, expires=expires)
    return awaiting(sent, Send(_proposal(sent)))


def offer(
    *details: LdProofVcDetail,
    new_id: NewId,
    exchange: Exchange | None = None,
    comment: str | None = None,
    replacement_id: str | None = None,
    pthid: str | None = None,
    expires: int | None = None,
    manifest: Manifest | None = None,
) -> Step[Exchange]:
    """As the issuer: offer credentials, of one's own accord or in answer to the proposal of ``exchange``.

    Args:
        details: one a credential; the holder takes all of them or none.
        manifest: that describes the same, to offer as WACI-DIDComm says.
        expires: seconds since 1970 until which the holder may answer.

    Raises:
        WrongState: ``issue_credential.wrong_state``.
        BadInput: ``issue_credential.too_many``.
    """
    _check_count(details)
    message_id = new_id()
    current = exchange or _started(Role.ISSUER, message_id, pthid)
    changes = {"offer": details, "replacement_id": replacement_id, "expires": expires, "manifest": manifest}
    sent = _sent(current, Event.SEND_OFFER, message_id, comment, **changes)
    return awaiting(sent, Send(_offer(sent)))


def request(
    exchange: Exchange,
    *,
    new_id: NewId,
    holder_did: str | None = None,
    comment: str | None = None,
    application: dict[str, Any] | None = None,
) -> Step[Exchange]:
    """As the holder: accept the offer.

    Args:
        holder_did: becomes ``credentialSubject.id`` where the offer left it open; not used where it did not.
        application: of ``holder_did``, where the offer has a manifest; with what that asks to see.

    Raises:
        WrongState: ``issue_credential.wrong_state``, ``issue_credential.records_first``.
    """
    asked = exchange.manifest is not None and exchange.manifest.definition is not None
    if asked and "presentation_submission" not in (application or {}):
        raise WrongState(
            "issue_credential.records_first",
            "The issuer asks for records before it issues, so that a yes alone is no answer.",
            "See what would be shown, and show it, with: lernode accept ID",
        )
    details = exchange.offer
    if holder_did is not None:
        details = tuple(with_holder(detail, holder_did) for detail in details)
    return _send_request(exchange, details, message_id=new_id(), comment=comment, application=application)


def request_directly(
    *details: LdProofVcDetail, new_id: NewId, comment: str | None = None, pthid: str | None = None
) -> Step[Exchange]:
    """As the holder: begin with a request, where both sides know already what is to be issued (RFC 0453).

    Raises:
        BadInput: ``issue_credential.too_many``.
    """
    _check_count(details)
    message_id = new_id()
    return _send_request(_started(Role.HOLDER, message_id, pthid), details, message_id=message_id, comment=comment)


def issue(
    exchange: Exchange,
    *credentials: dict[str, Any],
    new_id: NewId,
    comment: str | None = None,
    links: Mapping[int, Attachment] = MappingProxyType({}),
    supplements: Sequence[dict[str, Any]] = (),
) -> Step[Exchange]:
    """As the issuer: send the signed credentials, in the order in which they were requested.

    Args:
        links: by position, where the holder fetches a credential, in the place of the document in the message.
        supplements: credentials about the issuer that go along, as many as there is room for.

    Raises:
        WrongState: ``issue_credential.wrong_state``.
        BadInput: ``issue_credential.not_as_requested``: the holder would refuse it.
    """
    along = tuple(supplements[: min(MAX_SUPPLEMENTS, MAX_CREDENTIALS - len(credentials))])
    issued = _sent(exchange, Event.SEND_CREDENTIAL, new_id(), comment, links=dict(links), supplements=along)
    differing = _first_differing(exchange.requested, credentials, credential_difference)
    if differing is not None:
        raise BadInput(
            "issue_credential.not_as_requested",
            f"The signed credential differs from the requested one in {differing}.",
            "Sign what was requested, as its options say.",
        )
    return Step(issued, (Send(_issuance(issued, credentials)),))


def decline(exchange: Exchange, *, reason: str, new_id: NewId) -> Step[Exchange]:
    """As either side: end the exchange and tell the peer.

    Args:
        reason: English text for the person at the other side; sent as it is.

    Raises:
        WrongState: ``issue_credential.wrong_state``: it is over, or the credential is issued already.
    """
    return _abandon(exchange, "issue_credential.declined", reason, new_id)


def expire(exchange: Exchange, *, new_id: NewId) -> Step[Exchange]:
    """As either side: end the exchange, because its last message was not answered in time.

    Raises:
        WrongState: ``issue_credential.wrong_state``: it is over, or the credential is issued already.
    """
    return _RULES.expire(exchange, new_id)


def resend(exchange: Exchange, *, issued: Sequence[dict[str, Any]] = ()) -> Step[Exchange]:
    """As either side: send the last message again, as it was, where the peer owes an answer to it.

    Args:
        issued: the credentials that were sent, in their order; only the issuer who waits for its ack needs it.

    Raises:
        WrongState: ``issue_credential.wrong_state``.
    """
    message = _last_sent(exchange, issued)
    if message is None or exchange.state in TERMINAL:
        raise _RULES.wrong_state()
    return awaiting(exchange, Send(message, again=True))


def answer_again(exchange: Exchange, message_id: str, *, issued: Sequence[dict[str, Any]] = ()) -> Message | None:
    """As either side: what answered a message of the peer, as it was; for a peer that repeats it.

    Args:
        issued: as for :func:`resend`; also after the ack, which a holder that was restored from a backup has forgotten.

    Returns:
        None where that message is not answered yet, asks for no answer, or the exchange has gone on from it.
    """
    asking = exchange.applied
    if exchange.role is Role.ISSUER and exchange.state is State.DONE:
        # The ack came last, and closed what was to be fetched.
        asking, exchange = asking[:-1], msgspec.structs.replace(exchange, links={})
    return _last_sent(exchange, issued) if asking[-1:] == (message_id,) else None


def credential_checked(
    exchange: Exchange, *, ok: bool, new_id: NewId, code: str | None = None, position: int = 0
) -> Step[Exchange]:
    """As the holder: what the ``Verify`` effects named has been verified; keep all of it, or refuse all.

    Args:
        ok: every credential is.
        code: of the check that failed; goes to the issuer.
        position: of the credential that failed it.

    Raises:
        WrongState: ``issue_credential.wrong_state``, also where the result comes a second time.
    """
    documents = exchange.credentials
    if not documents:
        raise _RULES.wrong_state()
    if not ok:
        problem = code or "issue_credential.not_verified"
        refused = f"The credential{_of_several(position, len(documents))} was refused: {problem}."
        return _abandon(exchange, problem, refused, new_id)
    done = _RULES.decide(exchange, Event.SEND_ACK, credentials=(), supplements=(), sent_id=new_id())
    kept = (StoreCredential(document, position) for position, document in enumerate(documents))
    return Step(done, (*kept, Send(_RULES.last_ack(done))))


def applicant_checked(exchange: Exchange, *, ok: bool, new_id: NewId, code: str | None = None) -> Step[Exchange]:
    """As the issuer: the application that the ``Authenticate`` effect named was signed by who applies, or was not.

    Args:
        code: of the check that failed; goes to the holder.

    Raises:
        WrongState: ``issue_credential.wrong_state``, also where the result comes a second time.
    """
    if exchange.role is not Role.ISSUER or exchange.application is None:
        raise _RULES.wrong_state()
    checked = msgspec.structs.replace(exchange, application=None)
    if not ok:
        problem = code or "issue_credential.not_verified"
        return _abandon(checked, problem, f"The application was refused: {problem}.", new_id)
    return awaiting(checked, Ask(Decision.ISSUE))


def receive(exchange: Exchange | None, message: Message, *, new_id: NewId) -> Step[Exchange]:
    """As either side: take a message of the thread, or, without an exchange, one that starts a thread.

    Raises:
        PeerFault: ``issue_credential.unknown_thread``, ``issue_credential.wrong_thread`` or
            ``issue_credential.unexpected_message``.
    """
    if exchange is None:
        return _begin(message, new_id)
    negotiates = isinstance(message, ProposeCredential | OfferCredential)
    settled = _RULES.before(exchange, message, negotiates=negotiates, new_id=new_id)
    if settled is not None:
        return settled
    match message:
        case Ack():
            return _RULES.receive_ack(exchange, message)
        case ProblemReport():
            return _RULES.receive_report(exchange, message, credentials=(), supplements=())
        case _:
            return _receive_in_thread(exchange, message, new_id)


def _begin(message: Message, new_id: NewId) -> Step[Exchange]:
    """A proposal or an offer may name its new thread otherwise than by its own id, as Credo does (RFC 0008 would not).

    A request that names another thread answers an offer that is not known here, and so starts none; nor does one that
    applies by a manifest, which somebody must have offered.
    """
    if not isinstance(message, ProposeCredential | OfferCredential | RequestCredential):
        raise _RULES.unknown_thread()
    if isinstance(message, RequestCredential) and (message.thid != message.id or not message.details):
        raise _RULES.unknown_thread()
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
            return _receive_offer(exchange, message, new_id)
        case RequestCredential():
            return _receive_request(exchange, message, new_id)
        case IssueCredentialMessage():
            return _receive_credential(exchange, message, new_id)


def _receive_proposal(exchange: Exchange, message: ProposeCredential) -> Step[Exchange]:
    received = _RULES.apply(exchange, message, proposal=message.details)
    return awaiting(received, Ask(Decision.ANSWER_CREDENTIAL_PROPOSAL))


def _receive_offer(exchange: Exchange, message: OfferCredential, new_id: NewId) -> Step[Exchange]:
    received = _RULES.apply(
        exchange,
        message,
        offer=message.details,
        replacement_id=message.replacement_id,
        manifest=message.manifest,
    )
    manifest = message.manifest
    if manifest is not None and manifest.definition is not None and not manifest.challenge:
        explain = "The manifest asks for records, and has no challenge that what is shown could be signed for."
        return _abandon(received, "issue_credential.no_challenge", explain, new_id)
    if not message.details:
        explain = "The offer does not show what would be issued: it has no preview of the fulfillment."
        return _abandon(received, "issue_credential.no_preview", explain, new_id)
    return awaiting(received, Ask(Decision.ACCEPT_OFFER))


def _receive_request(exchange: Exchange, message: RequestCredential, new_id: NewId) -> Step[Exchange]:
    if message.application is not None and exchange.manifest is not None:
        return _receive_application(exchange, exchange.manifest, message, message.application, new_id)
    if message.sender is not None and exchange.manifest is not None:
        return _receive_yes(exchange, message, message.sender)
    received = _RULES.apply(exchange, message, requested=message.details)
    differing = _first_differing(exchange.offer, message.details, request_difference) if exchange.offer else None
    if differing is not None:
        explain = f"The request differs from the offer in more than the subject's id: in {differing}."
        return _abandon(received, "issue_credential.request_differs", explain, new_id)
    return awaiting(received, Ask(Decision.ISSUE))


def _receive_yes(exchange: Exchange, message: RequestCredential, sender: str) -> Step[Exchange]:
    """All that was offered, without an application, as wallets ask that sign none where no records are asked of them.

    Who sent it is authenticated as every message is, and becomes the subject that was left open.
    """
    requested = tuple(with_holder(detail, sender) for detail in exchange.offer)
    return awaiting(_RULES.apply(exchange, message, requested=requested), Ask(Decision.ISSUE))


def _receive_application(
    exchange: Exchange, manifest: Manifest, message: RequestCredential, application: dict[str, Any], new_id: NewId
) -> Step[Exchange]:
    """An application for all that was offered: who applies becomes the subject that was left open."""
    requested = tuple(with_holder(detail, applicant(application)) for detail in exchange.offer)
    received = _RULES.apply(exchange, message, requested=requested, application=application)
    if application["credential_application"]["manifest_id"] != manifest.id:
        explain = "The application is for another manifest than the one that was offered."
        return _abandon(received, "issue_credential.request_differs", explain, new_id)
    return Step(received, (Authenticate(application, manifest.challenge, manifest.domain),))


def _receive_credential(exchange: Exchange, message: IssueCredentialMessage, new_id: NewId) -> Step[Exchange]:
    received = _RULES.apply(exchange, message, credentials=message.credentials, supplements=message.supplements)
    if message.replacement_id is not None:
        received = msgspec.structs.replace(received, replacement_id=message.replacement_id)
    differing = _issued_difference(exchange, message)
    if differing is not None:
        explain = f"The credential is not what was requested: it differs in {differing}."
        return _abandon(received, "issue_credential.credential_differs", explain, new_id)
    return Step(received, tuple(map(Verify, message.credentials)))


def _issued_difference(exchange: Exchange, message: IssueCredentialMessage) -> str | None:
    if exchange.manifest is None:
        if message.manifest_id is not None:
            return "their format"
        return _first_differing(exchange.requested, message.credentials, credential_difference)
    if message.manifest_id != exchange.manifest.id:
        return "the manifest"
    unnamed = _first_differing(exchange.offer, message.credentials, fulfillment_difference)
    named = _first_differing(exchange.requested, message.credentials, fulfillment_difference)
    return named if unnamed is not None else None


def _first_differing(
    wanted: Sequence[LdProofVcDetail], given: Sequence[_G], difference: Callable[[LdProofVcDetail, _G], str | None]
) -> str | None:
    """Where what was given first differs from what was wanted, each from that in its own place, or None."""
    if len(given) != len(wanted) or not wanted:
        return f"their number: {len(given)}, not {len(wanted)}"
    for position, (one, other) in enumerate(zip(wanted, given, strict=True)):
        differing = difference(one, other)
        if differing is not None:
            return f"{differing}{_of_several(position, len(wanted))}"
    return None


def _of_several(position: int, count: int) -> str:
    """Which of several attachments is meant; nothing where there is one."""
    return "" if count == 1 else f" of attachment {position + 1} of {count}"


def _check_count(details: Sequence[LdProofVcDetail]) -> None:
    if not 0 < len(details) <= MAX_CREDENTIALS:
        raise BadInput(
            "issue_credential.too_many",
            f"An exchange is about one credential at least, and at most about {MAX_CREDENTIALS}.",
            "Make several exchanges.",
        )


def _started(role: Role, thid: str, pthid: str | None) -> Exchange:
    return Exchange(thid=thid, pthid=pthid, role=role, state=State.START)


def _sent(exchange: Exchange, event: Event, message_id: str, comment: str | None, **changes: Any) -> Exchange:
    return _RULES.decide(exchange, event, sent_id=message_id, sent_comment=comment, **changes)


def _send_request(
    exchange: Exchange,
    details: tuple[LdProofVcDetail, ...],
    *,
    message_id: str,
    comment: str | None,
    application: dict[str, Any] | None = None,
) -> Step[Exchange]:
    changes = {"requested": details, "application": application}
    sent = _sent(exchange, Event.SEND_REQUEST, message_id, comment, **changes)
    return Step(sent, (Send(_request(sent)),))


def _last_sent(exchange: Exchange, issued: Sequence[dict[str, Any]]) -> Message | None:
    """The last message that this side sent; None where there is none, or what was issued is gone."""
    match exchange.role, exchange.state:
        case _, State.PROPOSAL_SENT:
            return _proposal(exchange)
        case _, State.OFFER_SENT:
            return _offer(exchange)
        case _, State.REQUEST_SENT:
            return _request(exchange)
        case Role.ISSUER, State.CREDENTIAL_ISSUED | State.DONE if len(issued) == len(exchange.requested):
            return _issuance(exchange, issued)
        case Role.HOLDER, State.DONE:
            return _RULES.last_ack(exchange)
        case _, State.ABANDONED if exchange.sent_id is not None:
            return _RULES.last_report(exchange)
        case _:
            return None


def _proposal(exchange: Exchange) -> ProposeCredential:
    return ProposeCredential(**last_headers(exchange), details=exchange.proposal)


def _offer(exchange: Exchange) -> OfferCredential:
    return OfferCredential(
        **last_headers(exchange),
        details=exchange.offer,
        replacement_id=exchange.replacement_id,
        manifest=exchange.manifest,
    )


def _request(exchange: Exchange) -> RequestCredential:
    if exchange.application is not None:
        return RequestCredential(**last_headers(exchange), application=exchange.application)
    return RequestCredential(**last_headers(exchange), details=exchange.requested)


def _issuance(exchange: Exchange, credentials: Sequence[dict[str, Any]]) -> IssueCredentialMessage:
    return IssueCredentialMessage(
        **last_headers(exchange),
        credentials=tuple(credentials),
        replacement_id=exchange.replacement_id,
        links=exchange.links,
        supplements=exchange.supplements,
        manifest_id=exchange.manifest.id if exchange.manifest else None,
    )


def _abandon(exchange: Exchange, problem: str, explain: str, new_id: NewId) -> Step[Exchange]:
    return _RULES.abandon(exchange, problem, explain, new_id, credentials=(), supplements=())
