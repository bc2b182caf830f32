"""The messages of Issue Credential: 2.0 in DIDComm v1 (Aries RFC 0453 §Messages), 3.0 in v2 (WACI-DIDComm).

Attachments are those of RFC 0593: one a credential, so that one exchange carries as many as a message has room for.
RFC 0453 means its lists for the same claims in several formats, and lets 2.1 count what comes in later rounds
(``multiple_available``) without saying it; an RFC 0593 request binds its credential to the claims that were offered,
so that what was not shown could not be asked for. It reads any 2.x or 3.x message and writes 2.0 or 3.0, whose requests
tell the issuer not to count (§Request Credential). ``credential_preview`` is tolerated and dropped: a JSON-LD
detail already shows the whole credential. Acks and problem reports are those of ``protocols.didcomm``, under this
protocol's type.

In v2 it also reads and writes the attachments of Credential Manifest, as WACI-DIDComm 1.0 §Issuance says; where a
message has those of RFC 0593 as well, these are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypedDict

from protocols.didcomm import ack, problem_report
from protocols.didcomm.ack import Ack
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.fields import Fields
from protocols.didcomm.formats import MAX_ATTACHMENTS, attach, attach_object, attached_object, attached_objects
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG, version_of_type
from protocols.didcomm.problem_report import ProblemReport
from protocols.didcomm.versions import known_as, on_wire
from protocols.errors import PeerFault
from protocols.issue_credential import supplements
from protocols.issue_credential.ld_proof import DETAIL_FORMAT, VC_FORMAT, LdProofVcDetail
from protocols.issue_credential.manifest import (
    APPLICATION_FORMAT,
    FULFILLMENT_FORMAT,
    MANIFEST_FORMAT,
    Manifest,
    fulfillment_json,
    manifest_json,
    read_application,
    read_fulfillment,
    read_manifest,
)

__all__ = [
    "FORMATS", "ISSUANCE_ABANDONED", "MAX_CREDENTIALS", "PROTOCOL", "Ack", "IssueCredentialMessage", "Message",
    "OfferCredential", "ProblemReport", "ProposeCredential", "RequestCredential", "attach_id", "decode",
]  # fmt: skip

PROTOCOL = DIDCOMM_ORG + "issue-credential/2.0"
ISSUANCE_ABANDONED = "issuance-abandoned"
"""The problem report code of RFC 0453 §States."""

FORMATS = frozenset({DETAIL_FORMAT, VC_FORMAT, MANIFEST_FORMAT, APPLICATION_FORMAT, FULFILLMENT_FORMAT})
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
    """Holder to issuer: what the holder hopes to receive (RFC 0453 §Propose Credential).

    Attributes:
        details: empty, in v2, where the invitation that it answers says what it is about (WACI-DIDComm §Step 2).
    """

    NAME: ClassVar[str] = "propose-credential"
    details: tuple[LdProofVcDetail, ...]

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _with_details(_plain(self, self.NAME, {}, wire), self.details, "filters~attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCredential(_Headers):
    """Issuer to holder: what the issuer intends to issue (RFC 0453 §Offer Credential).

    Attributes:
        details: of previews where there is a manifest; empty where that has none.
        replacement_id: the same as that of an earlier credential which this one replaces.
        manifest: what is offered by Credential Manifest, in v2 only; None by RFC 0593.
    """

    NAME: ClassVar[str] = "offer-credential"
    details: tuple[LdProofVcDetail, ...]
    replacement_id: str | None = None
    manifest: Manifest | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        plain = _plain(self, self.NAME, {"replacement_id": self.replacement_id}, wire)
        if self.manifest is not None:
            plain = _with_object(plain, manifest_json(self.manifest), MANIFEST_FORMAT, "manifest")
            previews = [detail.credential for detail in self.details]
            preview = fulfillment_json(self.manifest.id, previews, fulfillment_id=self.id)
            return _with_object(plain, preview, FULFILLMENT_FORMAT, "preview")
        return _with_details(plain, self.details, "offers~attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCredential(_Headers):
    """Holder to issuer: yes, issue this (RFC 0453 §Request Credential).

    Attributes:
        details: empty where there is an application.
        application: the presentation that applies for what a manifest offers, exactly as received; in v2 only.
        sender: where nothing is attached, who takes what a manifest offers as it is; never sent.
    """

    NAME: ClassVar[str] = "request-credential"
    details: tuple[LdProofVcDetail, ...] = ()
    application: dict[str, Any] | None = None
    sender: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        if self.application is not None:
            plain = _plain(self, self.NAME, {}, wire)
            return _with_object(plain, self.application, APPLICATION_FORMAT, "application")
        return _with_details(_plain(self, self.NAME, {}, wire), self.details, "requests~attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCredentialMessage(_Headers):
    """Issuer to holder: the credentials; asks for an ack of the outcome (RFC 0453 §Issue Credential).

    Attributes:
        credentials: the signed JSON-LD documents, exactly as received.
        links: by position, where a document is to be fetched, with its hash, in the place of the document in the
            message. What is received has the documents.
        supplements: credentials about the issuer, such as its accreditations (RFC 0453 2.2, supplements of type
            ``issuer-credential``). What cannot be read of them is left out, for no record hangs on it.
        manifest_id: of the manifest that they fulfill, in v2 only; None by RFC 0593.
    """

    NAME: ClassVar[str] = "issue-credential"
    credentials: tuple[dict[str, Any], ...]
    replacement_id: str | None = None
    links: Mapping[int, Attachment] = field(default_factory=dict)
    supplements: tuple[dict[str, Any], ...] = ()
    manifest_id: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body = {"replacement_id": self.replacement_id}
        plain = _plain(self, self.NAME, body, wire, please_ack=frozenset({AckOn.OUTCOME}))
        if self.manifest_id is not None:
            content = fulfillment_json(self.manifest_id, self.credentials, fulfillment_id=self.id)
            plain = _with_object(plain, content, FULFILLMENT_FORMAT, "fulfillment")
            return supplements.write(plain, self.supplements)
        for position, document in enumerate(self.credentials):
            attachment = self.links.get(position) or Attachment.of_json(document, id=attach_id(position))
            plain = attach(plain, attachment, field="credentials~attach", media_format=VC_FORMAT)
        return supplements.write(plain, self.supplements)


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
            is_empty = message.wire is Wire.V2 and not message.attachments
            return ProposeCredential(**headers, details=() if is_empty else _details(message, fields, "filters~attach"))
        case OfferCredential.NAME:
            manifest, details = _offered(message, fields)
            return OfferCredential(**headers, details=details, replacement_id=replacement_id, manifest=manifest)
        case RequestCredential.NAME:
            if _is_by_manifest(message, APPLICATION_FORMAT):
                return RequestCredential(
                    **headers, application=read_application(_sole(message, fields, APPLICATION_FORMAT))
                )
            if message.wire is Wire.V2 and not message.attachments and message.from_ is not None:
                return RequestCredential(**headers, sender=message.from_)
            return RequestCredential(**headers, details=_details(message, fields, "requests~attach"))
        case IssueCredentialMessage.NAME:
            manifest_id, documents = _issued(message, fields)
            _require_different(documents, fields, "credentials~attach")
            return IssueCredentialMessage(
                **headers,
                credentials=documents,
                replacement_id=replacement_id,
                supplements=supplements.read(message),
                manifest_id=manifest_id,
            )
    raise _unknown_type()


def _is_by_manifest(message: PlainMessage, media_format: str) -> bool:
    """Whether it is to be read by Credential Manifest, as it has nothing of RFC 0593."""
    if message.wire is not Wire.V2:
        return False
    formats = [attachment.get("format") for attachment in message.attachments]
    return media_format in formats and not {DETAIL_FORMAT, VC_FORMAT} & {one for one in formats if isinstance(one, str)}


def _sole(message: PlainMessage, fields: Fields, media_format: str) -> dict[str, Any]:
    return attached_object(message, fields, field="attachments", accepted={media_format}, area=_AREA)


def _offered(message: PlainMessage, fields: Fields) -> tuple[Manifest | None, tuple[LdProofVcDetail, ...]]:
    if not _is_by_manifest(message, MANIFEST_FORMAT):
        return None, _details(message, fields, "offers~attach")
    manifest = read_manifest(_sole(message, fields, MANIFEST_FORMAT))
    if not _is_by_manifest(message, FULFILLMENT_FORMAT):
        return manifest, ()
    preview = read_fulfillment(_sole(message, fields, FULFILLMENT_FORMAT))
    if preview.manifest_id != manifest.id or preview.descriptors != manifest.descriptors:
        raise fields.fault("attachments", "has a preview of something else than the manifest's records")
    _require_different(preview.credentials, fields, "attachments")
    return manifest, tuple(map(LdProofVcDetail.of_preview, preview.credentials))


def _issued(message: PlainMessage, fields: Fields) -> tuple[str | None, tuple[dict[str, Any], ...]]:
    if _is_by_manifest(message, FULFILLMENT_FORMAT):
        fulfillment = read_fulfillment(_sole(message, fields, FULFILLMENT_FORMAT))
        return fulfillment.manifest_id, fulfillment.credentials
    return None, attached_objects(message, fields, field="credentials~attach", accepted={VC_FORMAT}, area=_AREA)


def _details(message: PlainMessage, fields: Fields, where: str) -> tuple[LdProofVcDetail, ...]:
    values = attached_objects(message, fields, field=where, accepted={DETAIL_FORMAT}, area=_AREA)
    details = tuple(map(LdProofVcDetail.from_json, values))
    _require_different((detail.credential for detail in details), fields, where)
    return details


def _require_different(credentials: Iterable[Mapping[str, Any]], fields: Fields, where: str) -> None:
    names = [credential["id"] for credential in credentials if isinstance(credential.get("id"), str)]
    if len(set(names)) != len(names):
        raise fields.fault(where, "has two credentials with one id")


def _with_object(plain: PlainMessage, value: Mapping[str, Any], media_format: str, attach_id: str) -> PlainMessage:
    return attach_object(plain, value, field="attachments", media_format=media_format, attach_id=attach_id)


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
