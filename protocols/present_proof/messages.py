"""The messages of Present Proof: 2.0 in DIDComm v1 (Aries RFC 0454 §Messages), 3.0 in v2 (WACI-DIDComm).

Attachments are those of RFC 0510. It reads any 2.x or 3.x message and writes 2.0 or 3.0; several presentations in one
exchange (2.1) are neither asked for nor taken. RFC 0510 spells its format ``definition@v1.0``, the registry of RFC 0454
and the agents in the field ``definitions@v1.0``: both are read, the latter is written. Acks and problem reports are
those of ``protocols.didcomm``, under this protocol's type. What a presentation definition means is left to
``protocols.exchange``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

from protocols.didcomm import ack, problem_report
from protocols.didcomm.ack import Ack
from protocols.didcomm.fields import Fields
from protocols.didcomm.formats import attach_object, attached_object, named_formats
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG, version_of_type
from protocols.didcomm.problem_report import ProblemReport
from protocols.didcomm.versions import known_as, on_wire
from protocols.errors import PeerFault

__all__ = [
    "ABANDONED", "DEFINITION_FORMAT", "FORMATS", "PROTOCOL", "SUBMISSION_FORMAT", "Ack", "Message", "Presentation",
    "ProblemReport", "ProposePresentation", "RequestPresentation", "decode",
]  # fmt: skip

PROTOCOL = DIDCOMM_ORG + "present-proof/2.0"
DEFINITION_FORMAT = "dif/presentation-exchange/definitions@v1.0"
SUBMISSION_FORMAT = "dif/presentation-exchange/submission@v1.0"
ABANDONED = "abandoned"
"""The problem report code that agents in the field use for RFC 0454 §Problem Report, which names none."""

_DEFINITION_FORMATS = frozenset({DEFINITION_FORMAT, "dif/presentation-exchange/definition@v1.0"})
FORMATS = frozenset({SUBMISSION_FORMAT, *_DEFINITION_FORMATS})
"""Of attachments that are read."""
_ASKS_ACK = {Wire.V1: AckOn.OUTCOME, Wire.V2: AckOn.RECEIPT}
"""How an ack of the outcome is asked for; DIDComm v2 has one way to ask only."""
_AREA = "present_proof"
_ATTACH_ID = "dif"
_MAX_NAME = 256
_MAX_OPTION = 512
_MAX_DESCRIPTORS = 64


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
class ProposePresentation(_Headers):
    """Prover to verifier: ask me for this (RFC 0454 §Propose Presentation).

    Attributes:
        definition: an object with ``input_descriptors`` (RFC 0510), or a whole presentation definition (Credo); None
            where the prover only says which format it speaks.
    """

    NAME: ClassVar[str] = "propose-presentation"
    definition: dict[str, Any] | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        if self.definition is None:
            body = {"formats": [{"format": DEFINITION_FORMAT}]} if wire is Wire.V1 else {}
            return _plain(self, self.NAME, body, wire)
        return _attached(_plain(self, self.NAME, {}, wire), self.definition, "proposals~attach", DEFINITION_FORMAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPresentation(_Headers):
    """Verifier to prover: present this (RFC 0454 §Request Presentation).

    Attributes:
        definition: the presentation definition, exactly as received.
        challenge, domain: what the presentation must be signed for (RFC 0510 §The options object).
        will_confirm: the verifier will acknowledge the outcome.
    """

    NAME: ClassVar[str] = "request-presentation"
    definition: dict[str, Any]
    challenge: str | None = None
    domain: str | None = None
    will_confirm: bool = False

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        options = {"challenge": self.challenge, "domain": self.domain}
        content = {
            "options": {name: value for name, value in options.items() if value is not None},
            "presentation_definition": self.definition,
        }
        plain = _plain(self, self.NAME, {"will_confirm": self.will_confirm}, wire)
        return _attached(plain, content, "request_presentations~attach", DEFINITION_FORMAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation(_Headers):
    """Prover to verifier: the proof (RFC 0454 §Presentation).

    Attributes:
        document: the signed verifiable presentation with its ``presentation_submission``, exactly as received.
        wants_ack: the prover asks for an ack of the outcome, whatever the verifier announced.
    """

    NAME: ClassVar[str] = "presentation"
    document: dict[str, Any]
    wants_ack: bool = False

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        please_ack = frozenset({_ASKS_ACK[wire]}) if self.wants_ack else frozenset()
        plain = _plain(self, self.NAME, {}, wire, please_ack=please_ack)
        return _attached(plain, self.document, "presentations~attach", SUBMISSION_FORMAT)


Message = ProposePresentation | RequestPresentation | Presentation | Ack | ProblemReport


def decode(message: PlainMessage) -> Message:
    """Read a message of the protocol, of any minor version.

    Raises:
        PeerFault: ``message.type`` where it is none, ``present_proof.unsupported_format``,
            ``present_proof.malformed``, ``message.malformed`` (acks and reports) or ``attachment.*``.
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
    match message.name:
        case ProposePresentation.NAME:
            return ProposePresentation(**headers, definition=_proposed(message, fields))
        case RequestPresentation.NAME:
            return _request(message, fields, headers)
        case Presentation.NAME:
            if not fields.boolean("last_presentation", default=True):
                raise fields.fault("last_presentation", "is false, but one presentation was asked for")
            document = attached_object(
                message, fields, field="presentations~attach", accepted={SUBMISSION_FORMAT}, area=_AREA
            )
            wants_ack = _ASKS_ACK[message.wire] in message.please_ack
            return Presentation(**headers, document=document, wants_ack=wants_ack)
    raise _unknown_type()


def _proposed(message: PlainMessage, fields: Fields) -> dict[str, Any] | None:
    if message.attachments or fields.items("proposals~attach"):
        return _with_descriptors(_definition_content(message, fields, "proposals~attach"))
    if message.wire is Wire.V2:
        return None
    formats = named_formats(fields)
    if not formats:
        raise fields.fault("formats", "is missing")
    if any(attach_id is not None for attach_id, _ in formats):
        raise fields.fault("formats", "names an attachment that is not there")
    if not any(name in _DEFINITION_FORMATS for _, name in formats):
        raise PeerFault(
            f"{_AREA}.unsupported_format", "The prover speaks no format that this node reads.", "Use DIF definitions."
        )
    return None


def _request(message: PlainMessage, fields: Fields, headers: _HeaderValues) -> RequestPresentation:
    content = Fields(
        _definition_content(message, fields, "request_presentations~attach"),
        where="attached request",
        code=f"{_AREA}.malformed",
    )
    options = Fields(content.optional_mapping("options") or {}, where="options", code=f"{_AREA}.malformed")
    return RequestPresentation(
        **headers,
        definition=_with_descriptors(content.mapping("presentation_definition")),
        challenge=options.optional_text("challenge", max_chars=_MAX_OPTION),
        domain=options.optional_text("domain", max_chars=_MAX_OPTION),
        will_confirm=fields.boolean("will_confirm", default=False),
    )


def _definition_content(message: PlainMessage, fields: Fields, field: str) -> dict[str, Any]:
    return attached_object(message, fields, field=field, accepted=_DEFINITION_FORMATS, area=_AREA)


def _with_descriptors(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition, which must at least describe something; the rest is checked where it is used."""
    fields = Fields(definition, where="presentation definition", code=f"{_AREA}.malformed")
    if not fields.mappings("input_descriptors", max_items=_MAX_DESCRIPTORS):
        raise fields.fault("input_descriptors", "is missing or empty")
    return definition


def _attached(plain: PlainMessage, value: dict[str, Any], field: str, media_format: str) -> PlainMessage:
    return attach_object(plain, value, field=field, media_format=media_format, attach_id=_ATTACH_ID)


def _plain(
    message: _Headers, name: str, body: dict[str, Any], wire: Wire, *, please_ack: frozenset[AckOn] = frozenset()
) -> PlainMessage:
    texts = {"comment": message.comment, "goal_code": message.goal_code}
    present = {field: value for field, value in (texts | body).items() if value is not None}
    type_uri = f"{on_wire(PROTOCOL, wire)}/{name}"
    headers = (type_uri, message.id, message.thid, message.pthid, present, please_ack, wire)
    return PlainMessage(*headers, expires_time=message.expires)


def _unknown_type() -> PeerFault:
    return PeerFault("message.type", "Present Proof has no such message.", "See Aries RFC 0454.")
