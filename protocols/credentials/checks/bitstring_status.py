"""One entry of a W3C Bitstring Status List 1.0, by §3.2.

A status list is a credential and is believed no sooner than one: it has to be well-formed, proved by the issuer of
the credential that points to it, and valid now. A copy kept from before may stand in while the issuer does not
answer, for as long as policy says; a copy that says "revoked" is believed at any age, for that is not taken back.

An entry for revocation or suspension that is set fails; one for a purpose that is not known here leaves the status
unchecked; a message, and the hint that there is a newer version (``refresh``), only fail where policy says so.
"""

from __future__ import annotations

from typing import Any

from protocols.credentials.checks.results import passed
from protocols.credentials.checks.status_lists import CheckedList, StatusInquiry
from protocols.credentials.checks.status_verdicts import (
    CLEAR,
    GRAVITY,
    copy_details,
    is_stale,
    refused,
    revoked,
    stale,
    suspended,
)
from protocols.credentials.model import issuer_id
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import LernodeError, NotNow
from protocols.status.entry import (
    MESSAGE,
    REFRESH,
    REVOCATION,
    SUSPENSION,
    UNDEFINED,
    StatusEntry,
    parse_status_entries,
)
from protocols.status.list_credential import Status, read_status
from protocols.status.source import StatusListCopy

__all__ = ["check_bitstring_entry"]

_SPEC = "Bitstring Status List 1.0 §3.2"


async def check_bitstring_entry(raw: dict[str, Any], inquiry: StatusInquiry) -> CheckResult:
    """Whether what the list says at the entry lets the record stand."""
    try:
        (entry,) = parse_status_entries({"credentialStatus": raw})
    except LernodeError as error:
        return refused(Outcome.FAIL, error.code, error.message, _SPEC, {})
    details: dict[str, Any] = {"purpose": entry.purpose}
    try:
        copy = await inquiry.statuses.get(entry.list_url, refresh=inquiry.policy.refresh_status)
    except LernodeError as error:
        outcome = Outcome.NOT_CHECKED if isinstance(error, NotNow) else Outcome.FAIL
        return refused(outcome, error.code, error.message, _SPEC, details)
    details |= copy_details(copy, inquiry.now)
    try:
        checked = await inquiry.check_list(copy.document)
    except LernodeError as error:
        return refused(Outcome.FAIL, "status.list_malformed", error.message, _SPEC, details)
    return _refuse_list(checked, inquiry.issuer, details) or _read(checked, copy, entry, inquiry, details)


def _refuse_list(checked: CheckedList, issuer: str | None, details: dict[str, Any]) -> CheckResult | None:
    """Why the list is not believed, or ``None``."""
    if issuer_id(checked.credential) != issuer:
        return refused(Outcome.FAIL, "status.foreign_list", "The status list is not the issuer's own.", _SPEC, details)
    bad = [result for result in checked.core.results.values() if result.outcome is not Outcome.PASS]
    if not bad:
        return None
    worst = max(bad, key=lambda result: GRAVITY[result.outcome])
    details = {**details, "list": worst.code}
    reason = f"The status list is not to be believed: {worst.reason}"
    code = "status.list_invalid" if worst.outcome is Outcome.FAIL else "status.list_unproved"
    return refused(worst.outcome, code, reason, _SPEC, details)


def _read(
    checked: CheckedList, copy: StatusListCopy, entry: StatusEntry, inquiry: StatusInquiry, details: dict[str, Any]
) -> CheckResult:
    try:
        status = read_status(checked.credential, entry, checked.decode)
    except LernodeError as error:
        code = "status.foreign_list" if error.code == "status.list_foreign" else error.code
        return refused(Outcome.FAIL, code, error.message, _SPEC, details)
    details = {**details, **_said(status, entry)}
    if is_stale(copy, inquiry.policy, inquiry.now) and (status.valid or status.purpose != REVOCATION):
        return stale(_SPEC, details)
    return _judge(status, inquiry.policy, details)


def _judge(status: Status, policy: Policy, details: dict[str, Any]) -> CheckResult:
    """What follows from a status."""
    is_set = not status.valid
    if is_set and status.purpose == REVOCATION:
        return revoked(_SPEC, details)
    if is_set and status.purpose == SUSPENSION:
        return suspended(_SPEC, details)
    blocks = policy.blocking_statuses
    if (is_set and status.purpose in blocks) or (status.purpose == MESSAGE and status.message in blocks):
        reason = "The issuer has set a status on the record that this verifier does not accept."
        return refused(Outcome.FAIL, "status.blocked", reason, _SPEC, details)
    if status.purpose == MESSAGE and status.message == UNDEFINED:
        reason = "The issuer has set a status on the record whose meaning it has not defined."
        return refused(Outcome.NOT_CHECKED, "status.message_undefined", reason, _SPEC, details)
    if not is_set:
        return passed(Check.STATUS, CLEAR, _SPEC, details=details)
    if status.purpose == MESSAGE:
        reason = f"{CLEAR[:-1]}, but has set a message on it."
        return passed(Check.STATUS, reason, _SPEC, code="status.message", details=details)
    if status.purpose == REFRESH:
        reason = f"{CLEAR[:-1]}, but has a newer version of it."
        return passed(Check.STATUS, reason, _SPEC, code="status.refresh", details=details)
    reason = "The issuer has set a status on the record that this node does not understand."
    return refused(Outcome.NOT_CHECKED, "status.purpose_unknown", reason, _SPEC, details)


def _said(status: Status, entry: StatusEntry) -> dict[str, Any]:
    """The result of §3.2, by its names."""
    return {
        "status": status.value,
        "valid": status.valid,
        "message": status.message,
        **({"statusReference": list(entry.references)} if entry.references else {}),
    }
