"""``GET /1.0/identifiers/{did}``: the HTTP binding of DID Resolution."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.admin.helpers import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

_KEY = "z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b"
_DID = f"did:key:{_KEY}"
_RESULT = "application/did-resolution"
_OLD = 'application/ld+json;profile="https://w3id.org/did-resolution"'


async def _resolve(untouched: Client, did_url: str, accept: str = _RESULT, query: str = "") -> tuple[int, str, Any]:
    path = f"http://node/1.0/identifiers/{quote(did_url, safe='')}{query}"
    async with untouched.session.get(path, headers={"Accept": accept}) as response:
        return response.status, response.headers["Content-Type"], await response.json(content_type=None)


@pytest.mark.parametrize("accept", [_RESULT, "*/*", "application/json"])
async def test_a_whole_result_is_what_comes_unless_a_document_is_asked_for(untouched: Client, accept: str) -> None:
    status, kind, found = await _resolve(untouched, _DID, accept)
    assert (status, kind) == (200, _RESULT)
    assert found["didDocument"]["id"] == _DID
    assert found["didResolutionMetadata"] == {"contentType": "application/did"}
    assert found["didDocumentMetadata"] == {}


async def test_a_document_alone_has_the_media_type_that_was_asked_for(untouched: Client) -> None:
    status, kind, found = await _resolve(untouched, _DID, "application/did")
    assert (status, kind) == (200, "application/did")
    assert found["id"] == _DID


async def test_a_did_url_is_dereferenced(untouched: Client) -> None:
    status, kind, found = await _resolve(untouched, f"{_DID}#{_KEY}", "application/did-url-dereferencing")
    assert (status, kind) == (200, "application/did-url-dereferencing")
    assert found["content"]["publicKeyMultibase"] == _KEY


@pytest.mark.parametrize(
    ("did_url", "accept", "query", "status", "error"),
    [
        ("did:key:@", _RESULT, "", 400, "INVALID_DID"),
        ("not a did", _RESULT, "", 400, "INVALID_DID"),
        (f"{_DID}#nothing", _RESULT, "", 404, "NOT_FOUND"),
        ("did:madeup:1", _RESULT, "", 501, "METHOD_NOT_SUPPORTED"),
        (_DID, "text/html", "", 406, "REPRESENTATION_NOT_SUPPORTED"),
        (_DID, _RESULT, "?publicKeyFormat=unknown", 400, "INVALID_OPTIONS"),
        (_DID, "application/did", "?versionId=1", 501, "FEATURE_NOT_SUPPORTED"),
    ],
)
async def test_what_does_not_resolve_has_the_status_and_type_of_its_error(
    untouched: Client, did_url: str, accept: str, query: str, status: int, error: str
) -> None:
    answered, kind, found = await _resolve(untouched, did_url, accept, query)
    assert (answered, kind.startswith("application/did-")) == (status, True)
    metadata = found.get("didResolutionMetadata") or found["dereferencingMetadata"]
    assert metadata["error"]["type"] == f"https://www.w3.org/ns/did#{error}"


async def test_who_asks_in_the_old_form_is_answered_in_it(untouched: Client) -> None:
    status, kind, found = await _resolve(untouched, "did:key:@", _OLD)
    assert (status, kind) == (400, _OLD)
    assert found["didResolutionMetadata"]["error"] == "invalidDid"


async def test_an_option_that_is_not_known_is_refused(untouched: Client) -> None:
    status, _, problem = await _resolve(untouched, _DID, query="?madeUp=1")
    assert (status, problem["code"]) == (400, "http.query_malformed")
