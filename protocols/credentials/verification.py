"""What verification says: every check by name, with its outcome and reason. Unknown is never OK."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Check", "CheckResult", "Outcome", "VerificationResult"]


class Check(StrEnum):
    """The checks, in the order in which they are made and shown."""

    STRUCTURE = "structure"
    CONTEXT = "context"
    PROOF = "proof"
    PROOF_PURPOSE = "proof-purpose"
    CONTROLLER = "controller"
    ISSUER_TRUSTED = "issuer-trusted"
    VALID_TIME = "valid-time"
    STATUS = "status"
    HOLDER_BINDING = "holder-binding"
    RECIPIENT = "recipient"
    SCHEMA = "schema"
    RELATED_RESOURCES = "related-resources"
    SKILLS = "skills"
    QUERY = "query"


class Outcome(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check.

    Attributes:
        code: stable reason code, e.g. ``"status.revoked"``; ``"ok"`` where it passed plainly.
        reason: one sentence for a person.
        spec: the section that asks for the check, e.g. ``"VC Data Integrity 1.0 §4.4"``.
        details: machine-readable facts (e.g. ``{"statusListAge": 12}`` in seconds), never personal data.
    """

    check: Check
    outcome: Outcome
    code: str
    reason: str
    spec: str = ""
    details: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """The result for one document: ``verified`` only where every required check passed.

    Attributes:
        checks: every member of :class:`Check` that applies to the kind of document, each once, in order.
        required: the checks that policy demands.
        credentials: for a presentation or a ClrCredential, the results of the credentials in it, in their order.
        endorses: the ids of the records that it endorses, where it is an endorsement that goes along with these.
        securing: how it is secured, a key of ``SECURINGS``; ``None`` where that is not known.
        document: what the signature covers, and what the checks looked at; ``None`` where it could not be read. Whoever
            uses the document uses this one, and only where it is ``verified``.
    """

    kind: str
    checks: tuple[CheckResult, ...]
    required: frozenset[Check]
    credentials: tuple[VerificationResult, ...] = ()
    issuer: str | None = None
    holder: str | None = None
    securing: str | None = None
    document: dict[str, Any] | None = None
    endorses: tuple[str, ...] = ()

    @property
    def relied_on(self) -> tuple[VerificationResult, ...]:
        """The credentials inside that the whole rests on: all but endorsements that go along."""
        return tuple(each for each in self.credentials if not each.endorses)

    @property
    def verified(self) -> bool:
        """Whether every required check passed, none failed, and every credential that it rests on is verified."""
        passed = {c.check for c in self.checks if c.outcome is Outcome.PASS}
        failed = any(c.outcome is Outcome.FAIL for c in self.checks)
        return self.required <= passed and not failed and all(c.verified for c in self.relied_on)

    def to_json(self, *, show: bool = False) -> dict[str, Any]:
        """The result as plain JSON values, for storage, HTTP and ``--json``.

        Args:
            show: with the documents, too.
        """
        result: dict[str, Any] = {
            "kind": self.kind,
            "verified": self.verified,
            "checks": [
                {
                    "check": c.check.value,
                    "outcome": c.outcome.value,
                    "required": c.check in self.required,
                    "code": c.code,
                    "reason": c.reason,
                    **({"spec": c.spec} if c.spec else {}),
                    **({"details": c.details} if c.details else {}),
                }
                for c in self.checks
            ],
        }
        if self.issuer:
            result["issuer"] = self.issuer
        if self.holder:
            result["holder"] = self.holder
        if self.securing:
            result["securing"] = self.securing
        if self.endorses:
            result["endorses"] = list(self.endorses)
        if show and self.document is not None:
            result["document"] = self.document
        if self.credentials:
            result["credentials"] = [c.to_json(show=show) for c in self.credentials]
        return result
