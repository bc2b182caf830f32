"""Bodies with every field missing or mistyped: always a problem document of 400, never a failure of the node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.admin.helpers import Client
from tests.vc_api.documents import V2

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ENTRY = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
_DOCUMENT = {"@context": [V2], "type": ["VerifiableCredential"]}
_BODIES: dict[str, dict[str, Any]] = {
    "/credentials/issue": {
        "credential": _DOCUMENT,
        "options": {
            "credentialId": "urn:a",
            "mandatoryPointers": ["/issuer"],
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "verificationMethod": "did:example:a#b",
            "credentialStatus": [_ENTRY],
        },
    },
    "/credentials/status": {"credentialId": "urn:a", "credentialStatus": _ENTRY, "status": True},
    "/credentials/derive": {"verifiableCredential": _DOCUMENT, "options": {"selectivePointers": ["/a"]}},
    "/credentials/verify": {
        "verifiableCredential": _DOCUMENT,
        "options": {"returnResults": True, "returnProblemDetails": True, "returnCredential": True, "checks": ["proof"]},
    },
    "/presentations": {
        "presentation": _DOCUMENT,
        "options": {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "verificationMethod": "did:example:a#b",
            "proofPurpose": "authentication",
            "created": "2026-01-01T00:00:00Z",
            "challenge": "a",
            "domain": "b",
        },
    },
    "/presentations/verify": {
        "verifiablePresentation": _DOCUMENT,
        "options": {"challenge": "a", "domain": "b", "returnPresentation": True, "checks": ["credentialStatus"]},
    },
}
_WRONG: tuple[Any, ...] = (17, "wrong", ["wrong", 1], {"wrong": 1}, True)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict) and path != ("@",):
        for name, inner in value.items():
            yield (*path, name)
            if name not in {"credential", "verifiableCredential", "presentation", "verifiablePresentation"}:
                yield from _paths(inner, (*path, name))


def _replaced(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    name, *rest = path
    return {**body, name: _replaced(body[name], tuple(rest), value) if rest else value}


def _same_kind(one: Any, other: Any) -> bool:
    return type(one) is type(other)


def _wrong_bodies() -> Iterator[Any]:
    for url, body in _BODIES.items():
        required = next(iter(body))
        yield url, {name: value for name, value in body.items() if name != required}
        yield url, {**body, "madeUp": 1}
        yield url, {**body, "options": {"madeUp": 1}}
        for path in _paths(body):
            present: Any = body
            for step in path:
                present = present[step]
            for wrong in _WRONG:
                if not _same_kind(wrong, present):
                    yield url, _replaced(body, path, wrong)


async def test_no_mistyped_body_makes_the_node_fail(untouched: Client) -> None:
    wrong = list(_wrong_bodies())
    assert len(wrong) > 100
    for url, body in wrong:
        status, answer = await untouched.ask("POST", url, json=body)
        assert status in {400, 404}, (url, body, answer)
        assert "type" in answer or answer["verified"] is False


async def test_a_field_that_is_not_known_is_named_as_the_specification_names_it(untouched: Client) -> None:
    body = {"credential": _DOCUMENT, "options": {"madeUp": 1}}
    status, problem = await untouched.ask("POST", "/credentials/issue", json=body)
    assert (status, problem["type"]) == (400, "https://www.w3.org/TR/vcalm#UNKNOWN_OPTION_PROVIDED")


@pytest.mark.parametrize("url", _BODIES)
@pytest.mark.parametrize("raw", [b"{", b'{"a": 1, "a": 2}', b"[]", b"null", b"\xff", b'{"a": NaN}', b"[" * 100])
async def test_what_is_not_json_is_a_parsing_error(untouched: Client, url: str, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status, problem = await untouched.ask("POST", url, data=raw, headers=headers)
    assert (status, problem["type"]) == (400, "https://www.w3.org/TR/vc-data-model#PARSING_ERROR")


@pytest.mark.parametrize("url", _BODIES)
async def test_a_body_that_a_page_of_another_site_could_send_is_refused(untouched: Client, url: str) -> None:
    status, _ = await untouched.ask("POST", url, data=b"{}", headers={"Content-Type": "text/plain"})
    assert status == 415
