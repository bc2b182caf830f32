"""Valid time: whether now lies within the periods of the document and of its proofs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from protocols.credentials.checks.results import failed, passed
from protocols.credentials.times import parse_time
from protocols.credentials.verification import Check, CheckResult

__all__ = ["check_valid_time"]

_SPEC = "VCDM 2.0 §4.9, VC Data Integrity 1.0 §2.1"


def check_valid_time(
    document: dict[str, Any], proofs: Iterable[dict[str, Any]], *, now: datetime, skew: timedelta
) -> CheckResult:
    """Whether the document and all of ``proofs`` are valid at ``now``, give or take ``skew``."""
    # Both versions' names whatever the version: extensions of 1.1 have used those of 2.0.
    names = (("validFrom", "validUntil"), ("issuanceDate", "expirationDate"))
    periods = [(document, start, end, "not_yet_valid", "expired") for start, end in names]
    periods += [(proof, "created", "expires", "proof_from_future", "proof_expired") for proof in proofs]
    for thing, first, last, too_early, too_late in periods:
        begins, ends = (parse_time(thing.get(name), zone_required=False) for name in (first, last))
        if (first in thing and begins is None) or (last in thing and ends is None):
            return failed(Check.VALID_TIME, "time.malformed", "A date cannot be read.", _SPEC)
        if begins is not None and begins - skew > now:
            reason = f"Its {first} is in the future."
            return failed(Check.VALID_TIME, f"time.{too_early}", reason, _SPEC)
        if ends is not None and ends + skew < now:
            return failed(Check.VALID_TIME, f"time.{too_late}", f"Its {last} has passed.", _SPEC)
    return passed(Check.VALID_TIME, "It is valid at this time.", _SPEC)
