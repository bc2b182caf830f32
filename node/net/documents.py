"""Documents that others publish and this node keeps: fetch, revalidate, and fall back on the kept copy.

DID documents and status lists share it. Promises that a kept copy is replaced only by what passed the caller's
check, that its time is when the server last gave or confirmed it, and that one document is fetched once at a time.
Leaves to callers when a copy is fresh and what an old one is still good for.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

from node.net.guarded_http import GuardedHttp, Response
from protocols.errors import BadInput, LernodeError, NotNow

__all__ = ["CachedDocument", "DocumentCache", "DocumentFetcher", "Fetched", "MemoryDocumentCache"]

_TRY_LATER = frozenset({408, 425, 429})
_GONE = frozenset({404, 410})
_MAX_HELD = 1024
_MAX_ETAG_CHARS = 256
_MAX_AGE = re.compile(r"max-age=\"?([0-9]{1,9})", re.ASCII)
_AGE = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CachedDocument:
    """A document as its server gave it.

    Attributes:
        fetched_at: when the server last gave or confirmed it; timezone-aware.
        etag: its entity tag, to ask with whether it changed (RFC 9110 §8.8.3).
        max_age: for how many seconds from ``fetched_at`` its server calls it fresh (RFC 9111 §5.2.2.1).
    """

    body: bytes
    fetched_at: datetime
    etag: str | None = None
    max_age: int | None = None


class DocumentCache(Protocol):
    """Keeps documents by key, across restarts where the node has a store."""

    async def get(self, key: str) -> CachedDocument | None:
        """The kept document."""

    async def put(self, key: str, document: CachedDocument) -> None:
        """Keep ``document``, instead of one kept before."""


class MemoryDocumentCache:
    """A :class:`DocumentCache` for a program without a store; it forgets what was used longest ago."""

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._documents: OrderedDict[str, CachedDocument] = OrderedDict()

    async def get(self, key: str) -> CachedDocument | None:
        """The kept document."""
        if key in self._documents:
            self._documents.move_to_end(key)
        return self._documents.get(key)

    async def put(self, key: str, document: CachedDocument) -> None:
        """Keep ``document``, instead of one kept before."""
        self._documents[key] = document
        self._documents.move_to_end(key)
        if len(self._documents) > self._limit:
            self._documents.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, and how it came.

    Attributes:
        from_cache: the server was not asked, or did not give a good document, this time.
        failure: what it failed with, where it was asked.
    """

    document: CachedDocument
    from_cache: bool
    failure: LernodeError | None = None


class DocumentFetcher:
    """Gives documents by URL, from the cache while they are fresh.

    Args:
        hold: after a server let a request time out, how long it is taken as away without asking again, so that
            ten records of one silent issuer do not wait ten times.
    """

    def __init__(
        self,
        http: GuardedHttp,
        cache: DocumentCache,
        clock: Callable[[], datetime],
        *,
        accept: str,
        hold: timedelta = timedelta(seconds=5),
    ) -> None:
        self._http = http
        self._cache = cache
        self._clock = clock
        self._accept = accept
        self._hold = hold
        self._held: dict[str, tuple[datetime, LernodeError]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(
        self,
        url: str,
        *,
        is_fresh: Callable[[CachedDocument], bool],
        check: Callable[[bytes], object],
        check_change: Callable[[bytes, bytes], object] | None = None,
        refresh: bool = False,
    ) -> Fetched:
        """The document at ``url``: kept and fresh, else the server's, else the kept one with the failure.

        Args:
            check: raises :class:`LernodeError` for a body that is not such a document.
            check_change: raises it for a body, the second one, that may not take the place of the kept one.
            refresh: ask the server even where the kept copy is fresh.

        Raises:
            NotNow: ``net.*``, and there is no kept copy.
            BadInput: ``net.*`` or what a check raised, and there is no kept copy.
        """
        lock = self._locks.setdefault(url, asyncio.Lock())
        async with lock:
            kept = await self._cache.get(url)
            if kept is not None and not refresh and is_fresh(kept):
                return Fetched(kept, from_cache=True)
            try:
                if not refresh:
                    self._refuse_while_held(url)
                document = await self._fetch(url, kept, check)
                if kept is not None and check_change is not None:
                    check_change(kept.body, document.body)
            except LernodeError as failure:
                self._note(url, failure)
                if kept is None:
                    raise
                return Fetched(kept, from_cache=True, failure=failure)
            await self._cache.put(url, document)
            return Fetched(document, from_cache=False)

    async def _fetch(self, url: str, kept: CachedDocument | None, check: Callable[[bytes], object]) -> CachedDocument:
        condition = {"If-None-Match": kept.etag} if kept is not None and kept.etag else {}
        response = await self._http.get(url, headers=condition, accept=self._accept)
        max_age = _max_age(response.headers)
        if response.status == 304 and kept is not None:
            return replace(kept, fetched_at=self._clock(), max_age=kept.max_age if max_age is None else max_age)
        _refuse_status(response)
        # A long document must not hold up the event loop.
        await asyncio.to_thread(check, response.body)
        etag = response.headers.get("etag", "")
        usable = 0 < len(etag) <= _MAX_ETAG_CHARS and etag.isascii() and etag.isprintable()
        return CachedDocument(response.body, self._clock(), etag if usable else None, max_age)

    def _refuse_while_held(self, url: str) -> None:
        until, failure = self._held.get(url, (None, None))
        if until is not None and failure is not None:
            if self._clock() < until:
                raise failure
            del self._held[url]

    def _note(self, url: str, failure: LernodeError) -> None:
        if failure.code == "net.timeout" and url not in self._held:
            if len(self._held) >= _MAX_HELD:
                self._held.clear()
            self._held[url] = (self._clock() + self._hold, failure)


def _refuse_status(response: Response) -> None:
    if response.status == 200:
        return
    if response.status >= 500 or response.status in _TRY_LATER:
        raise NotNow("net.server_error", f"The server answers {response.status}.", "Try again later.")
    if response.status in _GONE:
        raise BadInput("net.not_found", f"The server has no such document ({response.status}).", "Check the address.")
    raise BadInput("net.unexpected_status", f"The server answers {response.status}.", "Check the address.")


def _max_age(headers: Mapping[str, str]) -> int | None:
    """Seconds that the answer may still be called fresh; time spent in caches on the way is taken off."""
    control = headers.get("cache-control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return 0
    found = _MAX_AGE.search(control)
    if found is None:
        return None
    age = headers.get("age", "0")
    return max(0, int(found[1]) - (int(age) if _AGE.fullmatch(age) else 0))
