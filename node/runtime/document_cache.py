"""Fetched documents kept in the store, so that records can be checked after a restart and while peers are away."""

from __future__ import annotations

import logging

from node.net.documents import CachedDocument
from protocols.errors import NotNow
from storage import documents
from storage.engine import Store

__all__ = ["StoredDocumentCache"]

_log = logging.getLogger("lernode.documents")
_MAX_AGE = "max_age"


class StoredDocumentCache:
    """A :class:`node.net.documents.DocumentCache` over the node's store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, key: str) -> CachedDocument | None:
        """The kept document."""
        async with self._store.read() as tx:
            found = await documents.find(tx, key)
        return None if found is None else CachedDocument(found.body, found.fetched_at, found.etag, found.meta[_MAX_AGE])

    async def put(self, key: str, document: CachedDocument) -> None:
        """Keep ``document``, instead of one kept before; where the store takes nothing now, it is fetched again."""
        kept = documents.CachedDocument(
            key=key,
            body=document.body,
            etag=document.etag,
            fetched_at=document.fetched_at,
            meta={_MAX_AGE: document.max_age},
        )
        try:
            async with self._store.write() as tx:
                await documents.put(tx, kept)
        except NotNow as error:
            _log.warning("a fetched document is not kept: %s", error.code)
