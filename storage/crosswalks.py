"""What skills are related to, many at once: the items with some names, and the relations that have these at an end.

Reads what ``storage/frameworks.py`` keeps, of the latest versions of frameworks and crosswalks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from storage.engine import Transaction
from storage.frameworks import FoundItem, Relation, found_item, found_relation
from storage.query import placeholders

__all__ = ["Related", "named", "related"]

_AT_ONCE = 400
_MOST_ROWS = 20_000
_ITEMS = (
    "SELECT i.*, v.framework_id, v.number, v.title AS framework FROM framework_items i "
    "JOIN framework_versions v ON v.id = i.version_id"
)
_RELATIONS = (
    "SELECT r.*, v.title AS framework FROM framework_relations r JOIN framework_versions v ON v.id = r.version_id"
)
_IS_LATEST = (
    "v.complete = 1 AND v.number = (SELECT MAX(x.number) FROM framework_versions x "
    "WHERE x.framework_id = v.framework_id AND x.complete = 1)"
)


@dataclass(frozen=True, slots=True)
class Related:
    """A relation, and the title of the framework or crosswalk that states it."""

    relation: Relation
    framework: str


async def named(tx: Transaction, names: Collection[str]) -> dict[str, list[FoundItem]]:
    """The items with these URLs or codes, by the name that was asked for; of each framework the newest that has it."""
    found: dict[str, dict[tuple[str, str], FoundItem]] = {}
    for part in _parts(names):
        for column in ("i.url", "i.code"):
            select = " ".join([_ITEMS, "WHERE v.complete = 1 AND", column, f"IN ({placeholders(len(part))})"])
            for row in await tx.all(f"{select} ORDER BY v.number DESC, i.id", part):
                name = row[column.removeprefix("i.")]
                found.setdefault(name, {}).setdefault((row["framework_id"], row["key"]), found_item(row))
    return {name: list(items.values()) for name, items in found.items()}


async def related(tx: Transaction, names: Collection[str], kinds: Sequence[str], *, target: bool) -> list[Related]:
    """The relations of these kinds whose source is among the names, or with ``target`` whose target is."""
    end = "r.target" if target else "r.source"
    found: list[Related] = []
    for part in _parts(names):
        select = " ".join(
            [
                _RELATIONS,
                "WHERE",
                end,
                f"IN ({placeholders(len(part))}) AND r.kind IN ({placeholders(len(kinds))}) AND",
                _IS_LATEST,
                "ORDER BY r.id LIMIT ?",
            ]
        )
        rows = await tx.all(select, [*part, *kinds, _MOST_ROWS])
        found += [Related(found_relation(row), row["framework"]) for row in rows]
    return found


def _parts(names: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(set(names))
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
