"""Serves the Open Badges API with its OAuth 2.0 endpoints below ``open_badges_api.prefix`` on the public port."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from node.http.oauth import add_oauth
from node.http.open_badges_api import API_PATH, open_badges_app
from node.http.throttle import Throttle

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["add_open_badges"]


def add_open_badges(node: Node, app: web.Application) -> None:
    """Add everything that apps of the owner use to the application for peers."""
    config, base = node.config.open_badges_api, node.apps.issuer
    throttle = Throttle(config.requests_per_minute)
    add_oauth(
        app,
        apps=node.apps,
        throttle=throttle,
        clock=node.world.clock,
        base=base,
        label=node.label,
    )
    api = open_badges_app(
        apps=node.apps,
        badges=node.open_badges,
        throttle=throttle,
        clock=node.world.clock,
        base=base,
        title=node.label,
        terms_url=config.terms_url or f"{base}/about",
        privacy_url=config.privacy_url or f"{base}/about",
        max_bytes=node.config.network.max_message_bytes,
    )
    app.add_subapp(f"{urlsplit(base).path}{API_PATH}", api)
