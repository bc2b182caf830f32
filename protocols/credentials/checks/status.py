"""Status: what the issuer has said of the credential since, by Bitstring Status List 1.0 §3.2.

A status list is a credential and is believed no sooner than one: it has to be well-formed, proved by the issuer of
the credential that points to it, and valid now. A copy kept from before may stand in while the issuer does not
answer, for as long as policy says; a copy that says "revoked" is believed at any age, for that is not taken back.

Every entry counts. One for revocation or suspension that is set fails the check; one for a purpose that is not known
here leaves it unchecked; a message, and the hint that there is a newer version (``refresh``), only fail it where policy
says so. What each entry says stands in the details under ``statuses``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from protocols.credentials.checks.core import CoreChecks
from protocols.credentials.checks.results import passed
from protocols.credentials.checks.status_verdicts import (
    CLEAR,
    copy_details,
    is_stale,
    refused,
    revoked,
    stale,
    suspended,
)
from protocols.credentials.model import issuer_id, status_entries
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import LernodeError, NotNow
from protocols.status.bitstring import Bitstring
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
from protocols.status.source import PublishedDocument, StatusListCopy, StatusSource

__all__ = ["CheckList", "CheckedList", "check_status"]

_SPEC = "Bitstring Status List 1.0 §3.2"
_GRAVITY = {Outcome.FAIL: 2, Outcome.NOT_CHECKED: 1, Outcome.PASS: 0}


@dataclass(frozen=True, slots=True)
class CheckedList:
    """A credential on a status list, and what is known of it.

    Attributes:
        credential: what its proof covers; the status is read from this and nothing else.
    """

    credential: dict[str, Any]
    core: CoreChecks
    _unpacked: dict[int, Bitstring | LernodeError] = field(default_factory=dict, repr=False, compare=False)

    def decode(self, encoded: str, size: int) -> Bitstring:
        """The ``encodedList`` of this list unpacked, once for all records that point into it.

        Raises:
            BadInput: as :meth:`Bitstring.decode`.
        """
        if size not in self._unpacked:
            try:
                self._unpacked[size] = Bitstring.decode(encoded, size=size)
            except LernodeError as error:
                self._unpacked[size] = error
        found = self._unpacked[size]
        if isinstance(found, LernodeError):
            raise found
        return found


CheckList = Callable[[PublishedDocument], Awaitable[CheckedList]]
"""Makes the checks of a published list, however it is secured; raises LernodeError where it cannot be read."""


async def check_status(
    document: dict[str, Any], statuses: StatusSource, check_list: CheckList, *, policy: Policy, now: datetime
) -> CheckResult:
    """Whether every status that the credential points to lets it stand; the gravest answer stands for all."""
    entries = status_entries(document)
    if not entries:
        reason = "The issuer keeps no status for this record."
        return passed(Check.STATUS, reason, "VCDM 2.0 §4.10", code="status.none")
    issuer = issuer_id(document)
    results = [await _check_entry(entry, issuer, statuses, check_list, policy, now) for entry in entries]
    gravest = max(results, key=lambda result: (_GRAVITY[result.outcome], result.code != "ok", _age_of(result)))
    about = [{"code": result.code, "outcome": result.outcome.value, **(result.details or {})} for result in results]
    return replace(gravest, details={**(gravest.details or {}), "statuses": about})


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
        return refused(Outcome.NOT_CHECKED if unknown else Outcome.FAIL, error.code, error.message, _SPEC, {})
    details: dict[str, Any] = {"purpose": entry.purpose}
    try:
        copy = await statuses.get(entry.list_url, refresh=policy.refresh_status)
    except LernodeError as error:
        outcome = Outcome.NOT_CHECKED if isinstance(error, NotNow) else Outcome.FAIL
        return refused(outcome, error.code, error.message, _SPEC, details)
    details |= copy_details(copy, now)
    try:
        checked = await check_list(copy.document)
    except LernodeError as error:
        return refused(Outcome.FAIL, "status.list_malformed", error.message, _SPEC, details)
    return _refuse_list(checked, issuer, details) or _read(checked, copy, entry, policy, now, details)


def _refuse_list(checked: CheckedList, issuer: str | None, details: dict[str, Any]) -> CheckResult | None:
    """Why the list is not believed, or ``None``."""
    if issuer_id(checked.credential) != issuer:
        return refused(Outcome.FAIL, "status.foreign_list", "The status list is not the issuer's own.", _SPEC, details)
    bad = [result for result in checked.core.results.values() if result.outcome is not Outcome.PASS]
    if not bad:
        return None
    worst = max(bad, key=lambda result: _GRAVITY[result.outcome])
    details = {**details, "list": worst.code}
    reason = f"The status list is not to be believed: {worst.reason}"
    code = "status.list_invalid" if worst.outcome is Outcome.FAIL else "status.list_unproved"
    return refused(worst.outcome, code, reason, _SPEC, details)


def _read(
    checked: CheckedList,
    copy: StatusListCopy,
    entry: StatusEntry,
    policy: Policy,
    now: datetime,
    details: dict[str, Any],
) -> CheckResult:
    try:
        status = read_status(checked.credential, entry, checked.decode)
    except LernodeError as error:
        code = "status.foreign_list" if error.code == "status.list_foreign" else error.code
        return refused(Outcome.FAIL, code, error.message, _SPEC, details)
    details = {**details, **_said(status, entry)}
    if is_stale(copy, policy, now) and (status.valid or status.purpose != REVOCATION):
        return stale(_SPEC, details)
    return _judge(status, policy, details)


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


def _age_of(result: CheckResult) -> int:
    return int((result.details or {}).get("statusListAge", 0))
