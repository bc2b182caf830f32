"""What the network tests share: real servers on loopback, a table of names, a clock that is set by hand."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from node.net.guarded_http import GuardedHttp, NetworkPolicy

CERTIFICATE = Path(__file__).with_name("loopback.pem")
"""A self-signed certificate and its key for localhost; for these tests only, trusted by nothing else."""

LOOPBACK = NetworkPolicy(allowed_networks=(ip_network("127.0.0.0/8"),), allow_http=True, timeout_seconds=5)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class Names(AbstractResolver):
    """Name look-ups from a table; each look-up takes a name's next answer, the last one stays."""

    def __init__(self, table: Mapping[str, list[list[str]]]) -> None:
        self.table = {name: list(answers) for name, answers in table.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host not in self.table:
            raise OSError(None, "name not known")
        answers = self.table[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def serving(handler: Handler, *, tls: bool = False, port: int = 0) -> AsyncIterator[int]:
    """Every request goes to ``handler``; gives the port."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=context, reuse_address=True)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client(
    policy: NetworkPolicy = LOOPBACK,
    names: Mapping[str, list[list[str]]] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[GuardedHttp]:
    """A running client; with ``names``, these are all the names there are."""
    http = (
        GuardedHttp(policy, tls=tls) if names is None else GuardedHttp(policy, resolver=lambda: Names(names), tls=tls)
    )
    await http.start()
    try:
        yield http
    finally:
        await http.close()


def trusting() -> ssl.SSLContext:
    """A context that trusts the certificate of the tests' servers."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))
