"""The messages of DID Rotate 1.0 (Aries RFC 0794): ``rotate``, its ack or problem report, and ``hangup``.

A protocol of DIDComm v1. In v2 a header, ``from_prior``, says the same as ``rotate``
(:mod:`protocols.didcomm.from_prior`); ``hangup`` is sent there too, as a message of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from protocols.did.syntax import MAX_DID_CHARS, check_did
from protocols.didcomm import ack, problem_report
from protocols.didcomm.ack import Ack
from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.didcomm.problem_report import ProblemReport
from protocols.errors import BadInput, PeerFault

__all__ = [
    "KNOWN_AS", "PROTOCOL", "Ack", "DidRotateMessage", "Hangup", "ProblemCode", "ProblemReport", "Rotate", "decode",
]  # fmt: skip

PROTOCOL = DIDCOMM_ORG + "did-rotate/1.0"
KNOWN_AS = DIDCOMM_ORG + "did-rotate/1"


class ProblemCode(StrEnum):
    """RFC 0794 §Problem Report: why a new DID cannot be used."""

    UNRESOLVABLE = "e.did.unresolvable"
    METHOD_UNSUPPORTED = "e.did.method_unsupported"
    DOC_UNSUPPORTED = "e.did.doc_unsupported"


@dataclass(frozen=True, slots=True)
class Rotate:
    """The sender goes by ``to_did`` from now on; told under the DID that it leaves."""

    id: str
    thid: str
    to_did: str

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return PlainMessage(f"{PROTOCOL}/rotate", self.id, self.thid, body={"to_did": self.to_did}, wire=wire)


@dataclass(frozen=True, slots=True)
class Hangup:
    """The sender is done with the relationship, and will answer no more."""

    id: str

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return PlainMessage(f"{PROTOCOL}/hangup", self.id, self.id, wire=wire)


DidRotateMessage = Rotate | Hangup | Ack | ProblemReport


def decode(message: PlainMessage) -> DidRotateMessage:
    """Read a message of the protocol, of any minor version.

    A problem report is about its parent thread (RFC 0794 §Problem Report), or its own, as others have it.

    Raises:
        PeerFault: ``message.type``, ``message.malformed``.
    """
    fields = Fields(message.body)
    if message.protocol == KNOWN_AS and message.name == "hangup":
        return Hangup(message.id)
    if message.protocol != KNOWN_AS or message.wire is not Wire.V1:
        raise _unknown()
    if ack.is_ack(message):
        # RFC 0794 writes its ack without a status.
        return Ack(message.id, message.thid, protocol=PROTOCOL)
    if problem_report.is_problem_report(message):
        report = problem_report.decode(message)
        return ProblemReport(report.id, report.pthid or report.thid, report.code, PROTOCOL, explain=report.explain)
    if message.name != "rotate":
        raise _unknown()
    try:
        return Rotate(message.id, message.thid, check_did(fields.text("to_did", max_chars=MAX_DID_CHARS)))
    except BadInput:
        raise fields.fault("to_did", "is not a DID") from None


def _unknown() -> PeerFault:
    return PeerFault("message.type", "DID Rotate has no such message.", "See Aries RFC 0794.")
