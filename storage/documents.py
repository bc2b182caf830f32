"""Copies of documents fetched from others (did:web documents, status lists), with their age.

They are public, and kept as they are: files are verified against them without the node's passphrase.

It leaves to others: how old a copy may be, and whether its content is to be believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storage.engine import Transaction
from storage.values import from_json, from_micros, to_json, to_micros

__all__ = ["CachedDocument", "delete", "find", "prune", "put"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedDocument:
    """A copy of what was fetched.

    Attributes:
        key: where from, usually its URL.
        etag: what to ask with whether it changed (RFC 9110 §8.8.3), or None.
        meta: what else the reader wants to remember, JSON values.
    """

    key: str
    body: bytes
    etag: str | None = None
    fetched_at: datetime
    meta: Mapping[str, Any] = field(default_factory=dict)


async def put(tx: Transaction, document: CachedDocument) -> None:
    """Keep a copy in place of an older one; a copy fetched before the one that is there changes nothing."""
    await tx.execute(
        "INSERT INTO documents (key, body, etag, fetched_at, meta) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET body = excluded.body, etag = excluded.etag, "
        "fetched_at = excluded.fetched_at, meta = excluded.meta WHERE excluded.fetched_at >= documents.fetched_at",
        (document.key, document.body, document.etag, to_micros(document.fetched_at), to_json(document.meta)),
    )


async def find(tx: Transaction, key: str) -> CachedDocument | None:
    """The copy, or None."""
    row = await tx.one("SELECT * FROM documents WHERE key = ?", (key,))
    if row is None:
        return None
    return CachedDocument(
        key=row["key"],
        body=row["body"],
        etag=row["etag"],
        fetched_at=from_micros(row["fetched_at"]),
        meta=from_json(row["meta"]),
    )


async def delete(tx: Transaction, key: str) -> None:
    """Forget a copy; nothing happens where there is none."""
    await tx.execute("DELETE FROM documents WHERE key = ?", (key,))


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget the copies fetched before a time; how many that were."""
    return await tx.execute("DELETE FROM documents WHERE fetched_at < ?", (to_micros(before),), bulk=True)
