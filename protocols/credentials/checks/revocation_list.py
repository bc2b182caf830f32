"""One entry of the 1EdTech Revocation List Status Method 1.0, which Open Badges 3.0 §9 and CLR 2.0 §9 name.

Nothing signs such a list, so it counts for no more than where it was: it has to lie at the URL that the signed record
names, call itself by that URL, and name the issuer of the record as its own. A copy kept from before may stand in while
the issuer does not answer, for as long as policy says; a copy that says "revoked" is believed at any age. The reason
that a list may give is left out: it is free text, which may name the learner.
"""

from __future__ import annotations

from typing import Any

from protocols.credentials.checks.results import passed
from protocols.credentials.checks.status_lists import StatusInquiry
from protocols.credentials.checks.status_verdicts import CLEAR, copy_details, is_stale, refused, revoked, stale
from protocols.credentials.model import id_of
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import LernodeError, NotNow
from protocols.status.revocation_list import parse_revocation_list

__all__ = ["check_revocation_list_entry"]

_SPEC = "1EdTech Revocation List Status Method 1.0 §3"


async def check_revocation_list_entry(raw: dict[str, Any], inquiry: StatusInquiry) -> CheckResult:
    """Whether the list that the entry names lets the record stand."""
    url = id_of(raw)
    if url is None or not url.startswith(("https://", "http://")):
        reason = "The record's credentialStatus has an id that is not an http(s) URL."
        return refused(Outcome.FAIL, "status.entry_malformed", reason, _SPEC, {})
    if inquiry.record is None:
        reason = "The record has no id, by which its issuer's list of revoked records could name it."
        return refused(Outcome.FAIL, "status.entry_malformed", reason, _SPEC, {})
    try:
        copy = await inquiry.statuses.get(url, refresh=inquiry.policy.refresh_status)
    except LernodeError as error:
        outcome = Outcome.NOT_CHECKED if isinstance(error, NotNow) else Outcome.FAIL
        return refused(outcome, error.code, error.message, _SPEC, {})
    details = copy_details(copy, inquiry.now)
    try:
        published = parse_revocation_list(copy.document)
    except LernodeError as error:
        return refused(Outcome.FAIL, error.code, error.message, _SPEC, details)
    if (published.url, published.issuer) != (url, inquiry.issuer):
        return refused(Outcome.FAIL, "status.foreign_list", "The status list is not the issuer's own.", _SPEC, details)
    if inquiry.record in published.revoked:
        return revoked(_SPEC, details)
    if is_stale(copy, inquiry.policy, inquiry.now):
        return stale(_SPEC, details)
    return passed(Check.STATUS, CLEAR, _SPEC, details=details)
