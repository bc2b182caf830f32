"""What must always hold of a store, checked row by row: nothing lost, nothing doubled, nothing altered.

Promises: :func:`check` reads one snapshot, changes nothing, and finds whatever contradicts the invariants below, also
where a table's own constraints were got round (by a damaged file, a doctored one, or a mistake of ours). It holds one
page of rows in memory at a time. What only a database can say of itself, such as whether its pages are whole, is the
engine's to check.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from protocols.errors import BadInput, LernodeError
from protocols.multiformats import b64url_decode
from protocols.status.bitstring import Bitstring
from protocols.status.status_array import StatusArray
from storage import audit, events, status_lists
from storage.engine import Row, Transaction
from storage.status_lists import STATUS_LIST, StatusList

__all__ = ["Broken", "Invariant", "check"]

_PAGE = 500


class Invariant(StrEnum):
    """What must hold."""

    ONE_RECORD = "one-record"
    """An exchange issued and brought each of its records once, and no two records have one id."""
    ONE_INDEX = "one-index"
    """A record has one status index of its own for each purpose, within its list, and every index is counted."""
    STATUS_SHOWN = "status-shown"
    """What is said of a record is in its status list, and a published list says what was set, or waits to."""
    MESSAGES_WAIT = "messages-wait"
    """Every message of a lane waits in order: its first is due, no other is, and a dead one never is."""
    REFERENCES = "references"
    """What a row names is there."""
    CONTENTS = "contents"
    """Every sealed value opens in its own place."""
    TRAIL = "trail"
    """The audit trail is one unbroken chain, and tells of every record that was issued or kept."""


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold.

    Attributes:
        where: the row, as ``table/id``.
        what: one sentence, without contents of rows.
    """

    invariant: Invariant
    where: str
    what: str


async def check(tx: Transaction) -> AsyncIterator[Broken]:
    """Everything that contradicts an invariant, in the order of :class:`Invariant`."""
    for invariant, looks in _CHECKS.items():
        for look in looks:
            async for where, what in look(tx):
                yield Broken(invariant, where, what)


_Findings = AsyncIterator[tuple[str, str]]
_Look = Callable[[Transaction], _Findings]


def _rows(sql: str, where: str, what: str) -> _Look:
    """Each row that a query gives is a finding; its columns fill the place."""

    async def look(tx: Transaction) -> _Findings:
        for row in await tx.all(f"{sql} LIMIT {_PAGE}"):
            yield where.format(*(row[position] for position in range(len(row)))), what

    return look


def _twice(table: str, *columns: str) -> _Look:
    key = ", ".join(columns)
    return _rows(
        f"SELECT MIN(id) FROM {table} WHERE {columns[0]} IS NOT NULL GROUP BY {key} HAVING COUNT(*) > 1",  # noqa: S608
        f"{table}/{{}}",
        f"Several records have this row's {' and '.join(columns)}.",
    )


def _dangling(table: str, column: str, target: str, target_column: str = "id") -> _Look:
    return _rows(
        f"SELECT a.{column} FROM {table} a LEFT JOIN {target} b ON b.{target_column} = a.{column} "  # noqa: S608
        f"WHERE a.{column} IS NOT NULL AND b.{target_column} IS NULL",
        f"{target}/{{}}",
        f"A row of {table} names it, and it is not there.",
    )


async def _published_lists(tx: Transaction) -> _Findings:
    """A list whose latest version is published says exactly what was set."""
    after: str | None = None
    while page := await status_lists.page(tx, after=after, limit=20):
        for each in page:
            published = await status_lists.get_published(tx, each.id)
            if published is None or each.dirty:
                continue
            values = await status_lists.values(tx, each.id)
            if not _says(published.document, each, values):
                yield f"status_lists/{each.id}", "The published list does not say what was set."
        after = page[-1].id


def _says(document: bytes, each: StatusList, values: Mapping[int, int]) -> bool:
    bits = each.terms.value_bits
    try:
        if each.terms.purpose == STATUS_LIST:
            claims = json.loads(b64url_decode(document.decode().split(".")[1]))
            said: StatusArray | Bitstring = StatusArray.decode(claims["status_list"]["lst"], bits=bits)
            wanted: StatusArray | Bitstring = StatusArray.of_zeros(each.size_bits, bits=bits)
        else:
            said = Bitstring.decode(json.loads(document)["credentialSubject"]["encodedList"], size=bits)
            wanted = Bitstring(each.size_bits, size=bits)
        for index, value in values.items():
            wanted.set(index, value)
    except (BadInput, LookupError, ValueError, TypeError):
        return False
    return bytes(said) == bytes(wanted)


async def _lanes(tx: Transaction) -> _Findings:
    rows = await tx.all(
        "SELECT lane, COUNT(next_attempt) AS due, "
        "MIN(CASE WHEN next_attempt IS NOT NULL THEN sequence END) AS head, "
        "MIN(CASE WHEN state = 'queued' THEN sequence END) AS earliest FROM outbox GROUP BY lane"
    )
    for row in rows:
        if row["earliest"] is not None and row["due"] != 1:
            yield f"outbox/lane/{row['lane']}", f"{row['due']} messages of the lane are due, and not one."
        elif row["head"] != row["earliest"]:
            yield f"outbox/lane/{row['lane']}", "A message is due before one that was put in earlier."


_SEALED: dict[str, tuple[str, ...]] = {
    "achievement_versions": ("content",),
    "app_clients": ("details",),
    "app_grants": ("details",),
    "app_requests": ("details",),
    "attached_messages": ("content",),
    "connections": ("details",),
    "erasures": ("report",),
    "exchanges": ("data",),
    "held_credentials": ("document", "details"),
    "invitations": ("message",),
    "issued_credentials": ("document", "details"),
    "jobs": ("payload",),
    "mediators": ("details",),
    "order_rows": ("content",),
    "orders": ("content",),
    "outbox": ("message",),
    "own_profiles": ("document",),
    "receipts": ("document",),
    "record_skills": ("details",),
    "resumes": ("content",),
    "shares": ("content",),
    "skill_awards": ("details",),
    "verifications": ("document", "result"),
    "wallets": ("details",),
    "webhooks": ("url",),
}
"""Every table with sealed values, and which of its columns are sealed; three more have checks of their own below."""

_KEYS = {"attached_messages": "invitation_id", "mediators": "connection_id"}
"""By what the rows of a table are known, where that is not their ``id``."""


def _opens(table: str) -> _Look:
    columns, key = _SEALED[table], _KEYS.get(table, "id")
    select = f"SELECT {key}, {', '.join(columns)} FROM {table}"  # noqa: S608

    async def look(tx: Transaction) -> _Findings:
        async for row in _each(tx, select, key):
            for column in columns:
                if not _does_open(tx, f"{table}.{column}", row[key], row[column]):
                    yield f"{table}/{row[key]}", f"What is sealed in the column {column} was altered or moved."

    return look


async def _reasons_open(tx: Transaction) -> _Findings:
    select = "SELECT list_id, idx, reason FROM status_entries WHERE reason IS NOT NULL"
    for row in await tx.all(f"{select} ORDER BY list_id, idx"):
        name = f"{row['list_id']}/{row['idx']}"
        if not _does_open(tx, "status_entries.reason", name, row["reason"]):
            yield f"status_entries/{name}", "What is sealed in the column reason was altered or moved."


async def _former_names_open(tx: Transaction) -> _Findings:
    select = "SELECT connection_id, did FROM former_names WHERE did IS NOT NULL"
    for row in await tx.all(f"{select} ORDER BY connection_id, name_key"):
        if not _does_open(tx, "former_names.did", row["connection_id"], row["did"]):
            yield f"former_names/{row['connection_id']}", "What is sealed in the column did was altered or moved."


async def _events_open(tx: Transaction) -> _Findings:
    async for row in _each(tx, "SELECT id, at, type, topic, lane, data FROM events"):
        if not _does_open(tx, "events.data", events.place(row), row["data"]):
            yield f"events/{row['id']}", "The event was altered."


def _does_open(tx: Transaction, column: str, name: str, sealed: bytes | None) -> bool:
    try:
        tx.sealing.open(column, name, sealed)
    except LernodeError:
        return False
    return True


async def _each(tx: Transaction, select: str, key: str = "id") -> AsyncIterator[Row]:
    """Every row of a table, page by page."""
    rows = await tx.all(f"{select} ORDER BY {key} LIMIT {_PAGE}")
    while rows:
        for row in rows:
            yield row
        rows = await tx.all(f"{select} WHERE {key} > ? ORDER BY {key} LIMIT {_PAGE}", (rows[-1][key],))


async def _chain(tx: Transaction) -> _Findings:
    report = await audit.verify_chain(tx)
    if report.broken_at is not None:
        yield f"audit/{report.broken_at}", "The chain of hashes is broken here."


def _told(table: str, event: str) -> _Look:
    """Every row of a table has its entry in the trail."""

    async def look(tx: Transaction) -> _Findings:
        missing = {row["id"] async for row in _each(tx, f"SELECT id FROM {table}")}  # noqa: S608
        after = 0
        while missing and (page := await audit.page(tx, after=after, limit=_PAGE, event=event)):
            for entry in page:
                missing.difference_update(entry.subjects)
            after = page[-1].seq
        for name in sorted(missing):
            yield f"{table}/{name}", f"The audit trail has no {event} of it."

    return look


_CHECKS: dict[Invariant, tuple[_Look, ...]] = {
    Invariant.ONE_RECORD: (
        _twice("issued_credentials", "exchange_id", "position"),
        _twice("issued_credentials", "credential_key"),
        _twice("held_credentials", "exchange_id", "position"),
    ),
    Invariant.ONE_INDEX: (
        _rows(
            "SELECT list_id, idx FROM issued_statuses GROUP BY list_id, idx HAVING COUNT(*) > 1",
            "status_lists/{}/{}",
            "Several records share this index.",
        ),
        _rows(
            "SELECT list_id, idx FROM status_entries GROUP BY list_id, idx HAVING COUNT(*) > 1",
            "status_lists/{}/{}",
            "This index was given out several times.",
        ),
        _rows(
            "SELECT s.issued_id FROM issued_statuses s LEFT JOIN status_entries e "
            "ON e.list_id = s.list_id AND e.idx = s.idx WHERE e.idx IS NULL",
            "issued_credentials/{}",
            "The record names an index that was never given out.",
        ),
        _rows(
            "SELECT e.list_id, e.idx FROM status_entries e JOIN status_lists l ON l.id = e.list_id "
            "WHERE e.idx < 0 OR e.idx >= l.size_bits OR e.purpose <> l.purpose",
            "status_lists/{}/{}",
            "The index is not within its list, or for another purpose.",
        ),
        _rows(
            "SELECT l.id FROM status_lists l LEFT JOIN status_entries e ON e.list_id = l.id "
            "GROUP BY l.id, l.allocated HAVING l.allocated <> COUNT(e.idx)",
            "status_lists/{}",
            "The list counts other than the indices that were given out.",
        ),
    ),
    Invariant.STATUS_SHOWN: (
        _rows(
            "SELECT i.id FROM issued_credentials i JOIN issued_statuses s ON s.issued_id = i.id "
            "JOIN status_entries e ON e.list_id = s.list_id AND e.idx = s.idx WHERE e.value = 0 AND "
            "(i.state = 'revoked' AND s.purpose = 'revocation' OR i.state = 'suspended' AND s.purpose = 'suspension')",
            "issued_credentials/{}",
            "The record is taken back, and its status list does not say so.",
        ),
        _rows(
            "SELECT i.id FROM issued_credentials i JOIN issued_statuses s ON s.issued_id = i.id "
            "JOIN status_entries e ON e.list_id = s.list_id AND e.idx = s.idx "
            "WHERE i.state = 'active' AND s.purpose IN ('revocation', 'suspension') AND e.value <> 0",
            "issued_credentials/{}",
            "The record's status list says that it is taken back, and the record does not.",
        ),
        _published_lists,
    ),
    Invariant.MESSAGES_WAIT: (
        _lanes,
        _rows(
            "SELECT id FROM outbox WHERE state <> 'queued' AND next_attempt IS NOT NULL",
            "outbox/{}",
            "The message was given up, and is due.",
        ),
    ),
    Invariant.REFERENCES: (
        _dangling("achievement_versions", "achievement_id", "achievements"),
        _dangling("app_requests", "client_id", "app_clients"),
        _dangling("app_grants", "client_id", "app_clients"),
        _dangling("app_tokens", "grant_id", "app_grants"),
        _dangling("exchanges", "connection_id", "connections"),
        _dangling("order_rows", "order_id", "orders"),
        _dangling("outbox", "connection_id", "connections"),
        _dangling("invitations", "verkey", "keys", "verkey"),
        _dangling("former_names", "connection_id", "connections"),
        _dangling("jobs", "exchange_id", "exchanges"),
        _dangling("held_credentials", "exchange_id", "exchanges"),
        _dangling("issued_credentials", "exchange_id", "exchanges"),
        _dangling("record_skills", "record_id", "held_credentials"),
        _dangling("record_skills", "award_id", "skill_awards"),
        _dangling("issued_statuses", "issued_id", "issued_credentials"),
        _dangling("verifications", "exchange_id", "exchanges"),
        _dangling("connections", "my_verkey", "keys", "verkey"),
        _dangling("did_keys", "verkey", "keys", "verkey"),
        _dangling("did_keys", "did", "dids", "did"),
    ),
    Invariant.CONTENTS: (*(_opens(table) for table in _SEALED), _reasons_open, _former_names_open, _events_open),
    Invariant.TRAIL: (_chain, _told("issued_credentials", "record.issued"), _told("held_credentials", "record.stored")),
}
