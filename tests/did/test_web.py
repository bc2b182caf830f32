"""did:web: URL, DID and document."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.did import web
from protocols.did.document import Relationship
from protocols.errors import BadInput, LernodeError
from protocols.keys import EcdsaKeyPair, KeyPair, PublicKey
from protocols.multiformats import Multicodec

OLD = PublicKey(Multicodec.ED25519_PUB, KeyPair.from_seed(bytes(32)).public)
NEW = PublicKey(Multicodec.P256_PUB, EcdsaKeyPair.from_seed(Multicodec.P256_PUB, bytes([1]) * 32).public)
DID = "did:web:college.example"


@pytest.mark.parametrize(
    ("base", "did", "document"),
    [
        ("https://college.example", "did:web:college.example", "https://college.example/.well-known/did.json"),
        ("https://College.Example:443/", "did:web:college.example", "https://college.example/.well-known/did.json"),
        (
            "https://college.example/registry/badges/", "did:web:college.example:registry:badges",
            "https://college.example/registry/badges/did.json",
        ),
        (
            "https://college.example:3000/user/alice", "did:web:college.example%3A3000:user:alice",
            "https://college.example:3000/user/alice/did.json",
        ),
        (
            "http://localhost:8000", "did:web:localhost%3A8000", "http://localhost:8000/.well-known/did.json",
        ),
        ("http://a.localhost:80/x", "did:web:a.localhost:x", "http://a.localhost/x/did.json"),
    ],
)  # fmt: skip
def test_url_did_and_document_url_belong_together(base: str, did: str, document: str) -> None:
    assert web.did_from_url(base) == did
    assert web.document_url(did, allow_http=True) == document


def test_plain_http_is_for_this_machine_only_and_only_where_allowed() -> None:
    assert web.document_url("did:web:localhost%3A8000").startswith("https://")
    assert web.document_url("did:web:localhost.example", allow_http=True).startswith("https://")


@pytest.mark.parametrize(
    "url",
    ["college.example", "ftp://college.example", "https://", "https://user@college.example", "https://college.example?q",
     "https://college.example#f", "https://college.example:x", "https://[::1", "https://127.0.0.1:8000",
     "https://[::1]:8000", "https://college.example/a/../b", "https://college.example/a//b", "https://college.example/a%2Fb",
     "https://college.example/a b", "https://cöllege.example", "https://1.2.3.4.5", "https://0x7f.1"],
)  # fmt: skip
def test_a_url_that_cannot_be_a_did_web_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        web.did_from_url(url)
    assert caught.value.code == "did.web_url"


@pytest.mark.parametrize(
    "did",
    ["did:web:127.0.0.1", "did:web:2130706433", "did:web:0x7f000001", "did:web:college.example%3A", "did:web:a%3A0",
     "did:web:a%3A65536", "did:web:a%3A80%3A90", "did:web:a%40b", "did:web:a%2Fb", "did:web:a:..:b", "did:web:a::b",
     "did:web:a:%2e%2e", "did:web:a:b%2Fc", "did:web:a:b%3Fc", "did:web:a:b%23c", "did:web:-a", "did:key:abc"],
)  # fmt: skip
def test_a_did_web_that_names_no_safe_url_is_refused(did: str) -> None:
    with pytest.raises(BadInput) as caught:
        web.document_url(did)
    assert caught.value.code == "did.web_url"


@settings(max_examples=200)
@given(st.text("ab.:%3A/@?#-_2F[]\\", max_size=30))
def test_a_did_web_never_leads_to_another_host(text: str) -> None:
    with suppress(LernodeError):
        url = web.document_url("did:web:" + text)
        assert url.startswith("https://") and url.endswith("/did.json")
        assert url.split("/")[2].split(":")[0] == re.split("[:%]", text)[0]
    with suppress(LernodeError):
        assert web.did_from_url("https://" + text).startswith("did:web:")


def test_a_retired_key_still_verifies_but_no_longer_authenticates() -> None:
    raw = web.build_document(DID, [("key-2", NEW)], retired=[(f"{DID}#key-1", OLD)])
    document = web.parse(DID, json.dumps(raw).encode())
    assert document.method_for(f"{DID}#key-1", Relationship.ASSERTION_METHOD).key == OLD
    assert document.method_for(f"{DID}#key-2", Relationship.ASSERTION_METHOD).key == NEW
    assert [m.id for m in document.methods(Relationship.AUTHENTICATION)] == [f"{DID}#key-2"]


@pytest.mark.parametrize(
    "methods",
    [
        [("key-1", NEW), ("#key-1", OLD)],
        [("did:web:other.example#key-1", NEW)],
        [("key 1", NEW)],
    ],
)
def test_a_document_is_not_built_of_bad_keys(methods: list[tuple[str, PublicKey]]) -> None:
    with pytest.raises(BadInput):
        web.build_document(DID, methods)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"id":"did:web:other.example"}', b'{"id":1,"id":2}', b"\xff"]
)
def test_what_is_not_the_document_of_the_did_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        web.parse(DID, body)
    assert caught.value.code == "did.document_malformed"


def test_a_withdrawn_key_is_told_as_revoked_and_may_be_used_for_nothing() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    raw = web.build_document(DID, [("key-2", NEW)], withdrawn=[("key-1", OLD, at)])
    assert raw["verificationMethod"][1]["revoked"] == "2026-03-01T00:00:00Z"
    document = web.parse(DID, json.dumps(raw).encode(), now=at)
    for use in Relationship:
        with pytest.raises(BadInput) as caught:
            document.method_for(f"{DID}#key-1", use)
        assert caught.value.code == "did.method_revoked"
