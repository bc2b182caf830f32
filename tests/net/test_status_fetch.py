"""Status lists from real servers: ttl, revalidation, and the kept copy while the issuer is offline."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from node.net.documents import CachedDocument, MemoryDocumentCache
from node.net.status_fetch import StatusFetcher
from protocols.errors import BadInput, LernodeError, NotNow
from protocols.jose import sign_jwt
from protocols.keys import KeyPair, SoftwareSigner
from tests.net.helpers import Clock, client, serving


def status_list(mark: str = "a", **changes: Any) -> dict[str, Any]:
    subject = {"type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": mark}
    subject |= changes.pop("subject", {})
    return {"type": ["VerifiableCredential", "BitstringStatusListCredential"], "credentialSubject": subject, **changes}


class Issuer:
    """A web server that publishes a status list."""

    def __init__(self, document: Any = None) -> None:
        self.body = json.dumps(status_list() if document is None else document).encode()
        self.headers: dict[str, str] = {}
        self.status = 200
        self.asked: list[str | None] = []

    def publish(self, document: Any) -> None:
        self.body = json.dumps(document).encode()

    async def __call__(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("If-None-Match"))
        etag = f'"{hash(self.body)}"'
        if self.status == 200 and self.asked[-1] == etag:
            return web.Response(status=304, headers=self.headers)
        return web.Response(status=self.status, body=self.body, headers={"ETag": etag, **self.headers})


def soon(seconds: float) -> str:
    return (Clock().now + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("document", "headers", "seconds"),
    [
        (status_list(), {}, 300),
        (status_list(subject={"ttl": 60_000}), {}, 60),
        (status_list(subject={"ttl": 900_000}), {}, 900),
        (status_list(subject={"ttl": 10**15}), {}, 86_400),
        (status_list(subject={"ttl": 60_000}), {"Cache-Control": "public, max-age=30"}, 30),
        (status_list(subject={"ttl": 20_000}), {"Cache-Control": "max-age=30"}, 20),
        (status_list(), {"Cache-Control": "max-age=900"}, 900),
        (status_list(), {"Cache-Control": "max-age=900", "Age": "880"}, 20),
        (status_list(validUntil=soon(10)), {}, 10),
        (status_list(validUntil="soon"), {}, 300),
        (status_list(subject={"ttl": "60000"}), {}, 60),
    ],
)  # fmt: skip
async def test_a_list_is_asked_for_again_after_the_shortest_of_its_limits(
    document: Any, headers: dict[str, str], seconds: int
) -> None:
    clock, issuer = Clock(), Issuer(document)
    issuer.headers = headers
    async with serving(issuer) as port, client() as http:
        source, url = StatusFetcher(http, MemoryDocumentCache(), clock=clock), f"http://localhost:{port}/status/1"
        first = await source.get(url)
        assert (first.document, first.fetched_at, first.from_cache) == (document, clock.now, False)
        clock.advance(seconds=seconds - 1)
        kept = await source.get(url)
        assert (kept.fetched_at, kept.from_cache, len(issuer.asked)) == (first.fetched_at, True, 1)
        clock.advance(seconds=1)
        confirmed = await source.get(url)
        assert (confirmed.document, confirmed.fetched_at, confirmed.from_cache) == (document, clock.now, False)
        assert len(issuer.asked) == 2 and issuer.asked[1] is not None


@pytest.mark.parametrize("limit", [{"ttl": 0}, {"ttl": -5}, {"ttl": "long"}])
async def test_a_list_without_time_to_live_is_always_asked_for(limit: dict[str, Any]) -> None:
    issuer = Issuer(status_list(subject=limit))
    async with serving(issuer) as port, client() as http:
        source = StatusFetcher(http, MemoryDocumentCache(), clock=Clock())
        for _ in range(2):
            await source.get(f"http://localhost:{port}/")
    assert len(issuer.asked) == 2


@pytest.mark.parametrize("control", ["no-store", "no-cache, max-age=900"])
async def test_a_server_can_forbid_to_reuse_its_answer_unasked(control: str) -> None:
    issuer = Issuer()
    issuer.headers = {"Cache-Control": control}
    async with serving(issuer) as port, client() as http:
        source = StatusFetcher(http, MemoryDocumentCache(), clock=Clock())
        for _ in range(2):
            await source.get(f"http://localhost:{port}/")
    assert len(issuer.asked) == 2


async def test_a_refresh_sees_a_revocation_within_the_ttl() -> None:
    issuer = Issuer()
    async with serving(issuer) as port, client() as http:
        source, url = StatusFetcher(http, MemoryDocumentCache(), clock=Clock()), f"http://localhost:{port}/"
        await source.get(url)
        issuer.publish(status_list("b"))
        assert (await source.get(url)).document == status_list("a")
        refreshed = await source.get(url, refresh=True)
        assert (refreshed.document, refreshed.from_cache) == (status_list("b"), False)


async def test_while_the_issuer_is_offline_the_kept_list_is_given_with_its_true_age() -> None:
    clock, issuer, cache = Clock(), Issuer(), MemoryDocumentCache()
    async with client() as http:
        async with serving(issuer) as port:
            url = f"http://localhost:{port}/"
            await StatusFetcher(http, cache, clock=clock).get(url)
        taken = clock.now
        clock.advance(days=400)
        for refresh in (False, True):
            copy = await StatusFetcher(http, cache, clock=clock).get(url, refresh=refresh)
            assert (copy.document, copy.fetched_at, copy.from_cache) == (status_list(), taken, True)


FOREIGN = [
    (200, b"<html>log in to the network</html>"), (200, b"{}"), (200, b"[]"), (200, b'{"type":[]}'), (200, b"\xff"),
    (200, json.dumps({**status_list(), "type": ["VerifiableCredential"]}).encode()),
    (200, json.dumps({**status_list(), "credentialSubject": {"encodedList": 1}}).encode()),
    (200, b"x" * 2_000_000), (404, b""), (500, b""), (302, b""), (204, b""),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), FOREIGN)
async def test_a_foreign_body_never_replaces_a_good_copy(status: int, body: bytes) -> None:
    clock, issuer = Clock(), Issuer()
    async with serving(issuer) as port, client() as http:
        source, url = StatusFetcher(http, MemoryDocumentCache(), clock=clock), f"http://localhost:{port}/"
        taken = (await source.get(url)).fetched_at
        clock.advance(hours=1)
        issuer.status, issuer.body = status, body
        copy = await source.get(url)
        assert (copy.document, copy.fetched_at, copy.from_cache) == (status_list(), taken, True)
        issuer.status, issuer.body = 200, json.dumps(status_list("b")).encode()
        assert (await source.get(url)).document == status_list("b")


@pytest.mark.parametrize(("status", "body"), FOREIGN)
async def test_without_a_copy_the_failure_is_named(status: int, body: bytes) -> None:
    issuer = Issuer()
    issuer.status, issuer.body = status, body
    async with serving(issuer) as port, client() as http:
        with pytest.raises(LernodeError) as caught:
            await StatusFetcher(http, MemoryDocumentCache(), clock=Clock()).get(f"http://localhost:{port}/")
    expected = {404: "status.not_found", 500: "status.unreachable", 302: "net.unexpected_status",
                204: "net.unexpected_status", 200: "status.malformed"}[status]  # fmt: skip
    assert caught.value.code == ("net.too_large" if len(body) > 1_000_000 else expected)


async def test_an_issuer_that_is_offline_and_was_never_seen_is_unreachable() -> None:
    async with serving(Issuer()) as port:
        pass
    async with client() as http:
        with pytest.raises(NotNow) as caught:
            await StatusFetcher(http, MemoryDocumentCache(), clock=Clock()).get(f"http://localhost:{port}/")
    assert caught.value.code == "status.unreachable"


async def test_a_list_at_a_forbidden_address_is_not_fetched() -> None:
    async with client(names={"internal.example": [["10.0.0.1"]]}) as http:
        with pytest.raises(BadInput) as caught:
            await StatusFetcher(http, MemoryDocumentCache(), clock=Clock()).get("https://internal.example/")
    assert caught.value.code == "net.address_forbidden"


def signed(claims: dict[str, Any], typ: str) -> bytes:
    """A JWT; whose it is does not matter to the fetcher."""
    return sign_jwt(claims, SoftwareSigner(KeyPair.from_seed(bytes(32)), "did:example:a#b"), typ=typ).encode()


def token(mark: int = 0, **changes: Any) -> bytes:
    claims = {"sub": "https://a.example/", "iat": mark, "status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ"}}
    return signed({**claims, **changes}, "statuslist+jwt")


class Server(Issuer):
    """The same, for texts that are not JSON."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.body = body
        self.accepts: list[str] = []

    async def __call__(self, request: web.Request) -> web.Response:
        self.accepts.append(request.headers["Accept"])
        return await super().__call__(request)


async def test_a_list_credential_may_be_a_jwt() -> None:
    clock = Clock()
    document = status_list(subject={"ttl": 60_000})
    for body in (signed(document, "vc+jwt"), signed(document, "vc+sd-jwt") + b"~"):
        issuer = Server(body)
        async with serving(issuer) as port, client() as http:
            source, url = StatusFetcher(http, MemoryDocumentCache(), clock=clock), f"http://localhost:{port}/"
            assert (await source.get(url)).document == body.decode()
            clock.advance(seconds=59)
            assert (await source.get(url)).from_cache
            clock.advance(seconds=1)
            assert not (await source.get(url)).from_cache
        assert "application/vc+jwt" in issuer.accepts[0]


@pytest.mark.parametrize(
    ("claims", "headers", "seconds"),
    [
        ({}, {}, 300),
        ({}, {"Cache-Control": "max-age=30"}, 30),
        ({"ttl": 600}, {"Cache-Control": "max-age=30"}, 600),
        ({"ttl": 20}, {"Cache-Control": "max-age=900"}, 20),
        ({"ttl": 10**9}, {}, 86_400),
        ({"exp": int(Clock().now.timestamp()) + 40}, {}, 40),
        ({"ttl": 60, "exp": int(Clock().now.timestamp()) + 40}, {}, 40),
    ],
)
async def test_a_token_is_asked_for_by_its_type_and_again_after_its_own_ttl(
    claims: dict[str, Any], headers: dict[str, str], seconds: int
) -> None:
    clock, issuer = Clock(), Server(token(**claims))
    issuer.headers = headers
    async with serving(issuer) as port, client() as http:
        source, url = StatusFetcher(http, MemoryDocumentCache(), clock=clock), f"http://localhost:{port}/"
        assert (await source.get_token(url)).document == issuer.body.decode()
        clock.advance(seconds=seconds - 1)
        assert (await source.get_token(url)).from_cache
        clock.advance(seconds=1)
        assert not (await source.get_token(url)).from_cache
    assert issuer.accepts == ["application/statuslist+jwt"] * 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"e",
        b"{}",
        b"eyJ.eyJ.x",
        signed({"status_list": {}}, "jwt"),
        signed({"status_list": 5}, "statuslist+jwt"),
        signed(status_list(), "vc+jwt"),
        json.dumps(status_list()).encode(),
        token() + b".",
    ],
)
async def test_what_is_no_token_never_replaces_one(body: bytes) -> None:
    issuer = Server(body)
    async with serving(issuer) as port, client() as http:
        source, url = StatusFetcher(http, MemoryDocumentCache(), clock=Clock()), f"http://localhost:{port}/"
        with pytest.raises(BadInput) as caught:
            await source.get_token(url)
        assert caught.value.code == "status.malformed"
        issuer.body = token()
        await source.get_token(url)
        issuer.body = body
        assert (await source.get_token(url, refresh=True)).document == token().decode()


async def test_one_address_may_give_a_token_and_a_credential_and_they_are_kept_apart() -> None:
    credential = json.dumps(status_list()).encode()

    async def answer(request: web.Request) -> web.Response:
        wants_token = request.headers["Accept"] == "application/statuslist+jwt"
        return web.Response(body=token() if wants_token else credential)

    cache = MemoryDocumentCache()
    async with client() as http:
        async with serving(answer) as port:
            source, url = StatusFetcher(http, cache, clock=Clock()), f"http://localhost:{port}/"
            await source.get(url)
            await source.get_token(url)
        assert (await source.get(url)).document == status_list()
        assert (await source.get_token(url)).document == token().decode()


VALUES = (
    st.none() | st.integers() | st.floats() | st.text(max_size=30) | st.datetimes().map(str) | st.lists(st.integers())
)


@settings(max_examples=100)
@given(ttl=VALUES, valid_until=VALUES, max_age=st.none() | st.integers(0, 999_999_999))
async def test_any_ttl_and_time_can_be_kept(ttl: Any, valid_until: Any, max_age: int | None) -> None:
    cache = MemoryDocumentCache()
    body = json.dumps(status_list(subject={"ttl": ttl}, validUntil=valid_until)).encode()
    await cache.put("https://nowhere.example/", CachedDocument(body, datetime(2026, 1, 1, tzinfo=UTC), None, max_age))
    async with client(names={}) as http:
        try:
            copy = await StatusFetcher(http, cache, clock=Clock()).get("https://nowhere.example/")
        except LernodeError:
            return
    assert copy.from_cache


def revocation_list(*revoked: str, **changes: Any) -> dict[str, Any]:
    named = [{"id": name} for name in revoked]
    return {"id": "http://a.example/r", "issuer": "http://a.example/i", "revokedCredential": named, **changes}


async def test_a_1edtech_revocation_list_is_kept_for_when_its_issuer_is_offline() -> None:
    clock, issuer, cache = Clock(), Issuer(revocation_list()), MemoryDocumentCache()
    async with client() as http:
        async with serving(issuer) as port:
            source, url = StatusFetcher(http, cache, clock=clock), f"http://localhost:{port}/"
            await source.get(url)
            clock.advance(seconds=299)
            assert (await source.get(url)).from_cache
            clock.advance(seconds=1)
            issuer.publish(revocation_list("urn:uuid:1"))
            assert (await source.get(url)).document == revocation_list("urn:uuid:1")
        clock.advance(days=1)
        copy = await StatusFetcher(http, cache, clock=clock).get(url)
        assert (copy.document, copy.from_cache) == (revocation_list("urn:uuid:1"), True)


@pytest.mark.parametrize(
    "document",
    [
        {},
        revocation_list(issuer=None),
        revocation_list(revokedCredential=[{"id": "urn:uuid:1", "revoked": "maybe"}]),
        revocation_list(*["urn:uuid:0f1f3b3e-8a3b-4f7c-9a55-1b1f6f3b7d11"] * 30_000),
    ],
)
async def test_what_is_no_revocation_list_or_too_large_never_replaces_one(document: Any) -> None:
    issuer = Issuer(document)
    async with serving(issuer) as port, client() as http:
        source, url = StatusFetcher(http, MemoryDocumentCache(), clock=Clock()), f"http://localhost:{port}/"
        with pytest.raises(BadInput):
            await source.get(url)
        issuer.publish(revocation_list("urn:uuid:1"))
        await source.get(url)
        issuer.publish(document)
        assert (await source.get(url, refresh=True)).document == revocation_list("urn:uuid:1")
