"""The pages that this node names when it registers at a wallet of others (RFC 7591 §2: client, terms, policy, logo)."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable

from aiohttp import web

from node.roles.wallets import PAGES_PATH

__all__ = ["add_client_pages"]

_ABOUT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{label}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem}}</style>
<main><h1 dir="auto">{label}</h1>
<p>This is a node of lernode. It belongs to one person or institution and holds its records. Where its owner connects
it to a wallet or platform, it reads and adds badges and the profile there, only when its owner tells it to, and only as
far as was granted.</p>
<p>What it reads stays in its own store, sealed; it is given to nobody but by its owner. What it was granted ends when
its owner disconnects it, or when it is revoked over there.</p></main></html>
"""
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" aria-label="lernode">'
    '<circle cx="32" cy="32" r="30" fill="#0b5394"/><path d="M22 16v30h22v-7H30V16z" fill="#fff"/></svg>'
)
_HEADERS = {
    "Cache-Control": "max-age=3600",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}


def add_client_pages(app: web.Application, prefix: str, label: str) -> None:
    """Serve them.

    Args:
        prefix: the path of the node's endpoint.
    """
    about = _ABOUT.format(label=html.escape(label))
    app.router.add_get(f"{prefix}{PAGES_PATH}", _gives(about, "text/html"))
    app.router.add_get(f"{prefix}{PAGES_PATH}/logo.svg", _gives(_LOGO, "image/svg+xml"))


def _gives(text: str, media_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def give(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type=media_type, headers=_HEADERS)

    return give
