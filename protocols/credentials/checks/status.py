"""Status: what the issuer has said of the credential since.

Every entry of ``credentialStatus`` counts (VCDM 2.0 §4.10), each by the rules of its type, and the gravest answer
stands for all. What each one says stands in the details under ``statuses``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from protocols.credentials.checks.bitstring_status import check_bitstring_entry
from protocols.credentials.checks.results import not_checked, passed
from protocols.credentials.checks.revocation_list import check_revocation_list_entry
from protocols.credentials.checks.status_lists import CheckList, StatusInquiry
from protocols.credentials.checks.status_verdicts import GRAVITY
from protocols.credentials.model import id_of, issuer_id, status_entries, types_of
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, CheckResult
from protocols.status.entry import ENTRY_TYPE
from protocols.status.revocation_list import REVOCATION_LIST_TYPE
from protocols.status.source import StatusSource

__all__ = ["STATUS_TYPES", "check_status"]

_SPEC = "VCDM 2.0 §4.10"

STATUS_TYPES: dict[str, Callable[[dict[str, Any], StatusInquiry], Awaitable[CheckResult]]] = {
    ENTRY_TYPE: check_bitstring_entry,
    REVOCATION_LIST_TYPE: check_revocation_list_entry,
}
"""Type of an entry -> how it is checked. A new type is one file and one line here."""


async def check_status(
    document: dict[str, Any], statuses: StatusSource, check_list: CheckList, *, policy: Policy, now: datetime
) -> CheckResult:
    """Whether every status that the credential points to lets it stand."""
    entries = status_entries(document)
    if not entries:
        return passed(Check.STATUS, "The issuer keeps no status for this record.", _SPEC, code="status.none")
    inquiry = StatusInquiry(id_of(document), issuer_id(document), statuses, check_list, policy, now)
    results = [await _check_entry(entry, inquiry) for entry in entries]
    gravest = max(results, key=lambda result: (GRAVITY[result.outcome], result.code != "ok", _age_of(result)))
    about = [{"code": result.code, "outcome": result.outcome.value, **(result.details or {})} for result in results]
    return replace(gravest, details={**(gravest.details or {}), "statuses": about})


async def _check_entry(entry: dict[str, Any], inquiry: StatusInquiry) -> CheckResult:
    known = STATUS_TYPES.keys() & set(types_of(entry))
    if len(known) == 1:  # of several, which one is meant is not signed: types have no order
        return await STATUS_TYPES[known.pop()](entry, inquiry)
    reason = "The record's status is of a type that this node cannot check."
    return not_checked(Check.STATUS, "status.type_unsupported", reason, _SPEC)


def _age_of(result: CheckResult) -> int:
    return int((result.details or {}).get("statusListAge", 0))
