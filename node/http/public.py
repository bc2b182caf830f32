"""What the public sees of a node: DIDComm, its DID document, its status lists, health, metrics, invitation page."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any
from urllib.parse import urlsplit

import segno
from aiohttp import web

from node.http.client_pages import add_client_pages
from node.http.gate import HEALTH_PATH, METRICS_PATH, READY_PATH, Gate
from node.http.problem import problem_middleware, problem_response
from node.http.return_channels import HttpReturn, Sockets
from node.net import order
from node.roles.framework_packages import FRAMEWORKS_PATH, FrameworkPackages
from node.roles.identity import web_document
from node.roles.pathways import CATALOGUE_PATH
from node.roles.portfolio import SHARE_PATH, Portfolio
from node.roles.record_links import ATTACHMENT_PATH, RecordLinks
from node.roles.status_publisher import StatusPublisher
from node.roles.trust_lists import LIST_PATH
from node.runtime.channels import Channels
from node.runtime.inbound import Inbound
from node.runtime.metrics import Metrics
from node.runtime.monitor import Monitor
from node.runtime.readiness import Readiness
from node.runtime.world import Clock
from protocols import strict_json
from protocols.credentials.trust.recognition import RECOGNITION
from protocols.didcomm.envelope import is_accepted_media_type
from protocols.errors import BadInput, LernodeError, WrongState
from storage import catalogues, dids, invitations, outbox, trust_lists
from storage.dids import DidPurpose
from storage.engine import Store
from storage.trust_lists import Publication

__all__ = ["DIDCOMM_PATH", "INVITATION_PATH", "public_app"]

DIDCOMM_PATH = "/didcomm"
INVITATION_PATH = "/i"
_RETURN_SECONDS = 5.0
_LIST_MAX_AGE = 300
_AS_JSON = {"application/vc": ("application/vc", "application/ld+json", "application/json")}
"""Media type -> what the same bytes are too."""

_PRESENTATION = ("application/vp", "application/ld+json", "application/json")
_PRIVATE = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Invitation from {label}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}}
svg{{width:100%;max-width:20rem;height:auto;background:#fff}}code{{overflow-wrap:anywhere}}</style>
<main><h1>Invitation from {label}</h1>
<p>Open this with your own wallet or node: scan the code, or copy this page's address and run</p>
<p><code>lernode accept '&lt;address of this page&gt;'</code></p>
{qr}
<p>The code holds the address of this page. Nothing is sent by looking at it.</p></main></html>
"""


class _Public:
    """The handlers, with what they need."""

    def __init__(
        self,
        *,
        store: Store,
        inbound: Inbound,
        channels: Channels,
        sockets: Sockets,
        publisher: StatusPublisher,
        record_links: RecordLinks,
        packages: FrameworkPackages,
        portfolio: Portfolio,
        metrics: Metrics,
        monitor: Monitor,
        readiness: Readiness,
        clock: Clock,
        endpoint: str,
        label: str,
    ) -> None:
        self._store = store
        self._inbound = inbound
        self._channels = channels
        self._sockets = sockets
        self._publisher = publisher
        self._record_links = record_links
        self._packages = packages
        self._portfolio = portfolio
        self._metrics = metrics
        self._monitor = monitor
        self._readiness = readiness
        self._clock = clock
        self._endpoint = endpoint
        self._label = label
        self._arrivals = order.Arrivals()

    async def didcomm(self, request: web.Request) -> web.StreamResponse:
        """One envelope (Aries RFC 0025 §HTTP): 202 once it is carried out or known already.

        Where the message asks for it (RFC 0092), the response carries one that waits for its sender. A request that
        says its place among those of its sender is carried out in that order (:mod:`node.net.order`).
        """
        if not is_accepted_media_type(request.headers.get("Content-Type", "")):
            raise BadInput(
                "http.media_type", "That is not a DIDComm envelope.", "Use application/didcomm-envelope-enc."
            )
        channel = HttpReturn()
        try:
            envelope = await request.read()
            place = self._place(request)
            async with nullcontext() if place is None else self._arrivals.take(place):
                await self._inbound.receive(envelope, channel)
            response = await channel.answer(await self._patience(channel))
            if place is not None:
                response.headers[order.HEADER] = order.KEPT
            await response.prepare(request)
            await response.write_eof()
            channel.finish(written=True)
        finally:
            channel.finish(written=False)
            self._channels.close(channel)
        return response

    def _place(self, request: web.Request) -> order.Place | None:
        header = request.headers.get(order.HEADER)
        # Where replicas share the work, what comes before may have come to another one.
        return None if header is None or self._store.shared else order.Place.read(header)

    async def _patience(self, channel: HttpReturn) -> float:
        """Seconds to wait for a message that is already on its way to who asked for it."""
        asking = self._channels.connections_of(channel)
        if not asking:
            return 0.0
        async with self._store.read() as tx:
            for connection_id in asking:
                if await outbox.has_queued(tx, connection_id):
                    return _RETURN_SECONDS
        return 0.0

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """A WebSocket for envelopes in both directions."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise web.HTTPMethodNotAllowed("GET", ["POST"])
        return await self._sockets.serve(request)

    async def did_document(self, _request: web.Request) -> web.Response:
        """The document of this node's did:web."""
        async with self._store.read() as tx:
            own = [d for d in await dids.page(tx, purpose=DidPurpose.ISSUER) if d.method == "web"]
            lists = await trust_lists.publications(tx)
        if not own:
            raise WrongState("did.unknown", "This node has no did:web.", "Its operator makes one: lernode did create")
        return web.Response(
            body=strict_json.dumps(web_document(own[0]) | _list_services(own[0].did, lists, self._endpoint)),
            content_type="application/did+json",
            headers={"Cache-Control": "max-age=300", "Access-Control-Allow-Origin": "*"},
        )

    async def status_list(self, request: web.Request) -> web.Response:
        """A signed status list (Bitstring Status List 1.0, or Token Status List), with ETag and Cache-Control.

        Clients of before VCDM 2.0 ask for a credential as JSON-LD or JSON, and may read nothing else.
        """
        published = await self._publisher.published(request.match_info["list_id"])
        return _signed(request, published.document, published.media_type, published.etag, self._publisher.ttl_seconds)

    async def trust_list(self, request: web.Request) -> web.Response:
        """A signed trust list of this node (Recognized Entities 1.0), with ETag and Cache-Control."""
        async with self._store.read() as tx:
            found = await trust_lists.find_publication(tx, request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return _signed(request, found.document, "application/vc", found.etag, _LIST_MAX_AGE)

    async def framework(self, request: web.Request) -> web.StreamResponse:
        """A framework as a signed package, piece by piece (docs/frameworks.md)."""
        try:
            found = await self._packages.published(request.match_info["name"])
        except WrongState:
            raise web.HTTPNotFound from None
        response = web.StreamResponse(headers={"Content-Type": "application/jsonl", "Cache-Control": "no-cache"})
        await response.prepare(request)
        await response.write(found.manifest + b"\n")
        async for piece in self._packages.lines(found.version_id):
            await response.write(piece)
        await response.write_eof()
        return response

    async def catalogue(self, request: web.Request) -> web.Response:
        """What this node awards, signed (docs/matching.md), with ETag and Cache-Control."""
        async with self._store.read() as tx:
            found = await catalogues.own(tx)
        if found is None:
            raise web.HTTPNotFound
        etag = hashlib.sha256(found.document).hexdigest()[:32]
        return _signed(request, found.document, "application/vc", etag, _LIST_MAX_AGE)

    async def health(self, _request: web.Request) -> web.Response:
        """Whether the process lives; to start it anew is right only where this does not answer."""
        return web.Response(body=strict_json.dumps({"status": "ok"}), content_type="application/json")

    async def ready(self, _request: web.Request) -> web.Response:
        """Whether new work should be sent here: the process serves, and its store takes writes."""
        problem = await self._readiness.problem()
        if problem is not None:
            return problem_response(503, problem.code, problem.message, problem.hint)
        return web.Response(body=strict_json.dumps({"status": "ready"}), content_type="application/json")

    async def metrics(self, _request: web.Request) -> web.Response:
        """Prometheus exposition."""
        with suppress(LernodeError):  # the store is away, which a metric says; its gauges stay as they were
            await self._monitor.refresh()
        return web.Response(
            body=self._metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    async def attachment(self, request: web.Request) -> web.Response:
        """A record that is too large for a message, for who was told the link."""
        content = await self._record_links.content(request.match_info["token"])
        return web.Response(body=content, content_type="application/ld+json", headers={"Cache-Control": "no-store"})

    async def share(self, request: web.Request) -> web.Response:
        """What a learner shows by a link: a page for a browser, the signed presentation for everybody else."""
        # Loaded only where it is used, for a node that starts quickly.
        from node.http.share_page import over_page, share_page  # noqa: PLC0415

        wants_page = "text/html" in request.headers.get("Accept", "") and request.query.get("format") != "vp"
        try:
            share = await self._portfolio.viewed(request.match_info["token"])
        except WrongState as error:
            status = 404 if error.code == "share.unknown" else 410
            if wants_page:
                return _private(over_page(error.message, error.hint), "text/html", status)
            refused = problem_response(status, error.code, error.message, error.hint)
            refused.headers.update(_PRIVATE)
            return refused
        if wants_page:
            at, result = await self._portfolio.checked(share)
            return _private(share_page(share, result, at), "text/html")
        assert share.content is not None
        kind = _first_accepted(request.headers.get("Accept", ""), _PRESENTATION)
        return _private(bytes(share.content.presentation).decode(), kind)

    async def short_link(self, request: web.Request) -> web.Response:
        """The invitation behind a short link (Aries RFC 0434 §URL Shortening), while open; a page in a browser."""
        async with self._store.read() as tx:
            found = await invitations.find(tx, request.match_info["id"])
        if found is None or not found.is_open_at(self._clock()):
            raise web.HTTPNotFound
        if "text/html" in request.headers.get("Accept", ""):
            return self._page(f"{self._endpoint}{INVITATION_PATH}/{found.id}")
        return web.Response(body=found.message, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def front(self, request: web.Request) -> web.Response:
        """For a person who opened an invitation's address in a browser."""
        if not {"oob", "_oob"} & request.query.keys():
            raise web.HTTPNotFound
        return self._page(f"{self._endpoint}/?{request.query_string}")

    def _page(self, address: str) -> web.Response:
        code = segno.make(address, error="l", micro=False).svg_inline(scale=4, title="QR code of the invitation")
        page = _PAGE.format(label=html.escape(self._label), qr=code)
        return web.Response(
            text=page,
            content_type="text/html",
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
        )


def _private(text: str, media_type: str, status: int = 200) -> web.Response:
    """What only who has a link may see: no cache keeps it, no search engine lists it, no other page learns of it."""
    return web.Response(text=text, content_type=media_type, status=status, headers=_PRIVATE)


def _list_services(did: str, lists: Sequence[Publication], endpoint: str) -> dict[str, Any]:
    """The lists that a node publishes, as services of its DID document, so that they can be followed by the DID."""
    services = [
        {"id": f"{did}#trust-{each.name}", "type": RECOGNITION, "serviceEndpoint": f"{endpoint}{LIST_PATH}/{each.name}"}
        for each in lists
    ]
    return {"service": services} if services else {}


def _signed(request: web.Request, document: bytes, media_type: str, etag: str, max_age: int) -> web.Response:
    """A signed document, or that it has not changed."""
    headers = {
        "ETag": f'"{etag}"',
        "Cache-Control": f"max-age={max_age}",
        "Access-Control-Allow-Origin": "*",
        "Vary": "Accept",
    }
    asked = request.headers.get("If-None-Match", "")
    if asked == "*" or etag in {tag.strip().removeprefix("W/").strip('"') for tag in asked.split(",")}:
        return web.Response(status=304, headers=headers)
    offered = _AS_JSON.get(media_type, (media_type,))
    kind = _first_accepted(request.headers.get("Accept", ""), offered)
    return web.Response(body=document, content_type=kind, headers=headers)


def _first_accepted(accept: str, offered: Sequence[str]) -> str:
    """The first of ``offered`` that a client names; the first of all where it names none of them (RFC 9110 §12.5.1)."""
    named = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return next((kind for kind in offered if kind in named), offered[0])


def public_app(
    *,
    store: Store,
    inbound: Inbound,
    channels: Channels,
    sockets: Sockets,
    publisher: StatusPublisher,
    record_links: RecordLinks,
    packages: FrameworkPackages,
    portfolio: Portfolio,
    metrics: Metrics,
    monitor: Monitor,
    readiness: Readiness,
    gate: Gate,
    clock: Clock,
    endpoint: str,
    label: str,
    max_bytes: int,
    add_apps: Callable[[web.Application], None] | None = None,
) -> web.Application:
    """The application that listens for peers.

    Args:
        add_apps: adds the Open Badges API; None where it is not served.
    """
    handlers = _Public(
        store=store,
        inbound=inbound,
        channels=channels,
        sockets=sockets,
        publisher=publisher,
        record_links=record_links,
        packages=packages,
        portfolio=portfolio,
        metrics=metrics,
        monitor=monitor,
        readiness=readiness,
        clock=clock,
        endpoint=endpoint,
        label=label,
    )
    app = web.Application(client_max_size=max_bytes, middlewares=[problem_middleware, gate.middleware])
    prefix = urlsplit(endpoint).path.rstrip("/")
    app.router.add_post(f"{prefix}{DIDCOMM_PATH}", handlers.didcomm)
    app.router.add_get(f"{prefix}{DIDCOMM_PATH}", handlers.socket, allow_head=False)
    app.router.add_get(f"{prefix}/status/{{list_id}}", handlers.status_list)
    app.router.add_get(f"{prefix}{LIST_PATH}/{{name}}", handlers.trust_list)
    app.router.add_get(f"{prefix}{CATALOGUE_PATH}", handlers.catalogue)
    app.router.add_get(f"{prefix}{FRAMEWORKS_PATH}/{{name}}", handlers.framework, allow_head=False)
    app.router.add_get(f"{prefix}/did.json" if prefix else "/.well-known/did.json", handlers.did_document)
    app.router.add_get(HEALTH_PATH, handlers.health)
    app.router.add_get(READY_PATH, handlers.ready)
    app.router.add_get(METRICS_PATH, handlers.metrics)
    app.router.add_get(f"{prefix}{ATTACHMENT_PATH}/{{token}}", handlers.attachment)
    app.router.add_get(f"{prefix}{INVITATION_PATH}/{{id}}", handlers.short_link)
    app.router.add_get(f"{prefix}{SHARE_PATH}/{{token}}", handlers.share, allow_head=False)
    app.router.add_get(f"{prefix}/", handlers.front)
    add_client_pages(app, prefix, label)
    if add_apps is not None:
        add_apps(app)
    return app
