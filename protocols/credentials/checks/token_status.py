"""Status of a token by its ``status`` claim (Token Status List, draft-ietf-oauth-status-list-20 §8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.verification import Check, CheckResult
from protocols.errors import LernodeError
from protocols.status.token import parse_reference

__all__ = ["check_token_status"]

_SPEC = "Token Status List §8.3"


async def check_token_status(claims: Mapping[str, Any]) -> CheckResult:
    """Whether the status that the claims of a token point to lets it stand."""
    try:
        reference = parse_reference(claims)
    except LernodeError as error:
        unknown = error.code == "status.mechanism_unsupported"
        return (not_checked if unknown else failed)(Check.STATUS, error.code, error.message, _SPEC)
    if reference is None:
        return passed(Check.STATUS, "The issuer keeps no status for this record.", _SPEC, code="status.none")
    reason = "The record's status is in a token status list, which this node does not read."
    return not_checked(Check.STATUS, "status.type_unsupported", reason, _SPEC)
