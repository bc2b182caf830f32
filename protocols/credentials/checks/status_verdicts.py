"""What follows from a status, the same for lists of every kind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from protocols.credentials.checks.results import failed, not_checked
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.status.problems import PROBLEM_TYPES
from protocols.status.source import StatusListCopy

__all__ = ["CLEAR", "GRAVITY", "copy_details", "is_stale", "refused", "revoked", "stale", "suspended"]

GRAVITY = {Outcome.FAIL: 2, Outcome.NOT_CHECKED: 1, Outcome.PASS: 0}
CLEAR = "The issuer has not taken the record back."


def copy_details(copy: StatusListCopy, now: datetime) -> dict[str, Any]:
    """How old a list is, and whether its issuer's server was asked for it."""
    return {"statusListAge": round((now - copy.fetched_at).total_seconds()), "fromCache": copy.from_cache}


def is_stale(copy: StatusListCopy, policy: Policy, now: datetime) -> bool:
    """Whether a kept list is too old to say more than that a record was revoked, which is not taken back."""
    age = now - copy.fetched_at
    return copy.from_cache and not -policy.clock_skew <= age <= policy.status_max_age


def revoked(spec: str, details: dict[str, Any]) -> CheckResult:
    """The record is taken back for good."""
    return failed(Check.STATUS, "status.revoked", "The issuer has revoked the record.", spec, details=details)


def suspended(spec: str, details: dict[str, Any]) -> CheckResult:
    """The record is taken back for now."""
    return failed(Check.STATUS, "status.suspended", "The issuer has suspended the record.", spec, details=details)


def stale(spec: str, details: dict[str, Any]) -> CheckResult:
    """Nothing new is known, and what is known is too old."""
    reason = "The issuer does not answer, and the kept status list is too old."
    return refused(Outcome.NOT_CHECKED, "status.stale", reason, spec, details)


def refused(outcome: Outcome, code: str, reason: str, spec: str, details: dict[str, Any]) -> CheckResult:
    """A failed or unmade check, with the specification's name for the error where it has one."""
    make = failed if outcome is Outcome.FAIL else not_checked
    problem = PROBLEM_TYPES.get(code)
    return make(Check.STATUS, code, reason, spec, details={**details, **({"problem": problem} if problem else {})})
