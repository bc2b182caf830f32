"""The messages of Issue Credential: 2.0 in DIDComm v1 (Aries RFC 0453 §Messages), 3.0 in v2 (WACI-DIDComm).

Attachments are those of RFC 0593: one a credential, so that one exchange carries as many as a message has room for.
RFC 0453 means its lists for the same claims in several formats, and lets 2.1 count what comes in later rounds
(``multiple_available``) without saying it; an RFC 0593 request binds its credential to the claims that were offered,
so that what was not shown could not be asked for. It reads any 2.x or 3.x message and writes 2.0 or 3.0, whose requests
tell the issuer not to count (§Request Credential). ``credential_preview`` is tolerated and dropped: a JSON-LD
detail already shows the whole credential. Acks and problem reports are those of ``protocols.didcomm``, under this
protocol's type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypedDict

from protocols.didcomm import ack, problem_report
from protocols.didcomm.ack import Ack
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.fields import Fields
from protocols.didcomm.formats import MAX_ATTACHMENTS, attach, attach_object, attached_objects
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG, version_of_type
from protocols.didcomm.problem_report import ProblemReport
from protocols.didcomm.versions import known_as, on_wire
from protocols.errors import PeerFault
from protocols.issue_credential.ld_proof import DETAIL_FORMAT, VC_FORMAT, LdProofVcDetail

__all__ = [
    "FORMATS", "ISSUANCE_ABANDONED", "MAX_CREDENTIALS", "PROTOCOL", "Ack", "IssueCredentialMessage", "Message",
    "OfferCredential", "ProblemReport", "ProposeCredential", "RequestCredential", "attach_id", "decode",
]  # fmt: skip

PROTOCOL = DIDCOMM_ORG + "issue-credential/2.0"
ISSUANCE_ABANDONED = "issuance-abandoned"
"""The problem report code of RFC 0453 §States."""

FORMATS = frozenset({DETAIL_FORMAT, VC_FORMAT})
"""Of attachments that are read."""

MAX_CREDENTIALS = MAX_ATTACHMENTS
"""In one exchange."""

_AREA = "issue_credential"
_ATTACH_ID = "ld_proof"
_MAX_NAME = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Headers:
    """What every message of the protocol has.

    Attributes:
        thid: the thread; the message's own ``id`` where it starts one.
        comment: for a person; never trusted.
        goal_code: RFC 0519.
        expires: seconds since 1970 until which it can be answered (RFC 0032; DIDComm 2.1 ``expires_time``).
    """

    id: str
    thid: str
    pthid: str | None = None
    comment: str | None = None
    goal_code: str | None = None
    expires: int | None = None


class _HeaderValues(TypedDict):
    id: str
    thid: str
    pthid: str | None
    comment: str | None
    goal_code: str | None
    expires: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeCredential(_Headers):
    """Holder to issuer: what the holder hopes to receive (RFC 0453 §Propose Credential)."""

    NAME: ClassVar[str] = "propose-credential"
    details: tuple[LdProofVcDetail, ...]

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _with_details(_plain(self, self.NAME, {}, wire), self.details, "filters~attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCredential(_Headers):
    """Issuer to holder: what the issuer intends to issue (RFC 0453 §Offer Credential).

    Attributes:
        replacement_id: the same as that of an earlier credential which this one replaces.
    """

    NAME: ClassVar[str] = "offer-credential"
    details: tuple[LdProofVcDetail, ...]
    replacement_id: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        plain = _plain(self, self.NAME, {"replacement_id": self.replacement_id}, wire)
        return _with_details(plain, self.details, "offers~attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCredential(_Headers):
    """Holder to issuer: yes, issue this (RFC 0453 §Request Credential)."""

    NAME: ClassVar[str] = "request-credential"
    details: tuple[LdProofVcDetail, ...]

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _with_details(_plain(self, self.NAME, {}, wire), self.details, "requests~attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCredentialMessage(_Headers):
    """Issuer to holder: the credentials; asks for an ack of the outcome (RFC 0453 §Issue Credential).

    Attributes:
        credentials: the signed JSON-LD documents, exactly as received.
        links: by position, where a document is to be fetched, with its hash, in the place of the document in the
            message. What is received has the documents.
    """

    NAME: ClassVar[str] = "issue-credential"
    credentials: tuple[dict[str, Any], ...]
    replacement_id: str | None = None
    links: Mapping[int, Attachment] = field(default_factory=dict)

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body = {"replacement_id": self.replacement_id}
        plain = _plain(self, self.NAME, body, wire, please_ack=frozenset({AckOn.OUTCOME}))
        for position, document in enumerate(self.credentials):
            attachment = self.links.get(position) or Attachment.of_json(document, id=attach_id(position))
            plain = attach(plain, attachment, field="credentials~attach", media_format=VC_FORMAT)
        return plain


Message = ProposeCredential | OfferCredential | RequestCredential | IssueCredentialMessage | Ack | ProblemReport


def attach_id(position: int) -> str:
    """The id of an attachment, which says nothing but its position; of the first as if it were the only one."""
    return _ATTACH_ID if position == 0 else f"{_ATTACH_ID}-{position + 1}"


def decode(message: PlainMessage) -> Message:
    """Read a message of the protocol, of any minor version.

    Raises:
        PeerFault: ``message.type`` where it is none, ``issue_credential.unsupported_format``,
            ``issue_credential.malformed``, ``message.malformed`` (acks and reports) or ``attachment.*``.
    """
    if version_of_type(message.type).known_as != known_as(PROTOCOL, message.wire):
        raise _unknown_type()
    if problem_report.is_problem_report(message):
        return problem_report.decode(message)
    if ack.is_ack(message):
        return ack.decode(message)
    fields = Fields(message.body, code=f"{_AREA}.malformed")
    headers: _HeaderValues = {
        "id": message.id,
        "thid": message.thid,
        "pthid": message.pthid,
        "comment": fields.optional_text("comment"),
        "goal_code": fields.optional_text("goal_code", max_chars=_MAX_NAME),
        "expires": message.expires_time,
    }
    fields.optional_mapping("credential_preview")
    replacement_id = fields.optional_text("replacement_id", max_chars=_MAX_NAME)
    match message.name:
        case ProposeCredential.NAME:
            return ProposeCredential(**headers, details=_details(message, fields, "filters~attach"))
        case OfferCredential.NAME:
            details = _details(message, fields, "offers~attach")
            return OfferCredential(**headers, details=details, replacement_id=replacement_id)
        case RequestCredential.NAME:
            return RequestCredential(**headers, details=_details(message, fields, "requests~attach"))
        case IssueCredentialMessage.NAME:
            documents = attached_objects(message, fields, field="credentials~attach", accepted={VC_FORMAT}, area=_AREA)
            _require_different(documents, fields, "credentials~attach")
            return IssueCredentialMessage(**headers, credentials=documents, replacement_id=replacement_id)
    raise _unknown_type()


def _details(message: PlainMessage, fields: Fields, where: str) -> tuple[LdProofVcDetail, ...]:
    values = attached_objects(message, fields, field=where, accepted={DETAIL_FORMAT}, area=_AREA)
    details = tuple(map(LdProofVcDetail.from_json, values))
    _require_different((detail.credential for detail in details), fields, where)
    return details


def _require_different(credentials: Iterable[Mapping[str, Any]], fields: Fields, where: str) -> None:
    names = [credential["id"] for credential in credentials if isinstance(credential.get("id"), str)]
    if len(set(names)) != len(names):
        raise fields.fault(where, "has two credentials with one id")


def _with_details(plain: PlainMessage, details: Sequence[LdProofVcDetail], where: str) -> PlainMessage:
    for position, detail in enumerate(details):
        name = attach_id(position)
        plain = attach_object(plain, detail.to_json(), field=where, media_format=DETAIL_FORMAT, attach_id=name)
    return plain


def _plain(
    message: _Headers, name: str, body: Mapping[str, Any], wire: Wire, *, please_ack: frozenset[AckOn] = frozenset()
) -> PlainMessage:
    texts = {"comment": message.comment, "goal_code": message.goal_code}
    present = {member: value for member, value in {**texts, **body}.items() if value is not None}
    type_uri = f"{on_wire(PROTOCOL, wire)}/{name}"
    headers = (type_uri, message.id, message.thid, message.pthid, present, please_ack, wire)
    return PlainMessage(*headers, expires_time=message.expires)


def _unknown_type() -> PeerFault:
    return PeerFault("message.type", "Issue Credential has no such message.", "See Aries RFC 0453.")
