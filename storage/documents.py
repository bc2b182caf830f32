"""Copies of documents fetched from others (did:web documents, status lists), with their age.

They are public, but which of them a node has tells whose records it holds or checks; so they are sealed too.

It leaves to others: how old a copy may be, and whether its content is to be believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storage.engine import Transaction
from storage.values import from_micros, to_micros

__all__ = ["CachedDocument", "delete", "find", "prune", "put"]

_URL, _BODY, _ETAG, _META = "documents.url", "documents.body", "documents.etag", "documents.meta"


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
    sealing = tx.sealing
    url = sealing.blind(_URL, document.key)
    row = url.hex()
    await tx.execute(
        "INSERT INTO documents (url_key, body, etag, fetched_at, meta) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (url_key) DO UPDATE SET body = excluded.body, etag = excluded.etag, "
        "fetched_at = excluded.fetched_at, meta = excluded.meta WHERE excluded.fetched_at >= documents.fetched_at",
        (
            url,
            sealing.seal(_BODY, row, document.body),
            sealing.seal(_ETAG, row, document.etag),
            to_micros(document.fetched_at),
            sealing.seal_json(_META, row, document.meta),
        ),
    )


async def find(tx: Transaction, key: str) -> CachedDocument | None:
    """The copy, or None."""
    sealing = tx.sealing
    url = sealing.blind(_URL, key)
    row = await tx.one("SELECT * FROM documents WHERE url_key = ?", (url,))
    if row is None:
        return None
    return CachedDocument(
        key=key,
        body=sealing.open(_BODY, url.hex(), row["body"]),
        etag=sealing.open_text(_ETAG, url.hex(), row["etag"]),
        fetched_at=from_micros(row["fetched_at"]),
        meta=sealing.open_json(_META, url.hex(), row["meta"]),
    )


async def delete(tx: Transaction, key: str) -> None:
    """Forget a copy; nothing happens where there is none."""
    await tx.execute("DELETE FROM documents WHERE url_key = ?", (tx.sealing.blind(_URL, key),))


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget the copies fetched before a time; how many that were."""
    return await tx.execute("DELETE FROM documents WHERE fetched_at < ?", (to_micros(before),))
