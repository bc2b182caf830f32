"""Who awards what to whom, by the held records that attest skills: once for all records that award the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import msgspec

from protocols import strict_json
from storage.engine import Transaction
from storage.query import Query, placeholders

__all__ = ["AwardedBy", "add", "get_all", "remove_unused"]

_DETAILS = "skill_awards.details"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardedBy:
    """Who awards what to whom.

    Attributes:
        achievements: of each its id, its type, and of each alignment the framework and the URL.
    """

    issuer: str
    issuer_name: str | None = None
    subject: str | None = None
    achievements: tuple[tuple[str | None, str | None, tuple[tuple[str | None, str | None], ...]], ...] = ()


async def add(tx: Transaction, award: AwardedBy) -> str:
    """Keep an award, once; its id."""
    said = strict_json.dumps(asdict(award))
    award_id = tx.sealing.blind(_DETAILS, said.decode()).hex()
    await tx.execute(
        "INSERT INTO skill_awards (id, details) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (award_id, tx.sealing.seal(_DETAILS, award_id, said)),
    )
    return award_id


async def get_all(tx: Transaction, ids: Sequence[str]) -> Mapping[str, AwardedBy]:
    """The awards with these ids."""
    found: dict[str, AwardedBy] = {}
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        query = Query("SELECT id, details FROM skill_awards").where(f"id IN ({placeholders(len(part))})", *part)
        for row in await tx.all(*query.end()):
            opened = tx.sealing.open(_DETAILS, row["id"], row["details"])
            found[row["id"]] = msgspec.json.decode(opened, type=AwardedBy)
    return found


async def remove_unused(tx: Transaction) -> None:
    """Forget the awards of which no record is held any more."""
    await tx.execute(
        "DELETE FROM skill_awards WHERE NOT EXISTS (SELECT 1 FROM record_skills s WHERE s.award_id = skill_awards.id)"
    )
