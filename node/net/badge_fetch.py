"""The parts of Open Badges 2.0 over HTTP, kept so that a badge can be checked for a while when its server is away.

RFC 9110 §13 and RFC 9111 (ETag, max-age). A hosted badge is as good as what its server says now, so that a copy is used
without asking for five minutes, or as long as the server says, up to a day. Where the server does not answer, the kept
copy is given with its true age, and the verifier's policy decides; where it says that there is nothing, that counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from node.net.documents import CachedDocument, DocumentCache, DocumentFetcher
from node.net.guarded_http import GuardedHttp
from protocols import strict_json
from protocols.credentials.open_badges_2.parts import is_signed_assertion
from protocols.credentials.open_badges_2.source import PublishedPart
from protocols.errors import BadInput, NotNow

__all__ = ["BadgeFetcher"]

_DEFAULT_AGE = timedelta(minutes=5)
_MAX_AGE = timedelta(days=1)
_ACCEPT = "application/ld+json, application/json;q=0.9"


class BadgeFetcher:
    """A :class:`protocols.credentials.open_badges_2.source.BadgeSource` that fetches and keeps."""

    def __init__(self, http: GuardedHttp, cache: DocumentCache, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._fetcher = DocumentFetcher(http, cache, clock, accept=_ACCEPT)

    async def get(self, url: str, *, refresh: bool = False) -> PublishedPart:
        """The object at ``url``.

        Args:
            refresh: ask the server even where the kept copy is fresh.

        Raises:
            NotNow: ``badge.unreachable``: it cannot be had and there is no copy.
            BadInput: ``badge.not_there``, ``badge.part``, or ``net.*`` where policy forbids to fetch it.
        """
        try:
            fetched = await self._fetcher.get(url, is_fresh=self._is_fresh, check=_read, refresh=refresh)
            if isinstance(fetched.failure, BadInput):
                raise fetched.failure
        except NotNow:
            message = "The server that vouches for the badge cannot be reached, and there is no kept copy."
            raise NotNow("badge.unreachable", message, "Try again when it is back.") from None
        except BadInput as error:
            if error.code != "net.not_found":
                raise
            message = "The server that would vouch for the badge has nothing there any more."
            raise BadInput("badge.not_there", message, "Ask the issuer.") from None
        return PublishedPart(_read(fetched.document.body), fetched.document.fetched_at)

    def _is_fresh(self, kept: CachedDocument) -> bool:
        age = _DEFAULT_AGE if kept.max_age is None else min(timedelta(seconds=kept.max_age), _MAX_AGE)
        return kept.fetched_at <= self._clock() < kept.fetched_at + age


def _read(body: bytes) -> dict[str, Any] | str:
    text = body.strip()
    try:
        if text.startswith(b"e") and is_signed_assertion(text.decode("latin-1")):
            return text.decode("ascii")
        return strict_json.loads_object(text)
    except BadInput:
        raise BadInput(
            "badge.part", "What the server gives is no part of a badge.", "Its issuer has to correct it."
        ) from None
