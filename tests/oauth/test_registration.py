"""Which clients register, and where they may be sent codes."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import BadInput
from protocols.oauth.authorization import answer_url, verifies
from protocols.oauth.registration import read_registration
from tests.node.ob_client import METADATA, REDIRECT


def test_what_is_registered_is_what_was_said() -> None:
    assert read_registration(METADATA).to_json() == METADATA


@pytest.mark.parametrize("uri", ["http://127.0.0.1:40000/callback", "http://[::1]:40000/callback"])
def test_a_redirect_uri_on_this_machine_is_taken(uri: str) -> None:
    assert read_registration(METADATA | {"redirect_uris": [uri]}).redirect_uris == (uri,)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uris": ["http://platform.example/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://platform.example/callback#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://localhost:8080/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://127.0.0.1.nip.io/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://platform.example:x/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["//platform.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://user@platform.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://platform.example\\@evil.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://evil.example/"]}, "invalid_client_metadata"),
        ({"redirect_uris": REDIRECT}, "invalid_client_metadata"),
        ({"client_name": ""}, "invalid_client_metadata"),
        ({"client_name": "a\u202eb"}, "invalid_client_metadata"),
        ({"policy_uri": "http://platform.example/privacy"}, "invalid_client_metadata"),
        ({"logo_uri": None}, "invalid_client_metadata"),
        ({"scope": "everything"}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata"),
    ],
)
def test_a_registration_that_could_lead_astray_is_refused(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_registration(METADATA | changes)
    assert caught.value.code == f"oauth.{error}"


def test_the_verifier_of_rfc_7636_appendix_b_verifies() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert verifies(verifier, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    assert not verifies(verifier + "a", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    assert not verifies(verifier[:42], "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")


def test_an_answer_keeps_the_query_of_its_redirect_uri() -> None:
    assert answer_url("https://a.example/?b=c", code="x y") == "https://a.example/?b=c&code=x+y"
    assert answer_url("https://a.example/", code="x") == "https://a.example/?code=x"
