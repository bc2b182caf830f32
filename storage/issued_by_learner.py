"""The issued records that count, one learner after the other: for reports about many learners, and counts of skills.

Promises: whatever there is, a page of rows is all that is in memory; all records of one learner follow each other, so
that each learner can be counted once. Only records that are active and say whom they are about are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.engine import Transaction
from storage.query import Query, bounded
from storage.values import from_micros, to_micros

__all__ = ["Issued", "Which", "page"]

_DOCUMENT, _DETAILS = "issued_credentials.document", "issued_credentials.details"
_ACHIEVEMENT = "issued_credentials.achievement_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which issued records are meant; None does not filter.

    Attributes:
        since, until: issued not before the one, and before the other.
    """

    achievement_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One issued record.

    Attributes:
        learner: the same for all records about one subject, and told to nobody: the keyed hash of it.
        document: exactly as signed.
    """

    id: str
    learner: bytes
    subject: str
    document: bytes
    issued_at: datetime


async def page(
    tx: Transaction, which: Which, *, after: Issued | None = None, after_learner: bytes | None = None, limit: int
) -> list[Issued]:
    """Records in the order of their learners, those after one of them, or after all of a learner."""
    query = Query("SELECT id, subject_key, document, details, issued_at FROM issued_credentials")
    query.where("subject_key IS NOT NULL").where("state = 'active'")
    query.equal("achievement_key", tx.sealing.blind(_ACHIEVEMENT, which.achievement_id))
    if which.since is not None:
        query.where("issued_at >= ?", to_micros(which.since))
    if which.until is not None:
        query.where("issued_at < ?", to_micros(which.until))
    if after is not None:
        query.where("(subject_key, issued_at, id) > (?, ?, ?)", after.learner, to_micros(after.issued_at), after.id)
    elif after_learner is not None:
        query.where("subject_key > ?", after_learner)
    rows = await tx.all(*query.end("ORDER BY subject_key, issued_at, id LIMIT ?", bounded(limit)))
    return [
        Issued(
            id=row["id"],
            learner=bytes(row["subject_key"]),
            subject=tx.sealing.open_json(_DETAILS, row["id"], row["details"])["subject"],
            document=tx.sealing.open(_DOCUMENT, row["id"], row["document"]),
            issued_at=from_micros(row["issued_at"]),
        )
        for row in rows
    ]
