"""What a holder concludes of a record that is said to be revoked, where some of the lists could not be had just now."""

from __future__ import annotations

from typing import Any

import pytest

from node.roles.revocations import state_said
from protocols.credentials.verification import Check, CheckResult, Outcome, VerificationResult
from storage.credentials import IssuedState

CLEAR = {"code": "ok", "outcome": "pass", "fromCache": False}
SUSPENDED = {"code": "status.suspended", "outcome": "fail", "fromCache": False}
REVOKED = {"code": "status.revoked", "outcome": "fail", "fromCache": False}
AWAY = {"code": "status.unreachable", "outcome": "not-checked"}
STALE = {"code": "status.stale", "outcome": "not-checked", "fromCache": True}


def kept(status: dict[str, Any]) -> dict[str, Any]:
    return {**status, "fromCache": True}


@pytest.mark.parametrize(
    ("revocation", "suspension", "state"),
    [
        (CLEAR, CLEAR, IssuedState.ACTIVE),
        (CLEAR, SUSPENDED, IssuedState.SUSPENDED),
        (REVOKED, CLEAR, IssuedState.REVOKED),
        (REVOKED, SUSPENDED, IssuedState.REVOKED),
        (kept(REVOKED), AWAY, IssuedState.REVOKED),
        (kept(CLEAR), CLEAR, None),
        (kept(CLEAR), SUSPENDED, None),
        (kept(CLEAR), kept(SUSPENDED), None),
        (CLEAR, kept(SUSPENDED), None),
        (AWAY, SUSPENDED, None),
        (STALE, CLEAR, None),
        (AWAY, AWAY, None),
    ],
)
def test_only_lists_that_were_had_just_now_say_that_a_record_is_not_revoked(
    revocation: dict[str, Any], suspension: dict[str, Any], state: IssuedState | None
) -> None:
    gravest = next((s for s in (revocation, suspension) if s["outcome"] != "pass"), CLEAR)
    details = {"statuses": [revocation, suspension]}
    check = CheckResult(Check.STATUS, Outcome(gravest["outcome"]), gravest["code"], "So it is.", "", details)
    assert state_said(VerificationResult("credential", (check,), frozenset())) is state


def test_a_record_without_a_status_cannot_be_revoked_and_a_record_that_was_not_looked_at_says_nothing() -> None:
    check = CheckResult(Check.STATUS, Outcome.PASS, "status.none", "There is none.")
    assert state_said(VerificationResult("credential", (check,), frozenset())) is IssuedState.ACTIVE
    assert state_said(VerificationResult("credential", (), frozenset())) is None
    assert state_said(None) is None
