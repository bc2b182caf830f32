"""Trust lists followed and published, and accreditations kept: public documents, with what they say by DID.

Promises: the entries of a list are those of the body that is kept, changed together with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from protocols.credentials.trust.grants import Action, By, Grant, Origin
from protocols.credentials.trust.recognition import Entry
from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded
from storage.trust import scope_from_json, scope_to_json
from storage.values import from_json, from_micros, to_json, to_micros

__all__ = [
    "Followed",
    "KeptAccreditation",
    "Publication",
    "accreditations",
    "accreditations_about",
    "due",
    "find",
    "find_by_prefix",
    "find_publication",
    "followed",
    "forget_accreditation",
    "grants_about",
    "has_any",
    "keep",
    "keep_accreditation",
    "note_failure",
    "publications",
    "put_publication",
    "remove",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A list that is followed.

    Attributes:
        kind: LIST or REGISTRY.
        list_id: what its publisher calls it.
        source: where it is asked for again, or None.
        accreditors: whether those count too whom it lets recognise others.
        refresh: when it is asked for again.
        error_code: why it could not be had the last time.
    """

    id: str
    kind: By
    name: str
    list_id: str
    publisher: str | None
    source: str | None
    accreditors: bool
    sequence: int | None
    body: bytes
    signed_at: datetime | None
    valid_until: datetime
    fetched: datetime
    refresh: datetime | None
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A list that this node publishes, in its last edition."""

    name: str
    title: str
    days: int
    sequence: int
    document: bytes
    etag: str
    published: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAccreditation:
    """An accreditation that is kept.

    Attributes:
        id: by its content.
        dids: whom it recognises.
    """

    id: str
    dids: tuple[str, ...]
    accreditor: str
    kept: datetime


async def keep(tx: Transaction, row: Followed, entries: Sequence[Entry]) -> None:
    """Follow a list, or put another edition in the place of the one that is kept under this id."""
    await tx.execute("DELETE FROM trust_entries WHERE list_id = ?", (row.id,), bulk=True)
    await tx.execute("DELETE FROM trust_lists WHERE id = ?", (row.id,))
    await tx.execute(
        "INSERT INTO trust_lists (id, kind, name, list_id, publisher, source, accreditors, sequence, body, signed_at, "
        "valid_until, fetched, refresh, error_code) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.id,
            row.kind.value,
            row.name,
            row.list_id,
            row.publisher,
            row.source,
            int(row.accreditors),
            row.sequence,
            row.body,
            to_micros(row.signed_at),
            to_micros(row.valid_until),
            to_micros(row.fetched),
            to_micros(row.refresh),
            row.error_code,
        ),
    )
    await tx.execute_many(
        "INSERT INTO trust_entries (list_id, did, name, action, scope, valid_from, valid_until) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                row.id,
                entry.did,
                entry.name,
                entry.action.value,
                to_json(scope_to_json(entry.scope)),
                to_micros(entry.start),
                to_micros(entry.end),
            )
            for entry in entries
        ],
    )


async def find(tx: Transaction, list_id: str) -> Followed | None:
    """The list that its publisher calls so, where it is followed."""
    row = await tx.one("SELECT * FROM trust_lists WHERE list_id = ?", (list_id,))
    return None if row is None else _followed(row)


async def followed(tx: Transaction, *, limit: int = 1000) -> list[Followed]:
    """The lists that are followed, by their names."""
    rows = await tx.all("SELECT * FROM trust_lists ORDER BY name, id LIMIT ?", (bounded(limit),))
    return [_followed(row) for row in rows]


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Followed]:
    """The lists whose id here starts so."""
    query = Query("SELECT * FROM trust_lists").id_starting_with(prefix, limit)
    return [_followed(row) for row in await tx.all(*query)]


async def due(tx: Transaction, now: datetime) -> tuple[list[Followed], datetime | None]:
    """The lists to be asked for again now, and when the next one is."""
    rows = await tx.all("SELECT * FROM trust_lists WHERE refresh <= ? ORDER BY refresh LIMIT 20", (to_micros(now),))
    following = await tx.one("SELECT MIN(refresh) AS refresh FROM trust_lists WHERE refresh > ?", (to_micros(now),))
    return [_followed(row) for row in rows], None if following is None else from_micros(following["refresh"])


async def note_failure(tx: Transaction, row_id: str, code: str, again: datetime) -> None:
    """Remember why a list could not be had, and when it is tried again; the kept edition stays."""
    await tx.execute(
        "UPDATE trust_lists SET error_code = ?, refresh = ? WHERE id = ?", (code, to_micros(again), row_id)
    )


async def remove(tx: Transaction, row_id: str) -> None:
    """Follow a list no longer.

    Raises:
        WrongState: ``trust_list.unknown``.
    """
    await tx.execute("DELETE FROM trust_entries WHERE list_id = ?", (row_id,), bulk=True)
    if not await tx.execute("DELETE FROM trust_lists WHERE id = ?", (row_id,)):
        raise unknown("trust list")


async def grants_about(tx: Transaction, did: str) -> list[Grant]:
    """What the lists say of a DID; whom they let recognise others only where that is wanted of them."""
    rows = await tx.all(
        "SELECT e.did, e.action, e.scope, e.valid_from, e.valid_until, l.id, l.kind, l.name, l.publisher, l.source, "
        "l.sequence, l.signed_at, l.valid_until AS list_until FROM trust_entries e "
        "JOIN trust_lists l ON l.id = e.list_id WHERE e.did = ? AND (e.action = ? OR l.accreditors = 1) "
        "ORDER BY l.kind, l.name, e.id LIMIT 100",
        (did, Action.ISSUE.value),
    )
    return [
        Grant(
            did=row["did"],
            action=Action(row["action"]),
            scope=scope_from_json(from_json(row["scope"])),
            start=from_micros(row["valid_from"]),
            end=from_micros(row["valid_until"]),
            origin=Origin(
                by=By(row["kind"]),
                id=row["id"],
                name=row["name"],
                publisher=row["publisher"],
                url=row["source"],
                sequence=row["sequence"],
                signed_at=from_micros(row["signed_at"]),
                valid_until=from_micros(row["list_until"]),
            ),
        )
        for row in rows
    ]


async def has_any(tx: Transaction) -> bool:
    """Whether any list is followed."""
    return await tx.one("SELECT 1 FROM trust_lists LIMIT 1") is not None


async def put_publication(tx: Transaction, edition: Publication) -> None:
    """Publish an edition in the place of the one before."""
    await tx.execute("DELETE FROM trust_publications WHERE name = ?", (edition.name,))
    await tx.execute(
        "INSERT INTO trust_publications (name, title, days, sequence, document, etag, published, valid_until) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            edition.name,
            edition.title,
            edition.days,
            edition.sequence,
            edition.document,
            edition.etag,
            to_micros(edition.published),
            to_micros(edition.valid_until),
        ),
    )


async def find_publication(tx: Transaction, name: str) -> Publication | None:
    """The list of this name that this node publishes."""
    row = await tx.one("SELECT * FROM trust_publications WHERE name = ?", (name,))
    return None if row is None else _publication(row)


async def publications(tx: Transaction) -> list[Publication]:
    """The lists that this node publishes, by their names."""
    return [_publication(row) for row in await tx.all("SELECT * FROM trust_publications ORDER BY name LIMIT 1000")]


async def keep_accreditation(tx: Transaction, kept: KeptAccreditation, document: bytes) -> None:
    """Keep an accreditation of each that it recognises; twice is harmless."""
    await forget_accreditation(tx, kept.id)
    await tx.execute_many(
        "INSERT INTO trust_accreditations (id, did, accreditor, document, kept) VALUES (?, ?, ?, ?, ?)",
        [(kept.id, did, kept.accreditor, document, to_micros(kept.kept)) for did in dict.fromkeys(kept.dids)],
    )


async def forget_accreditation(tx: Transaction, accreditation_id: str) -> None:
    """Forget an accreditation; nothing happens where there is none."""
    await tx.execute("DELETE FROM trust_accreditations WHERE id = ?", (accreditation_id,))


async def accreditations(tx: Transaction, *, prefix: str = "") -> list[KeptAccreditation]:
    """The accreditations that are kept, whose id starts so; at most a thousand rows of them, the newest first."""
    select = "SELECT id, did, accreditor, kept FROM trust_accreditations ORDER BY kept DESC, id, did LIMIT 1000"
    rows = await tx.all(select)
    found: dict[str, KeptAccreditation] = {}
    for row in rows:
        if row["id"].startswith(prefix):
            before = found[row["id"]].dids if row["id"] in found else ()
            found[row["id"]] = KeptAccreditation(
                id=row["id"], dids=(*before, row["did"]), accreditor=row["accreditor"], kept=from_micros(row["kept"])
            )
    return list(found.values())


async def accreditations_about(tx: Transaction, did: str, *, limit: int = 20) -> list[bytes]:
    """The accreditations that are kept of a DID, the newest first."""
    rows = await tx.all(
        "SELECT document FROM trust_accreditations WHERE did = ? ORDER BY kept DESC, id LIMIT ?", (did, bounded(limit))
    )
    return [row["document"] for row in rows]


def _followed(row: Row) -> Followed:
    return Followed(
        id=row["id"],
        kind=By(row["kind"]),
        name=row["name"],
        list_id=row["list_id"],
        publisher=row["publisher"],
        source=row["source"],
        accreditors=bool(row["accreditors"]),
        sequence=row["sequence"],
        body=row["body"],
        signed_at=from_micros(row["signed_at"]),
        valid_until=from_micros(row["valid_until"]),
        fetched=from_micros(row["fetched"]),
        refresh=from_micros(row["refresh"]),
        error_code=row["error_code"],
    )


def _publication(row: Row) -> Publication:
    return Publication(
        name=row["name"],
        title=row["title"],
        days=row["days"],
        sequence=row["sequence"],
        document=row["document"],
        etag=row["etag"],
        published=from_micros(row["published"]),
        valid_until=from_micros(row["valid_until"]),
    )
