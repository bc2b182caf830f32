"""The node's resolver: did:web from real servers, kept copies, and how old they may be."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web as http_server

from node.net.did_resolver import NodeResolver, ResolverPolicy
from node.net.documents import MemoryDocumentCache
from protocols.did import jwk, key, peer4, web
from protocols.did.document import Relationship
from protocols.errors import BadInput, LernodeError, NotNow
from protocols.keys import KeyPair, PublicKey
from protocols.multiformats import Multicodec
from tests.did.webvh_logs import SECOND as FIRST_WITNESS
from tests.did.webvh_logs import Log, witness_file, witness_id
from tests.net.helpers import LOOPBACK, Clock, client, serving, trusting

FIRST = KeyPair.from_seed(bytes(32))
SECOND = KeyPair.from_seed(bytes([1]) * 32)
POLICY = ResolverPolicy(fresh_for=timedelta(minutes=5), max_stale=timedelta(days=30))


class Host:
    """A web server with a did.json that tests change."""

    def __init__(self) -> None:
        self.asked: list[http_server.Request] = []
        self.status = 200
        self.body = b""

    def publish(self, did: str, pair: KeyPair) -> None:
        self.body = json.dumps(web.build_document(did, [("key-1", PublicKey(pair.codec, pair.public))])).encode()

    async def __call__(self, request: http_server.Request) -> http_server.Response:
        self.asked.append(request)
        etag = f'"{hash(self.body)}"'
        if self.status == 200 and request.headers.get("If-None-Match") == etag:
            return http_server.Response(status=304)
        return http_server.Response(status=self.status, body=self.body, headers={"ETag": etag})


def did_at(port: int) -> str:
    return f"did:web:localhost%3A{port}"


def key_of(document: Any) -> bytes:
    (method,) = document.methods(Relationship.ASSERTION_METHOD)
    assert isinstance(method.key.raw, bytes)
    return method.key.raw


async def test_identifiers_that_carry_their_document_need_no_network() -> None:
    async with client() as http:
        resolver = NodeResolver(http, MemoryDocumentCache(), clock=Clock())
        did_key = key.did_from_public(FIRST.public)
        did_peer = peer4.create(FIRST.public, endpoint="https://college.example")
        assert await resolver.resolve(did_key) == key.resolve(did_key)
        assert (await resolver.resolve_dated(did_peer)).fetched_at is None
        assert await resolver.resolve(did_peer) is await resolver.resolve(did_peer)


async def test_did_web_is_fetched_once_while_fresh_and_then_revalidated() -> None:
    clock, host = Clock(), Host()
    async with serving(host) as port, client() as http:
        did = did_at(port)
        host.publish(did, FIRST)
        resolver = NodeResolver(http, MemoryDocumentCache(), clock=clock, policy=POLICY)
        results = await asyncio.gather(*(resolver.resolve(did) for _ in range(5)))
        assert {key_of(document) for document in results} == {FIRST.public}
        assert [request.path for request in host.asked] == ["/.well-known/did.json"]
        clock.advance(minutes=6)
        again = await resolver.resolve_dated(did)
        assert (again.fetched_at, again.stale) == (clock.now, False)
        assert "If-None-Match" in host.asked[1].headers
        clock.advance(minutes=6)
        host.publish(did, SECOND)
        assert key_of(await resolver.resolve(did)) == SECOND.public


async def test_a_refresh_asks_although_the_copy_is_fresh() -> None:
    host = Host()
    async with serving(host) as port, client() as http:
        host.publish(did_at(port), FIRST)
        resolver = NodeResolver(http, MemoryDocumentCache(), clock=Clock(), policy=POLICY)
        await resolver.resolve(did_at(port))
        host.publish(did_at(port), SECOND)
        assert key_of((await resolver.resolve_dated(did_at(port), refresh=True)).document) == SECOND.public


@pytest.mark.parametrize("status", [0, 500, 503, 429])
async def test_while_the_host_is_away_a_kept_copy_is_used_up_to_its_limit(status: int) -> None:
    clock, host, cache = Clock(), Host(), MemoryDocumentCache()
    async with client() as http:
        async with serving(host) as port:
            did = did_at(port)
            host.publish(did, FIRST)
            await NodeResolver(http, cache, clock=clock, policy=POLICY).resolve(did)
            taken = clock.now
            host.status = status
            clock.advance(days=29)
            if status:
                await check_stale(NodeResolver(http, cache, clock=clock, policy=POLICY), did, taken, clock)
        if not status:
            await check_stale(NodeResolver(http, cache, clock=clock, policy=POLICY), did, taken, clock)


async def check_stale(resolver: NodeResolver, did: str, taken: Any, clock: Clock) -> None:
    """The resolver is new, as after a restart: what it knows came from the cache."""
    result = await resolver.resolve_dated(did)
    assert (key_of(result.document), result.fetched_at, result.stale) == (FIRST.public, taken, True)
    clock.advance(days=2)
    with pytest.raises(NotNow) as caught:
        await resolver.resolve(did)
    assert caught.value.code == "did.unreachable"


async def test_a_host_that_is_away_and_was_never_seen_is_unreachable() -> None:
    async with serving(Host()) as port:
        pass
    async with client() as http:
        with pytest.raises(NotNow) as caught:
            await NodeResolver(http, MemoryDocumentCache(), clock=Clock()).resolve(did_at(port))
    assert caught.value.code == "did.unreachable"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, b"", "did.not_found"), (410, b"", "did.not_found"), (403, b"", "net.unexpected_status"),
        (200, b"<html>", "did.document_malformed"), (200, b'{"id":"did:web:evil.example"}', "did.document_malformed"),
        (200, b"x" * 2_000_000, "net.too_large"),
    ],
)  # fmt: skip
async def test_a_host_that_answers_without_a_document_overrules_the_copy_but_does_not_replace_it(
    status: int, body: bytes, code: str
) -> None:
    clock, host = Clock(), Host()
    async with serving(host) as port, client() as http:
        did = did_at(port)
        host.publish(did, FIRST)
        good = host.body
        cache = MemoryDocumentCache()
        resolver = NodeResolver(http, cache, clock=clock, policy=POLICY)
        await resolver.resolve(did)
        clock.advance(hours=1)
        host.status, host.body = status, body
        with pytest.raises(BadInput) as caught:
            await resolver.resolve(did)
        assert caught.value.code == code
        kept = await cache.get(web.document_url(did, allow_http=True))
        assert kept is not None and kept.body == good


async def test_a_copy_from_the_future_is_asked_for_again() -> None:
    clock, host = Clock(), Host()
    async with serving(host) as port, client() as http:
        host.publish(did_at(port), FIRST)
        resolver = NodeResolver(http, MemoryDocumentCache(), clock=clock, policy=POLICY)
        await resolver.resolve(did_at(port))
        clock.advance(days=-1)
        await resolver.resolve(did_at(port))
    assert len(host.asked) == 2


async def test_did_web_uses_https_where_plain_http_is_not_allowed() -> None:
    host = Host()
    policy = type(LOOPBACK)(allowed_networks=LOOPBACK.allowed_networks, timeout_seconds=5)
    async with serving(host, tls=True) as port, client(policy, tls=trusting()) as http:
        host.publish(did_at(port), FIRST)
        resolver = NodeResolver(http, MemoryDocumentCache(), clock=Clock())
        assert key_of(await resolver.resolve(did_at(port))) == FIRST.public


@pytest.mark.parametrize(
    ("did", "code"),
    [
        ("did:web:internal.example", "net.address_forbidden"), ("did:web:10.0.0.1", "did.web_url"),
        ("did:sov:abc", "did.method_unsupported"), ("no did", "did.malformed"),
    ],
)  # fmt: skip
async def test_a_did_leads_nowhere_it_may_not(did: str, code: str) -> None:
    async with client(names={"internal.example": [["10.0.0.1"]]}) as http:
        with pytest.raises(LernodeError) as caught:
            await NodeResolver(http, MemoryDocumentCache(), clock=Clock()).resolve(did)
    assert caught.value.code == code


async def test_a_silent_host_is_waited_for_once_and_asked_again_later() -> None:
    clock, release, asked = Clock(), asyncio.Event(), 0

    async def silent(_: http_server.Request) -> http_server.Response:
        nonlocal asked
        asked += 1
        await release.wait()
        return http_server.Response()

    policy = type(LOOPBACK)(allowed_networks=LOOPBACK.allowed_networks, allow_http=True, timeout_seconds=0.1)
    async with serving(silent) as port, client(policy) as http:
        resolver = NodeResolver(http, MemoryDocumentCache(), clock=clock)
        for _ in range(3):
            with pytest.raises(NotNow):
                await resolver.resolve(did_at(port))
        assert asked == 1
        clock.advance(seconds=6)
        with pytest.raises(NotNow):
            await resolver.resolve(did_at(port))
        assert asked == 2
        release.set()


async def test_no_more_documents_are_remembered_than_the_policy_says() -> None:
    async with client() as http:
        resolver = NodeResolver(http, MemoryDocumentCache(), clock=Clock(), policy=ResolverPolicy(remembered=2))
        publics = [KeyPair.from_seed(bytes([n]) * 32).public for n in range(3)]
        dids = [jwk.did_from_public(PublicKey(Multicodec.ED25519_PUB, public)) for public in publics]
        first = await resolver.resolve(dids[0])
        assert await resolver.resolve(dids[0]) is first
        for did in dids[1:]:
            await resolver.resolve(did)
        assert await resolver.resolve(dids[0]) is not first


async def test_a_memory_cache_forgets_what_was_used_longest_ago() -> None:
    host, clock = Host(), Clock()
    async with serving(host) as port, client() as http:
        host.publish(did_at(port), FIRST)
        cache = MemoryDocumentCache(limit=1)
        await NodeResolver(http, cache, clock=clock).resolve(did_at(port))
        url = web.document_url(did_at(port), allow_http=True)
        kept = await cache.get(url)
        assert kept is not None
        await cache.put("other", kept)
        assert await cache.get(url) is None


class Files:
    """A web server with the files of a did:webvh."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.files: dict[str, bytes] = {}

    async def __call__(self, request: http_server.Request) -> http_server.Response:
        self.asked.append(request.path)
        body = self.files.get(request.path.removeprefix("/.well-known/"))
        return http_server.Response(status=404) if body is None else http_server.Response(body=body)


async def test_did_webvh_is_read_from_its_log_and_the_proofs_of_its_witnesses_kept_for_when_they_are_away() -> None:
    clock, host, cache = Clock(), Files(), MemoryDocumentCache()
    async with client() as http:
        async with serving(host) as port:
            log = Log(f"localhost%3A{port}", witness={"threshold": 1, "witnesses": [witness_id(FIRST_WITNESS)]})
            host.files = {"did.jsonl": log.body}
            resolver = NodeResolver(http, cache, clock=clock, policy=POLICY)
            with pytest.raises(BadInput) as caught:
                await resolver.resolve(log.did)
            assert caught.value.code == "did.not_found"
            host.files["did-witness.json"] = witness_file((log.version_ids[0], FIRST_WITNESS))
            clock.advance(minutes=6)
            assert (await resolver.resolve(log.did)).id == log.did
            assert set(host.asked) == {"/.well-known/did.jsonl", "/.well-known/did-witness.json"}
        clock.advance(days=1)
        kept = await NodeResolver(http, cache, clock=clock, policy=POLICY).resolve_dated(log.did)
        assert kept.stale and kept.document.id == log.did


async def test_a_log_that_was_rolled_back_or_rewritten_is_refused_and_the_kept_one_stays() -> None:
    clock, host, cache = Clock(), Files(), MemoryDocumentCache()
    async with serving(host) as port, client() as http:
        log = Log(f"localhost%3A{port}")
        short = log.body
        host.files = {"did.jsonl": log.add(deactivated=True).body}
        resolver = NodeResolver(http, cache, clock=clock, policy=POLICY)
        with pytest.raises(BadInput) as caught:
            await resolver.resolve(log.did)
        assert caught.value.code == "did.deactivated"
        host.files = {"did.jsonl": short}
        for fresh in (resolver, NodeResolver(http, cache, clock=clock, policy=POLICY)):
            clock.advance(minutes=6)
            with pytest.raises(BadInput) as caught:
                await fresh.resolve(log.did)
            assert caught.value.code == "did.log_rolled_back"


async def test_results_of_did_webvh_have_versions_and_say_that_a_did_is_deactivated() -> None:
    host = Files()
    async with serving(host) as port, client() as http:
        log = Log(f"localhost%3A{port}").add(deactivated=True)
        host.files = {"did.jsonl": log.body}
        resolver = NodeResolver(http, MemoryDocumentCache(), clock=Clock(), policy=POLICY)
        gone = await resolver.result(log.did)
        assert (gone.http_status, gone.content, gone.error) == (410, None, None)
        assert gone.content_metadata["deactivated"] is True
        before = await resolver.result(f"{log.did}?versionId={log.version_ids[0]}#key-1")
        assert before.content is not None and before.content["controller"] == log.did
        assert before.content_metadata["nextVersionId"] == log.version_ids[1]
        assert "retrieved" in before.metadata
        missing = await resolver.result(log.did, {"versionId": "9-Qm"})
        assert missing.http_status == 404


async def test_a_copy_that_lacks_a_key_is_renewed_once_a_second_at_most() -> None:
    clock, host = Clock(), Host()
    async with client() as http:
        async with serving(host) as port:
            did = did_at(port)
            host.publish(did, FIRST)
            resolver = NodeResolver(http, MemoryDocumentCache(), clock=clock, policy=POLICY)
            await resolver.resolve(did)
            host.publish(did, SECOND)
            clock.advance(milliseconds=1)
            assert key_of(await resolver.resolve_anew(did)) == SECOND.public
            await resolver.resolve_anew(did)
            assert len(host.asked) == 2
            clock.advance(seconds=2)
            await resolver.resolve_anew(did)
            assert len(host.asked) == 3
        clock.advance(seconds=2)
        with pytest.raises(NotNow) as caught:
            await resolver.resolve_anew(did)
        assert caught.value.code == "did.unreachable"
        assert key_of(await resolver.resolve(did)) == SECOND.public
