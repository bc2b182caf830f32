"""A learning platform as the Open Badges specification has it: registers, sends a browser, gets tokens, uses the API.

It speaks the wire by itself, with aiohttp and the RFCs, and shares no code with the node.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp

SCOPE = "https://purl.imsglobal.org/spec/ob/v3p0/scope"
READ, WRITE = f"{SCOPE}/credential.readonly", f"{SCOPE}/credential.upsert"
PROFILE, PUT_PROFILE = f"{SCOPE}/profile.readonly", f"{SCOPE}/profile.update"
EVERYTHING = f"{READ} {WRITE} {PROFILE} {PUT_PROFILE} offline_access"
REDIRECT = "https://platform.example/callback"
METADATA: dict[str, Any] = {
    "client_name": "Platform",
    "client_uri": "https://platform.example/",
    "logo_uri": "https://platform.example/logo.png",
    "tos_uri": "https://platform.example/terms",
    "policy_uri": "https://platform.example/privacy",
    "software_id": "c88b6ed8-269e-448e-99be-7e2ff47167d1",
    "software_version": "1.0",
    "redirect_uris": [REDIRECT],
    "token_endpoint_auth_method": "client_secret_basic",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": EVERYTHING,
}


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> dict[str, str]:
        """The query of where it redirects to."""
        assert self.status == 303, self.body
        return {name: value for name, (value,) in parse_qs(urlsplit(self.headers["Location"]).query).items()}


@dataclass
class Page:
    """An open page, with the cookies of its browser."""

    number: str
    cookies: dict[str, str]
    text: str
    headers: Any


@dataclass
class Platform:
    """A client of one node."""

    http: aiohttp.ClientSession
    base: str
    client_id: str = ""
    secret: str = ""
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=secrets.token_urlsafe)

    @property
    def api(self) -> str:
        return f"{self.base}/ims/ob/v3p0"

    async def ask(self, method: str, url: str, **given: Any) -> Answer:
        async with self.http.request(method, url, allow_redirects=False, **given) as response:
            return Answer(response.status, response.headers, await response.read())

    async def register(self, **changes: Any) -> Answer:
        answer = await self.ask("POST", f"{self.base}/oauth/register", json=METADATA | changes)
        if answer.status == 201:
            self.client_id, self.secret = answer.json["client_id"], answer.json["client_secret"]
        return answer

    def authorization(self, scope: str = EVERYTHING, **changes: str | None) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        given: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "scope": scope,
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        kept = {name: value for name, value in (given | changes).items() if value is not None}
        return f"{self.base}/oauth/authorize?{urlencode(kept)}"

    async def open_page(self, scope: str = EVERYTHING, **changes: str | None) -> Page:
        return await self.opened(self.authorization(scope, **changes))

    async def opened(self, url: str) -> Page:
        """The page of an authorization request."""
        answer = await self.ask("GET", url)
        assert answer.status == 200, answer.body
        text = answer.body.decode()
        found = re.search(r'name="request" value="(\w+)"', text)
        assert found
        (cookie,) = answer.headers.getall("Set-Cookie")
        name, _, value = cookie.partition(";")[0].partition("=")
        return Page(found[1], {name: value}, text, answer.headers)

    async def type_in(self, page: Page, code: str, *, decision: str = "allow", **more: Any) -> Answer:
        cookies = more.get("cookies", page.cookies)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        fields = {"request": page.number, "code": code, "decision": decision}
        return await self.ask("POST", f"{self.base}/oauth/authorize", data=fields, headers=headers)

    async def token(self, client: tuple[str, str] | None = None, **fields: str) -> Answer:
        name, secret = client or (self.client_id, self.secret)
        return await self.ask("POST", f"{self.base}/oauth/token", data=fields, headers=basic(name, secret))

    async def exchange(self, code: str, **changes: Any) -> Answer:
        client = changes.pop("client", None)
        given = {"redirect_uri": REDIRECT, "code_verifier": self.verifier} | changes
        return await self.token(client, grant_type="authorization_code", code=code, **given)

    async def refresh(self, token: str, **more: str) -> Answer:
        return await self.token(grant_type="refresh_token", refresh_token=token, **more)

    async def use(self, method: str, path: str, token: str, **given: Any) -> Answer:
        headers = given.pop("headers", {}) | {"Authorization": f"Bearer {token}"}
        return await self.ask(method, f"{self.api}{path}", headers=headers, **given)
