"""A transcript with several results, secured so that its holder may show one and not the others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from tests.credentials.worlds import ISSUER_P256, issue_with, record

__all__ = ["COURSES", "GRADES", "MANDATORY", "counting", "issue_selective", "transcript"]

MANDATORY = ("/issuer", "/validFrom", "/validUntil", "/credentialSubject/id")
COURSES = ("Metallurgy", "Blueprint reading", "Arc welding", "Safety")
GRADES = ("C-", "B", "A", "Pass with reservations")


def transcript(**changes: Any) -> dict[str, Any]:
    """An unsigned Open Badges 3.0 record whose achievement has four described results."""
    unsigned = record(**changes)
    results = [f"urn:uuid:00000000-0000-4000-8000-00000000000{number}" for number in range(len(COURSES))]
    described = [
        {
            "id": name,
            "type": ["ResultDescription"],
            "name": course,
            "resultType": "LetterGrade",
            "allowedValue": ["A", "B", "C"],
        }
        for name, course in zip(results, COURSES, strict=True)
    ]
    subject = unsigned["credentialSubject"]
    subject["achievement"]["resultDescription"] = described
    subject["result"] = [
        {"type": ["Result"], "resultDescription": name, "value": grade}
        for name, grade in zip(results, GRADES, strict=True)
    ]
    return unsigned


def counting(start: int = 0) -> Callable[[int], bytes]:
    """Entropy that is the same in every run."""
    drawn = iter(range(start, start + 1_000))
    return lambda size: hashlib.sha256(str(next(drawn)).encode()).digest()[:size]


def issue_selective(
    unsigned: dict[str, Any] | None = None,
    mandatory: Sequence[str] = MANDATORY,
    *,
    entropy: Callable[[int], bytes] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What the issuer gives the learner: the record with a base proof."""
    return issue_with(  # type: ignore[no-any-return]
        "ecdsa-sd-2023",
        transcript() if unsigned is None else unsigned,
        by=ISSUER_P256,
        mandatory_pointers=mandatory,
        entropy=entropy or counting(),
        **more,
    )
