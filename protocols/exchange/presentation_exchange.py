"""DIF Presentation Exchange 2.1: what a verifier asks for, and how a holder answers.

The way in to this package. A verifier builds a definition (``for_skill``, ...), sends it (``encode_request``) and
judges the answer (``check_submission``). A holder reads it (``decode_request``), sees what matches (``match``),
chooses (``select``) and answers (``build_presentation``).

Promises that a hostile definition or presentation ends in a BadInput or a failed check, within about a second of
work, and that whatever narrows an answer is honoured or refused by name. Leaves proofs, trust, time and status to
``protocols.credentials``, and consent to the node.
"""

from __future__ import annotations

from protocols.exchange.attachments import (
    DEFINITIONS_FORMAT,
    SUBMISSION_FORMAT,
    PresentationRequest,
    decode_proposal,
    decode_request,
    encode_request,
)
from protocols.exchange.claims import Claim, read_claim
from protocols.exchange.definition import Definition, InputDescriptor, parse_definition
from protocols.exchange.disclosure import pointers_asked_for
from protocols.exchange.matching import DescriptorMatch, MatchReport, Selection, match, select
from protocols.exchange.query import WantedSkill, for_achievement, for_skill, for_skills, for_type
from protocols.exchange.reasons import Reason
from protocols.exchange.submission import (
    SUBMISSION_CONTEXT,
    SubmissionCheck,
    Vcdm,
    build_presentation,
    build_submission,
    check_submission,
)

__all__ = [
    "DEFINITIONS_FORMAT", "SUBMISSION_CONTEXT", "SUBMISSION_FORMAT", "Claim", "Definition", "DescriptorMatch",
    "InputDescriptor", "MatchReport", "PresentationRequest", "Reason", "Selection", "SubmissionCheck",
    "Vcdm", "WantedSkill", "build_presentation", "build_submission", "check_submission", "decode_proposal",
    "decode_request", "encode_request", "for_achievement", "for_skill", "for_skills", "for_type", "match",
    "parse_definition", "pointers_asked_for", "read_claim", "select",
]  # fmt: skip
