"""The node's DID resolver: identifiers that carry their document at once, did:web through the guarded client.

Documents from the web are kept, so that records can be checked while their issuer's server is away; a copy is used
then up to a stated age, and :meth:`NodeResolver.resolve_dated` says how old it is. A server that answers, but has
no document any more or a malformed one, has spoken: its old copy is not used.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from node.net.documents import CachedDocument, DocumentCache, DocumentFetcher, Fetched
from node.net.guarded_http import GuardedHttp
from protocols.did.document import DidDocument
from protocols.did.resolver import HttpMethod, method_of
from protocols.errors import BadInput, LernodeError, NotNow

__all__ = ["NodeResolver", "Resolution", "ResolverPolicy"]

_ACCEPT = "application/did+ld+json, application/did+json, application/did, application/json;q=0.9"


@dataclass(frozen=True, slots=True)
class ResolverPolicy:
    """How long documents from the web are relied on.

    Attributes:
        fresh_for: a copy this young is used without asking its server.
        max_stale: a copy this old is still used while its server is away.
        remembered: how many parsed documents are held in memory.
    """

    fresh_for: timedelta = timedelta(minutes=5)
    max_stale: timedelta = timedelta(days=365)
    remembered: int = 256


@dataclass(frozen=True, slots=True)
class Resolution:
    """A document, and as of when it is known.

    Attributes:
        fetched_at: when its server last gave or confirmed it; ``None`` where the DID itself carries the document.
        stale: whether the server was asked and away, and the kept copy is older than ``fresh_for``.
    """

    document: DidDocument
    fetched_at: datetime | None = None
    stale: bool = False


class NodeResolver:
    """A :class:`protocols.did.resolver.Resolver` for every method in ``DID_METHODS``."""

    def __init__(
        self,
        http: GuardedHttp,
        cache: DocumentCache,
        *,
        clock: Callable[[], datetime],
        policy: ResolverPolicy | None = None,
    ) -> None:
        self._policy = policy or ResolverPolicy()
        self._clock = clock
        self._allow_http = http.policy.allow_http
        self._fetcher = DocumentFetcher(http, cache, clock, accept=_ACCEPT)
        self._parsed: OrderedDict[str, tuple[DidDocument, CachedDocument | None]] = OrderedDict()

    async def resolve(self, did: str) -> DidDocument:
        """The document of ``did``.

        Raises:
            BadInput: ``did.*``, or ``net.*`` where policy forbids to fetch it.
            NotNow: ``did.unreachable``.
        """
        return (await self.resolve_dated(did)).document

    async def resolve_dated(self, did: str, *, refresh: bool = False) -> Resolution:
        """The document of ``did``, and how old the knowledge of it is.

        Args:
            refresh: ask the server even where the kept copy is fresh.

        Raises:
            BadInput: ``did.*``, or ``net.*`` where policy forbids to fetch it.
            NotNow: ``did.unreachable``.
        """
        known = self._parsed.get(did)
        if known is not None:
            document, source = known
            self._parsed.move_to_end(did)
            if source is None or (not refresh and self._is_fresh(source)):
                return Resolution(document, source.fetched_at if source else None)
        method = method_of(did)
        if isinstance(method, HttpMethod):
            return await self._fetch(did, method, refresh)
        return Resolution(self._remember(did, method.resolve(did), None))

    async def _fetch(self, did: str, method: HttpMethod, refresh: bool) -> Resolution:
        url = method.document_url(did, allow_http=self._allow_http)
        try:
            fetched = await self._fetcher.get(
                url, is_fresh=self._is_fresh, check=lambda body: method.parse(did, body), refresh=refresh
            )
        except LernodeError as error:
            raise _as_did_error(error) from None
        if fetched.failure is not None:
            self._refuse_copy(fetched, fetched.failure)
        # A server may write its DID in other ways that give the same URL; each has to be its document's id.
        document = method.parse(did, fetched.document.body)
        self._remember(did, document, fetched.document)
        return Resolution(document, fetched.document.fetched_at, stale=fetched.failure is not None)

    def _refuse_copy(self, fetched: Fetched, failure: LernodeError) -> None:
        age = self._clock() - fetched.document.fetched_at
        if not isinstance(failure, NotNow) or age > self._policy.max_stale:
            raise _as_did_error(failure)

    def _is_fresh(self, document: CachedDocument) -> bool:
        # A copy from the future means that a clock was wrong; asking again sets it right.
        return timedelta(0) <= self._clock() - document.fetched_at <= self._policy.fresh_for

    def _remember(self, did: str, document: DidDocument, source: CachedDocument | None) -> DidDocument:
        self._parsed[did] = (document, source)
        self._parsed.move_to_end(did)
        while len(self._parsed) > self._policy.remembered:
            self._parsed.popitem(last=False)
        return document


def _as_did_error(error: LernodeError) -> LernodeError:
    if isinstance(error, NotNow):
        return NotNow(
            "did.unreachable",
            "The server of the DID cannot be reached, and there is no copy of its document that is young enough.",
            "Try again later.",
        )
    if error.code == "net.not_found":
        return BadInput("did.not_found", "The server of the DID has no such document.", "Check the DID.")
    return error
