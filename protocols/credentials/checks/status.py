"""Status: whether the issuer has revoked or suspended the credential, by Bitstring Status List 1.0 §3.2.

A status list is a credential and is believed no sooner than one: it has to be well-formed, proved by the issuer of
the credential that points to it, and valid now. A copy kept from before may stand in while the issuer does not
answer, for as long as policy says; a copy that says "revoked" is believed at any age, for that is not taken back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from protocols.credentials.checks.core import CoreChecks
from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.model import issuer_id, status_entries
from protocols.credentials.policy import Policy
from protocols.credentials.reading import read_document
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import LernodeError, NotNow
from protocols.status.bitstring import REVOCATION, SUSPENSION, StatusEntry, parse_status_entries, read_status
from protocols.status.source import StatusListCopy, StatusSource

__all__ = ["check_status"]

_SPEC = "Bitstring Status List 1.0 §3.2"
_GRAVITY = {Outcome.FAIL: 2, Outcome.NOT_CHECKED: 1, Outcome.PASS: 0}
_SET = {
    REVOCATION: ("status.revoked", "The issuer has revoked the record."),
    SUSPENSION: ("status.suspended", "The issuer has suspended the record."),
}

CheckList = Callable[[dict[str, Any]], Awaitable[CoreChecks]]


async def check_status(
    document: dict[str, Any], statuses: StatusSource, check_list: CheckList, *, policy: Policy, now: datetime
) -> CheckResult:
    """Whether every status that the credential points to is clear; the gravest answer stands for all.

    Args:
        check_list: makes the checks of a credential on a status list.
    """
    entries = status_entries(document)
    if not entries:
        reason = "The issuer keeps no status for this record."
        return passed(Check.STATUS, reason, "VCDM 2.0 §4.10", code="status.none")
    issuer = issuer_id(document)
    results = [await _check_entry(entry, issuer, statuses, check_list, policy, now) for entry in entries]
    return max(results, key=lambda result: (_GRAVITY[result.outcome], _age_of(result)))


async def _check_entry(
    raw: dict[str, Any],
    issuer: str | None,
    statuses: StatusSource,
    check_list: CheckList,
    policy: Policy,
    now: datetime,
) -> CheckResult:
    try:
        (entry,) = parse_status_entries({"credentialStatus": raw})
    except LernodeError as error:
        unknown = error.code == "status.type_unsupported"
        return (not_checked if unknown else failed)(Check.STATUS, error.code, error.message, _SPEC)
    try:
        copy = await statuses.get(entry.list_url, refresh=policy.refresh_status)
    except LernodeError as error:
        return (not_checked if isinstance(error, NotNow) else failed)(Check.STATUS, error.code, error.message, _SPEC)
    try:
        found = read_document(copy.document)
    except LernodeError as error:
        return failed(Check.STATUS, "status.list_malformed", error.message, _SPEC)
    details = {"statusListAge": round((now - copy.fetched_at).total_seconds()), "fromCache": copy.from_cache}
    refusal = await _refuse_list(found, issuer, check_list, details)
    return refusal or _read(found, copy, entry, policy, now, details)


async def _refuse_list(
    list_credential: dict[str, Any], issuer: str | None, check_list: CheckList, details: dict[str, Any]
) -> CheckResult | None:
    """Why the list is not believed, or ``None``."""
    if issuer_id(list_credential) != issuer:
        reason = "The status list is not the issuer's own."
        return failed(Check.STATUS, "status.foreign_list", reason, _SPEC, details=details)
    core = await check_list(list_credential)
    bad = [result for result in core.results.values() if result.outcome is not Outcome.PASS]
    if not bad:
        return None
    worst = max(bad, key=lambda result: _GRAVITY[result.outcome])
    details = {**details, "list": worst.code}
    reason = f"The status list is not to be believed: {worst.reason}"
    if worst.outcome is Outcome.FAIL:
        return failed(Check.STATUS, "status.list_invalid", reason, _SPEC, details=details)
    return not_checked(Check.STATUS, "status.list_unproved", reason, _SPEC, details=details)


def _read(
    list_credential: dict[str, Any],
    copy: StatusListCopy,
    entry: StatusEntry,
    policy: Policy,
    now: datetime,
    details: dict[str, Any],
) -> CheckResult:
    try:
        is_set = read_status(list_credential, entry)
    except LernodeError as error:
        code = "status.foreign_list" if error.code == "status.list_foreign" else error.code
        return failed(Check.STATUS, code, error.message, _SPEC, details=details)
    details = {**details, "purpose": entry.purpose}
    age = now - copy.fetched_at
    is_stale = copy.from_cache and not -policy.clock_skew <= age <= policy.status_max_age
    if is_stale and not (is_set and entry.purpose == REVOCATION):
        reason = "The issuer does not answer, and the kept status list is too old."
        return not_checked(Check.STATUS, "status.stale", reason, _SPEC, details=details)
    if not is_set:
        return passed(Check.STATUS, "The issuer has not taken the record back.", _SPEC, details=details)
    if entry.purpose in _SET:
        return failed(Check.STATUS, *_SET[entry.purpose], _SPEC, details=details)
    reason = "The issuer has set a status on the record that this node does not understand."
    return not_checked(Check.STATUS, "status.purpose_unknown", reason, _SPEC, details=details)


def _age_of(result: CheckResult) -> int:
    return int((result.details or {}).get("statusListAge", 0))
