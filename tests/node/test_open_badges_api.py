"""A learning platform is let at a learner's records over the Open Badges 3.0 API, and no further than was granted."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from node.app import Node
from node.roles.issuer import Award
from node.roles.keeping import Accept
from node.roles.trust import NewRule
from node.runtime.world import World
from protocols.credentials.issue import issue
from protocols.credentials.reading import stated
from storage import audit
from storage.dids import DidPurpose
from storage.invariants import check
from tests.node.conftest import connect
from tests.node.nodes import WELDING, Clock, Nodes, give, held, tables
from tests.node.ob_client import METADATA, PROFILE, READ, REDIRECT, WRITE, Answer, Platform, basic

FULL = {"enabled": True, "requests_per_minute": 10_000}


@dataclass
class Scene:
    """A learner who serves the API, a platform that is registered there, and where needed a college that is trusted."""

    learner: Node
    platform: Platform
    clock: Clock
    nodes: Nodes
    made: Node | None = None

    async def college(self) -> Node:
        if self.made is None:
            self.made = await self.nodes.make("college", issuer=True)
            async with self.made.store.read() as tx:
                did = (await self.made.identity.default(tx, DidPurpose.ISSUER)).did
            await self.learner.trust.add(NewRule(did=did))
        return self.made

    async def granted(self, scope: str | None = None, only: list[str] | None = None) -> dict[str, Any]:
        """Tokens of a platform that went the whole way."""
        page = await self.platform.open_page(*([scope] if scope else []))
        _, code = await self.learner.apps.approve(page.number, only)
        sent = (await self.platform.type_in(page, code)).location
        answer = await self.platform.exchange(sent["code"])
        assert answer.status == 200, answer.body
        return dict(answer.json)

    async def a_badge(self, **award: Any) -> bytes:
        async with self.learner.store.read() as tx:
            did = (await self.learner.identity.default(tx, DidPurpose.HOLDER)).did
        return (
            await (await self.college()).issuer.issue(Award(**{"achievement_id": WELDING, "subject_did": did} | award))
        ).document


@pytest.fixture
async def scene(nodes: Nodes) -> AsyncIterator[Scene]:
    clock = Clock()
    learner = await nodes.make(
        "learner",
        world=World(clock=clock),
        open_badges_api=FULL,
        policy={"accept_offers": True},
    )
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        platform = Platform(http, learner.apps.issuer)
        assert (await platform.register()).status == 201
        yield Scene(learner, platform, clock, nodes)


async def events(node: Node) -> list[str]:
    async with node.store.read() as tx:
        return [entry.event for entry in await audit.page(tx, limit=1000)]


def is_refused(answer: Answer, error: str, status: int = 400) -> bool:
    assert answer.headers["Cache-Control"] == "no-store", answer.headers
    return (answer.status, answer.json["error"]) == (status, error)


def minor(answer: Answer) -> str:
    body = answer.json
    assert (body["imsx_codeMajor"], body["imsx_severity"]) == ("failure", "error")
    (field,) = body["imsx_codeMinor"]["imsx_codeMinorField"]
    return str(field["imsx_codeMinorFieldValue"])


# The whole way -------------------------------------------------------------------------------------------------------


async def test_a_platform_finds_everything_from_the_discovery_document(scene: Scene) -> None:
    answer = await scene.platform.ask("GET", f"{scene.platform.api}/discovery")
    described = answer.json
    scheme = described["components"]["securitySchemes"]["OAuth2ACG"]
    flow = scheme["flows"]["authorizationCode"]
    base = scene.platform.base
    assert scheme["x-imssf-registrationUrl"] == f"{base}/oauth/register"
    assert flow["tokenUrl"] == flow["refreshUrl"] == f"{base}/oauth/token"
    assert flow["authorizationUrl"] == f"{base}/oauth/authorize"
    for page in (described["info"]["termsOfService"], described["info"]["x-imssf-privacyPolicyUrl"]):
        assert (await scene.platform.ask("GET", page)).status == 200
    endpoint, _, path = base.rpartition("/")
    well_known = await scene.platform.ask("GET", f"{endpoint}/.well-known/oauth-authorization-server/{path}")
    assert well_known.json["issuer"] == base
    assert well_known.json["code_challenge_methods_supported"] == ["S256"]
    assert well_known.json["response_types_supported"] == ["code"]


async def test_a_registration_is_answered_with_all_that_was_said_and_a_secret(scene: Scene) -> None:
    answer = await scene.platform.register()
    assert answer.status == 201
    assert METADATA.items() <= answer.json.items()
    assert answer.json["client_secret_expires_at"] == 0


async def test_a_platform_reads_the_badges_its_owner_holds(scene: Scene) -> None:
    to_learner, _ = await connect(await scene.college(), scene.learner)
    await give(await scene.college(), to_learner.id)
    page = await scene.platform.open_page()
    assert "platform.example" in page.text
    _, code = await scene.learner.apps.approve(page.number)
    sent = (await scene.platform.type_in(page, code)).location
    assert (sent["state"], sent["iss"]) == (scene.platform.state, scene.platform.base)
    tokens = (await scene.platform.exchange(sent["code"])).json
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 900, sent["scope"])

    answer = await scene.platform.use("GET", "/credentials", tokens["access_token"])
    (record,) = await held(scene.learner)
    assert answer.status == 200
    assert record.document in answer.body
    assert answer.json["compactJwsString"] == []
    assert answer.headers["X-Total-Count"] == "1"
    assert {"app.approved", "app.connected"} <= set(await events(scene.learner))


async def test_a_jwt_is_given_as_compact_jws_and_an_sd_jwt_is_not_given(scene: Scene) -> None:
    for name, securing in (("jwt", "vc+jwt"), ("sd", "vc+sd-jwt")):
        issuer = await scene.nodes.make(name, issuer={"securing": securing})
        document = (await issuer.issuer.issue(Award(achievement_id=WELDING, subject_did="did:example:ada"))).document
        await scene.learner.keeping.keep(document, Accept.ANY)
        if name == "jwt":
            jwt = document.decode()
    tokens = await scene.granted()
    answer = (await scene.platform.use("GET", "/credentials", tokens["access_token"])).json
    assert answer == {"credential": [], "compactJwsString": [jwt]}


async def test_pages_follow_each_other_by_their_links(scene: Scene) -> None:
    for _ in range(5):
        await scene.learner.keeping.keep(await scene.a_badge())
    token = (await scene.granted())["access_token"]
    seen: list[str] = []
    url = f"{scene.platform.api}/credentials?limit=2"
    headers = {"Authorization": f"Bearer {token}"}
    while url:
        async with scene.platform.http.get(url, headers=headers) as response:
            seen += [each["id"] for each in (await response.json())["credential"]]
            assert response.headers["X-Total-Count"] == "5"
            links = response.links
            assert {"first", "last"} <= set(links)
            url = str(links["next"]["url"]) if "next" in links else ""
    assert len(set(seen)) == len(seen) == 5
    first = await scene.platform.use("GET", "/credentials?limit=2", token)
    assert [each["id"] for each in first.json["credential"]] == seen[:2]


async def test_since_leaves_out_what_was_issued_before(scene: Scene) -> None:
    await scene.learner.keeping.keep(await scene.a_badge())
    token = (await scene.granted())["access_token"]
    past = await scene.platform.use("GET", "/credentials?since=2020-01-01T00:00:00Z", token)
    future = await scene.platform.use("GET", "/credentials?since=2099-01-01T00:00:00Z", token)
    assert (past.headers["X-Total-Count"], future.headers["X-Total-Count"]) == ("1", "0")
    for wrong in ("since=yesterday", "limit=0", "limit=x", "offset=-1", "limit=1&limit=2", "page=2"):
        answer = await scene.platform.use("GET", f"/credentials?{wrong}", token)
        assert (answer.status, minor(answer)) == (400, "invalid_query_parameter"), wrong


async def test_a_badge_is_added_once_and_replaced_by_its_newer_form_only(scene: Scene) -> None:
    token = (await scene.granted())["access_token"]
    issued = await scene.a_badge()
    older, badge, newer = [await dated(scene, issued, year) for year in (2021, 2022, 2023)]
    as_json = {"Content-Type": "application/json"}

    async def send(document: bytes) -> Answer:
        return await scene.platform.use("POST", "/credentials", token, data=document, headers=as_json)

    first, again = await send(badge), await send(badge)
    assert (first.status, first.body, again.status) == (201, badge, 304)

    assert (await send(older)).status == 304
    assert [each.document for each in await held(scene.learner)] == [badge]
    replaced = await send(newer)
    assert (replaced.status, replaced.body) == (200, newer)
    (record,) = await held(scene.learner)
    assert record.document == newer
    assert "record.replaced" in await events(scene.learner)
    async with scene.learner.store.read() as tx:
        assert [broken async for broken in check(tx)] == []


async def dated(scene: Scene, badge: bytes, year: int) -> bytes:
    """The badge as its issuer signs it for another time."""
    college = await scene.college()
    async with college.store.read() as tx:
        own = await college.identity.default(tx, DidPurpose.ISSUER)
        signer = await college.identity.signer(tx, own)
    document = {name: value for name, value in stated(badge).items() if name not in ("proof", "relatedResource")}
    document["validFrom"] = f"{year}-01-01T00:00:00Z"
    return issue(document, "eddsa-rdfc-2022", signer, created=college.world.clock()).data


async def test_a_jwt_is_added_as_plain_text(scene: Scene) -> None:
    issuer = await scene.nodes.make("jwt", issuer={"securing": "vc+jwt"})
    async with issuer.store.read() as tx:
        did = (await issuer.identity.default(tx, DidPurpose.ISSUER)).did
    await scene.learner.trust.add(NewRule(did=did))
    badge = (await issuer.issuer.issue(Award(achievement_id=WELDING, subject_did="did:example:ada"))).document
    token = (await scene.granted())["access_token"]
    text = {"Content-Type": "text/plain"}
    answer = await scene.platform.use("POST", "/credentials", token, data=badge, headers=text)
    assert (answer.status, answer.body, answer.headers["Content-Type"].partition(";")[0]) == (201, badge, "text/plain")


async def test_what_is_not_verified_is_refused_and_leaves_nothing(scene: Scene) -> None:
    token = (await scene.granted())["access_token"]
    badge = await scene.a_badge()
    stranger = await scene.nodes.make("stranger", issuer=True)
    foreign = (await stranger.issuer.issue(Award(achievement_id=WELDING, subject_did="did:example:ada"))).document
    before = await tables(scene.learner.store)
    for document, media_type, status in (
        (badge.replace(b"Structural", b"Structured"), "application/json", 400),
        (foreign, "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"a":1,"a":2}', "application/json", 400),
        (b'{"type":["VerifiableCredential"]}', "application/json", 400),
        (b"no.jws.at.all", "text/plain", 400),
        (b"", "text/plain", 400),
        (badge, "application/xml", 415),
        (b" " * (scene.learner.config.network.max_message_bytes + 1), "application/json", 413),
    ):
        headers = {"Content-Type": media_type}
        answer = await scene.platform.use("POST", "/credentials", token, data=BytesIO(document), headers=headers)
        assert (answer.status, minor(answer)) == (status, "invalid_data"), (document[:40], answer.body)
    after = await tables(scene.learner.store)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"documents", "app_grants"}  # what was fetched to verify, and when the grant was used
    assert await held(scene.learner) == []


async def test_the_profile_is_read_and_changed_but_for_its_id(scene: Scene) -> None:
    token = (await scene.granted())["access_token"]
    first = (await scene.platform.use("GET", "/profile", token)).json
    assert (first["type"], first["name"]) == (["Profile"], "learner")
    put = await scene.platform.use("PUT", "/profile", token, json=first | {"phone": "111-222-3333"})
    assert (put.status, put.json["phone"]) == (200, "111-222-3333")
    assert (await scene.platform.use("GET", "/profile", token)).json == put.json
    for wrong in (first | {"id": "did:example:other"}, {"name": "x"}, first | {"name": "x" * 70_000}):
        answer = await scene.platform.use("PUT", "/profile", token, json=wrong)
        assert answer.status in (400, 413)
        assert minor(answer) == "invalid_data"
    assert "profile.changed" in await events(scene.learner)


# Who may not ---------------------------------------------------------------------------------------------------------


async def test_without_a_good_token_nothing_is_given(scene: Scene) -> None:
    url = f"{scene.platform.api}/credentials"
    nothing = await scene.platform.ask("GET", url)
    assert (nothing.status, nothing.headers["WWW-Authenticate"]) == (401, "Bearer")
    wrong = await scene.platform.use("GET", "/credentials", "no-such-token")
    assert (wrong.status, wrong.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    tokens = await scene.granted()
    refresh_as_access = await scene.platform.use("GET", "/credentials", tokens["refresh_token"])
    assert (refresh_as_access.status, minor(refresh_as_access)) == (401, "unauthorizedrequest")
    in_query = await scene.platform.use("GET", f"/credentials?access_token={tokens['access_token']}", "x")
    also = await scene.platform.ask("GET", f"{url}?access_token={tokens['access_token']}")
    assert (in_query.status, also.status) == (400, 400)
    assert (await scene.platform.ask("DELETE", url)).status == 405
    assert minor(await scene.platform.ask("DELETE", url)) == "not_allowed"
    assert minor(await scene.platform.ask("GET", f"{scene.platform.api}/nothing")) == "not_found"


async def test_a_token_is_good_for_what_the_owner_granted_only(scene: Scene) -> None:
    token = (await scene.granted(only=[READ]))["access_token"]
    assert (await scene.platform.use("GET", "/credentials", token)).status == 200
    for method, path in (("POST", "/credentials"), ("GET", "/profile"), ("PUT", "/profile")):
        answer = await scene.platform.use(method, path, token, data=b"{}")
        assert (answer.status, minor(answer)) == (403, "forbidden")
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


async def test_without_offline_access_there_is_no_refresh_token(scene: Scene) -> None:
    assert "refresh_token" not in await scene.granted(f"{READ} {PROFILE}")


async def test_an_access_token_is_over_after_its_time(scene: Scene) -> None:
    token = (await scene.granted())["access_token"]
    scene.clock.advance(seconds=901)
    assert (await scene.platform.use("GET", "/credentials", token)).status == 401


async def test_revoking_an_app_ends_its_tokens_at_once(scene: Scene) -> None:
    tokens = await scene.granted()
    await scene.learner.apps.revoke(scene.platform.client_id)
    assert (await scene.platform.use("GET", "/credentials", tokens["access_token"])).status == 401
    assert is_refused(await scene.platform.refresh(tokens["refresh_token"]), "invalid_client", 401)
    assert (await scene.platform.ask("GET", scene.platform.authorization())).status == 400
    assert "app.revoked" in await events(scene.learner)


# Codes ---------------------------------------------------------------------------------------------------------------


async def a_code(scene: Scene) -> str:
    page = await scene.platform.open_page()
    _, code = await scene.learner.apps.approve(page.number)
    return (await scene.platform.type_in(page, code)).location["code"]


async def test_a_code_is_good_for_who_has_the_verifier_the_redirect_uri_and_the_secret(scene: Scene) -> None:
    code, platform = await a_code(scene), scene.platform
    other = Platform(platform.http, platform.base)
    await other.register()
    assert is_refused(await platform.exchange(code, code_verifier=secrets.token_urlsafe(48)), "invalid_grant")
    assert is_refused(await platform.exchange(code, code_verifier="short"), "invalid_grant")
    assert is_refused(await platform.exchange(code, code_verifier=""), "invalid_request")
    assert is_refused(await platform.exchange(code, redirect_uri=REDIRECT + "/"), "invalid_grant")
    assert is_refused(await platform.exchange(code, client=(other.client_id, other.secret)), "invalid_grant")
    assert is_refused(await platform.exchange(code, client=(platform.client_id, "wrong")), "invalid_client", 401)
    assert is_refused(await platform.exchange(code, client_secret=platform.secret), "invalid_request")
    assert is_refused(await platform.token(grant_type="password", username="a", password="b"), "invalid_request")
    assert is_refused(await platform.token(grant_type="client_credentials"), "unsupported_grant_type")
    assert (await platform.exchange(code)).status == 200


async def test_a_code_that_is_used_twice_ends_all_that_it_gave(scene: Scene) -> None:
    code = await a_code(scene)
    tokens = (await scene.platform.exchange(code)).json
    assert is_refused(await scene.platform.exchange(code), "invalid_grant")
    assert (await scene.platform.use("GET", "/credentials", tokens["access_token"])).status == 401
    assert is_refused(await scene.platform.refresh(tokens["refresh_token"]), "invalid_grant")
    assert "app.code_used_twice" in await events(scene.learner)


async def test_a_code_that_comes_several_times_at_once_gives_tokens_once_and_they_end(scene: Scene) -> None:
    code = await a_code(scene)
    answers = await asyncio.gather(*(scene.platform.exchange(code) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    (tokens,) = [answer.json for answer in answers if answer.status == 200]
    assert (await scene.platform.use("GET", "/credentials", tokens["access_token"])).status == 401


async def test_a_code_is_over_after_two_minutes(scene: Scene) -> None:
    code = await a_code(scene)
    scene.clock.advance(seconds=121)
    assert is_refused(await scene.platform.exchange(code), "invalid_grant")


async def test_a_refresh_token_is_exchanged_once_and_its_second_use_ends_the_grant(scene: Scene) -> None:
    tokens = await scene.granted()
    next_ones = (await scene.platform.refresh(tokens["refresh_token"])).json
    assert (await scene.platform.use("GET", "/credentials", next_ones["access_token"])).status == 200
    narrow = (await scene.platform.refresh(next_ones["refresh_token"], scope=READ)).json
    assert narrow["scope"] == READ
    assert (await scene.platform.use("GET", "/profile", narrow["access_token"])).status == 403
    assert is_refused(await scene.platform.refresh(tokens["refresh_token"]), "invalid_grant")
    for token in (tokens, next_ones, narrow):
        assert (await scene.platform.use("GET", "/credentials", token["access_token"])).status == 401
    assert is_refused(await scene.platform.refresh(narrow["refresh_token"]), "invalid_grant")
    assert "app.refresh_used_twice" in await events(scene.learner)


async def test_a_refresh_token_never_gives_more_than_was_granted(scene: Scene) -> None:
    tokens = await scene.granted(f"{READ} offline_access")
    assert is_refused(await scene.platform.refresh(tokens["refresh_token"], scope=WRITE), "invalid_scope")
    scene.clock.advance(days=31)
    assert is_refused(await scene.platform.refresh(tokens["refresh_token"]), "invalid_grant")


async def test_a_client_gives_back_its_own_tokens_only(scene: Scene) -> None:
    tokens, platform = await scene.granted(), scene.platform
    other = Platform(platform.http, platform.base)
    await other.register()

    async def give_back(who: Platform, token: str) -> int:
        auth = basic(who.client_id, who.secret)
        fields = {"token": token, "token_type_hint": "refresh_token"}
        return (await who.ask("POST", f"{who.base}/oauth/revoke", data=fields, headers=auth)).status

    assert await give_back(other, tokens["refresh_token"]) == 200
    assert await give_back(platform, "unknown") == 200
    assert (await platform.use("GET", "/credentials", tokens["access_token"])).status == 200
    assert await give_back(platform, tokens["refresh_token"]) == 200
    assert (await platform.use("GET", "/credentials", tokens["access_token"])).status == 401


# The page ------------------------------------------------------------------------------------------------------------


async def test_nobody_is_redirected_to_where_the_client_did_not_say(scene: Scene) -> None:
    platform = scene.platform
    for changes in (
        {"redirect_uri": REDIRECT + "/"},
        {"redirect_uri": REDIRECT + "?a=b"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": None},
        {"client_id": "unknown"},
        {"client_id": None},
    ):
        answer = await platform.ask("GET", platform.authorization(**changes))
        assert answer.status == 400, changes
        assert "Location" not in answer.headers


async def test_a_request_that_lacks_what_protects_it_is_refused_at_the_redirect_uri(scene: Scene) -> None:
    platform = scene.platform
    for changes, error in (
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
    ):
        sent = (await platform.ask("GET", platform.authorization(**changes))).location
        assert (sent["error"], sent["iss"]) == (error, platform.base)
    assert await scene.learner.apps.waiting() == []


async def test_the_page_can_be_framed_by_nobody_and_runs_nothing(scene: Scene) -> None:
    await scene.platform.register(client_name="<script>alert(1)</script>")
    page = await scene.platform.open_page()
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://platform.example;" in policy
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "<script>" not in page.text
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


async def test_the_page_alone_lets_nobody_in(scene: Scene) -> None:
    platform = scene.platform
    page = await platform.open_page()
    assert (await platform.type_in(page, "AAAA-AAAA")).status == 200
    _, code = await scene.learner.apps.approve(page.number)
    assert (await platform.type_in(page, "AAAA-AAAA")).status == 200
    # A page that somebody else opened does not have the cookie, and another one not the code.
    assert (await platform.type_in(page, code, cookies={})).status == 400
    other = await platform.open_page()
    assert (await platform.type_in(page, code, cookies=other.cookies)).status == 400
    assert (await platform.type_in(other, code)).status == 200
    assert (await platform.type_in(page, code.lower())).location["code"]
    assert (await platform.type_in(page, code)).status == 400


async def test_a_request_ends_with_the_fifth_wrong_code(scene: Scene) -> None:
    page = await scene.platform.open_page()
    _, code = await scene.learner.apps.approve(page.number)
    for _ in range(4):
        assert (await scene.platform.type_in(page, "AAAA-AAAA")).status == 200
    assert (await scene.platform.type_in(page, "AAAA-AAAA")).location["error"] == "access_denied"
    assert (await scene.platform.type_in(page, code)).status == 400


async def test_a_page_is_over_after_ten_minutes(scene: Scene) -> None:
    page = await scene.platform.open_page()
    _, code = await scene.learner.apps.approve(page.number)
    scene.clock.advance(minutes=10, seconds=1)
    assert (await scene.platform.type_in(page, code)).status == 400


@pytest.mark.parametrize("who", ["visitor", "owner"])
async def test_a_no_is_told_to_the_app(scene: Scene, who: str) -> None:
    page = await scene.platform.open_page()
    if who == "owner":
        await scene.learner.apps.decline(page.number)
    sent = (await scene.platform.type_in(page, "", decision="deny" if who == "visitor" else "allow")).location
    assert (sent["error"], sent["state"]) == ("access_denied", scene.platform.state)


# Registration --------------------------------------------------------------------------------------------------------


async def test_a_registration_that_could_lead_astray_is_refused(scene: Scene) -> None:
    evil = {"redirect_uris": ["http://platform.example/callback"]}
    assert is_refused(await scene.platform.register(**evil), "invalid_redirect_uri")
    assert is_refused(await scene.platform.register(logo_uri=None), "invalid_client_metadata")


async def test_a_body_that_is_none_is_refused(scene: Scene) -> None:
    register, token = (f"{scene.platform.base}/oauth/{name}" for name in ("register", "token"))
    json_type = {"Content-Type": "application/json"}
    for body in (b"{", b"[]", b"\xff", b'{"a":' * 500, b" " * 40_000):
        assert is_refused(
            await scene.platform.ask("POST", register, data=body, headers=json_type), "invalid_client_metadata"
        )
    assert is_refused(await scene.platform.ask("POST", token, json={}), "invalid_request")
    auth = basic(scene.platform.client_id, scene.platform.secret)
    twice = [("grant_type", "refresh_token"), ("grant_type", "authorization_code")]
    assert is_refused(await scene.platform.ask("POST", token, data=twice, headers=auth), "invalid_request")
    for header in ("Bearer x", "Basic !", "Basic OnNlY3JldA==", ""):
        fields = {"grant_type": "refresh_token", "refresh_token": "x"}
        answer = await scene.platform.ask("POST", token, data=fields, headers={"Authorization": header})
        assert is_refused(answer, "invalid_client", 401)


# Keeping it in order -------------------------------------------------------------------------------------------------


async def test_what_is_over_is_forgotten_and_who_was_let_in_is_not(scene: Scene) -> None:
    await scene.granted()
    other = Platform(scene.platform.http, scene.platform.base)
    await other.register()
    await other.open_page()
    scene.clock.advance(days=32)
    assert (await scene.learner.housekeeping.prune())["app_requests"] > 0
    (app,) = await scene.learner.apps.list()
    assert (app.client.id, list(app.grants)) == (scene.platform.client_id, [])
    assert (await other.ask("GET", other.authorization())).status == 400


async def test_no_secret_is_in_the_store(scene: Scene) -> None:
    tokens = await scene.granted()
    secrets_there = {tokens["access_token"], tokens["refresh_token"], scene.platform.secret, "platform.example"}
    async with scene.learner.store.read() as tx:
        for table in await tx.tables():
            if table.startswith("app_"):
                text = repr([tuple(row) for row in await tx.all(f"SELECT * FROM {table}")])
                assert not any(secret in text for secret in secrets_there), table
        assert [broken async for broken in check(tx)] == []


async def test_erasing_a_person_takes_the_apps_and_the_profile_that_name_them(scene: Scene) -> None:
    await scene.platform.register(contacts=["ada@platform.example"])
    tokens = await scene.granted()
    profile = (await scene.platform.use("GET", "/profile", tokens["access_token"])).json
    await scene.platform.use(
        "PUT", "/profile", tokens["access_token"], json=profile | {"email": "ada@platform.example"}
    )
    erased = await scene.learner.erasing.erase_subject("ada@platform.example")
    assert {each.what for each in erased.erased} == {"app", "profile"}
    assert (await scene.platform.use("GET", "/profile", tokens["access_token"])).status == 401


async def test_a_node_that_is_not_told_to_serves_none_of_it(nodes: Nodes) -> None:
    node = await nodes.make("plain")
    async with aiohttp.ClientSession() as http:
        for path in ("/ims/ob/v3p0/discovery", "/oauth/authorize", "/about"):
            async with http.get(f"{node.apps.issuer}{path}") as response:
                assert response.status == 404


async def test_who_asks_too_often_is_told_to_come_again(nodes: Nodes) -> None:
    node = await nodes.make("busy", open_badges_api={"enabled": True, "requests_per_minute": 3})
    async with aiohttp.ClientSession() as http:
        platform = Platform(http, node.apps.issuer)
        answers = [await platform.ask("GET", f"{platform.api}/discovery") for _ in range(8)]
        assert 429 in [answer.status for answer in answers]
        last = answers[-1]
        assert (last.headers["Retry-After"], minor(last)) == ("60", "server_busy")
