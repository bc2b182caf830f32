"""The messages of Issue Credential: 2.0 in DIDComm v1 (Aries RFC 0453 §Messages), 3.0 in v2 (WACI-DIDComm).

Attachments are those of RFC 0593. It reads any 2.x or 3.x message and writes 2.0 or 3.0; what 2.1 adds (several
credentials in one exchange) is ignored, as RFC 0003 asks. ``credential_preview`` is tolerated and dropped: a JSON-LD
detail already shows the whole credential. Acks and problem reports are those of ``protocols.didcomm``, under this
protocol's type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

from protocols.didcomm import ack, problem_report
from protocols.didcomm.ack import Ack
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.fields import Fields
from protocols.didcomm.formats import attach, attach_object, attached_object
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG, version_of_type
from protocols.didcomm.problem_report import ProblemReport
from protocols.didcomm.versions import known_as, on_wire
from protocols.errors import PeerFault
from protocols.issue_credential.ld_proof import DETAIL_FORMAT, VC_FORMAT, LdProofVcDetail

__all__ = [
    "FORMATS", "ISSUANCE_ABANDONED", "PROTOCOL", "Ack", "IssueCredentialMessage", "Message", "OfferCredential",
    "ProblemReport", "ProposeCredential", "RequestCredential", "decode",
]  # fmt: skip

PROTOCOL = DIDCOMM_ORG + "issue-credential/2.0"
ISSUANCE_ABANDONED = "issuance-abandoned"
"""The problem report code of RFC 0453 §States."""

FORMATS = frozenset({DETAIL_FORMAT, VC_FORMAT})
"""Of attachments that are read."""

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
    detail: LdProofVcDetail

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _with_detail(_plain(self, self.NAME, {}, wire), self.detail, "filters~attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCredential(_Headers):
    """Issuer to holder: what the issuer intends to issue (RFC 0453 §Offer Credential).

    Attributes:
        replacement_id: the same as that of an earlier credential which this one replaces.
    """

    NAME: ClassVar[str] = "offer-credential"
    detail: LdProofVcDetail
    replacement_id: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        plain = _plain(self, self.NAME, {"replacement_id": self.replacement_id}, wire)
        return _with_detail(plain, self.detail, "offers~attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCredential(_Headers):
    """Holder to issuer: yes, issue this (RFC 0453 §Request Credential)."""

    NAME: ClassVar[str] = "request-credential"
    detail: LdProofVcDetail

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _with_detail(_plain(self, self.NAME, {}, wire), self.detail, "requests~attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCredentialMessage(_Headers):
    """Issuer to holder: the credential; asks for an ack of its outcome (RFC 0453 §Issue Credential).

    Attributes:
        credential: the signed JSON-LD document, exactly as received.
        link: where it is to be fetched, with its hash, in the place of the document in the message; None where that is
            in it. What is received has the document.
    """

    NAME: ClassVar[str] = "issue-credential"
    credential: dict[str, Any]
    replacement_id: str | None = None
    link: Attachment | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body = {"replacement_id": self.replacement_id}
        plain = _plain(self, self.NAME, body, wire, please_ack=frozenset({AckOn.OUTCOME}))
        attachment = self.link or Attachment.of_json(self.credential, id=_ATTACH_ID)
        return attach(plain, attachment, field="credentials~attach", media_format=VC_FORMAT)


Message = ProposeCredential | OfferCredential | RequestCredential | IssueCredentialMessage | Ack | ProblemReport


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
            return ProposeCredential(**headers, detail=_detail(message, fields, "filters~attach"))
        case OfferCredential.NAME:
            detail = _detail(message, fields, "offers~attach")
            return OfferCredential(**headers, detail=detail, replacement_id=replacement_id)
        case RequestCredential.NAME:
            return RequestCredential(**headers, detail=_detail(message, fields, "requests~attach"))
        case IssueCredentialMessage.NAME:
            document = attached_object(message, fields, field="credentials~attach", accepted={VC_FORMAT}, area=_AREA)
            return IssueCredentialMessage(**headers, credential=document, replacement_id=replacement_id)
    raise _unknown_type()


def _detail(message: PlainMessage, fields: Fields, field: str) -> LdProofVcDetail:
    value = attached_object(message, fields, field=field, accepted={DETAIL_FORMAT}, area=_AREA)
    return LdProofVcDetail.from_json(value)


def _with_detail(plain: PlainMessage, detail: LdProofVcDetail, field: str) -> PlainMessage:
    return attach_object(plain, detail.to_json(), field=field, media_format=DETAIL_FORMAT, attach_id=_ATTACH_ID)


def _plain(
    message: _Headers, name: str, body: Mapping[str, Any], wire: Wire, *, please_ack: frozenset[AckOn] = frozenset()
) -> PlainMessage:
    texts = {"comment": message.comment, "goal_code": message.goal_code}
    present = {field: value for field, value in {**texts, **body}.items() if value is not None}
    type_uri = f"{on_wire(PROTOCOL, wire)}/{name}"
    headers = (type_uri, message.id, message.thid, message.pthid, present, please_ack, wire)
    return PlainMessage(*headers, expires_time=message.expires)


def _unknown_type() -> PeerFault:
    return PeerFault("message.type", "Issue Credential has no such message.", "See Aries RFC 0453.")
