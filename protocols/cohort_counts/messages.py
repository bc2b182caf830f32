"""Cohort Counts 1.0, a protocol of lernode: ``question``, ``answer`` and ``decline`` (docs/cohorts.md).

A question names skills by URL or code, as texts that are equal to those in records; how much may be learnt of any one
learner (epsilon, with at most three decimals); and for how many of the skills one learner is counted at most. An answer
has a count with noise for each skill in the order of the question, or null where the group may be too small. That the
noise is what it should be, nobody can see from an answer: an asker believes it as it believes the peer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import BadInput, PeerFault

__all__ = [
    "MAX_EPSILON", "MAX_MOST", "MAX_SKILLS", "MIN_EPSILON", "PROTOCOL", "Answer", "CohortCountsMessage", "Counts",
    "Decline", "Question", "Wanted", "decode", "epsilon_of", "epsilon_text",
]  # fmt: skip

PROTOCOL = "urn:lernode:didcomm/cohort-counts/1.0"
MAX_SKILLS = 500
MAX_MOST = 50
MIN_EPSILON, MAX_EPSILON = 10, 10_000
"""In thousandths, as epsilon is everywhere here; the least bounds how many questions a budget is enough for."""

_MAX_SKILL_CHARS = 400
_MAX_PURPOSE_CHARS = 400
_MAX_COUNT = 1 << 40
_MAX_CODE_CHARS = 128
_EPSILON = re.compile(r"(\d{1,2})(?:\.(\d{1,3}))?", re.ASCII)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        skills: each by its URL or code, no two alike.
        epsilon: thousandths of what a learner's privacy may lose by the answer.
        most: skills for which one learner is counted at most.
        purpose: for people; never trusted.
    """

    skills: tuple[str, ...]
    epsilon: int
    most: int
    purpose: str | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered.

    Attributes:
        counts: for each skill of the question; None where it is below ``threshold``.
        threshold: counts with noise from which on one is told.
        minimum: learners that a group should have at least; lower than the threshold, for the noise may hide that.
        counted_at: seconds since 1970, when was counted; the same answer may be given for a long time.
    """

    counts: tuple[int | None, ...]
    threshold: int
    minimum: int
    counted_at: int


@dataclass(frozen=True, slots=True)
class Question:
    """How many learners have these skills?"""

    id: str
    thid: str
    wanted: Wanted

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        wanted = self.wanted
        body: dict[str, Any] = {
            "skills": list(wanted.skills),
            "epsilon": epsilon_text(wanted.epsilon),
            "most": wanted.most,
        }
        if wanted.purpose is not None:
            body["purpose"] = wanted.purpose
        return PlainMessage(f"{PROTOCOL}/question", self.id, self.thid, body=body, wire=wire)


@dataclass(frozen=True, slots=True)
class Answer:
    """So many, with noise."""

    id: str
    thid: str
    given: Counts

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        given = self.given
        body = {
            "counts": list(given.counts),
            "threshold": given.threshold,
            "minimum": given.minimum,
            "counted_time": given.counted_at,
        }
        return PlainMessage(f"{PROTOCOL}/answer", self.id, self.thid, body=body, wire=wire)


@dataclass(frozen=True, slots=True)
class Decline:
    """No. ``explain`` is for people and is never trusted."""

    id: str
    thid: str
    code: str
    explain: str = ""

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body = {"code": self.code, "explain": self.explain}
        return PlainMessage(f"{PROTOCOL}/decline", self.id, self.thid, body=body, wire=wire)


CohortCountsMessage = Question | Answer | Decline


def decode(message: PlainMessage) -> CohortCountsMessage:
    """Read a message of any minor version.

    Raises:
        PeerFault: ``message.type`` or ``message.malformed``.
    """
    fields = Fields(message.body)
    match message.name:
        case "question":
            return Question(message.id, message.thid, _wanted(fields))
        case "answer":
            return Answer(message.id, message.thid, _counts(fields))
        case "decline":
            code = fields.text("code", max_chars=_MAX_CODE_CHARS)
            return Decline(message.id, message.thid, code, fields.optional_text("explain") or "")
    raise PeerFault("message.type", "Cohort Counts has no such message.", "See docs/cohorts.md of lernode.")


def epsilon_of(text: str) -> int:
    """The thousandths in a text such as ``0.5``.

    Raises:
        BadInput: ``cohort.epsilon``.
    """
    found = _EPSILON.fullmatch(text)
    value = 1000 * int(found[1]) + int((found[2] or "").ljust(3, "0")) if found else 0
    if not MIN_EPSILON <= value <= MAX_EPSILON:
        raise BadInput("cohort.epsilon", "Epsilon is a number from 0.01 to 10.", "For example: 0.5")
    return value


def epsilon_text(thousandths: int) -> str:
    """Epsilon as it is written, such as ``0.5``."""
    whole, rest = divmod(thousandths, 1000)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".")


def _wanted(fields: Fields) -> Wanted:
    skills = fields.texts("skills", max_items=MAX_SKILLS, max_chars=_MAX_SKILL_CHARS)
    if not skills or not all(skills) or len(set(skills)) != len(skills):
        raise fields.fault("skills", "names none, an empty one, or one twice")
    try:
        epsilon = epsilon_of(fields.text("epsilon", max_chars=8))
    except BadInput:
        raise fields.fault("epsilon", "is not a number from 0.01 to 10, as text") from None
    most = fields.optional_integer("most")
    if most is None or not 0 < most <= MAX_MOST:
        raise fields.fault("most", f"is not a whole number from 1 to {MAX_MOST}")
    purpose = fields.optional_text("purpose", max_chars=_MAX_PURPOSE_CHARS)
    return Wanted(skills=skills, epsilon=epsilon, most=most, purpose=purpose)


def _counts(fields: Fields) -> Counts:
    counts = fields.items("counts", max_items=MAX_SKILLS)
    if not counts or not all(count is None or _is_count(count) for count in counts):
        raise fields.fault("counts", "has something that is no count")
    threshold, minimum = fields.optional_integer("threshold"), fields.optional_integer("minimum")
    if not _is_count(threshold) or not _is_count(minimum):
        raise fields.fault("threshold or minimum", "is no count")
    return Counts(
        counts=tuple(counts),
        threshold=threshold or 0,
        minimum=minimum or 0,
        counted_at=fields.optional_integer("counted_time") or 0,
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_COUNT
