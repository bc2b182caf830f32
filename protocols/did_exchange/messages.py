"""DID Exchange 1.1 messages (Aries RFC 0023), and the same in 1.0 for peers that speak that.

It is a protocol of DIDComm v1, and its messages are written so whatever wire the connection speaks otherwise. A message
keeps the minor version it came with; an answer uses the lower of the two (RFC 0003). Who controls a DID and who signed
an attachment is left to :mod:`protocols.did_exchange.provenance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from protocols.did.syntax import MAX_DID_CHARS, check_did
from protocols.didcomm import problem_report
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG, version_of_type
from protocols.errors import BadInput, PeerFault

__all__ = [
    "FAMILY", "MAJOR", "MINOR", "Complete", "DidExchangeMessage", "Problem", "ProblemCode", "Request", "Response",
    "decode", "protocol",
]  # fmt: skip

FAMILY = DIDCOMM_ORG + "didexchange"
MAJOR = 1
MINOR = 1
_KNOWN_AS = f"{FAMILY}/{MAJOR}"
_MAX_LABEL = 256


def protocol(minor: int = MINOR) -> str:
    """The protocol URI, e.g. ``https://didcomm.org/didexchange/1.1``."""
    return f"{_KNOWN_AS}.{minor}"


class ProblemCode(StrEnum):
    """RFC 0023 §Errors; after the first four the exchange may go on, after the last it may not."""

    REQUEST_NOT_ACCEPTED = "request_not_accepted"
    REQUEST_PROCESSING_ERROR = "request_processing_error"
    RESPONSE_NOT_ACCEPTED = "response_not_accepted"
    RESPONSE_PROCESSING_ERROR = "response_processing_error"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Request:
    """The requester's DID for this relationship, in answer to the invitation that ``pthid`` names."""

    id: str
    thid: str
    pthid: str
    did: str
    label: str = ""
    goal_code: str | None = None
    goal: str | None = None
    did_doc: Attachment | None = None
    minor: int = MINOR

    def encode(self, wire: Wire) -> PlainMessage:
        """The message, as v1 carries it."""
        optional = {"goal_code": self.goal_code, "goal": self.goal, "did_doc~attach": _wire_attachment(self.did_doc)}
        body: dict[str, Any] = {"label": self.label, "did": self.did} | _present(optional)
        return PlainMessage(f"{protocol(self.minor)}/request", self.id, self.thid, self.pthid, body)


@dataclass(frozen=True, slots=True)
class Response:
    """The responder's DID for this relationship, its provenance signed with the invitation's key."""

    id: str
    thid: str
    did: str
    pthid: str | None = None
    did_doc: Attachment | None = None
    did_rotate: Attachment | None = None
    minor: int = MINOR

    def encode(self, wire: Wire) -> PlainMessage:
        """The message, as v1 carries it."""
        optional = {
            "did_doc~attach": _wire_attachment(self.did_doc),
            "did_rotate~attach": _wire_attachment(self.did_rotate),
        }
        body: dict[str, Any] = {"did": self.did} | _present(optional)
        return PlainMessage(f"{protocol(self.minor)}/response", self.id, self.thid, self.pthid, body)


@dataclass(frozen=True, slots=True)
class Complete:
    """The requester has the response; ``pthid`` is the request's."""

    id: str
    thid: str
    pthid: str
    minor: int = MINOR

    def encode(self, wire: Wire) -> PlainMessage:
        """The message, as v1 carries it."""
        return PlainMessage(f"{protocol(self.minor)}/complete", self.id, self.thid, self.pthid)


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem report of this protocol; ``code`` is a :class:`ProblemCode` or whatever the peer says."""

    id: str
    thid: str
    code: str
    explain: str = ""
    pthid: str | None = None
    minor: int = MINOR

    def encode(self, wire: Wire) -> PlainMessage:
        """The message, as v1 carries it: RFC 0023's own fields, and RFC 0035's, which deployed agents read."""
        body: dict[str, Any] = {
            "problem-code": self.code,
            "explain": self.explain,
            "description": {"code": self.code, "en": self.explain},
        }
        type_uri = f"{protocol(self.minor)}/problem_report"
        return PlainMessage(type_uri, self.id, self.thid, self.pthid, body)


DidExchangeMessage = Request | Response | Complete | Problem


def decode(message: PlainMessage) -> DidExchangeMessage:
    """Read a message of the protocol, of any minor version.

    Raises:
        PeerFault: ``message.type``, ``message.malformed`` or ``attachment.malformed``.
    """
    if message.protocol != _KNOWN_AS or message.wire is not Wire.V1:
        raise _unknown()
    minor = version_of_type(message.type).minor
    if problem_report.is_problem_report(message):
        report = problem_report.decode(message)
        return Problem(report.id, report.thid, report.code, report.explain, report.pthid, minor)
    fields = Fields(message.body)
    match message.name:
        case "request":
            return _request(message, fields, minor)
        case "response":
            return _response(message, fields, minor)
        case "complete":
            _answer_only(message, fields)
            return Complete(message.id, message.thid, _parent(message, fields), minor)
    raise _unknown()


def _request(message: PlainMessage, fields: Fields, minor: int) -> Request:
    return Request(
        id=message.id,
        thid=message.thid,
        pthid=_parent(message, fields),
        did=_did(fields),
        # RFC 0023 §Request Message Attributes: label was meant to be optional, so its absence is borne.
        label=fields.optional_text("label", max_chars=_MAX_LABEL) or "",
        goal_code=fields.optional_text("goal_code", max_chars=_MAX_LABEL),
        goal=fields.optional_text("goal"),
        did_doc=_attachment(fields, "did_doc~attach"),
        minor=minor,
    )


def _response(message: PlainMessage, fields: Fields, minor: int) -> Response:
    _answer_only(message, fields)
    return Response(
        id=message.id,
        thid=message.thid,
        did=_did(fields),
        pthid=message.pthid,
        did_doc=_attachment(fields, "did_doc~attach"),
        did_rotate=_attachment(fields, "did_rotate~attach"),
        minor=minor,
    )


def _did(fields: Fields) -> str:
    try:
        return check_did(fields.text("did", max_chars=MAX_DID_CHARS))
    except BadInput:
        raise fields.fault("did", "is not a DID") from None


def _parent(message: PlainMessage, fields: Fields) -> str:
    if message.pthid is None:
        raise fields.fault("~thread.pthid", "is missing")
    return message.pthid


def _answer_only(message: PlainMessage, fields: Fields) -> None:
    if message.thid == message.id:
        raise fields.fault("~thread.thid", "is missing")


def _attachment(fields: Fields, name: str) -> Attachment | None:
    raw = fields.optional_mapping(name)
    return None if raw is None else Attachment.from_wire(raw)


def _wire_attachment(attachment: Attachment | None) -> dict[str, Any] | None:
    return None if attachment is None else attachment.to_wire()


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _unknown() -> PeerFault:
    return PeerFault("message.type", "DID Exchange 1.x has no such message.", "See Aries RFC 0023.")
