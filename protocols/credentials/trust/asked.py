"""What one verification finds out of whom to trust: each DID once, and no more accreditations than a chain needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from protocols.credentials.secured import Secured
from protocols.credentials.trust.accreditation import ENDED
from protocols.credentials.trust.decision import Accreditation, Decision
from protocols.credentials.trust.grants import By
from protocols.credentials.verification import Check, CheckResult, Outcome, VerificationResult

__all__ = ["MAX_ACCREDITATIONS", "AskedTrust"]

MAX_ACCREDITATIONS: Final = 32
"""That are verified for one document; what comes after these is not looked at, and so does not count."""


@dataclass(slots=True)
class AskedTrust:
    """What is known so far.

    Attributes:
        presented: the accreditations that came with the records.
        known: what accreditations say of a DID.
    """

    presented: list[Secured] = field(default_factory=list)
    _presented_ids: set[int] = field(default_factory=set)
    known: dict[str, tuple[Accreditation, ...]] = field(default_factory=dict)
    _relied_on: set[str] = field(default_factory=set)
    _looked_at: int = 0

    def present(self, accreditations: Iterable[Secured]) -> None:
        """Take in the accreditations that came with the records."""
        self.presented.extend(accreditations)
        self._presented_ids.update(id(each) for each in self.presented)

    def is_presented(self, item: object) -> bool:
        """Whether that very one is an accreditation that came with the records."""
        return id(item) in self._presented_ids

    def some_of(self, did: str, kept: Iterable[bytes]) -> list[Secured | bytes]:
        """The accreditations of a DID that are looked at: those presented, then those kept, while there is room."""
        found: list[Secured | bytes] = [each for each in self.presented if did in each.subjects]
        found = [*found, *kept][: MAX_ACCREDITATIONS - self._looked_at]
        self._looked_at += len(found)
        return found

    def note(self, decision: Decision) -> None:
        """Remember on which accreditations a decision rests."""
        origins = (grant.origin for grant in decision.chain)
        self._relied_on.update(origin.id for origin in origins if origin.by is By.ACCREDITATION and origin.id)

    def forgive_end(self, result: VerificationResult) -> VerificationResult:
        """The result of an accreditation that was presented; that its time is over is no fault where it was relied on.

        Its period included the time at which a record was issued, which is what had to be.
        """
        document = result.document or {}
        if document.get("id") not in self._relied_on:
            return result
        return replace(result, checks=tuple(_forgiven(check) for check in result.checks))


def _forgiven(check: CheckResult) -> CheckResult:
    if check.check is not Check.VALID_TIME or check.code != ENDED:
        return check
    reason = "Its time is over, and included that at which the record was issued."
    return replace(check, outcome=Outcome.PASS, code="time.ended_since", reason=reason)
