"""Status of a token by its ``status`` claim (Token Status List, draft-ietf-oauth-status-list-20 §8.3).

A Status List Token is believed only where it is signed with a key that the issuer of the token at hand uses for
assertions; the draft leaves open who else a verifier might believe. As it asks, nothing is fetched for a token that
does not hold by itself. INVALID is not taken back, so a list that says so is believed at any age.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from protocols.credentials.checks.core import CoreChecks
from protocols.credentials.checks.results import not_checked, passed
from protocols.credentials.checks.status_verdicts import (
    CLEAR,
    copy_details,
    is_stale,
    refused,
    revoked,
    stale,
    suspended,
)
from protocols.credentials.jose.document import examine_jws
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.did.document import Relationship
from protocols.did.resolver import Resolver
from protocols.errors import BadInput, LernodeError, NotNow
from protocols.jose import Jwt, is_typ, read_jwt, time_problem
from protocols.status.source import StatusListCopy, StatusSource
from protocols.status.token import (
    MEDIA_TYPE,
    StatusReference,
    StatusType,
    TokenStatusList,
    parse_claims,
    parse_reference,
    read_token_status,
)

__all__ = ["check_token_status"]

_SPEC = "Token Status List §8.3"


async def check_token_status(
    claims: Mapping[str, Any],
    core: CoreChecks,
    statuses: StatusSource,
    *,
    resolver: Resolver,
    policy: Policy,
    now: datetime,
) -> CheckResult:
    """Whether the status that the claims of a token point to lets it stand.

    Args:
        core: what is known of the token by itself.
    """
    try:
        reference = parse_reference(claims)
    except LernodeError as error:
        unknown = error.code == "status.mechanism_unsupported"
        return refused(Outcome.NOT_CHECKED if unknown else Outcome.FAIL, error.code, error.message, _SPEC, {})
    if reference is None:
        return passed(Check.STATUS, "The issuer keeps no status for this record.", _SPEC, code="status.none")
    if any(result.outcome is not Outcome.PASS for result in core.results.values()):
        reason = "Not looked at, because the record does not hold by itself."
        return not_checked(Check.STATUS, "status.not_made", reason, _SPEC)
    try:
        copy = await statuses.get_token(reference.uri, refresh=policy.refresh_status)
    except LernodeError as error:
        outcome = Outcome.NOT_CHECKED if isinstance(error, NotNow) else Outcome.FAIL
        return refused(outcome, error.code, error.message, _SPEC, {})
    details = copy_details(copy, now)
    try:
        token = _read_token(copy)
        status_list = parse_claims(token.claims)
    except LernodeError as error:
        code = error.code if error.code.startswith("status.") else "status.list_malformed"
        return refused(Outcome.FAIL, code, error.message, _SPEC, details)
    refusal = await _refuse_token(token, status_list, core.owner, resolver, policy, now, details)
    return refusal or _read(status_list, reference, copy, policy, now, details)


def _read_token(copy: StatusListCopy) -> Jwt:
    if not isinstance(copy.document, str):
        raise BadInput("status.list_malformed", "The status list is not a token.", "Ask the issuer to correct it.")
    token = read_jwt(copy.document)
    if not is_typ(token.jws.typ, MEDIA_TYPE):
        raise BadInput(
            "status.list_malformed", f"The status list is not of type {MEDIA_TYPE}.", "Ask the issuer to correct it."
        )
    return token


async def _refuse_token(
    token: Jwt,
    status_list: TokenStatusList,
    issuer: str | None,
    resolver: Resolver,
    policy: Policy,
    now: datetime,
    details: dict[str, Any],
) -> CheckResult | None:
    """Why the token is not believed, or ``None``."""
    examined = await examine_jws(token.jws, issuer, Relationship.ASSERTION_METHOD, resolver, {})
    if issuer is None or examined.signer not in ("", issuer) or status_list.issuer not in (None, issuer):
        reason = "The status list is not the issuer's own."
        return refused(Outcome.FAIL, "status.foreign_list", reason, _SPEC, details)
    why = "It is not what was signed." if examined.signature is not Outcome.PASS else None
    error = examined.refusal or examined.error
    problem = time_problem(token.claims, now=now, skew=policy.clock_skew)
    if error is not None:
        why = error.message
    elif problem is not None:
        why = problem[1]
    if why is None:
        return None
    reason = f"The status list is not to be believed: {why}"
    return refused(Outcome.FAIL, "status.list_invalid", reason, _SPEC, details)


def _read(
    status_list: TokenStatusList,
    reference: StatusReference,
    copy: StatusListCopy,
    policy: Policy,
    now: datetime,
    details: dict[str, Any],
) -> CheckResult:
    try:
        value = read_token_status(status_list, reference)
    except LernodeError as error:
        code = "status.foreign_list" if error.code == "status.list_foreign" else error.code
        return refused(Outcome.FAIL, code, error.message, _SPEC, details)
    details = {**details, "status": value, "valid": value == StatusType.VALID}
    if value == StatusType.INVALID:
        return revoked(_SPEC, details)
    if is_stale(copy, policy, now):
        return stale(_SPEC, details)
    if value == StatusType.SUSPENDED:
        return suspended(_SPEC, details)
    if value == StatusType.VALID:
        return passed(Check.STATUS, CLEAR, _SPEC, details=details)
    reason = "The issuer has set a status on the record that this node does not understand."
    return refused(Outcome.NOT_CHECKED, "status.value_unknown", reason, _SPEC, details)
