"""A client whose OAuth 2.0 is Authlib's, and not of this project, uses the Open Badges API of a node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import aiohttp
import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from node.roles.issuer import Award
from node.roles.trust import NewRule
from storage.dids import DidPurpose
from tests.node.nodes import WELDING, Nodes, held
from tests.node.ob_client import EVERYTHING, METADATA, Platform

T = TypeVar("T")
REGISTERED = "http://127.0.0.1:40000/callback"
REDIRECT = "http://127.0.0.1:40001/callback"
"""Another port than the one that was registered, as a program on a person's machine has it (RFC 8252 §7.3)."""


async def away(call: Callable[..., T], *given: Any, **named: Any) -> T:
    """What a library that waits for its answers does, while the node goes on."""
    return await asyncio.to_thread(call, *given, **named)


async def test_authlibs_client_registers_reads_writes_renews_and_gives_back(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # of the client: the node is on loopback here
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", open_badges_api={"enabled": True, "requests_per_minute": 10_000})
    async with college.store.read() as tx:
        did = (await college.identity.default(tx, DidPurpose.ISSUER)).did
    await learner.trust.add(NewRule(did=did))
    base = learner.apps.issuer
    api = f"{base}/ims/ob/v3p0"

    described = (await away(requests.get, f"{api}/discovery", timeout=30)).json()
    scheme = described["components"]["securitySchemes"]["OAuth2ACG"]
    flow = scheme["flows"]["authorizationCode"]
    metadata = METADATA | {"redirect_uris": [REGISTERED]}
    answer = await away(requests.post, scheme["x-imssf-registrationUrl"], json=metadata, timeout=30)
    assert answer.status_code == 201
    given = answer.json()

    session = OAuth2Session(
        given["client_id"],
        given["client_secret"],
        scope=EVERYTHING,
        redirect_uri=REDIRECT,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    )
    verifier = "a-verifier-of-the-client-that-is-long-enough-for-it"
    url, state = session.create_authorization_url(flow["authorizationUrl"], code_verifier=verifier)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        browser = Platform(http, base)
        page = await browser.opened(url)
        _, code = await learner.apps.approve(page.number)
        led_to = (await browser.type_in(page, code)).headers["Location"]
    assert led_to.startswith(f"{REDIRECT}?")
    token = await away(
        session.fetch_token, flow["tokenUrl"], authorization_response=led_to, state=state, code_verifier=verifier
    )
    assert set(token["scope"].split()) == set(EVERYTHING.split())

    badge = (await college.issuer.issue(Award(achievement_id=WELDING, subject_did="did:example:a"))).document
    as_json = {"Content-Type": "application/json"}
    put = await away(session.post, f"{api}/credentials", data=badge, headers=as_json)
    again = await away(session.post, f"{api}/credentials", data=badge, headers=as_json)
    assert (put.status_code, again.status_code) == (201, 304)
    (record,) = await held(learner)
    got = await away(session.get, f"{api}/credentials")
    assert (record.document, got.headers["X-Total-Count"]) == (badge, "1")
    assert badge in got.content

    before = session.token["refresh_token"]
    await away(session.refresh_token, flow["refreshUrl"], refresh_token=before)
    assert session.token["refresh_token"] != before
    assert (await away(session.get, f"{api}/profile")).json()["name"] == "learner"
    server = (await away(requests.get, _metadata_url(base), timeout=30)).json()
    given_back = await away(session.revoke_token, server["revocation_endpoint"], token=session.token["refresh_token"])
    assert given_back.status_code == 200
    assert (await away(session.get, f"{api}/profile")).status_code == 401
    with pytest.raises(OAuthError):
        await away(session.refresh_token, flow["refreshUrl"], refresh_token=session.token["refresh_token"])


def _metadata_url(base: str) -> str:
    host, _, path = base.rpartition("/")
    return f"{host}/.well-known/oauth-authorization-server/{path}"
