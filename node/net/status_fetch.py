"""Status lists over HTTP, kept so that a record can be checked while its issuer is offline.

Specs: Bitstring Status List 1.0 §2.2 (``ttl``), §3.2 and §4; Token Status List (draft-ietf-oauth-status-list-20) §8.1,
§8.2 and §13.7; 1EdTech Revocation List Status Method 1.0; RFC 9110 §13 and RFC 9111 (ETag, max-age). A list is asked
for again after the shortest of its ttl, its end of validity and its server's max-age; for a token its own ttl counts
and not the server's. Where the server does not give a good list, the kept one is given with its true age, and the
verifier's policy decides. What is looked at here is only whether the body is a status list at all; proof, issuer and
validity are checked by the verification.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from node.net.documents import CachedDocument, DocumentCache, DocumentFetcher, Fetched
from node.net.guarded_http import GuardedHttp
from protocols import strict_json
from protocols.credentials.model import has_type
from protocols.errors import BadInput, NotNow
from protocols.jose import is_typ, read_jwt
from protocols.status.list_credential import LIST_CREDENTIAL_TYPE, list_ttl
from protocols.status.revocation_list import parse_revocation_list
from protocols.status.source import PublishedDocument, StatusListCopy
from protocols.status.token import MEDIA_TYPE, lifetime

__all__ = ["DEFAULT_TTL", "StatusFetcher"]

DEFAULT_TTL = timedelta(milliseconds=300_000)
"""For a list that names no ttl, and whose server names no max-age."""

_MAX_TTL = timedelta(days=1)
_REMEMBERED = 64
_MAX_REMEMBERED_BYTES = 1 << 17
"""Of a list as published; one of the common size has at most some 20 KiB."""

_ACCEPT = (
    "application/vc, application/vc+jwt, application/vc+ld+json, application/ld+json;q=0.9, application/json;q=0.8"
)


class StatusFetcher:
    """A :class:`protocols.status.source.StatusSource` that fetches and keeps."""

    def __init__(self, http: GuardedHttp, cache: DocumentCache, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._credentials = _Kind(
            DocumentFetcher(http, cache, clock, accept=_ACCEPT), _credential_until, _read_credential
        )
        self._tokens = _Kind(
            DocumentFetcher(http, _TokenCache(cache), clock, accept=f"application/{MEDIA_TYPE}"),
            _token_until,
            _read_token,
        )

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The status list credential, or the 1EdTech revocation list, at ``url``.

        Args:
            refresh: ask the issuer's server even where a kept copy is within its ttl.

        Raises:
            NotNow: ``status.unreachable``: it cannot be had and there is no copy.
            BadInput: ``status.not_found``, ``status.malformed``, or ``net.*`` where policy forbids to fetch it.
        """
        return await self._get(self._credentials, url, refresh)

    async def get_token(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The Status List Token at ``url``, a JWT.

        Args:
            refresh: as for :meth:`get`.

        Raises:
            NotNow, BadInput: as :meth:`get`.
        """
        return await self._get(self._tokens, url, refresh)

    def at_hand(self, url: str) -> StatusListCopy | None:
        """The status list credential at ``url`` where neither a server nor the store has to be asked."""
        return self._credentials.at_hand(url, self._clock())

    def token_at_hand(self, url: str) -> StatusListCopy | None:
        """The Status List Token at ``url``, likewise."""
        return self._tokens.at_hand(url, self._clock())

    async def _get(self, kind: _Kind, url: str, refresh: bool) -> StatusListCopy:
        known = None if refresh else kind.at_hand(url, self._clock())
        if known is not None:
            return known
        fetched = await self._fetch(kind, url, refresh)
        copy = StatusListCopy(kind.read(fetched.document.body), fetched.document.fetched_at, fetched.from_cache)
        if fetched.failure is None:
            kind.remember(url, copy, fetched.document)
        return copy

    async def _fetch(self, kind: _Kind, url: str, refresh: bool) -> Fetched:
        def is_fresh(kept: CachedDocument) -> bool:
            try:
                return kept.fetched_at <= self._clock() < kind.until(kept)
            except BadInput:
                return False  # what it says of its life cannot be read: ask again

        try:
            return await kind.fetcher.get(url, is_fresh=is_fresh, check=kind.read, refresh=refresh)
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


class _Kind:
    """Status lists of one kind: how they are got and read, and those that were read last.

    What is fresh is given as the same object again, so that its checks can be remembered by it.
    """

    def __init__(
        self,
        fetcher: DocumentFetcher,
        until: Callable[[CachedDocument], datetime],
        read: Callable[[bytes], PublishedDocument],
    ) -> None:
        """
        Args:
            until: when a copy has to be asked for again; raises BadInput where it cannot be read.
            read: the list by its shape; raises BadInput.
        """
        self.fetcher = fetcher
        self.until = until
        self.read = read
        self._last: OrderedDict[str, tuple[StatusListCopy, datetime]] = OrderedDict()

    def at_hand(self, url: str, now: datetime) -> StatusListCopy | None:
        copy, until = self._last.get(url, (None, now))
        return copy if copy is not None and copy.fetched_at <= now < until else None

    def remember(self, url: str, copy: StatusListCopy, document: CachedDocument) -> None:
        self._last.pop(url, None)
        if len(document.body) > _MAX_REMEMBERED_BYTES:
            return
        with suppress(BadInput):
            self._last[url] = (replace(copy, from_cache=True), self.until(document))
        while len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)


class _TokenCache:
    """Keeps tokens apart from credentials, should one URL give either."""

    def __init__(self, cache: DocumentCache) -> None:
        self._cache = cache

    async def get(self, key: str) -> CachedDocument | None:
        return await self._cache.get(f"{MEDIA_TYPE} {key}")

    async def put(self, key: str, document: CachedDocument) -> None:
        await self._cache.put(f"{MEDIA_TYPE} {key}", document)


def _credential_until(kept: CachedDocument) -> datetime:
    credential = _credential_in(kept.body)
    ttl = list_ttl(credential) if has_type(credential, LIST_CREDENTIAL_TYPE) else None
    limits = [] if ttl is None else [ttl]
    if kept.max_age is not None:
        limits.append(timedelta(seconds=kept.max_age))
    return _earlier(kept.fetched_at + min([*limits, _MAX_TTL] if limits else [DEFAULT_TTL]), credential)


def _earlier(until: datetime, credential: dict[str, Any]) -> datetime:
    try:
        end = datetime.fromisoformat(credential.get("validUntil", ""))
    except (TypeError, ValueError):
        return until
    return min(until, end if end.tzinfo else end.replace(tzinfo=UTC))


def _token_until(kept: CachedDocument) -> datetime:
    ttl, expires = lifetime(read_jwt(kept.body).claims)
    if ttl is None:
        ttl = DEFAULT_TTL if kept.max_age is None else timedelta(seconds=kept.max_age)
    until = kept.fetched_at + min(ttl, _MAX_TTL)
    return until if expires is None else min(until, expires)


def _read_credential(body: bytes) -> PublishedDocument:
    """The body as a status list credential, or as a list without a proof, by its shape alone."""
    credential = _credential_in(body)
    if not has_type(credential, LIST_CREDENTIAL_TYPE):
        return _read_unsigned(body, credential)
    subject = credential.get("credentialSubject")
    if not isinstance(subject, dict):
        raise _malformed()
    if not isinstance(subject.get("encodedList"), str):
        raise _malformed()
    return body.strip().decode("ascii") if _is_compact(body) else credential


def _read_unsigned(body: bytes, document: dict[str, Any]) -> PublishedDocument:
    try:
        parse_revocation_list(None if _is_compact(body) else document)
    except BadInput:
        raise _malformed() from None
    return document


def _credential_in(body: bytes) -> dict[str, Any]:
    """The credential, not verified; of an SD-JWT, what it shows to everyone."""
    try:
        if _is_compact(body):
            return read_jwt(body.strip().partition(b"~")[0]).claims
        return strict_json.loads_object(body)
    except BadInput:
        raise _malformed() from None


def _is_compact(body: bytes) -> bool:
    """Whether it is not JSON but the compact text of a JWS, which begins as base64url writes a brace."""
    return body.lstrip()[:1] == b"e"


def _read_token(body: bytes) -> str:
    """The body as a Status List Token, by its shape alone."""
    try:
        token = read_jwt(body.strip())
    except BadInput:
        raise _malformed() from None
    if not is_typ(token.jws.typ, MEDIA_TYPE) or not isinstance(token.claims.get("status_list"), dict):
        raise _malformed()
    return body.strip().decode("ascii")


def _malformed() -> BadInput:
    return BadInput("status.malformed", "What the server gives is not a status list.", "Ask the issuer to correct it.")
