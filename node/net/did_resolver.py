"""The node's DID resolver: identifiers that carry their document at once, those on the web through the guarded client.

Documents from the web are kept, so that records can be checked while their issuer's server is away; a copy is used
then up to a stated age, and :meth:`NodeResolver.resolve_dated` says how old it is. A server that answers, but has
no document any more or a malformed one, has spoken: its old copy is not used. A deactivated DID is refused by all who
have to rely on its keys; :meth:`NodeResolver.result` shows it with its metadata.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urljoin

from node.net.documents import CachedDocument, DocumentCache, DocumentFetcher, Fetched
from node.net.guarded_http import GuardedHttp
from protocols.did.dereference import DidUrl, find_part, parse_did_url
from protocols.did.document import DidDocument
from protocols.did.files import AlsoNeeded
from protocols.did.resolution import DOCUMENT_TYPE, ResolutionResult, Resolved, failed
from protocols.did.resolver import HttpMethod, OfflineMethod, method_of
from protocols.errors import BadInput, LernodeError, NotNow

__all__ = ["NodeResolver", "Resolution", "ResolverPolicy"]

_REPRESENTATIONS = frozenset({DOCUMENT_TYPE, "application/did+json", "application/did+ld+json", "application/json"})
_ACCEPT = (
    "application/did+ld+json, application/did+json, application/did, application/json;q=0.9, "
    "application/jwk-set+json;q=0.9"
)


@dataclass(frozen=True, slots=True)
class ResolverPolicy:
    """How long documents from the web are relied on.

    Attributes:
        new_for: after a server was asked for the sake of a key that its copy lacks, how long a copy will do for others
            that are missing, so that nobody makes this node ask without end.
        fresh_for: a copy this young is used without asking its server.
        max_stale: a copy this old is still used while its server is away.
        remembered: how many parsed documents are held in memory.
    """

    new_for: timedelta = timedelta(seconds=1)
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


@dataclass(frozen=True, slots=True)
class _Known:
    resolved: Resolved
    sources: tuple[CachedDocument, ...] = ()
    stale: bool = False

    @property
    def fetched_at(self) -> datetime | None:
        return min((source.fetched_at for source in self.sources), default=None)


class NodeResolver:
    """A :class:`protocols.did.resolver.RenewingResolver` for every method in ``DID_METHODS``."""

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
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._renewed: dict[str, datetime] = {}

    def forget(self) -> None:
        """Keep no document in memory; those in the store stay."""
        self._known.clear()
        self._renewed.clear()

    async def resolve(self, did: str) -> DidDocument:
        """The document of ``did``.

        Raises:
            BadInput: ``did.*``, or ``net.*`` where policy forbids to fetch it.
            NotNow: ``did.unreachable``.
        """
        return (await self.resolve_dated(did)).document

    async def resolve_anew(self, did: str) -> DidDocument:
        """The document of ``did`` as its server has it, or had it moments ago.

        Raises:
            BadInput: ``did.*``, or ``net.*`` where policy forbids to fetch it.
            NotNow: ``did.unreachable``, also where there is a copy.
        """
        now = self._clock()
        asked = self._renewed.get(did)
        if len(self._renewed) >= self._policy.remembered:
            self._renewed.clear()
        self._renewed[did] = now
        new_for = self._policy.new_for if asked is not None and now - asked < self._policy.new_for else timedelta(0)
        known = await self._look_up(did, new_for)
        if known.stale:
            raise _unreachable()
        return known.resolved.current()

    async def resolve_dated(self, did: str, *, refresh: bool = False) -> Resolution:
        """The document of ``did``, and how old the knowledge of it is.

        Args:
            refresh: ask the server even where the kept copy is fresh.

        Raises:
            BadInput: ``did.*``, or ``net.*`` where policy forbids to fetch it.
            NotNow: ``did.unreachable``.
        """
        known = await self._look_up(did, self._policy.fresh_for, refresh=refresh)
        return Resolution(known.resolved.current(), known.fetched_at, known.stale)

    def at_hand(self, did: str) -> DidDocument | None:
        """The document of ``did`` where neither a server nor the store has to be asked.

        Raises:
            BadInput: ``did.*``.
        """
        known = self._in_memory(did, self._policy.fresh_for)
        if known is None:
            method = method_of(did)
            if isinstance(method, HttpMethod):
                return None
            known = self._remember(did, _Known(Resolved(did, method.resolve(did))))
        return known.resolved.current()

    async def result(self, did_url: str, options: Mapping[str, str] | None = None) -> ResolutionResult:
        """Resolve a DID, or dereference a DID URL, with all metadata (DID Resolution 1.0 §4 and §5); never raises.

        Args:
            options: resolution options as text: ``versionId``, ``versionTime``, ``accept``, those of the method. They
                override parameters of the DID URL.
        """
        is_part = "#" in did_url or "?" in did_url or "/" in did_url
        try:
            url = parse_did_url(did_url)
            if url.path:
                raise BadInput("did.part_unknown", "Paths of DID URLs are not followed.", "Leave out the path.")
            return await self._result(url, {**url.parameters, **(options or {})}, is_part=is_part)
        except LernodeError as error:
            return failed(error, is_part=is_part)

    async def _result(self, url: DidUrl, options: dict[str, str], *, is_part: bool) -> ResolutionResult:
        accept = options.pop("accept", DOCUMENT_TYPE)
        if accept not in _REPRESENTATIONS:
            raise BadInput("did.representation", "The media type is not supported.", f"Ask for {DOCUMENT_TYPE}.")
        method = method_of(url.did)
        if isinstance(method, OfflineMethod) and method.express is not None:
            known = _Known(Resolved(url.did, method.express(url.did, options)))
            options.clear()
        else:
            known = await self._look_up(url.did, self._policy.fresh_for)
        document, metadata = known.resolved.version(options)
        about = {"contentType": accept}
        if known.fetched_at is not None:
            about["retrieved"] = known.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        if document is None:
            return ResolutionResult(None, about, metadata, is_part=is_part)
        content = find_part(document.raw, url.fragment) if url.fragment else document.raw
        return ResolutionResult(content, about, metadata, is_part=is_part)

    async def _look_up(self, did: str, fresh_for: timedelta, *, refresh: bool = False) -> _Known:
        known = self._in_memory(did, fresh_for, refresh=refresh)
        if known is not None:
            return known
        method = method_of(did)
        if isinstance(method, HttpMethod):
            return await self._fetch(did, method, fresh_for, refresh)
        return self._remember(did, _Known(Resolved(did, method.resolve(did))))

    def _in_memory(self, did: str, fresh_for: timedelta, *, refresh: bool = False) -> _Known | None:
        known = self._known.get(did)
        if known is None:
            return None
        self._known.move_to_end(did)
        if not known.sources or (not refresh and all(self._is_fresh(s, fresh_for) for s in known.sources)):
            return known
        return None

    async def _fetch(self, did: str, method: HttpMethod, fresh_for: timedelta, refresh: bool) -> _Known:
        url = method.document_url(did, allow_http=self._allow_http)
        sources: list[CachedDocument] = []
        stale = False
        outcome: Resolved | AlsoNeeded | None = None
        while not isinstance(outcome, Resolved):
            place = urljoin(url, outcome.name) if outcome else url
            read = _Reader(method, did, [source.body for source in sources], self._clock())
            try:
                fetched = await self._fetcher.get(
                    place,
                    is_fresh=partial(self._is_fresh, fresh_for=fresh_for),
                    check=read,
                    check_change=None if sources else method.check_change,
                    refresh=refresh,
                )
            except LernodeError as error:
                raise _as_did_error(error) from None
            if fetched.failure is not None:
                self._refuse_copy(fetched, fetched.failure)
            # A server may write its DID in other ways that give the same URL; each has to be its document's id.
            outcome = await asyncio.to_thread(read, fetched.document.body)
            sources.append(fetched.document)
            stale = stale or fetched.failure is not None
        known = _Known(outcome, tuple(sources), stale)
        self._remember(did, replace(known, stale=False))
        return known

    def _refuse_copy(self, fetched: Fetched, failure: LernodeError) -> None:
        age = self._clock() - fetched.document.fetched_at
        if not isinstance(failure, NotNow) or age > self._policy.max_stale:
            raise _as_did_error(failure)

    def _is_fresh(self, document: CachedDocument, fresh_for: timedelta) -> bool:
        # A copy from the future means that a clock was wrong; asking again sets it right.
        return timedelta(0) <= self._clock() - document.fetched_at <= fresh_for

    def _remember(self, did: str, known: _Known) -> _Known:
        self._known[did] = known
        self._known.move_to_end(did)
        while len(self._known) > self._policy.remembered:
            self._known.popitem(last=False)
        return known


class _Reader:
    """Reads a file after those that were read before it; one body that is asked about twice is read once."""

    def __init__(self, method: HttpMethod, did: str, before: list[bytes], now: datetime) -> None:
        self._method = method
        self._did = did
        self._before = before
        self._now = now
        self._last: tuple[bytes, Resolved | AlsoNeeded] | None = None

    def __call__(self, body: bytes) -> Resolved | AlsoNeeded:
        if self._last is None or self._last[0] is not body:
            self._last = (body, self._method.read(self._did, [*self._before, body], now=self._now))
        return self._last[1]


def _as_did_error(error: LernodeError) -> LernodeError:
    if isinstance(error, NotNow):
        return _unreachable()
    if error.code == "net.not_found":
        return BadInput("did.not_found", "The server of the DID has no such document.", "Check the DID.")
    return error


def _unreachable() -> NotNow:
    return NotNow(
        "did.unreachable",
        "The server of the DID cannot be reached, and there is no copy of its document that is young enough.",
        "Try again later.",
    )
