"""What a learner puts together for others to see: which records or parts of them, in which order, with which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded
from storage.values import from_micros, to_micros

__all__ = ["Entry", "Resume", "delete", "find_by_prefix", "naming", "page", "save"]

_CONTENT = "resumes.content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record of a résumé.

    Attributes:
        reveal: JSON Pointers (RFC 6901) to what is shown of it; empty for all of it.
        text: the learner's own words about it.
    """

    record_id: str
    reveal: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """A résumé."""

    id: str
    title: str
    text: str = ""
    entries: tuple[Entry, ...] = ()
    updated: datetime


class _Content(msgspec.Struct, frozen=True):
    title: str
    text: str
    entries: tuple[Entry, ...]


async def save(tx: Transaction, resume: Resume) -> None:
    """Keep a résumé, in the place of what was kept under its id."""
    content = msgspec.json.encode(_Content(resume.title, resume.text, resume.entries))
    sealed = tx.sealing.seal(_CONTENT, resume.id, content)
    await tx.execute(
        "INSERT INTO resumes (id, content, updated) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET content = ?, updated = ?",
        (resume.id, sealed, to_micros(resume.updated), sealed, to_micros(resume.updated)),
    )


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Resume]:
    """The résumés whose id starts so, in the order of their ids."""
    rows = await tx.all(*Query("SELECT * FROM resumes").id_starting_with(prefix, limit))
    return [_resume(tx, row) for row in rows]


async def page(tx: Transaction, *, after: str | None = None, limit: int = 100) -> list[Resume]:
    """Résumés, the last changed first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM resumes").newest_first("resumes", "updated", after, bounded(limit))
    return [_resume(tx, row) for row in await tx.all(*query)]


async def delete(tx: Transaction, resume_id: str) -> None:
    """Forget a résumé.

    Raises:
        WrongState: ``resume.unknown``.
    """
    if not await tx.execute("DELETE FROM resumes WHERE id = ?", (resume_id,)):
        raise unknown("resume")


async def naming(tx: Transaction, names: Callable[[bytes], bool]) -> list[str]:
    """The ids of résumés that name who is meant."""
    rows = await tx.all("SELECT id, content FROM resumes ORDER BY id")
    return [row["id"] for row in rows if names(tx.sealing.open(_CONTENT, row["id"], row["content"]))]


def _resume(tx: Transaction, row: Row) -> Resume:
    content = msgspec.json.decode(tx.sealing.open(_CONTENT, row["id"], row["content"]), type=_Content)
    return Resume(
        id=row["id"],
        title=content.title,
        text=content.text,
        entries=content.entries,
        updated=from_micros(row["updated"]),
    )
