"""Status lists over HTTP, kept so that a record can be checked while its issuer is offline.

Specs: Bitstring Status List 1.0 §2.2 (``ttl``) and §3.2; RFC 9110 §13 and RFC 9111 (ETag, max-age). A list is asked for
again after the shortest of its ttl, its validUntil and its server's max-age. Where the server does not give a good
list, the kept one is given with its true age, and the verifier's policy decides. What is looked at here is only
whether the body is a status list at all; proof, issuer and validity are checked by the verification.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from node.net.documents import CachedDocument, DocumentCache, DocumentFetcher
from node.net.guarded_http import GuardedHttp
from protocols import strict_json
from protocols.errors import BadInput, NotNow
from protocols.status.source import StatusListCopy

__all__ = ["DEFAULT_TTL", "StatusFetcher"]

DEFAULT_TTL = timedelta(milliseconds=300_000)
"""For a list that names no ttl (Bitstring Status List 1.0 §2.2)."""

_MAX_TTL = timedelta(days=1)
_ACCEPT = "application/vc, application/vc+ld+json, application/ld+json;q=0.9, application/json;q=0.8"
_TYPES = frozenset({"BitstringStatusListCredential", "StatusList2021Credential"})


class StatusFetcher:
    """A :class:`protocols.status.source.StatusSource` that fetches and keeps.

    Args:
        validate: further checks of a body before it replaces a kept copy; raises :class:`BadInput`.
    """

    def __init__(
        self,
        http: GuardedHttp,
        cache: DocumentCache,
        *,
        clock: Callable[[], datetime],
        validate: Callable[[bytes], None] | None = None,
    ) -> None:
        self._clock = clock
        self._validate = validate
        self._fetcher = DocumentFetcher(http, cache, clock, accept=_ACCEPT)

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The status list credential at ``url``.

        Args:
            refresh: ask the issuer's server even where a kept copy is within its ttl.

        Raises:
            NotNow: ``status.unreachable``: it cannot be had and there is no copy.
            BadInput: ``status.not_found``, ``status.malformed``, or ``net.*`` where policy forbids to fetch it.
        """
        try:
            fetched = await self._fetcher.get(url, is_fresh=self._is_fresh, check=self._check, refresh=refresh)
        except NotNow:
            raise NotNow(
                "status.unreachable",
                "The status list cannot be fetched, and there is no kept copy.",
                "Try again when the issuer's server is back.",
            ) from None
        except BadInput as error:
            if error.code != "net.not_found":
                raise
            raise BadInput(
                "status.not_found", "The issuer's server has no such status list.", "Ask the issuer."
            ) from None
        return StatusListCopy(_read(fetched.document.body), fetched.document.fetched_at, fetched.from_cache)

    def _check(self, body: bytes) -> None:
        _read(body)
        if self._validate is not None:
            self._validate(body)

    def _is_fresh(self, kept: CachedDocument) -> bool:
        try:
            return kept.fetched_at <= self._clock() < _fresh_until(kept)
        except BadInput:
            return False  # kept by a release that was less strict: ask again


def _fresh_until(kept: CachedDocument) -> datetime:
    document = _read(kept.body)
    ttl = document["credentialSubject"].get("ttl")
    limits = []
    if isinstance(ttl, int | float) and not isinstance(ttl, bool):
        limits.append(timedelta(milliseconds=min(max(ttl, 0), _MAX_TTL.total_seconds() * 1000)))
    if kept.max_age is not None:
        limits.append(timedelta(seconds=kept.max_age))
    until = kept.fetched_at + min([*limits, _MAX_TTL] if limits else [DEFAULT_TTL])
    valid_until = _time(document.get("validUntil"))
    return until if valid_until is None else min(until, valid_until)


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _read(body: bytes) -> dict[str, Any]:
    """The body as a status list credential, by its shape alone."""
    try:
        document = strict_json.loads_object(body)
    except BadInput:
        raise _malformed() from None
    types = document.get("type")
    subject = document.get("credentialSubject")
    named = isinstance(types, list) and any(isinstance(name, str) and name in _TYPES for name in types)
    if not named or not isinstance(subject, dict) or not isinstance(subject.get("encodedList"), str):
        raise _malformed()
    return document


def _malformed() -> BadInput:
    return BadInput("status.malformed", "What the server gives is not a status list.", "Ask the issuer to correct it.")
