"""Waits on an address of this machine for the answer that a browser brings (RFC 8252 §7.3)."""

from __future__ import annotations

import asyncio
import html
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from protocols.errors import LernodeError, NotNow

__all__ = ["Loopback", "listening"]

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><title>lernode</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}}</style>
<main><h1>{title}</h1><p role="status">{text}</p>
<p>You can close this page, and go on in the terminal.</p></main></html>
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}


@dataclass(frozen=True, slots=True)
class Loopback:
    """An address on which an answer is waited for.

    Attributes:
        uri: where the browser has to be led.
    """

    uri: str
    _arrived: asyncio.Queue[tuple[str, asyncio.Future[str]]]

    async def answer(self, take: Callable[[str], Awaitable[str]], seconds: float) -> None:
        """Wait for an answer that ``take`` takes, and show in the browser what it says.

        What ``take`` refuses as not meant for it (``wallet.answer_elsewhere``) is shown there only, and waited on.

        Raises:
            NotNow: ``wallet.no_answer``.
            LernodeError: whatever else ``take`` raises.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    address, shown = await self._arrived.get()
                    try:
                        shown.set_result(await take(address))
                    except LernodeError as error:
                        shown.set_exception(error)
                        if error.code != "wallet.answer_elsewhere":
                            raise
                    else:
                        return
        except TimeoutError:
            raise NotNow("wallet.no_answer", "Nobody answered in the browser.", "Begin again when you can.") from None


@asynccontextmanager
async def listening() -> AsyncIterator[Loopback]:
    """Listen on a free port of 127.0.0.1 meanwhile, for a path that nobody can guess."""
    arrived: asyncio.Queue[tuple[str, asyncio.Future[str]]] = asyncio.Queue(maxsize=8)
    path = f"/{secrets.token_urlsafe(12)}"

    async def take(request: web.Request) -> web.Response:
        shown: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        try:
            arrived.put_nowait((f"{uri}?{request.rel_url.raw_query_string}", shown))
            title, text = "Done", await shown
        except asyncio.QueueFull:
            title, text = "Not now", "Too much arrives here at once."
        except LernodeError as error:
            title, text = "That does not work", str(error)
        page = _PAGE.format(title=title, text=html.escape(text))
        return web.Response(text=page, content_type="text/html", headers=_HEADERS)

    app = web.Application()
    app.router.add_get(path, take, allow_head=False)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        uri = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
        yield Loopback(uri, arrived)
    finally:
        await runner.cleanup()
