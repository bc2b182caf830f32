"""The catalogue of an issuer: its achievements, each in all its versions.

Promises: a version from which a record was offered or issued never changes; an achievement keeps its short name. It
leaves to others what an Achievement has to look like, and what the id of a new version is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protocols import strict_json
from protocols.errors import WrongState
from storage.engine import Row, Transaction
from storage.query import Query, placeholders
from storage.values import from_micros, to_json, to_micros

__all__ = [
    "Entry",
    "add",
    "change",
    "count",
    "entries",
    "find",
    "find_all_named",
    "lock",
    "mark_used",
    "note_file",
    "set_retired",
    "versions",
]

_CONTENT = "achievement_versions.content"
_SLUG = "achievements.slug"
_NAME = "achievement_versions.name"
_FILE = "achievements.file"
_SELECT = (
    "SELECT v.*, a.current, a.retired, a.file_key FROM achievement_versions v "
    "JOIN achievements a ON a.id = v.achievement_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A version of an achievement.

    Attributes:
        id: of the version, in this store.
        achievement_id: of the achievement, in this store.
        number: counts the versions, from 1.
        document: the Achievement object.
        used: whether a record was offered or issued from it.
        current: whether it is the version that is awarded.
        retired: whether the achievement is awarded no more.
    """

    id: str
    achievement_id: str
    slug: str
    number: int
    document: dict[str, Any]
    used: bool = False
    current: bool = True
    retired: bool = False
    made: datetime


async def lock(tx: Transaction) -> None:
    """Let nobody else change the catalogue in this unit of work."""
    await tx.lock("achievements")


async def add(tx: Transaction, entry: Entry) -> None:
    """Keep a new achievement in its first version.

    Raises:
        WrongState: ``catalogue.exists`` where one has its short name or its id.
    """
    taken = await tx.one("SELECT 1 FROM achievements WHERE slug_key = ?", (tx.sealing.blind(_SLUG, entry.slug),))
    if taken is not None or await find_all_named(tx, [entry.document["id"]]):
        raise WrongState(
            "catalogue.exists", "The catalogue has an achievement with this id or short name.", "Edit that one."
        )
    await tx.execute(
        "INSERT INTO achievements (id, slug_key, current, retired, created) VALUES (?, ?, ?, 0, ?)",
        (entry.achievement_id, tx.sealing.blind(_SLUG, entry.slug), entry.number, to_micros(entry.made)),
    )
    await _insert(tx, entry)


async def change(tx: Transaction, entry: Entry) -> None:
    """Let an achievement be awarded in this version: a new one, or one that nobody has used yet.

    Raises:
        WrongState: ``catalogue.exists`` where another achievement has its id.
    """
    other = await find_all_named(tx, [entry.document["id"]])
    if any(each.id != entry.id for each in other):
        raise WrongState("catalogue.exists", "Another version or achievement has this id.", "Give it one of its own.")
    await tx.execute("DELETE FROM achievement_versions WHERE id = ? AND used = 0", (entry.id,))
    await _insert(tx, entry)
    await tx.execute("UPDATE achievements SET current = ? WHERE id = ?", (entry.number, entry.achievement_id))


async def mark_used(tx: Transaction, entry: Entry) -> None:
    """Note that records are made from a version, so that it never changes again."""
    await tx.execute("UPDATE achievement_versions SET used = 1 WHERE id = ?", (entry.id,))


async def set_retired(tx: Transaction, achievement_id: str, *, retired: bool) -> None:
    """Say whether an achievement is awarded no more."""
    await tx.execute("UPDATE achievements SET retired = ? WHERE id = ?", (int(retired), achievement_id))


async def find(tx: Transaction, name: str, *, number: int | None = None) -> Entry | None:
    """The version whose Achievement has this id; else the current one, or the one of ``number``, of a short name."""
    row = await tx.one(f"{_SELECT} WHERE v.name_key = ?", (tx.sealing.blind(_NAME, name),))
    if row is None or number is not None:
        query = Query(_SELECT).where("a.slug_key = ?", tx.sealing.blind(_SLUG, name.lower()))
        query.where("v.number = COALESCE(?, a.current)", number)
        row = await tx.one(*query.end())
    return None if row is None else _entry(tx, row)


async def find_all_named(tx: Transaction, names: Sequence[str]) -> list[Entry]:
    """The versions whose Achievements have these ids."""
    query = Query(_SELECT).where(f"v.name_key IN ({placeholders(len(names))})", *(_key(tx, name) for name in names))
    return [_entry(tx, row) for row in await tx.all(*query.end())]


async def entries(tx: Transaction, *, retired: bool = False) -> list[Entry]:
    """The achievements in the order in which they were added, each in its current version.

    Args:
        retired: those too that are awarded no more.
    """
    query = Query(_SELECT).where("v.number = a.current")
    if not retired:
        query.where("a.retired = 0")
    return [_entry(tx, row) for row in await tx.all(*query.end("ORDER BY a.created, a.id"))]


async def versions(tx: Transaction, achievement_id: str) -> list[Entry]:
    """All versions of an achievement, the newest first."""
    query = Query(_SELECT).equal("v.achievement_id", achievement_id)
    return [_entry(tx, row) for row in await tx.all(*query.end("ORDER BY v.number DESC"))]


async def note_file(tx: Transaction, entry: Entry, said: bytes) -> bool:
    """Note what the catalogue file says of an achievement; whether it said something else, or nothing, before."""
    key = tx.sealing.blind(_FILE, said.hex())
    changed = await tx.execute(
        "UPDATE achievements SET file_key = ? WHERE id = ? AND (file_key IS NULL OR file_key <> ?)",
        (key, entry.achievement_id, key),
    )
    return changed == 1


async def count(tx: Transaction) -> int:
    """How many achievements there are."""
    row = await tx.one("SELECT COUNT(*) AS n FROM achievements")
    return 0 if row is None else int(row["n"])


async def _insert(tx: Transaction, entry: Entry) -> None:
    content = tx.sealing.seal(
        _CONTENT, entry.id, to_json({"slug": entry.slug, "document": strict_json.dumps(entry.document).decode()})
    )
    await tx.execute(
        "INSERT INTO achievement_versions (id, achievement_id, number, name_key, content, used, made) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            entry.id,
            entry.achievement_id,
            entry.number,
            _key(tx, entry.document["id"]),
            content,
            int(entry.used),
            to_micros(entry.made),
        ),
    )


def _key(tx: Transaction, name: str) -> bytes:
    return tx.sealing.blind(_NAME, name)


def _entry(tx: Transaction, row: Row) -> Entry:
    content = tx.sealing.open_json(_CONTENT, row["id"], row["content"])
    return Entry(
        id=row["id"],
        achievement_id=row["achievement_id"],
        slug=content["slug"],
        number=row["number"],
        document=strict_json.loads_object(content["document"]),
        used=bool(row["used"]),
        current=row["number"] == row["current"],
        retired=bool(row["retired"]),
        made=from_micros(row["made"]),
    )
