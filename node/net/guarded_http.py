"""The one outgoing HTTP client of the node.

A URL that came from a peer, a record or a DID must not make the node reach into the network it stands in. So:
https only, except plain http to networks that the configuration lists; public addresses only, with the same
exception, judged on the address that is connected to (after DNS, at connect time, so that a name cannot mean one
address when checked and another when used) and again at each redirect; bounded size, time and redirects; no cookies,
no proxies from the environment, no compression, no secrets in URLs.

Promises that nothing but :class:`LernodeError` comes out. Leaves statuses to callers: a 404 or a 500 is a response.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import IO, Any, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from node.net.addresses import Address, Network, in_networks, is_public, literal_address
from protocols.errors import BadInput, NotNow, WrongState

__all__ = ["GuardedHttp", "NetworkPolicy", "Response"]

_T = TypeVar("_T")
_WEBSOCKET_SCHEME = re.compile(r"^ws(s?)(?=://)", re.IGNORECASE)
_NO_URL = (ValueError, TypeError, IndexError)
"""What yarl raises for a text that it cannot read; the last for an empty host after brackets, as in ``https://[]@``."""
_MAX_URL_CHARS = 4096
_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 16 * 1024
_FOR_NOW = frozenset({429, 500, 502, 503, 504})
"""With which a server, or the proxy before it, refuses what it may take later."""
_OK = 200
_USER_AGENT = "lernode"


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What the node may reach.

    Attributes:
        allowed_networks: networks that may be reached although they are not public.
        allow_http: also speak plain http, but with those networks only.
        timeout_seconds: limit of one exchange, redirects and name look-ups included.
        max_bytes: largest response body.
    """

    allowed_networks: tuple[Network, ...] = ()
    allow_http: bool = False
    timeout_seconds: float = 15.0
    max_bytes: int = 1 << 20

    def permits(self, scheme: str, address: Address) -> bool:
        """Whether ``address`` may be connected to with ``scheme``."""
        listed = in_networks(address, self.allowed_networks)
        return listed or (scheme == "https" and is_public(address))


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered.

    Attributes:
        headers: names in lower case; repeated ones joined with commas.
        body: as sent; at most the limit of the request.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class _GuardedResolver(AbstractResolver):
    """Keeps of a name's addresses those that may be reached; the connector connects to these very ones."""

    def __init__(self, inner: AbstractResolver, permits: Callable[[Address], bool]) -> None:
        self._inner = inner
        self._permits = permits

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        permitted = [result for result in found if self._permits(ip_address(result["host"]))]
        if found and not permitted:
            raise _forbidden()
        return permitted

    async def close(self) -> None:
        await self._inner.close()


class GuardedHttp:
    """An HTTP client that cannot be led astray; start it before use, close it after.

    Args:
        resolver: name look-ups; by default those of the operating system.
        tls: by default certificates are checked against the operating system's authorities.
    """

    def __init__(
        self,
        policy: NetworkPolicy,
        *,
        resolver: Callable[[], AbstractResolver] = ThreadedResolver,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy
        self._resolver = resolver
        self._tls = tls
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def start(self) -> None:
        """Open the connection pools; one a scheme, for what may be reached depends on it."""
        schemes = ("https", "http") if self.policy.allow_http else ("https",)
        self._sessions = {scheme: self._session(scheme) for scheme in schemes}

    async def close(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        accept: str = "application/json",
    ) -> Response:
        """GET ``url``, following up to three redirects; ``headers`` do not follow to another origin.

        Raises:
            BadInput: ``net.*``: the URL, an address or the answer is not permitted.
            NotNow: ``net.unreachable``, ``net.timeout`` or ``net.tls``.
        """
        return await self._bounded(self._get(url, dict(headers or {}), max_bytes, accept))

    async def download(self, url: str, file: IO[bytes], *, max_bytes: int, seconds: float, accept: str) -> Response:
        """As :meth:`get`, with the body written to a file as it comes; the response has none.

        Args:
            seconds: for all of it, instead of ``network.timeout_seconds``.

        Raises:
            BadInput, NotNow: as :meth:`get`.
        """
        return await self._bounded(self._get(url, {}, max_bytes, accept, file), seconds)

    def check(self, url: str) -> None:
        """Refuse a URL that could not be asked, as far as that can be said before its name is looked up.

        Raises:
            BadInput: ``net.*``.
        """
        self._check_url(url)

    async def post(
        self,
        url: str,
        body: bytes,
        content_type: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """POST ``body``; a redirect is not followed but given back as the response it is.

        Raises:
            BadInput: ``net.*``: the URL, an address or the answer is not permitted.
            NotNow: ``net.unreachable``, ``net.timeout`` or ``net.tls``.
        """
        target = self._check_url(url)
        sent = {"Content-Type": content_type, **(headers or {})}
        limit = self.policy.max_bytes if max_bytes is None else max_bytes
        return await self._bounded(self._exchange("POST", target, sent, body, limit))

    async def put(self, url: str, body: bytes, content_type: str, *, headers: Mapping[str, str]) -> Response:
        """PUT ``body``; a redirect is given back as the response it is.

        Raises:
            BadInput, NotNow: as :meth:`post`.
        """
        target = self._check_url(url)
        sent = {"Content-Type": content_type, **headers}
        return await self._bounded(self._exchange("PUT", target, sent, body, self.policy.max_bytes))

    async def websocket(self, url: str, *, max_bytes: int, heartbeat: float) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket; the caller closes it.

        Args:
            url: ``wss``, ``ws``, or the ``https`` or ``http`` URL of the same place; judged as the latter.
            max_bytes: of one message.
            heartbeat: seconds between pings; a peer that answers none is gone.

        Raises:
            BadInput: ``net.*``: the URL or an address is not permitted.
            NotNow: ``net.unreachable``, ``net.timeout``, ``net.tls``; ``net.no_websocket`` where there is none.
        """
        target = self._check_url(_WEBSOCKET_SCHEME.sub(lambda found: "http" + found[1], url, count=1))
        session = self._session_for(target)
        opening = session.ws_connect(target, max_msg_size=max_bytes, heartbeat=heartbeat, compress=0)
        return await self._bounded(opening)

    async def _get(
        self, url: str, headers: dict[str, str], max_bytes: int | None, accept: str, file: IO[bytes] | None = None
    ) -> Response:
        target = self._check_url(url)
        limit = self.policy.max_bytes if max_bytes is None else max_bytes
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._exchange("GET", target, {"Accept": accept, **headers}, None, limit, file)
            if response.status not in _REDIRECTS or "location" not in response.headers:
                return response
            following = self._redirect(target, response.headers["location"])
            if following.origin() != target.origin():
                headers = {}
            target = following
        raise BadInput("net.redirects", f"The server redirects more than {_MAX_REDIRECTS} times.", "Use the final URL.")

    def _redirect(self, current: URL, location: str) -> URL:
        try:
            joined = current.join(URL(location)).with_fragment(None)
        except _NO_URL:
            raise _bad_url("the server redirects to what is not a URL") from None
        if current.scheme == "https" and joined.scheme != "https":
            raise BadInput("net.scheme", "The server redirects from https to plain http.", "Use an https URL.")
        return self._check_url(str(joined))

    def _check_url(self, url: str) -> URL:
        """Everything that can be said of a URL before names are looked up."""
        if len(url) > _MAX_URL_CHARS:
            raise _bad_url("it is too long")
        try:
            target = URL(url)
            host, port = target.raw_host, target.port
        except _NO_URL:
            raise _bad_url("it cannot be read") from None
        if target.scheme != "https" and not (target.scheme == "http" and self.policy.allow_http):
            raise BadInput(
                "net.scheme",
                "The URL is not https.",
                "Use https, or set network.allow_http and list the network in network.allowed_networks.",
            )
        if target.raw_user is not None or target.raw_password is not None:
            raise _bad_url("it has a user name or password")
        if not host or not port:
            raise _bad_url("it has no host or no port")
        address = literal_address(host)
        if address is not None and not self.policy.permits(target.scheme, address):
            raise _forbidden()
        return target

    async def _exchange(
        self,
        method: str,
        url: URL,
        headers: dict[str, str],
        body: bytes | None,
        limit: int,
        file: IO[bytes] | None = None,
    ) -> Response:
        session = self._session_for(url)
        async with session.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                response.close()
                raise BadInput("net.encoding", "The server compresses though not asked to.", "Serve it uncompressed.")
            content = await _read(response, limit, file if response.status == _OK else None)
            names = dict.fromkeys(name.lower() for name in response.headers)
            return Response(
                response.status, {name: ", ".join(response.headers.getall(name)) for name in names}, content
            )

    def _session_for(self, url: URL) -> aiohttp.ClientSession:
        session = self._sessions.get(url.scheme)
        if session is None or session.closed:
            raise WrongState("net.closed", "The node's HTTP client is not running.", "Start the node first.")
        return session

    def _session(self, scheme: str) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=_GuardedResolver(self._resolver(), lambda address: self.policy.permits(scheme, address)),
            use_dns_cache=False,
            limit_per_host=16,
            ssl=self._tls if self._tls is not None else True,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),
            trace_configs=[_no_redirects()],
        )

    async def _bounded(self, exchange: Awaitable[_T], seconds: float | None = None) -> _T:
        """Run an exchange within the time limit and give its failures their lernode names."""
        seconds = self.policy.timeout_seconds if seconds is None else seconds
        try:
            async with asyncio.timeout(seconds):
                return await exchange
        except TimeoutError:
            raise NotNow(
                "net.timeout",
                f"The server did not answer within {seconds:g} s.",
                "Try again later, or raise network.timeout_seconds.",
            ) from None
        except aiohttp.WSServerHandshakeError as error:
            if error.status in _FOR_NOW:
                raise NotNow("net.unreachable", "The server takes no WebSocket now.", "Try again later.") from None
            raise _no_websocket() from None
        except _RedirectedError:
            raise _no_websocket() from None
        except (aiohttp.ClientSSLError, ssl.SSLError):
            raise NotNow(
                "net.tls", "No trusted TLS connection to the server.", "Its operator has to check the certificate."
            ) from None
        except ValueError:
            raise _bad_url("it cannot be requested") from None
        except (aiohttp.ClientError, OSError):
            raise NotNow("net.unreachable", "The server cannot be reached.", "Try again later.") from None


def _no_websocket() -> NotNow:
    return NotNow("net.no_websocket", "There is no WebSocket at that place.", "Poll instead.")


class _RedirectedError(Exception):
    """A server redirects a request that follows no redirect."""


def _no_redirects() -> aiohttp.TraceConfig:
    """aiohttp lets a WebSocket be redirected; where that leads was not judged, so it ends there."""

    async def refuse(*_: Any) -> None:
        raise _RedirectedError

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


async def _read(response: aiohttp.ClientResponse, limit: int, file: IO[bytes] | None = None) -> bytes:
    """The body, given up as soon as it passes the limit; nothing where it went into a file."""
    content = bytearray()
    size = 0
    if (response.content_length or 0) <= limit:
        async for chunk in response.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > limit:
                break
            if file is None:
                content += chunk
            else:
                await asyncio.to_thread(file.write, chunk)
        else:
            return bytes(content)
    response.close()
    raise BadInput("net.too_large", f"The server's answer is larger than {limit} bytes.", "It has to send less.")


def _bad_url(why: str) -> BadInput:
    return BadInput("net.url", f"The URL cannot be used: {why}.", "Give a plain https URL.")


def _forbidden() -> BadInput:
    return BadInput(
        "net.address_forbidden",
        "The URL leads to an address that this node may not reach.",
        "If it should, list its network in network.allowed_networks.",
    )
