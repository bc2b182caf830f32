"""The audit trail: what happened, in order, each entry chained to the one before by SHA-256.

Promises: the database refuses to change or delete an entry, and :func:`verify_chain` finds an entry that was changed,
removed or put in between behind its back. It cannot find that the end was cut off, or the whole written anew, by who
can write the file: for that, keep :func:`head` elsewhere and compare. Details hold no personal data; callers see to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.engine import Row, Transaction
from storage.query import Query, bounded
from storage.values import from_json, from_micros, to_json, to_micros

__all__ = ["AuditEntry", "ChainReport", "append", "append_each", "head", "page", "verify_chain"]

_START = bytes(32)
_BATCH = 500
_HASHED = ("seq", "at", "event", "actor", "subjects", "details")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that happened.

    Attributes:
        event: what, e.g. ``"credential.issued"``.
        actor: who made it happen: ``"operator"``, ``"policy"``, or a connection's id.
        subjects: ids of the rows that it is about.
    """

    seq: int
    at: datetime
    event: str
    actor: str
    subjects: tuple[str, ...]
    details: Mapping[str, Any]
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class ChainReport:
    """How far the chain holds: ``entries`` good ones, then the number of the first bad one, or None."""

    entries: int
    broken_at: int | None


async def append(
    tx: Transaction,
    *,
    at: datetime,
    event: str,
    actor: str,
    subjects: tuple[str, ...] = (),
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry at the end; it gets its number when this unit of work commits, and can be read from then on.

    So that units of work wait for each other, as the chain demands, for no longer than it takes to write the entries.
    """
    await append_each(tx, at=at, event=event, actor=actor, subjects=(subjects,), details=details)


async def append_each(
    tx: Transaction,
    *,
    at: datetime,
    event: str,
    actor: str,
    subjects: Sequence[tuple[str, ...]],
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry for each of several things to which the same happened, in order; see :func:`append`."""
    moment, facts = to_micros(at), to_json(details or {})
    for one in subjects:
        tx.at_end(_write, (moment, event, actor, to_json(one), facts))


async def _write(tx: Transaction, entries: list[tuple[int, str, str, str, str]]) -> None:
    seq, last_hash = await head(tx)
    rows: list[tuple[int, int, str, str, str, str, bytes, bytes]] = []
    for entry in entries:
        seq += 1
        digest = _digest([seq, *entry], last_hash)
        rows.append((seq, *entry, last_hash, digest))
        last_hash = digest
    await tx.execute_many(
        "INSERT INTO audit (seq, at, event, actor, subjects, details, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


async def head(tx: Transaction) -> tuple[int, bytes]:
    """The number and hash of the last entry; 0 and zeros where there is none."""
    row = await tx.one("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    return (0, _START) if row is None else (row["seq"], row["hash"])


async def page(
    tx: Transaction, *, after: int = 0, limit: int = 100, event: str | None = None, subject: str | None = None
) -> list[AuditEntry]:
    """Entries in order; ``after`` is the last ``seq`` of the page before.

    Args:
        event: only this kind of event.
        subject: only what is about this id.
    """
    query = Query("SELECT * FROM audit").where("seq > ?", after).equal("event", event)
    if subject is not None:
        # The JSON form with its quotes matches a whole id only.
        needle = json.dumps(subject, ensure_ascii=False)
        escaped = needle.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        query.where("subjects LIKE ? ESCAPE '!'", f"%{escaped}%")
    return [_from_row(row) for row in await tx.all(*query.end("ORDER BY seq LIMIT ?", bounded(limit)))]


async def verify_chain(tx: Transaction) -> ChainReport:
    """Compute every hash anew and compare."""
    seq, previous = 0, _START
    while rows := await tx.all("SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?", (seq, _BATCH)):
        for row in rows:
            digest = _digest([row[field] for field in _HASHED], previous)
            if row["seq"] != seq + 1 or row["prev_hash"] != previous or row["hash"] != digest:
                return ChainReport(seq, seq + 1)
            seq, previous = row["seq"], digest
    return ChainReport(seq, None)


def _digest(fields: list[str | int], previous: bytes) -> bytes:
    return hashlib.sha256(json.dumps([*fields, previous.hex()]).encode()).digest()


def _from_row(row: Row) -> AuditEntry:
    return AuditEntry(
        seq=row["seq"],
        at=from_micros(row["at"]),
        event=row["event"],
        actor=row["actor"],
        subjects=tuple(from_json(row["subjects"])),
        details=from_json(row["details"]),
        prev_hash=row["prev_hash"],
        hash=row["hash"],
    )
