"""The Open Badges API (OB 3.0 §6): four operations for apps with a token, and the document that describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from node.http.imsx import imsx_middleware
from node.http.open_badges_description import service_description
from node.http.throttle import Throttle
from node.roles.apps import Apps
from node.roles.keeping import Change
from node.roles.kept_forms import is_compact, kept_form
from node.roles.open_badges import OpenBadges
from node.runtime.world import Clock
from protocols import strict_json
from protocols.credentials.times import parse_time
from protocols.errors import BadInput, NotNow
from protocols.oauth.scopes import PROFILE_READONLY, PROFILE_UPDATE, READONLY, UPSERT
from protocols.oauth.tokens import bearer_token
from storage.credentials import HeldCredential

__all__ = ["API_PATH", "check_rate", "open_badges_app"]

API_PATH: Final = "/ims/ob/v3p0"
_JSON_TYPES: Final = frozenset(
    {"application/json", "application/vc+ld+json", "application/ld+json", "application/vc", "application/vc+json"}
)
_DEFAULT_LIMIT, _MAX_LIMIT, _MAX_OFFSET = 50, 200, 1_000_000
_PARAMETERS: Final = frozenset({"limit", "offset", "since"})
_NO_STORE: Final = {"Cache-Control": "no-store"}
_CHANGED: Final = {Change.CREATED: 201, Change.REPLACED: 200}


def check_rate(throttle: Throttle, request: web.Request, now: datetime) -> None:
    """Count a request.

    Raises:
        NotNow: ``http.too_many``.
    """
    if not throttle.lets_in(request.remote or "", now):
        raise NotNow("http.too_many", "Too many requests came from this address.", "Come again in a minute.")


class _Api:
    """The handlers, with what they need."""

    def __init__(
        self,
        *,
        apps: Apps,
        badges: OpenBadges,
        throttle: Throttle,
        clock: Clock,
        base: str,
        description: bytes,
        max_bytes: int,
    ) -> None:
        self._apps = apps
        self._badges = badges
        self._throttle = throttle
        self._clock = clock
        self._base = base
        self._description = description
        self._max_bytes = max_bytes

    async def get_credentials(self, request: web.Request) -> web.Response:
        """The badges that the owner holds, a page at a time (§6.2.2)."""
        await self._let_in(request, READONLY)
        query = _query(request)
        limit = _whole(query, "limit", _DEFAULT_LIMIT, least=1, most=_MAX_LIMIT)
        offset = _whole(query, "offset", 0, least=0, most=_MAX_OFFSET)
        since = _since(query)
        page = await self._badges.page(limit=limit, offset=offset, since=since)
        headers = {"X-Total-Count": str(page.total), **_NO_STORE}
        if offset or offset + limit < page.total:
            headers["Link"] = self._links(query, limit, offset, page.total)
        return web.Response(body=_credentials(page.records), content_type="application/json", headers=headers)

    async def upsert_credential(self, request: web.Request) -> web.Response:
        """Hold a badge, or the newer form of one (§6.2.3): 201, 200, or 304 where there is nothing newer."""
        app_id = await self._let_in(request, UPSERT)
        document = await self._document(request)
        done = await self._badges.upsert(document, app_id)
        if done.change is Change.NONE:
            return web.Response(status=304, headers=_NO_STORE)
        media_type = "text/plain" if is_compact(document) else "application/json"
        return web.Response(status=_CHANGED[done.change], body=document, content_type=media_type, headers=_NO_STORE)

    async def get_profile(self, request: web.Request) -> web.Response:
        """The owner's profile (§6.2.4)."""
        await self._let_in(request, PROFILE_READONLY)
        return _json(await self._badges.profile())

    async def put_profile(self, request: web.Request) -> web.Response:
        """Keep another profile (§6.2.5)."""
        app_id = await self._let_in(request, PROFILE_UPDATE)
        if request.content_type not in _JSON_TYPES:
            raise BadInput("http.media_type", "The profile is not declared as JSON.", "Send application/json.")
        return _json(await self._badges.put_profile(await request.read(), app_id))

    async def describe(self, request: web.Request) -> web.Response:
        """The Service Description Document (§6.3)."""
        check_rate(self._throttle, request, self._clock())
        return web.Response(
            body=self._description, content_type="application/json", headers={"Cache-Control": "max-age=3600"}
        )

    async def _let_in(self, request: web.Request, scope: str) -> str:
        """The id of the app that may do this.

        Raises:
            BadInput: ``oauth.*``.
            NotNow: ``http.too_many``.
        """
        check_rate(self._throttle, request, self._clock())
        if "access_token" in request.query:
            # RFC 6750 §2.3 and RFC 9700 §4.3.2: addresses end up in logs.
            raise BadInput("oauth.token_in_query", "A token does not belong in an address.", "Use Authorization.")
        token = bearer_token(request.headers.get("Authorization", ""))
        return (await self._apps.authorised(token, scope)).client_id

    async def _document(self, request: web.Request) -> bytes:
        """The record in a body, as it is to be kept.

        Raises:
            BadInput: ``http.media_type``, ``json.*``.
        """
        body = (await request.read()).strip()
        if request.content_type == "text/plain":
            if not body or not is_compact(body) or b"~" in body:
                raise BadInput("open_badges.not_a_jws", "The body is no compact JWS.", "Send JSON as application/json.")
            return body
        if request.content_type not in _JSON_TYPES:
            raise BadInput("http.media_type", "The record is neither JSON nor text.", "Declare the media type.")
        strict_json.loads_object(body, max_bytes=self._max_bytes)
        return body

    def _links(self, query: Mapping[str, str], limit: int, offset: int, total: int) -> str:
        last = max(0, (total - 1) // limit * limit)
        places = {"first": 0, "last": last}
        if offset + limit < total:
            places["next"] = offset + limit
        if offset:
            places["prev"] = max(0, offset - limit)
        here = f"{self._base}{API_PATH}/credentials"
        kept = {name: value for name, value in query.items() if name == "since"}
        return ", ".join(
            f'<{here}?{urlencode({"limit": limit, "offset": at, **kept})}>; rel="{relation}"'
            for relation, at in places.items()
        )


def open_badges_app(
    *,
    apps: Apps,
    badges: OpenBadges,
    throttle: Throttle,
    clock: Clock,
    base: str,
    title: str,
    terms_url: str,
    privacy_url: str,
    max_bytes: int,
) -> web.Application:
    """The application that is served below :data:`API_PATH`.

    Args:
        base: the URL that apps are given, to which the path is added.
    """
    description = service_description(
        base=base, api_path=API_PATH, title=title, terms_url=terms_url, privacy_url=privacy_url
    )
    api = _Api(
        apps=apps,
        badges=badges,
        throttle=throttle,
        clock=clock,
        base=base,
        description=strict_json.dumps(description),
        max_bytes=max_bytes,
    )
    app = web.Application(client_max_size=max_bytes, middlewares=[imsx_middleware])
    app.router.add_get("/credentials", api.get_credentials, allow_head=False)
    app.router.add_post("/credentials", api.upsert_credential)
    app.router.add_get("/profile", api.get_profile, allow_head=False)
    app.router.add_put("/profile", api.put_profile)
    app.router.add_get("/discovery", api.describe)
    return app


def _credentials(records: Sequence[HeldCredential]) -> bytes:
    """GetOpenBadgeCredentialsResponse (§C.1), with each record byte for byte as it was received."""
    embedded = [each.document for each in records if not is_compact(each.document)]
    compact = strict_json.dumps([kept_form(each.document) for each in records if is_compact(each.document)])
    return b'{"credential":[%b],"compactJwsString":%b}' % (b",".join(embedded), compact)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json", headers=_NO_STORE)


def _query(request: web.Request) -> dict[str, str]:
    given = dict(request.query.items())
    if len(given) != len(request.query) or not given.keys() <= _PARAMETERS:
        raise _wrong_query("A parameter is given twice, or is not known.")
    return given


def _whole(query: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and least <= int(text)):
        raise _wrong_query(f"{name} is no number from {least}.")
    return min(int(text), most)


def _since(query: Mapping[str, str]) -> datetime | None:
    text = query.get("since")
    if text is None:
        return None
    moment = parse_time(text, zone_required=True)
    if moment is None:
        raise _wrong_query("since is no time such as 2026-01-31T00:00:00Z.")
    return moment


def _wrong_query(message: str) -> BadInput:
    return BadInput("http.query_malformed", message, "See docs/open-badges-api.md.")
