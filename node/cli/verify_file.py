"""Verifies a file in this process: with the policy and the kept documents of a node, where there is one."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from node.cli.progress import waiting
from node.config import CONFIG_FILE, Config, load
from node.http.result_views import view_result
from node.http.schemas import ResultView
from node.net.badge_fetch import BadgeFetcher
from node.net.did_resolver import NodeResolver
from node.net.documents import MemoryDocumentCache
from node.net.guarded_http import GuardedHttp, NetworkPolicy, Response
from node.net.resource_fetch import ResourceFetcher
from node.net.status_fetch import StatusFetcher
from node.paper.code_text import PREFIX, unpack
from node.records.baking import baked_in, is_image
from node.records.intake import BYTE_ORDER_MARK, link_in
from node.roles.checker import Checker
from node.roles.policy import VerificationPolicies
from node.runtime.document_cache import StoredDocumentCache
from node.runtime.opening import open_node_store
from node.runtime.tracing import NO_TRACES
from node.runtime.world import World
from node.skills.frameworks import SkillIndex
from node.trust.source import StoredTrust
from protocols.credentials.asking import SeenLists
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, VerificationResult
from protocols.errors import BadInput, NotNow
from storage.engine import Store

__all__ = ["FilePolicy", "FileVerifier", "opened", "verify_code", "verify_file", "verify_link"]

_LINKS = (b"https://", b"http://")

_ACCEPT = "application/vp, application/vc, application/ld+json;q=0.9, application/json;q=0.8"
_MAX_FETCHED = 4 << 20


@dataclass(frozen=True, slots=True)
class FilePolicy:
    """How files are checked.

    Attributes:
        home: whose configuration and kept status lists are used, if there is a node; it need not run.
        trust: issuers believed this time.
        any_issuer: do not ask whether the issuer is believed.
        offline: the network is not used.
        recipient: an address that a record has to be for.
    """

    home: Path
    trust: tuple[str, ...]
    any_issuer: bool
    offline: bool
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class FileVerifier:
    """Checks documents; made by :func:`opened`.

    Attributes:
        seen: where many are checked as of one moment, what all of them know of status lists.
    """

    policy: Policy
    checker: Checker
    http: GuardedHttp
    seen: SeenLists | None = None

    async def fetch(self, url: str) -> bytes:
        """What a link leads to: the signed presentation or record, where its server has it.

        Raises:
            BadInput: ``link.nothing``, ``net.*``.
            NotNow: ``net.*``.
        """
        response = await self.http.get(url, max_bytes=_MAX_FETCHED, accept=_ACCEPT)
        if response.status != 200:
            message = f"Nothing can be had there: the server answers {response.status}."
            raise BadInput("link.nothing", message, "Ask who gave you the link for a new one.")
        return response.body

    async def verify_published(self, data: bytes) -> VerificationResult:
        """How the checks of a document end that was made for whoever has it, and not to answer anybody."""
        policy = replace(self.policy, required=self.policy.required - {Check.HOLDER_BINDING})
        return await self.checker.check(data, policy, seen=self.seen)

    async def verify(
        self, data: bytes, *, challenge: str | None = None, domain: str | None = None
    ) -> VerificationResult:
        """How the checks of a document end, or of the badge that is baked into a picture.

        Raises:
            BadInput: ``badge.*`` where there is none in a picture; as :meth:`fetch` where that names where it is.
            NotNow: as :meth:`fetch`.
        """
        link = await asyncio.to_thread(link_in, data)
        if link is not None:
            data = await self.fetch(link)
        elif is_image(data):
            data = await asyncio.to_thread(baked_in, data)
        data = data.removeprefix(BYTE_ORDER_MARK)
        return await self.checker.check(data, self.policy, challenge=challenge, domain=domain, seen=self.seen)


@asynccontextmanager
async def opened(how: FilePolicy) -> AsyncIterator[FileVerifier]:
    """A verifier with the policy and the kept documents of a node, where there is one.

    Raises:
        LernodeError: ``config.*`` or ``store.*`` where there is a node that cannot be read.
    """
    config = load(how.home) if (how.home / CONFIG_FILE).is_file() else Config()
    world = World()
    async with _store(how.home) as store, _http(config, offline=how.offline) as http:
        cache = MemoryDocumentCache() if store is None else StoredDocumentCache(store)
        resources = ResourceFetcher(http, cache, clock=world.clock)
        badges = BadgeFetcher(http, cache, clock=world.clock)
        policies = VerificationPolicies(config, how.home, resources, SkillIndex(store), StoredTrust(store), badges)
        policy = policies.verifier(trust=how.trust, any_issuer=how.any_issuer, refresh=not how.offline)
        policy = policy if how.recipient is None else policy.for_recipient(how.recipient)
        resolver = NodeResolver(http, cache, clock=world.clock)
        statuses = StatusFetcher(http, cache, clock=world.clock)
        yield FileVerifier(policy, Checker(policies, resolver, statuses, world, NO_TRACES), http)


def verify_file(
    how: FilePolicy, data: bytes, *, challenge: str | None, domain: str | None, show: bool = False
) -> ResultView:
    """How the checks of the document end.

    Raises:
        LernodeError: as :func:`opened`.
    """

    async def go() -> ResultView:
        async with opened(how) as verifier, waiting("Verifying"):
            return view_result(await verifier.verify(data, challenge=challenge, domain=domain), show=show)

    return asyncio.run(go())


def verify_code(how: FilePolicy, data: bytes, *, show: bool = False) -> ResultView:
    """How the checks end of what a QR code holds or leads to: its text, or a picture or PDF of it.

    Raises:
        BadInput: ``code.*``.
        LernodeError: as :func:`opened` and :meth:`FileVerifier.fetch`.
    """
    # What reads pictures is loaded only for them.
    if not data.startswith((PREFIX.encode(), *_LINKS)):
        from node.paper.scan import codes_in  # noqa: PLC0415

        found = [text.encode() for text in codes_in(data)]
        data = next((text for text in found if text.startswith((PREFIX.encode(), *_LINKS))), b"")
        if not data:
            raise BadInput("code.none", "There is no code of a résumé to be seen.", "Scan it flat and in good light.")
    text = data.decode("ascii", "replace").strip()
    return (
        verify_link(how, text, show=show) if data.startswith(_LINKS) else _verify_packed(how, unpack(text), show=show)
    )


def _verify_packed(how: FilePolicy, data: bytes, *, show: bool) -> ResultView:
    async def go() -> ResultView:
        async with opened(how) as verifier, waiting("Verifying"):
            return view_result(await verifier.verify_published(data), show=show)

    return asyncio.run(go())


def verify_link(how: FilePolicy, url: str, *, show: bool = False) -> ResultView:
    """How the checks end of what a link leads to.

    Raises:
        LernodeError: as :func:`opened` and :meth:`FileVerifier.fetch`.
    """

    async def go() -> ResultView:
        async with opened(how) as verifier, waiting("Verifying"):
            return view_result(await verifier.verify_published(await verifier.fetch(url)), show=show)

    return asyncio.run(go())


class _Offline(GuardedHttp):
    """Asks nobody; what is kept is what there is."""

    async def get(self, url: str, **_options: object) -> Response:
        """Refuse."""
        raise _offline(url)

    async def post(self, url: str, body: bytes, content_type: str, **_options: object) -> Response:
        """Refuse."""
        del body, content_type
        raise _offline(url)


def _offline(_url: str) -> NotNow:
    return NotNow("net.offline", "The network is not used.", "Leave out --offline.")


@asynccontextmanager
async def _http(config: Config, *, offline: bool) -> AsyncIterator[GuardedHttp]:
    network = config.network
    policy = NetworkPolicy(
        allowed_networks=tuple(ipaddress.ip_network(cidr) for cidr in network.allowed_networks),
        allow_http=network.allow_http,
        timeout_seconds=network.timeout_seconds,
    )
    http = _Offline(policy) if offline else GuardedHttp(policy)
    await http.start()
    try:
        yield http
    finally:
        await http.close()


@asynccontextmanager
async def _store(home: Path) -> AsyncIterator[Store | None]:
    """The node's store: others' documents and frameworks are in it, for which the passphrase is not needed."""
    if not (home / CONFIG_FILE).is_file():
        yield None
        return
    store = await open_node_store(home, load(home))
    try:
        yield store
    finally:
        await store.close()
