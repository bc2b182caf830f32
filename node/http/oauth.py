"""The OAuth 2.0 endpoints for apps: registration, the page of the authorization request, tokens, revocation, metadata.

The page can be framed by nobody, runs no script, loads nothing, and sends no referrer, which would tell the app's
request. What it sends is good only with the cookie of the browser that it was shown in and with the code that the owner
has from the command line: see ``node/roles/apps.py``.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from node.http.open_badges_api import check_rate
from node.http.open_badges_description import AUTHORIZE_PATH, REGISTER_PATH, REVOKE_PATH, TOKEN_PATH
from node.http.throttle import Throttle
from node.roles.apps import Apps, Asked
from node.runtime.world import Clock
from protocols import strict_json
from protocols.errors import BadInput, LernodeError, NotNow
from protocols.oauth.scopes import SCOPES
from protocols.oauth.tokens import basic_credentials, read_token_request

__all__ = ["add_oauth"]

_FORM: Final = "application/x-www-form-urlencoded"
_COOKIE: Final = "lernode_app"
_MAX_FORM_BYTES: Final = 16 << 10
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_OF_CLIENT: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "unsupported_grant_type",
     "invalid_client_metadata", "invalid_redirect_uri"}
)  # fmt: skip
"""Error codes that RFC 6749 §5.2 and RFC 7591 §3.2.2 have; others are said as ``invalid_request``."""

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem}}
code,dd{{overflow-wrap:anywhere}}dt{{font-weight:600}}
input,button{{font:inherit;padding:.4rem .6rem;margin:.3rem .3rem 0 0}}
.error{{border-left:.3rem solid #b00020;padding-left:.6rem}}</style>
<main><h1>{title}</h1>
{body}
</main></html>
"""
_ASKED = """{again}<p>An app asks to be let at the records of <strong>{label}</strong>. It calls itself
<strong>{name}</strong>; only the address that it is answered at is certain: <strong>{host}</strong>.</p>
<dl><dt>It wants to</dt>{scopes}
<dt>What it says of itself</dt><dd><code>{client_uri}</code></dd>
<dt>Its terms</dt><dd><code>{tos_uri}</code></dd><dt>Its privacy policy</dt><dd><code>{policy_uri}</code></dd></dl>
<p>If you came here from that app yourself, run this on the machine of your node, and type in the code that it says:</p>
<p><code>lernode apps approve {number}</code></p>
<form method="post" action="{action}" autocomplete="off">
<input type="hidden" name="request" value="{id}">
<label>Code <input name="code" autocapitalize="characters" spellcheck="false" size="12" maxlength="20"></label>
<button name="decision" value="allow">Let it in</button>
<button name="decision" value="deny">Do not</button></form>
<p>This page is over ten minutes after it was opened. Nothing is given away by looking at it.</p>"""
_WRONG = '<p class="error" role="alert">That is not the code of this request. {left}</p>'
_ABOUT = """<p>This node belongs to one person, <strong>{label}</strong>, and holds that person's records. It gives
an app only what its owner has granted it, for as long as the owner wants: the owner can end it at any moment.</p>
<p>An app may use what it is given only as it has told the owner in its own terms and privacy policy. The node keeps
what an app says of itself, when it was let in and made use of it last, and forgets it when the owner ends it.</p>"""


class _OAuth:
    """The handlers, with what they need."""

    def __init__(self, *, apps: Apps, throttle: Throttle, clock: Clock, base: str, label: str) -> None:
        self._apps = apps
        self._throttle = throttle
        self._clock = clock
        self._base = base
        self._label = label
        self._is_https = base.startswith("https://")
        self._path = urlsplit(base).path

    async def metadata(self, _request: web.Request) -> web.Response:
        """Authorization server metadata (RFC 8414)."""
        document = {
            "issuer": self._apps.issuer,
            "authorization_endpoint": f"{self._base}{AUTHORIZE_PATH}",
            "token_endpoint": f"{self._base}{TOKEN_PATH}",
            "registration_endpoint": f"{self._base}{REGISTER_PATH}",
            "revocation_endpoint": f"{self._base}{REVOKE_PATH}",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return web.Response(
            body=strict_json.dumps(document),
            content_type="application/json",
            headers={"Cache-Control": "max-age=3600"},
        )

    async def register(self, request: web.Request) -> web.Response:
        """Dynamic client registration (RFC 7591 §3)."""
        if request.content_type != "application/json":
            raise BadInput("oauth.invalid_client_metadata", "The body is not declared as JSON.", "Send JSON.")
        try:
            given = strict_json.loads_object(await request.read(), max_bytes=_MAX_FORM_BYTES)
        except BadInput as error:
            raise BadInput("oauth.invalid_client_metadata", error.message, error.hint) from None
        made = await self._apps.register(given)
        answer = {
            "client_id": made.client.id,
            "client_secret": made.secret,
            "client_id_issued_at": int(made.client.created.timestamp()),
            "client_secret_expires_at": 0,
            **made.client.details,
        }
        return _answer(answer, 201)

    async def token(self, request: web.Request) -> web.Response:
        """The token endpoint (RFC 6749 §3.2)."""
        form = await _form(request)
        client_id, secret = basic_credentials(request.headers.get("Authorization", ""))
        issued = await self._apps.exchange(client_id, secret, read_token_request(form))
        answer = {
            "access_token": issued.access,
            "token_type": "Bearer",
            "expires_in": issued.lifetime,
            "scope": issued.scope,
            **({"refresh_token": issued.refresh} if issued.refresh else {}),
        }
        return _answer(answer, 200)

    async def revoke(self, request: web.Request) -> web.Response:
        """Token revocation (RFC 7009 §2)."""
        form = await _form(request)
        client_id, secret = basic_credentials(request.headers.get("Authorization", ""))
        token = form.get("token", "")
        if not token:
            raise BadInput("oauth.invalid_request", "No token is named.", "Send token.")
        await self._apps.revoke_token(client_id, secret, token)
        return web.Response(status=200, headers=_NO_STORE)

    async def ask(self, request: web.Request) -> web.Response:
        """The page of an authorization request (RFC 6749 §4.1.1)."""
        check_rate(self._throttle, request, self._clock())
        given = dict(request.query.items())
        if len(given) != len(request.query):
            raise BadInput("oauth.invalid_request", "A parameter is given twice.", "Go back to the app.")
        asked = await self._apps.ask(given)
        if isinstance(asked, str):
            return _go(asked)
        response = self._page(asked)
        # Strict: it is needed only for what the page itself posts.
        response.set_cookie(
            _cookie(asked.request.id),
            asked.browser,
            max_age=600,
            path=f"{self._path}{AUTHORIZE_PATH}",
            httponly=True,
            secure=self._is_https,
            samesite="Strict",
        )
        return response

    async def decide(self, request: web.Request) -> web.Response:
        """What was typed into the page."""
        check_rate(self._throttle, request, self._clock())
        form = await _form(request)
        number = form.get("request", "")
        browser = request.cookies.get(_cookie(number), "") if number.isalnum() else ""
        code = form.get("code", "") if form.get("decision") == "allow" else None
        done = await self._apps.decide(number, browser, code)
        if done.url is not None:
            response = _go(done.url)
            response.del_cookie(_cookie(number), path=f"{self._path}{AUTHORIZE_PATH}")
            return response
        return self._page(done.again) if done.again else _go(self._base)

    async def about(self, _request: web.Request) -> web.Response:
        """Terms and privacy, where the owner has no pages of its own for them."""
        return _html("About this node's API", _ABOUT.format(label=html.escape(self._label)), "'none'", 200)

    def _page(self, asked: Asked) -> web.Response:
        client, request = asked.client.details, asked.request
        target = urlsplit(request.details["redirect_uri"])
        texts = {name: html.escape(client[name]) for name in ("client_uri", "tos_uri", "policy_uri")}
        left = _tries_left(request.tries)
        body = _ASKED.format(
            again=_WRONG.format(left=left) if request.tries else "",
            label=html.escape(self._label),
            name=html.escape(client["client_name"]),
            host=html.escape(target.netloc),
            scopes="".join(f"<dd>{html.escape(SCOPES[scope])}</dd>" for scope in asked.scopes),
            number=f"{request.id[:4]}-{request.id[4:]}",
            id=request.id,
            action=html.escape(f"{self._path}{AUTHORIZE_PATH}"),
            **texts,
        )
        # A form's answer that redirects counts as the form's target too (CSP 3 §6.4.2).
        return _html("Let an app in?", body, f"'self' {target.scheme}://{target.netloc}", 200)


def _tries_left(tries: int) -> str:
    return "One more that is wrong ends the request." if tries == 4 else "Look at it again."


def add_oauth(
    app: web.Application,
    *,
    apps: Apps,
    throttle: Throttle,
    clock: Clock,
    base: str,
    label: str,
) -> None:
    """Serve the endpoints.

    Args:
        base: the URL that apps are given; its path comes before those here, its host is the node's.
    """
    handlers = _OAuth(apps=apps, throttle=throttle, clock=clock, base=base, label=label)
    path = urlsplit(base).path

    def said(handler: _Handler) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                check_rate(throttle, request, clock())
                return await handler(request)
            except LernodeError as error:
                return _refusal(error)

        return handle

    def shown(handler: _Handler) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except LernodeError as error:
                return _error_page(error)

        return handle

    app.router.add_get(f"/.well-known/oauth-authorization-server{path}", handlers.metadata)
    app.router.add_post(f"{path}{REGISTER_PATH}", said(handlers.register))
    app.router.add_post(f"{path}{TOKEN_PATH}", said(handlers.token))
    app.router.add_post(f"{path}{REVOKE_PATH}", said(handlers.revoke))
    app.router.add_get(f"{path}{AUTHORIZE_PATH}", shown(handlers.ask), allow_head=False)
    app.router.add_post(f"{path}{AUTHORIZE_PATH}", shown(handlers.decide))
    app.router.add_get(f"{path}/about", handlers.about)


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _cookie(number: str) -> str:
    """Each request has a cookie of its own, so that several pages can be open."""
    return f"{_COOKIE}_{number}"


async def _form(request: web.Request) -> Mapping[str, str]:
    """The fields of a form, each given once.

    Raises:
        BadInput: ``oauth.invalid_request``.
    """
    if request.content_type != _FORM or request.query_string:
        raise BadInput("oauth.invalid_request", "That is no form in the body.", f"Send {_FORM}.")
    if (request.content_length or 0) > _MAX_FORM_BYTES:
        raise BadInput("oauth.invalid_request", "The form is too long.", "Send less.")
    try:
        fields = await request.post()
    except ValueError:
        raise BadInput("oauth.invalid_request", "The form cannot be read.", f"Send {_FORM}.") from None
    given = {name: value for name, value in fields.items() if isinstance(value, str)}
    if len(given) != len(fields):
        raise BadInput("oauth.invalid_request", "A field is given twice.", "Send each once.")
    return given


def _answer(document: Mapping[str, Any], status: int) -> web.Response:
    return web.Response(
        status=status, body=strict_json.dumps(document), content_type="application/json", headers=_NO_STORE
    )


def _refusal(error: LernodeError) -> web.Response:
    """An error as RFC 6749 §5.2 has it."""
    name = error.code.removeprefix("oauth.")
    if isinstance(error, NotNow):
        status, name = (429 if error.code == "http.too_many" else 503), "temporarily_unavailable"
    elif name == "invalid_client":
        status = 401
    else:
        status, name = 400, name if name in _OF_CLIENT else "invalid_request"
    response = _answer({"error": name, "error_description": _ascii(error.message)}, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="lernode"'
    if status in (429, 503):
        response.headers["Retry-After"] = "60"
    return response


def _ascii(text: str) -> str:
    """As an error_description may be: without quotes and backslashes."""
    return "".join(char if " " <= char <= "~" and char not in '"\\' else "'" for char in text)


def _go(url: str) -> web.Response:
    # 303, so that what was posted is not posted to the app (RFC 9700 §4.12).
    return web.Response(status=303, headers={"Location": url, "Referrer-Policy": "no-referrer", **_NO_STORE})


def _error_page(error: LernodeError) -> web.Response:
    status = 429 if error.code == "http.too_many" else 503 if isinstance(error, NotNow) else 400
    body = f'<p class="error" role="alert">{html.escape(error.message)}</p><p>{html.escape(error.hint)}</p>'
    return _html("That does not work", body, "'none'", status)


def _html(title: str, body: str, form_action: str, status: int) -> web.Response:
    policy = f"default-src 'none'; style-src 'unsafe-inline'; form-action {form_action}; frame-ancestors 'none'"
    return web.Response(
        status=status,
        text=_PAGE.format(title=title, body=body),
        content_type="text/html",
        headers={
            "Content-Security-Policy": f"{policy}; base-uri 'none'",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            **_NO_STORE,
        },
    )
