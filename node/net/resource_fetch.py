"""Schemas over HTTP, kept so that a record can be checked while nobody answers.

Specs: VC JSON Schema 1.0 §5; RFC 9110 §13 and RFC 9111 (ETag, max-age). What a record refers to does not change as a
rule, and asking for it tells somebody that such a record is being looked at: so a copy is kept for a day where its
server says nothing else, and for up to a month where it says so. Digests are compared by the verification.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from node.net.documents import CachedDocument, DocumentCache, DocumentFetcher
from node.net.guarded_http import GuardedHttp
from protocols.errors import BadInput, NotNow

__all__ = ["ResourceFetcher"]

_DEFAULT_AGE = timedelta(days=1)
_MAX_AGE = timedelta(days=30)
_ACCEPT = "application/schema+json, application/vc, application/json;q=0.9, application/ld+json;q=0.8"


class ResourceFetcher:
    """A :class:`protocols.credentials.resources.ResourceSource` that fetches and keeps."""

    def __init__(self, http: GuardedHttp, cache: DocumentCache, *, clock: Callable[[], datetime]) -> None:
        self._cache = cache
        self._clock = clock
        self._fetcher = DocumentFetcher(http, cache, clock, accept=_ACCEPT)

    async def get(self, url: str) -> bytes:
        """The resource at ``url``.

        Raises:
            NotNow: ``resource.unreachable``: it cannot be had and there is no copy.
            BadInput: ``resource.not_found``, or ``net.*`` where policy forbids to fetch it.
        """
        try:
            fetched = await self._fetcher.get(url, is_fresh=self._is_fresh, check=_anything)
        except NotNow:
            raise NotNow(
                "resource.unreachable",
                "It cannot be fetched, and there is no kept copy.",
                "Try again when its server is back, or give it by verify.schemas.",
            ) from None
        except BadInput as error:
            if error.code != "net.not_found":
                raise
            raise BadInput("resource.not_found", "Its server has no such document.", "Ask the issuer.") from None
        return fetched.document.body

    async def kept(self, url: str) -> bytes | None:
        """The kept copy; nobody is asked for it."""
        kept = await self._cache.get(url)
        return None if kept is None else kept.body

    def _is_fresh(self, kept: CachedDocument) -> bool:
        age = _DEFAULT_AGE if kept.max_age is None else min(timedelta(seconds=kept.max_age), _MAX_AGE)
        return kept.fetched_at <= self._clock() < kept.fetched_at + age


def _anything(_body: bytes) -> None:
    """What the bytes are is for those to say who asked for them."""
