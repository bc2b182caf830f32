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

from storage import skill_awards
from storage.engine import Parameter, Row, Transaction
from storage.query import Query, bounded, placeholders
from storage.record_terms import IssuedState, Skill
from storage.skill_awards import AwardedBy
from storage.values import from_micros, to_json, to_micros

if TYPE_CHECKING:
    from storage.credentials import HeldCredential

__all__ = [
    "Attested",
    "Group",
    "Reached",
    "add",
    "attesting",
    "get_all",
    "groups",
    "newest",
    "of_record",
    "page",
    "remove",
]

_DETAILS = "record_skills.details"
_URL, _CODE = "record_skills.url", "record_skills.code"
_SKILL, _REACHED = "record_skills.skill", "record_skills.reached"
_KEYS_AT_ONCE = 50
_ROWS_AT_ONCE = 500
_SELECT = (
    "SELECT s.id, s.record_id, s.award_id, s.skill_key, s.awarded, s.details, s.stored_at, h.state, h.state_at "
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
        award_id: by which :func:`storage.skill_awards.get_all` gives who awards what.
        skill_key: the same for all entries of one skill.
        awarded: when it is valid from, else when it was stored.
        state, state_at: what the record's status lists said when they were looked at last, and when that was.
    """

    id: str
    record_id: str
    skill: Skill
    reached: tuple[Reached, ...]
    award_id: str
    skill_key: bytes
    awarded: datetime
    record_name: str
    issuer: str
    valid_from: datetime | None
    valid_until: datetime | None
    stored_at: datetime
    state: IssuedState
    state_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Entries that say the same of a skill: the same award, what was reached, and what it is worth by now.

    Attributes:
        sample: the id of one of them.
        first, last: when the earliest and the latest were awarded.
    """

    skill_key: bytes
    award_id: str
    sample: str
    state: IssuedState
    expired: bool
    count: int
    first: datetime
    last: datetime


async def add(
    tx: Transaction, record: HeldCredential, reached: Mapping[Skill, Sequence[Reached]], award: AwardedBy
) -> None:
    """Index the skills of a record that was just stored, with what was reached in each, and who awards what."""
    if not record.skills:
        return
    award_id = await skill_awards.add(tx, award)
    rows: list[tuple[Parameter, ...]] = []
    for position, skill in enumerate(record.skills):
        row_id = f"{record.id}/{position:03}"
        results = [asdict(each) for each in reached.get(skill, ())]
        details = {
            "skill": asdict(skill),
            "reached": results,
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
                award_id,
                tx.sealing.blind(_SKILL, skill.told_apart),
                tx.sealing.blind(_REACHED, to_json(results)),
                to_micros(record.valid_from or record.stored_at),
                to_micros(record.valid_until),
                to_micros(record.stored_at),
                tx.sealing.seal_json(_DETAILS, row_id, details),
            )
        )
    await tx.execute_many(
        "INSERT INTO record_skills (id, record_id, url_key, code_key, award_id, skill_key, reached_key, awarded, "
        "expires, stored_at, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


async def remove(tx: Transaction, record_id: str) -> None:
    """Forget what a record attests."""
    if await tx.execute("DELETE FROM record_skills WHERE record_id = ?", (record_id,)):
        await skill_awards.remove_unused(tx)


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


async def groups(tx: Transaction, now: datetime) -> list[Group]:
    """Everything that is attested, counted by the database, so that nothing has to be opened for it."""
    over = "CASE WHEN s.expires <= ? THEN 1 ELSE 0 END"
    select = " ".join(
        [
            f"SELECT s.skill_key, s.award_id, s.reached_key, h.state, {over} AS expired, MIN(s.id) AS sample,",
            "COUNT(*) AS n, MIN(s.awarded) AS first_one, MAX(s.awarded) AS last_one",
            "FROM record_skills s JOIN held_credentials h ON h.id = s.record_id",
            f"GROUP BY s.skill_key, s.award_id, s.reached_key, h.state, {over}",
        ]
    )
    return [
        Group(
            skill_key=bytes(row["skill_key"]),
            award_id=row["award_id"],
            sample=row["sample"],
            state=IssuedState(row["state"]),
            expired=bool(row["expired"]),
            count=row["n"],
            first=from_micros(row["first_one"]),
            last=from_micros(row["last_one"]),
        )
        for row in await tx.all(select, (to_micros(now), to_micros(now)))
    ]


async def get_all(tx: Transaction, ids: Sequence[str]) -> dict[str, Attested]:
    """The entries with these ids."""
    found: dict[str, Attested] = {}
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        part = ids[start : start + _ROWS_AT_ONCE]
        query = Query(_SELECT).where(f"s.id IN ({placeholders(len(part))})", *part)
        found |= {row["id"]: _attested(tx, row) for row in await tx.all(*query.end())}
    return found


async def newest(
    tx: Transaction, skills: Sequence[bytes], *, after: tuple[datetime, str] | None = None, limit: int = 5
) -> list[Attested]:
    """The entries of any of these skills, the latest awarded first; those that follow the one ``after``."""
    query = Query(_SELECT).where(f"s.skill_key IN ({placeholders(len(skills))})", *skills)
    if after is not None:
        query.where("(s.awarded, s.id) < (?, ?)", to_micros(after[0]), after[1])
    found = await tx.all(*query.end("ORDER BY s.awarded DESC, s.id DESC LIMIT ?", bounded(limit)))
    return [_attested(tx, row) for row in found]


def _attested(tx: Transaction, row: Row) -> Attested:
    details = tx.sealing.open_json(_DETAILS, row["id"], row["details"])
    return Attested(
        id=row["id"],
        record_id=row["record_id"],
        skill=Skill(**details["skill"]),
        reached=tuple(_reached(each) for each in details["reached"]),
        award_id=row["award_id"],
        skill_key=bytes(row["skill_key"]),
        awarded=from_micros(row["awarded"]),
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
