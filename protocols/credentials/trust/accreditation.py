"""Accreditations: recognition credentials about an issuer, once their checks are made.

What counts is whether an accreditation was valid when the record was issued; that it has ended since does not undo it.
A revocation does, for no status list says since when: an accreditor who ends one for the future lets it run out, or
issues it anew with an earlier end.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from protocols.credentials.trust.decision import Accreditation
from protocols.credentials.trust.grants import By, Grant, Origin
from protocols.credentials.trust.recognition import read_recognition
from protocols.credentials.verification import CheckResult, Outcome
from protocols.errors import BadInput

__all__ = ["ENDED", "accreditations_in"]

ENDED = "time.expired"
"""The code of a credential whose ``validUntil`` has passed."""


def accreditations_in(document: dict[str, Any], results: Iterable[CheckResult]) -> tuple[Accreditation, ...]:
    """What a recognition credential says, of whomever it recognises; empty where it is none.

    Args:
        results: its checks, but for that of trust.
    """
    try:
        found = read_recognition(document)
    except BadInput:
        return ()
    doubts = [each for each in results if each.outcome is not Outcome.PASS and each.code != ENDED]
    worst = next((each for each in doubts if each.outcome is Outcome.FAIL), next(iter(doubts), None))
    origin = Origin(
        by=By.ACCREDITATION,
        id=found.id or "",
        name=found.name,
        publisher=found.issuer,
        signed_at=found.valid_from,
        valid_until=found.valid_until,
    )
    return tuple(
        Accreditation(
            Grant(
                did=entry.did,
                action=entry.action,
                scope=entry.scope,
                start=max(found.valid_from, entry.start or found.valid_from),
                end=_earlier(found.valid_until, entry.end),
                origin=origin,
            ),
            fault=None if worst is None else worst.code,
            outcome=Outcome.PASS if worst is None else worst.outcome,
        )
        for entry in found.entries
    )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    ends = [end for end in (one, other) if end is not None]
    return min(ends) if ends else None
