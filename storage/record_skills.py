"""Which skills the held records attest, and what was reached in them: an index that is kept as records are stored.

Promises: what a record attests is here as long as the record is, and not longer; a skill is found by its URL or code
without opening any record. Like what it was read from, it is sealed; URLs and codes are found by keyed hash.

It leaves to others: reading documents (``node/records``), and what fits a wanted skill (``node/skills``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from storage.engine import Parameter, Row, Transaction
from storage.query import bounded
from storage.record_terms import IssuedState, Skill
from storage.values import from_micros, to_micros

if TYPE_CHECKING:
    from storage.credentials import HeldCredential

__all__ = ["Attested", "Reached", "add", "attesting", "of_record", "page", "remove"]

_DETAILS = "record_skills.details"
_URL, _CODE = "record_skills.url", "record_skills.code"
_KEYS_AT_ONCE = 50
_SELECT = (
    "SELECT s.id, s.record_id, s.details, s.stored_at, h.state, h.state_at "
    "FROM record_skills s JOIN held_credentials h ON h.id = s.record_id"
)
_NEWEST = "= ? ORDER BY s.stored_at DESC, s.id DESC LIMIT ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What was reached: a Result in the light of its ResultDescription (OB 3.0 §B).

    Attributes:
        name: of what was measured.
        value: the value, the status, or the name of the rubric's level.
        description: the id of the ResultDescription; None where the result has none.
        kind: the ``resultType``, e.g. ``LetterGrade``; empty where it is not said.
        steps: the values that there are, from low to high; empty where they are not listed.
        low, high: ``valueMin`` and ``valueMax``, as text.
    """

    name: str
    value: str
    description: str | None = None
    kind: str = ""
    steps: tuple[str, ...] = ()
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """One skill of one record.

    Attributes:
        id: of this entry; orders the entries of a page.
        record_name, issuer, valid_from, valid_until: of the record.
        state, state_at: what the record's status lists said when they were looked at last, and when that was.
    """

    id: str
    record_id: str
    skill: Skill
    reached: tuple[Reached, ...]
    record_name: str
    issuer: str
    valid_from: datetime | None
    valid_until: datetime | None
    stored_at: datetime
    state: IssuedState
    state_at: datetime | None


async def add(tx: Transaction, record: HeldCredential, reached: Mapping[Skill, Sequence[Reached]]) -> None:
    """Index the skills of a record that was just stored, with what was reached in each."""
    if not record.skills:
        return
    rows: list[tuple[Parameter, ...]] = []
    for position, skill in enumerate(record.skills):
        row_id = f"{record.id}/{position:03}"
        details = {
            "skill": asdict(skill),
            "reached": [asdict(each) for each in reached.get(skill, ())],
            "name": record.name,
            "issuer": record.issuer,
            "valid_from": to_micros(record.valid_from),
            "valid_until": to_micros(record.valid_until),
        }
        rows.append(
            (
                row_id,
                record.id,
                tx.sealing.blind(_URL, skill.url),
                tx.sealing.blind(_CODE, skill.code),
                to_micros(record.stored_at),
                tx.sealing.seal_json(_DETAILS, row_id, details),
            )
        )
    await tx.execute_many(
        "INSERT INTO record_skills (id, record_id, url_key, code_key, stored_at, details) VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )


async def remove(tx: Transaction, record_id: str) -> None:
    """Forget what a record attests."""
    await tx.execute("DELETE FROM record_skills WHERE record_id = ?", (record_id,))


async def of_record(tx: Transaction, record_id: str) -> list[Attested]:
    """The skills of one record, in their order."""
    return [_attested(tx, row) for row in await tx.all(f"{_SELECT} WHERE s.record_id = ? ORDER BY s.id", (record_id,))]


async def page(tx: Transaction, *, after: str = "", limit: int = 1000) -> list[Attested]:
    """Every skill of every record, by their ids; ``after`` is the id of the last one of the page before."""
    rows = await tx.all(f"{_SELECT} WHERE s.id > ? ORDER BY s.id LIMIT ?", (after, bounded(limit)))
    return [_attested(tx, row) for row in rows]


async def attesting(
    tx: Transaction, urls: Collection[str], codes: Collection[str] = (), *, each: int = 25
) -> list[Attested]:
    """What attests the skills with these URLs or codes: of each at most ``each`` entries, those stored last.

    A code is told apart from the same code of another framework by the caller.
    """
    wanted = [("s.url_key", tx.sealing.blind(_URL, url)) for url in sorted(set(urls))]
    wanted += [("s.code_key", tx.sealing.blind(_CODE, code)) for code in sorted(set(codes))]
    found: dict[str, Attested] = {}
    for start in range(0, len(wanted), _KEYS_AT_ONCE):
        part = wanted[start : start + _KEYS_AT_ONCE]
        # A limit for each key, and not for all together, so that a common skill hides no rare one.
        sql = " UNION ALL ".join(
            " ".join(["SELECT * FROM (", _SELECT, "WHERE", column, _NEWEST, f"q{number}"])
            for number, (column, _key) in enumerate(part)
        )
        parameters: list[Parameter] = [value for _column, key in part for value in (key, bounded(each))]
        for row in await tx.all(sql, parameters):
            if row["id"] not in found:
                found[row["id"]] = _attested(tx, row)
    return list(found.values())


def _attested(tx: Transaction, row: Row) -> Attested:
    details = tx.sealing.open_json(_DETAILS, row["id"], row["details"])
    return Attested(
        id=row["id"],
        record_id=row["record_id"],
        skill=Skill(**details["skill"]),
        reached=tuple(_reached(each) for each in details["reached"]),
        record_name=details["name"],
        issuer=details["issuer"],
        valid_from=from_micros(details["valid_from"]),
        valid_until=from_micros(details["valid_until"]),
        stored_at=from_micros(row["stored_at"]),
        state=IssuedState(row["state"]),
        state_at=from_micros(row["state_at"]),
    )


def _reached(raw: Mapping[str, Any]) -> Reached:
    return Reached(**{**raw, "steps": tuple(raw["steps"])})
