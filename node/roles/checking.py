"""When a verification in a job is conclusive, and when it is worth another try."""

from __future__ import annotations

from node.runtime.jobs import LAST_ATTEMPT
from protocols.credentials.verification import CheckResult, Outcome, VerificationResult
from protocols.errors import NotNow

__all__ = ["conclude", "reason_code"]

_AWAY = frozenset(
    {
        "did.unreachable",
        "controller.unresolvable",
        "badge.unreachable",
        "status.unreachable",
        "status.stale",
        "status.list_unproved",
        "trust.accreditation_unclear",
    }
)
"""What another try may change: somebody's server did not answer."""

_SETTLED = frozenset(
    {
        "trust.undecided",
        "trust.list_expired",
        "trust.own_statement",
        "proof.suite_unknown",
        "status.type_unsupported",
    }
)
"""What no other try changes, so that there is nothing to wait for."""


def conclude(result: VerificationResult, attempts: int) -> VerificationResult:
    """The result, unless it hangs on a server that does not answer now and there are tries left.

    A server that is started again, or updated, must not cost anybody the answer; one that is gone must not keep people
    waiting for ever.

    Raises:
        NotNow: the code of what could not be checked.
    """
    checks = _all_checks(result)
    codes = {c.code for c in checks if c.outcome is Outcome.NOT_CHECKED}
    failed = any(c.outcome is Outcome.FAIL for c in checks)
    if result.verified or attempts >= LAST_ATTEMPT or failed or codes & _SETTLED or not codes & _AWAY:
        return result
    raise NotNow(reason_code(result) or "verification.incomplete", "Not everything could be checked.", "Tried again.")


def reason_code(result: VerificationResult) -> str | None:
    """The code of the first check that stands in the way; failures come before what is unknown."""
    if result.verified:
        return None
    checks = _all_checks(result)
    failed = next((c.code for c in checks if c.outcome is Outcome.FAIL), None)
    return failed or next((c.code for c in checks if c.outcome is Outcome.NOT_CHECKED), None)


def _all_checks(result: VerificationResult) -> list[CheckResult]:
    own = [c for c in result.checks if c.check in result.required or c.outcome is Outcome.FAIL]
    return own + [c for inner in result.relied_on for c in _all_checks(inner)]
