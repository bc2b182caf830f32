"""Writing check results briefly."""

from __future__ import annotations

from typing import Any

from protocols.credentials.verification import Check, CheckResult, Outcome

__all__ = ["failed", "not_checked", "passed"]


def passed(
    check: Check, reason: str, spec: str, *, code: str = "ok", details: dict[str, Any] | None = None
) -> CheckResult:
    """The check was made and holds."""
    return CheckResult(check, Outcome.PASS, code, reason, spec, details)


def failed(check: Check, code: str, reason: str, spec: str, *, details: dict[str, Any] | None = None) -> CheckResult:
    """The check was made and does not hold."""
    return CheckResult(check, Outcome.FAIL, code, reason, spec, details)


def not_checked(
    check: Check, code: str, reason: str, spec: str, *, details: dict[str, Any] | None = None
) -> CheckResult:
    """The check could not be made, so nothing is known."""
    return CheckResult(check, Outcome.NOT_CHECKED, code, reason, spec, details)
