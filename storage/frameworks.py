"""Frameworks of skills and occupations: each version that was imported, its items, and what relates them.

Promises: a version never changes once it is complete, and a new one replaces none, so that what an issued record points
to stays known; what is being imported is seen by nobody before it is complete. Searches find the same on each engine,
for words are folded here (letter case, accents and other marks aside).

It leaves to others: reading files (``node/skills``), and what a difference means to a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded, check_needle, placeholders
from storage.values import fold, from_json, from_micros, to_json, to_micros

__all__ = [
    "CHILD",
    "Change",
    "Difference",
    "FoundItem",
    "Item",
    "Label",
    "Relation",
    "Version",
    "add_items",
    "add_relations",
    "begin",
    "children",
    "complete",
    "difference",
    "discard",
    "drafts",
    "found_item",
    "found_relation",
    "index_words",
    "item",
    "items",
    "known",
    "latest",
    "mapping",
    "page",
    "related",
    "relations",
    "remove",
    "search",
    "versions",
]

CHILD = "childOf"
"""The kind of relation that makes the tree: its source stands under its target."""

_MAX_AT_ONCE = 500
_ITEM = (
    "SELECT i.*, v.framework_id, v.number, v.title AS framework, v.id AS version_id FROM framework_items i "
    "JOIN framework_versions v ON v.id = i.version_id"
)
# The version that searches and trees show: the last one that was imported whole.
_IS_LATEST = (
    "v.complete = 1 AND v.number = (SELECT MAX(x.number) FROM framework_versions x "
    "WHERE x.framework_id = v.framework_id AND x.complete = 1)"
)


_KNOWN = "FROM framework_items i JOIN framework_versions v ON v.id = i.version_id WHERE v.complete = 1 AND"
_KNOWN_URL = f"SELECT DISTINCT i.url AS name {_KNOWN} i.url"
_KNOWN_CODE = f"SELECT DISTINCT i.code AS name {_KNOWN} i.code"


@dataclass(frozen=True, slots=True)
class Label:
    """A further name.

    Attributes:
        language: BCP 47; empty where none is stated.
    """

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A skill, an occupation, or a group of them.

    Attributes:
        key: what names it in all versions of its framework: its URL, else its code.
        kind: its publisher's own word for what it is.
        parent: the key of the item that it stands under; known once the version is complete.
    """

    key: str
    name: str
    code: str | None = None
    url: str | None = None
    description: str = ""
    kind: str = ""
    labels: tuple[Label, ...] = ()
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundItem:
    """An item, and where it stands.

    Attributes:
        framework_id: the short name of its framework.
        framework: its title.
        number: of the version.
    """

    item: Item
    framework_id: str
    framework: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """How one item is related to another, of the same framework or not.

    Attributes:
        kind: :data:`CHILD`, or the word of SKOS, CASE, ESCO or O*NET.
        importance, level: in hundredths, on the publisher's scale.
    """

    source: str
    kind: str
    target: str
    importance: int | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A framework as it was imported once.

    Attributes:
        framework_id: the short name that its user gave it.
        number: counts the imports of the framework, from 1.
        title: its publisher's name for it.
        version, source, licence: as the publisher says; empty where not said.
        digest: ``sha-256:`` and the digest of the file.
        signed_by: the DID that signed the package in which it came.
        items: how many it has.
        skipped: how many rows of the file could not be read.
    """

    id: str
    framework_id: str
    number: int
    title: str
    version: str
    source: str
    licence: str
    format: str
    digest: str
    imported: datetime
    signed_by: str | None = None
    items: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An item that two versions have, but not the same; or that one of them has only."""

    key: str
    code: str | None
    old_name: str | None = None
    new_name: str | None = None
    old_parent: str | None = None
    new_parent: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What is other in a later version; each list has an excerpt, and ``counts`` how many there are in all."""

    added: tuple[Change, ...]
    removed: tuple[Change, ...]
    changed: tuple[Change, ...]
    moved: tuple[Change, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


async def begin(tx: Transaction, version: Version, column_mapping: Mapping[str, str]) -> Version:
    """Make room for a version, which nobody sees until :func:`complete`; with the number it got."""
    await tx.lock(f"framework {version.framework_id}")
    await tx.execute(
        "INSERT INTO frameworks (id, mapping, created) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET mapping = ?",
        (version.framework_id, to_json(column_mapping), to_micros(version.imported), to_json(column_mapping)),
    )
    row = await tx.one(
        "SELECT MAX(number) AS last FROM framework_versions WHERE framework_id = ?", (version.framework_id,)
    )
    number = (row["last"] if row and row["last"] else 0) + 1
    await tx.execute(
        "INSERT INTO framework_versions (id, framework_id, number, complete, title, version, source, licence, format, "
        "digest, signed_by, items, skipped, imported) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?)",
        (
            version.id,
            version.framework_id,
            number,
            version.title,
            version.version,
            version.source,
            version.licence,
            version.format,
            version.digest,
            version.signed_by,
            to_micros(version.imported),
        ),
    )
    return replace(version, number=number)


async def add_items(tx: Transaction, version_id: str, items: Sequence[Item], *, position: int) -> None:
    """Add items to a version that is being imported; ``position`` is that of the first."""
    await tx.execute_many(
        "INSERT INTO framework_items (version_id, position, key, code, url, name, description, kind, labels) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                version_id,
                position + index,
                item.key,
                item.code,
                item.url,
                item.name,
                item.description,
                item.kind,
                to_json([[label.text, label.language] for label in item.labels]),
            )
            for index, item in enumerate(items)
        ],
    )
    await tx.execute_many(
        "INSERT INTO framework_words (rowid, words) SELECT id, ? FROM framework_items WHERE version_id = ? AND key = ?",
        [(_searched(item), version_id, item.key) for item in items],
    )
    await tx.execute(
        "UPDATE framework_versions SET items = items + ? WHERE id = ? AND complete = 0", (len(items), version_id)
    )


async def add_relations(tx: Transaction, version_id: str, relations: Sequence[Relation]) -> None:
    """Add relations to a version that is being imported."""
    await tx.execute_many(
        "INSERT INTO framework_relations (version_id, source, kind, target, importance, level) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [(version_id, r.source, r.kind, r.target, r.importance, r.level) for r in relations],
    )


async def complete(tx: Transaction, version: Version) -> None:
    """Let everybody see a version, with what the file said about itself; it never changes from here on."""
    await tx.execute(
        "UPDATE framework_items SET parent = (SELECT MIN(r.target) FROM framework_relations r WHERE "
        "r.source = framework_items.key AND r.kind = ? AND r.version_id = framework_items.version_id "
        "AND r.target <> r.source) WHERE version_id = ?",
        (CHILD, version.id),
        bulk=True,
    )
    await tx.execute(
        "UPDATE framework_versions SET complete = 1, title = ?, version = ?, source = ?, licence = ?, skipped = ? "
        "WHERE id = ? AND complete = 0",
        (version.title, version.version, version.source, version.licence, version.skipped, version.id),
    )


async def discard(tx: Transaction, version_id: str) -> None:
    """Delete a version that was not completed."""
    if await tx.one("SELECT id FROM framework_versions WHERE id = ? AND complete = 0", (version_id,)):
        await _delete_version(tx, version_id)
        await tx.execute(
            "DELETE FROM frameworks WHERE NOT EXISTS "
            "(SELECT 1 FROM framework_versions v WHERE v.framework_id = frameworks.id)"
        )


async def drafts(tx: Transaction, framework_id: str | None = None) -> list[Version]:
    """The versions that are being imported, or whose import was cut short, with how many items each has by now."""
    query = Query("SELECT * FROM framework_versions").where("complete = 0").equal("framework_id", framework_id)
    return [_version(row) for row in await tx.all(*query.end("ORDER BY framework_id, number LIMIT 1000"))]


async def remove(tx: Transaction, framework_id: str) -> None:
    """Delete a framework with all its versions.

    Raises:
        WrongState: ``framework.unknown``.
    """
    rows = await tx.all("SELECT id FROM framework_versions WHERE framework_id = ?", (framework_id,))
    await tx.execute("DELETE FROM framework_publications WHERE framework_id = ?", (framework_id,))
    for row in rows:
        await _delete_version(tx, row["id"])
    if not await tx.execute("DELETE FROM frameworks WHERE id = ?", (framework_id,)):
        raise unknown("framework")


async def versions(tx: Transaction, framework_id: str | None = None) -> list[Version]:
    """The complete versions, of one framework or of all, each framework's newest first."""
    query = Query("SELECT * FROM framework_versions").where("complete = 1").equal("framework_id", framework_id)
    rows = await tx.all(*query.end("ORDER BY framework_id, number DESC LIMIT 1000"))
    return [_version(row) for row in rows]


async def latest(tx: Transaction, framework_id: str, number: int | None = None) -> Version:
    """The last complete version of a framework, or the one of that number.

    Raises:
        WrongState: ``framework.unknown``.
    """
    query = Query("SELECT * FROM framework_versions").where("complete = 1 AND framework_id = ?", framework_id)
    row = await tx.one(*query.equal("number", number).end("ORDER BY number DESC LIMIT 1"))
    if row is None:
        raise unknown("framework")
    return _version(row)


async def mapping(tx: Transaction, framework_id: str) -> dict[str, str]:
    """Which column of its CSV is what, as the framework was last imported."""
    row = await tx.one("SELECT mapping FROM frameworks WHERE id = ?", (framework_id,))
    return {} if row is None else dict(from_json(row["mapping"]))


async def search(tx: Transaction, words: str, *, framework_id: str | None = None, limit: int = 20) -> list[FoundItem]:
    """The items of the latest versions in whose code or names a word begins with each of ``words``, shortest first.

    Raises:
        BadInput: ``store.search_too_long``.
    """
    check_needle(words)
    beginnings = _words(words)
    if not beginnings:
        return []
    matching = " ".join(["i.id IN (SELECT rowid FROM framework_words WHERE", tx.has_words, ")"])
    query = (
        Query(_ITEM)
        .where(matching, tx.words_parameter(beginnings))
        .where(_IS_LATEST)
        .equal("v.framework_id", framework_id)
    )
    rows = await tx.all(*query.end("ORDER BY LENGTH(i.name), i.position, i.id LIMIT ?", bounded(limit)))
    return [found_item(row) for row in rows]


async def items(tx: Transaction, name: str, *, framework_id: str | None = None) -> list[FoundItem]:
    """The items with that URL or code: those of the latest versions, else of earlier ones; the newest first."""
    query = Query(_ITEM).where("(i.url = ? OR i.code = ? OR i.key = ?)", name, name, name).where("v.complete = 1")
    rows = await tx.all(*query.equal("v.framework_id", framework_id).end("ORDER BY v.number DESC, i.id LIMIT 100"))
    newest: dict[tuple[str, str], FoundItem] = {}
    for row in rows:
        newest.setdefault((row["framework_id"], row["key"]), found_item(row))
    return list(newest.values())


async def item(tx: Transaction, name: str, *, framework_id: str | None = None) -> FoundItem:
    """The first of :func:`items`.

    Raises:
        WrongState: ``skill.unknown``.
    """
    found = await items(tx, name, framework_id=framework_id)
    if not found:
        raise unknown("skill")
    return found[0]


async def known(tx: Transaction, names: Collection[str]) -> frozenset[str]:
    """Those of ``names`` that are the URL or code of an item in any version, old ones among them."""
    found: set[str] = set()
    wanted = sorted(names)
    for start in range(0, len(wanted), _MAX_AT_ONCE):
        part = wanted[start : start + _MAX_AT_ONCE]
        marks = placeholders(len(part))
        for select in (_KNOWN_URL, _KNOWN_CODE):
            found.update(row["name"] for row in await tx.all(f"{select} IN ({marks})", part))
    return frozenset(found)


async def children(
    tx: Transaction, version: Version, key: str | None, *, after: int = -1, limit: int = 1000
) -> list[FoundItem]:
    """The items that stand under ``key``, or at the top where it is None, in the order of the file."""
    query = Query(_ITEM).where("i.version_id = ?", version.id)
    if key is None:
        query.where("(i.parent IS NULL OR NOT EXISTS (SELECT 1 FROM framework_items p "
                    "WHERE p.version_id = i.version_id AND p.key = i.parent))")  # fmt: skip
    else:
        query.where(
            "i.key IN (SELECT r.source FROM framework_relations r "
            "WHERE r.version_id = i.version_id AND r.kind = ? AND r.target = ?)",
            CHILD,
            key,
        )
    query.where("i.position > ?", after)
    return [found_item(row) for row in await tx.all(*query.end("ORDER BY i.position LIMIT ?", bounded(limit)))]


async def relations(
    tx: Transaction, version_id: str, *, after: int = 0, limit: int = 1000
) -> list[tuple[int, Relation]]:
    """The relations of a version with their places, in the order of the file, those that follow ``after``."""
    rows = await tx.all(
        "SELECT * FROM framework_relations WHERE version_id = ? AND id > ? ORDER BY id LIMIT ?",
        (version_id, after, bounded(limit)),
    )
    return [(row["id"], found_relation(row)) for row in rows]


async def related(tx: Transaction, item: Item, *, limit: int = 1000) -> list[tuple[Relation, str | None]]:
    """What an item is related to, in either direction, by the latest versions of all frameworks and crosswalks.

    With each the name of the other item, where a framework of this node has it; the most important first.
    """
    names = tuple(dict.fromkeys(name for name in (item.key, item.code) if name))
    found: dict[tuple[str, str, str], tuple[Relation, str | None]] = {}
    for here, there in (("source", "target"), ("target", "source")):
        select = " ".join(
            [
                f"SELECT r.*, COALESCE({_newest_name('url', there)}, {_newest_name('code', there)}) AS name",
                "FROM framework_relations r",
                f"JOIN framework_versions v ON v.id = r.version_id WHERE r.{here} IN ({placeholders(len(names))})",
                f"AND {_IS_LATEST} ORDER BY COALESCE(r.importance, 0) DESC, r.id LIMIT ?",
            ]
        )
        for row in await tx.all(select, (*names, bounded(limit))):
            found.setdefault((row["source"], row["kind"], row["target"]), (found_relation(row), row["name"]))
    return list(found.values())


def _newest_name(of: str, there: str) -> str:
    items = "framework_items i JOIN framework_versions w ON w.id = i.version_id AND w.complete = 1"
    return " ".join(
        ["(SELECT i.name FROM", items, f"WHERE i.{of} = r.{there}", "ORDER BY w.number DESC, i.name LIMIT 1)"]
    )


async def page(tx: Transaction, version_id: str, *, after: int = -1, limit: int = 1000) -> list[tuple[int, Item]]:
    """The items of a version with their positions, in the order of the file, those that follow ``after``."""
    query = Query(_ITEM).where("i.version_id = ? AND i.position > ?", version_id, after)
    rows = await tx.all(*query.end("ORDER BY i.position LIMIT ?", bounded(limit)))
    return [(row["position"], found_item(row).item) for row in rows]


_SAME = "FROM framework_items o JOIN framework_items n ON n.key = o.key AND n.version_id = ? WHERE o.version_id = ?"
_BOTH = (
    "SELECT o.key, n.code, o.name AS old_name, n.name AS new_name, o.parent AS old_parent, n.parent AS new_parent "
    + _SAME
)
_ONE = (
    "FROM framework_items a WHERE a.version_id = ? AND NOT EXISTS "
    "(SELECT 1 FROM framework_items b WHERE b.version_id = ? AND b.key = a.key)"
)
_ADDED = f"SELECT a.key, a.code, a.name AS new_name, a.parent AS new_parent {_ONE}"
_REMOVED = f"SELECT a.key, a.code, a.name AS old_name, a.parent AS old_parent {_ONE}"
_IS_CHANGED = (
    " AND (o.name <> n.name OR o.description <> n.description OR o.kind <> n.kind OR o.labels <> n.labels "
    "OR COALESCE(o.code, '') <> COALESCE(n.code, '') OR COALESCE(o.url, '') <> COALESCE(n.url, ''))"
)
_IS_MOVED = " AND COALESCE(o.parent, '') <> COALESCE(n.parent, '')"


async def difference(tx: Transaction, old_id: str, new_id: str, *, limit: int = 100) -> Difference:
    """What is other in the version ``new_id`` than in ``old_id``; at most ``limit`` of each sort are listed."""
    lists: dict[str, tuple[Change, ...]] = {}
    counts: dict[str, int] = {}
    for name, select, key in (
        ("added", _ADDED, "a.key"),
        ("removed", _REMOVED, "a.key"),
        ("changed", _BOTH + _IS_CHANGED, "o.key"),
        ("moved", _BOTH + _IS_MOVED, "o.key"),
    ):
        ids = (old_id, new_id) if name == "removed" else (new_id, old_id)
        counted = await tx.one(f"SELECT COUNT(*) AS n FROM ({select}) q", ids)  # noqa: S608 - literals of this module
        counts[name] = counted["n"] if counted else 0
        rows = await tx.all(f"{select} ORDER BY {key} LIMIT ?", (*ids, bounded(limit)))
        lists[name] = tuple(Change(**{each: row[each] for each in row.keys()}) for row in rows)  # noqa: SIM118 - a Row
    return Difference(**lists, counts=counts)


async def index_words(tx: Transaction) -> None:
    """Make the words of all items anew: copies of a store lack them, for each engine keeps them in its own way."""
    last = 0
    select = "SELECT * FROM framework_items WHERE id > ? ORDER BY id LIMIT ?"
    while rows := await tx.all(select, (last, _MAX_AT_ONCE)):
        words = [(row["id"], _searched(_item(row))) for row in rows]
        await tx.execute_many("INSERT INTO framework_words (rowid, words) VALUES (?, ?)", words)
        last = rows[-1]["id"]


async def _delete_version(tx: Transaction, version_id: str) -> None:
    await tx.execute(
        "DELETE FROM framework_words WHERE rowid IN (SELECT id FROM framework_items WHERE version_id = ?)",
        (version_id,),
        bulk=True,
    )
    await tx.execute("DELETE FROM framework_relations WHERE version_id = ?", (version_id,), bulk=True)
    await tx.execute("DELETE FROM framework_items WHERE version_id = ?", (version_id,), bulk=True)
    await tx.execute("DELETE FROM framework_versions WHERE id = ?", (version_id,))


def _searched(item: Item) -> str:
    return " ".join(_words(" ".join([item.code or "", item.name, *(label.text for label in item.labels)])))


def _words(text: str) -> list[str]:
    """The words of a text, without letter case and marks: what the engines need not agree about."""
    bare = "".join(
        char for char in unicodedata.normalize("NFKD", fold(text)) if not unicodedata.category(char).startswith("M")
    )
    return re.findall(r"[^\W_]+", bare)


def _version(row: Row) -> Version:
    return Version(
        id=row["id"],
        framework_id=row["framework_id"],
        number=row["number"],
        title=row["title"],
        version=row["version"],
        source=row["source"],
        licence=row["licence"],
        format=row["format"],
        digest=row["digest"],
        signed_by=row["signed_by"],
        items=row["items"],
        skipped=row["skipped"],
        imported=from_micros(row["imported"]),
    )


def found_item(row: Row) -> FoundItem:
    """The item of a row that has its framework beside it."""
    return FoundItem(
        item=_item(row), framework_id=row["framework_id"], framework=row["framework"], number=row["number"]
    )


def _item(row: Row) -> Item:
    return Item(
        key=row["key"],
        name=row["name"],
        code=row["code"],
        url=row["url"],
        description=row["description"],
        kind=row["kind"],
        labels=tuple(Label(text, language) for text, language in from_json(row["labels"])),
        parent=row["parent"],
    )


def found_relation(row: Row) -> Relation:
    """The relation of a row."""
    return Relation(
        source=row["source"],
        kind=row["kind"],
        target=row["target"],
        importance=row["importance"],
        level=row["level"],
    )
