"""A wallet of others with an Open Badges 3.0 API: Flask, and the authorization server of Authlib, on a real socket.

None of its OAuth 2.0 is of this project: registration (RFC 7591), code with PKCE (RFC 7636), refresh with rotation,
revocation (RFC 7009), ``iss`` (RFC 9207). The resource server is a dozen lines by the specification's text.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7591 import ClientRegistrationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

from tests.node.nodes import free_port
from tests.node.ob_client import PROFILE, PUT_PROFILE, READ, WRITE

API = "/tenant/ims/ob/v3p0"
OWNER = "ada"


@dataclass
class _Client(ClientMixin):
    client_id: str
    secret: str
    metadata: dict[str, Any]

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return str(self.metadata["redirect_uris"][0])

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(each for each in (scope or "").split() if each in self.metadata["scope"].split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.metadata["redirect_uris"]

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.metadata["grant_types"]


@dataclass
class _Code(AuthorizationCodeMixin):
    code: str
    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class _Token(TokenMixin):
    client_id: str
    access: str
    refresh: str | None
    scope: str
    lifetime: int
    issued: float = field(default_factory=time.time)
    is_over: bool = False

    def check_client(self, client: _Client) -> bool:
        return client.client_id == self.client_id

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return self.lifetime

    def is_expired(self) -> bool:
        return self.issued + self.lifetime < time.time()

    def is_revoked(self) -> bool:
        return self.is_over

    def get_user(self) -> str:
        return OWNER


@dataclass
class ForeignWallet:
    """What it keeps, and what a test changes about it.

    Attributes:
        lifetime: seconds that its access tokens are good for.
        badges: by id, each as it was given.
        status: what the API answers instead, where this is set.
        elsewhere: an address that its pages of badges are said to go on at.
    """

    base: str
    lifetime: int = 3600
    clients: dict[str, _Client] = field(default_factory=dict)
    codes: dict[str, _Code] = field(default_factory=dict)
    tokens: list[_Token] = field(default_factory=list)
    badges: dict[str, bytes] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=lambda: {"type": ["Profile"], "id": "https://w.example/ada"})
    seen: list[tuple[str, str]] = field(default_factory=list)
    status: int | None = None
    elsewhere: str = ""

    def end_access(self) -> None:
        """Let every access token be over at once, as a server that was started anew does."""
        for each in self.tokens:
            each.access = f"over-{each.access}"

    def end_all(self) -> None:
        """Take back all that was granted."""
        for each in self.tokens:
            each.is_over = True


class _Grant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)
    wallet: ForeignWallet

    def save_authorization_code(self, code: str, request: Any) -> None:
        data = request.payload.data
        self.wallet.codes[code] = _Code(
            code,
            request.client.client_id,
            request.payload.redirect_uri,
            request.payload.scope,
            data.get("code_challenge"),
            data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
        found = self.wallet.codes.get(code)
        return found if found and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        del self.wallet.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: _Code) -> str:
        return OWNER


class _Refresh(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)
    INCLUDE_NEW_REFRESH_TOKEN = True
    wallet: ForeignWallet

    def authenticate_refresh_token(self, refresh_token: str) -> _Token | None:
        return next((each for each in self.wallet.tokens if each.refresh == refresh_token and not each.is_over), None)

    def authenticate_user(self, refresh_token: _Token) -> str:
        return OWNER

    def revoke_old_credential(self, refresh_token: _Token) -> None:
        refresh_token.is_over = True


def _server(app: Flask, wallet: ForeignWallet) -> AuthorizationServer:
    def save(token: dict[str, Any], request: Any) -> None:
        wallet.tokens.append(
            _Token(
                request.client.client_id,
                token["access_token"],
                token.get("refresh_token"),
                token["scope"],
                token["expires_in"],
            )
        )

    class Registration(ClientRegistrationEndpoint):
        def authenticate_token(self, request: Any) -> str:
            return "anybody may register"

        def save_client(self, client_info: dict[str, Any], client_metadata: dict[str, Any], request: Any) -> _Client:
            made = _Client(client_info["client_id"], client_info["client_secret"], client_metadata)
            return wallet.clients.setdefault(made.client_id, made)

        def get_server_metadata(self) -> dict[str, Any]:
            return {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}

    class Revocation(RevocationEndpoint):
        CLIENT_AUTH_METHODS = ("client_secret_basic",)

        def query_token(self, token_string: str, token_type_hint: str) -> _Token | None:
            return next((each for each in wallet.tokens if token_string in (each.access, each.refresh)), None)

        def revoke_token(self, token: _Token, request: Any) -> None:
            token.is_over = True

    class Issuer(IssuerParameter):
        def get_issuer(self) -> str:
            return wallet.base

    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
    server = AuthorizationServer(app, query_client=wallet.clients.get, save_token=save)
    server.register_token_generator("default", _generator(server, app, wallet))
    server.register_grant(type("Code", (_Grant,), {"wallet": wallet}), [CodeChallenge(required=True)])
    server.register_grant(type("Refresh", (_Refresh,), {"wallet": wallet}))
    server.register_endpoint(Registration)
    server.register_endpoint(Revocation)
    server.register_extension(Issuer())
    return server


def _generator(server: AuthorizationServer, app: Flask, wallet: ForeignWallet) -> Any:
    made = server.create_bearer_token_generator(app.config)
    made.expires_generator = lambda _client, _grant_type: wallet.lifetime
    return made


def _add_oauth(app: Flask, wallet: ForeignWallet) -> None:
    server = _server(app, wallet)

    @app.get("/authorize")
    def authorize() -> Any:
        # The page on which the owner agrees is skipped: whoever comes here is the owner, and agrees.
        grant = server.get_consent_grant(end_user=OWNER)
        return server.create_authorization_response(grant=grant, grant_user=OWNER)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.post("/register")
    def register() -> Any:
        return server.create_endpoint_response("client_registration")

    @app.post("/revoke")
    def revoke() -> Any:
        return server.create_endpoint_response("revocation")

    @app.get("/.well-known/oauth-authorization-server")
    def about() -> Any:
        return jsonify(
            issuer=wallet.base,
            token_endpoint=f"{wallet.base}/token",
            revocation_endpoint=f"{wallet.base}/revoke",
            authorization_response_iss_parameter_supported=True,
        )


def _add_api(app: Flask, wallet: ForeignWallet) -> None:
    class Validator(BearerTokenValidator):
        def authenticate_token(self, token_string: str) -> _Token | None:
            return next((each for each in wallet.tokens if each.access == token_string), None)

    protected = ResourceProtector()
    protected.register_token_validator(Validator())

    @app.get(f"{API}/discovery")
    def discovery() -> Any:
        flow = {
            "tokenUrl": f"{wallet.base}/token",
            "refreshUrl": f"{wallet.base}/token",
            "authorizationUrl": f"{wallet.base}/authorize",
            "scopes": dict.fromkeys((READ, WRITE, PROFILE, PUT_PROFILE), "..."),
        }
        scheme = {
            "type": "oauth2",
            "x-imssf-registrationUrl": f"{wallet.base}/register",
            "flows": {"authorizationCode": flow},
        }
        info = {"title": "Another wallet", "version": "3.0", "termsOfService": f"{wallet.base}/terms"}
        return jsonify(openapi="3.0.1", info=info, components={"securitySchemes": {"OAuth2ACG": scheme}})

    @app.before_request
    def note() -> Response | None:
        wallet.seen.append((request.method, request.full_path))
        is_api = request.path.startswith(API) and not request.path.endswith("/discovery")
        return Response(status=wallet.status, headers={"Retry-After": "7"}) if wallet.status and is_api else None

    @app.get(f"{API}/credentials")
    @protected(READ)
    def get_credentials() -> Response:
        limit, offset = int(request.args.get("limit", 2)), int(request.args.get("offset", 0))
        limit = min(limit, 2)
        since = request.args.get("since", "")
        held = [each for each in wallet.badges.values() if not each.startswith(b"{") or _issued(each) > since]
        page = held[offset : offset + limit]
        embedded = b",".join(each for each in page if each.startswith(b"{"))
        compact = json.dumps([each.decode() for each in page if not each.startswith(b"{")]).encode()
        response = Response(b'{"credential": [%b], "compactJwsString": %b}' % (embedded, compact))
        response.headers["Content-Type"] = "application/json"
        response.headers["X-Total-Count"] = str(len(held))
        if offset + limit < len(held):
            query = {"limit": limit, "offset": offset + limit} | ({"since": since} if since else {})
            place = wallet.elsewhere or f"{wallet.base}{API}/credentials"
            first, following = f'<{place}?limit={limit}>; rel="first"', f'<{place}?{urlencode(query)}>; rel="next"'
            response.headers["Link"] = f"{first}, {following}"
        return response

    @app.post(f"{API}/credentials")
    @protected(WRITE)
    def upsert() -> Response:
        document = request.get_data()
        name = str(json.loads(document)["id"]) if document.startswith(b"{") else document.decode()
        before = wallet.badges.get(name)
        if before == document:
            return Response(status=304)
        wallet.badges[name] = document
        return Response(document, status=200 if before else 201, content_type=request.content_type)

    @app.get(f"{API}/profile")
    @protected(PROFILE)
    def get_profile() -> Response:
        return jsonify(wallet.profile)

    @app.put(f"{API}/profile")
    @protected(PUT_PROFILE)
    def put_profile() -> Response:
        wallet.profile = request.get_json()
        return jsonify(wallet.profile)


def _issued(document: bytes) -> str:
    return str(json.loads(document).get("validFrom", ""))


@contextmanager
def foreign_wallet() -> Iterator[ForeignWallet]:
    """One that serves on loopback, from a thread of its own."""
    port = free_port()
    wallet = ForeignWallet(f"http://127.0.0.1:{port}")
    app = Flask("another wallet")
    _add_oauth(app, wallet)
    _add_api(app, wallet)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield wallet
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
