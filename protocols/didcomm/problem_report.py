"""Problem reports: ``report-problem/1.0`` (Aries RFC 0035) and the ones that protocols adopt as their own; 2.0 in v2.

It reads every spelling that agents in the field write and writes RFC 0035's. In DIDComm v2 (2.1 §Problem Reports) there
is one report for all protocols, which starts a thread and names the one in trouble as its parent. What a code does to
an exchange is left to its machine. A report is never answered by a report, so that two nodes cannot quarrel for ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.didcomm.versions import on_wire
from protocols.errors import PeerFault

__all__ = ["REPORT_PROBLEM", "Impact", "ProblemReport", "WhoRetries", "decode", "is_problem_report"]

REPORT_PROBLEM = DIDCOMM_ORG + "report-problem/1.0"
_NAMES = frozenset({"problem-report", "problem_report"})
_MAX_CODE = 128
_MAX_EXPLAIN = 4096
_MAX_ARGS = 16
_PLACEHOLDER = re.compile(r"\{(\d{1,2})\}", re.ASCII)
_E = TypeVar("_E", bound=StrEnum)


class WhoRetries(StrEnum):
    """Who should try again, in the reporter's view."""

    YOU = "you"
    ME = "me"
    BOTH = "both"
    NONE = "none"


class Impact(StrEnum):
    """How much the problem endangers."""

    MESSAGE = "message"
    THREAD = "thread"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """Something went wrong at the other side.

    Attributes:
        protocol: URI with version of the protocol whose report it is, e.g. ``https://didcomm.org/report-problem/1.0``.
        thid: the thread that the problem is about.
        code: stable name of the problem.
        explain: English text for a person; empty where there is none. Never trusted.
    """

    id: str
    thid: str
    code: str
    protocol: str = REPORT_PROBLEM
    pthid: str | None = None
    explain: str = ""
    fix_hint: str | None = None
    who_retries: WhoRetries | None = None
    impact: Impact | None = None
    name: str = "problem-report"

    @property
    def is_warning(self) -> bool:
        """Whether the exchange should go on (RFC 0035 §Unknown Error: codes that start with ``w.``)."""
        return self.code.startswith("w.")

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it. v2 has room for ``code`` and ``explain`` only."""
        if wire is Wire.V2:
            said = {"code": _v2_code(self.code), "comment": self.explain}
            type_uri = f"{on_wire(REPORT_PROBLEM, wire)}/problem-report"
            return PlainMessage(type_uri, self.id, self.id, self.thid, said, wire=wire)
        body: dict[str, Any] = {"description": {"code": self.code, "en": self.explain}}
        if self.fix_hint is not None:
            body["fix_hint"] = {"en": self.fix_hint}
        if self.who_retries is not None:
            body["who_retries"] = self.who_retries.value
        if self.impact is not None:
            body["impact"] = self.impact.value
        type_uri = f"{self.protocol}/{self.name}"
        return PlainMessage(type_uri, self.id, self.thid, self.pthid, body, wire=wire)


def is_problem_report(message: PlainMessage) -> bool:
    """Whether the message is a problem report, of whatever protocol."""
    return message.name in _NAMES


def decode(message: PlainMessage) -> ProblemReport:
    """Read a problem report of any protocol.

    ``description`` may be an object with ``code``, or a text whose code stands in ``description~l10n`` (RFC 0035's
    sample); RFC 0023 and older agents write ``problem-code`` and ``explain``.

    Raises:
        PeerFault: ``message.type`` where it is something else, ``message.malformed`` where it names no code.
    """
    if not is_problem_report(message):
        raise PeerFault("message.type", "The message is not a problem report.", "See Aries RFC 0035.")
    protocol, name = message.type.rsplit("/", 1)
    fields = Fields(message.body)
    if message.wire is Wire.V2:
        return _decode_v2(message, fields)
    code, explain = _description(message.body)
    code = code or fields.optional_text("problem-code", max_chars=_MAX_CODE)
    if not code:
        raise fields.fault("description.code", "is missing")
    return ProblemReport(
        id=message.id,
        thid=message.thid,
        pthid=message.pthid,
        protocol=protocol,
        name=name,
        code=code,
        explain=explain or _plain_explain(fields) or "",
        fix_hint=_english(message.body.get("fix_hint")),
        who_retries=_member(WhoRetries, message.body.get("who_retries")),
        impact=_member(Impact, message.body.get("impact")),
    )


def _decode_v2(message: PlainMessage, fields: Fields) -> ProblemReport:
    """Protocols that adopt the report for themselves name the thread in trouble as the report's own, not its parent."""
    code = fields.text("code", max_chars=_MAX_CODE)
    in_trouble = message.pthid or (message.thid if message.thid != message.id else None)
    if not code:
        raise fields.fault("code", "is empty")
    if in_trouble is None:
        raise fields.fault("pthid", "is missing")
    return ProblemReport(
        id=message.id,
        thid=in_trouble,
        protocol=message.type.rsplit("/", 1)[0],
        code=code,
        explain=_interpolated(fields.optional_text("comment") or "", fields.items("args", max_items=_MAX_ARGS)),
    )


def _interpolated(comment: str, args: list[Any]) -> str:
    """DIDComm 2.1 §Problem Reports: ``{1}`` is the first of ``args``, or a question mark; what is left is appended."""
    texts = [arg if isinstance(arg, str) else "?" for arg in args]
    used: set[int] = set()

    def value(match: re.Match[str]) -> str:
        number = int(match[1])
        used.add(number)
        return texts[number - 1] if 0 < number <= len(texts) else "?"

    filled = _PLACEHOLDER.sub(value, comment)
    rest = [text for number, text in enumerate(texts, 1) if number not in used]
    return ", ".join([filled, *rest] if filled else rest)[:_MAX_EXPLAIN]


def _v2_code(code: str) -> str:
    """A code with sorter and scope in lower kebab-case (DIDComm 2.1 §Problem Codes); ours end the protocol."""
    is_sorted = code.startswith(("e.", "w."))
    return (code if is_sorted else f"e.p.{code}").lower().replace("_", "-")


def _description(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    description = body.get("description")
    coded = description if isinstance(description, dict) else body.get("description~l10n")
    code = Fields(coded).optional_text("code", max_chars=_MAX_CODE) if isinstance(coded, dict) else None
    return code, _english(description)


def _english(value: Any) -> str | None:
    """A localised text (RFC 0043): plain, or by language; what is neither is no reason to lose the report."""
    text = value.get("en") if isinstance(value, dict) else value
    return text[:_MAX_EXPLAIN] if isinstance(text, str) else None


def _plain_explain(fields: Fields) -> str | None:
    return fields.optional_text("explain") or fields.optional_text("explain-ltxt")


def _member(kind: type[_E], value: Any) -> _E | None:
    return next((member for member in kind if member.value == value), None)
