"""Records whose issuer is an https URL, with its controller document on a real HTTPS server."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from aiohttp import web

from node.net.did_resolver import NodeResolver, ResolverPolicy
from node.net.documents import MemoryDocumentCache
from protocols.credentials.issue import issue
from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.credentials.verify import verify
from protocols.errors import BadInput
from protocols.keys import KeyPair, SoftwareSigner
from tests.credentials.worlds import Lists
from tests.jose.test_key_sets import JWK, badge, signed
from tests.net.helpers import LOOPBACK, Clock, client, serving, trusting
from tests.node.records import unsigned

PAIR = KeyPair.from_seed(b"h" * 32)
HTTPS_ONLY = type(LOOPBACK)(allowed_networks=LOOPBACK.allowed_networks, timeout_seconds=5)


def failure(result: VerificationResult) -> dict[Check, tuple[Outcome, str]]:
    required = {Check.PROOF, Check.CONTROLLER}
    return {c.check: (c.outcome, c.code) for c in result.checks if c.check in required and c.outcome != Outcome.PASS}


async def test_a_record_is_verified_by_the_document_at_its_issuers_url_and_later_by_the_kept_copy() -> None:
    clock, documents = Clock(), dict[str, object]()

    async def serve(request: web.Request) -> web.Response:
        return web.json_response(documents[request.path]) if request.path in documents else web.Response(status=404)

    async with client(HTTPS_ONLY, tls=trusting()) as http:
        async with serving(serve, tls=True) as port:
            me = f"https://localhost:{port}/issuers/1"
            method = {"id": f"{me}#key", "type": "Multikey", "controller": me, "publicKeyMultibase": PAIR.multikey}
            documents["/issuers/1"] = {"id": me, "verificationMethod": [method], "assertionMethod": [f"{me}#key"]}
            record = unsigned(me, validFrom="2025-12-01T00:00:00Z")
            made = issue(
                record, "eddsa-rdfc-2022", SoftwareSigner(PAIR, f"{me}#key"), created=clock() - timedelta(days=1)
            ).data

            async def verified(cache: MemoryDocumentCache) -> VerificationResult:
                resolver = NodeResolver(http, cache, clock=clock, policy=ResolverPolicy())
                policy = Policy(trust=TrustedIssuers({me}))
                return await verify(made, resolver=resolver, statuses=Lists(), policy=policy, now=clock())

            kept = MemoryDocumentCache()
            result = await verified(kept)
            assert (failure(result), result.verified) == ({}, True)
            documents["/issuers/1"] = {"id": f"{me}/other", "verificationMethod": [method]}
            assert not (await verified(MemoryDocumentCache())).verified
            documents["/issuers/1"] = {"id": me, "verificationMethod": [method]}
            found = failure(await verified(MemoryDocumentCache()))
            assert found[Check.CONTROLLER] == (Outcome.FAIL, "did.method_not_authorised")
        clock.advance(hours=1)
        assert (await verified(kept)).verified, "its server is away, and the kept copy is young enough"
        away = await verified(MemoryDocumentCache())
        unknown = (Outcome.NOT_CHECKED, "controller.unresolvable")
        assert failure(away) == {Check.PROOF: unknown, Check.CONTROLLER: unknown}


async def test_a_jwt_is_verified_by_the_key_set_of_its_issuers_server_and_later_by_the_kept_copy() -> None:
    clock = Clock()

    async def serve(request: web.Request) -> web.Response:
        if request.path == "/.well-known/jwks.json" and "jwk-set" in request.headers["Accept"]:
            body = json.dumps({"keys": [{**JWK, "kid": "1"}]})
            return web.Response(text=body, content_type="application/jwk-set+json")
        return web.Response(text="<html>A college</html>", content_type="text/html")

    async with client(HTTPS_ONLY, tls=trusting()) as http:
        kept = MemoryDocumentCache()
        async with serving(serve, tls=True) as port:
            me = f"https://localhost:{port}/issuers/1"
            texts = [
                signed(badge(iss=me, issuer={"id": me, "type": ["Profile"], "name": "College"}), kid=kid)
                for kid in ("1", f"{me}#1", "2")
            ]

            async def verified(text: str, cache: MemoryDocumentCache) -> VerificationResult:
                resolver = NodeResolver(http, cache, clock=clock, policy=ResolverPolicy())
                policy = Policy(trust=TrustedIssuers({me}))
                return await verify(text, resolver=resolver, statuses=Lists(), policy=policy, now=clock())

            assert [(await verified(text, kept)).verified for text in texts] == [True, False, False]
        clock.advance(hours=1)
        assert (await verified(texts[0], kept)).verified, "its server is away, and the kept copy is young enough"
        assert not (await verified(texts[0], MemoryDocumentCache())).verified


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("https://internal.example/issuer", "net.address_forbidden"),
        ("https://x@internal.example/", "did.malformed"),
        ("https://college.example/#key", "did.malformed"),
        ("http://college.example/", "did.malformed"),
    ],
)
async def test_a_url_leads_no_further_than_did_web_does(name: str, code: str) -> None:
    async with client(HTTPS_ONLY, names={"internal.example": [["10.0.0.1"]]}) as http:
        with pytest.raises(BadInput) as caught:
            await NodeResolver(http, MemoryDocumentCache(), clock=Clock()).resolve(name)
        assert caught.value.code == code
