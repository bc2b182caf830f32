"""``POST /credentials/derive``: what the holder selects is shown and verifies, and nothing else is there."""

from __future__ import annotations

from typing import Any

import pytest

from protocols import strict_json
from protocols.multiformats import b64url_decode
from tests.admin.helpers import Client
from tests.vc_api.conftest import issuer_did
from tests.vc_api.documents import credential

_SUBJECT = {"id": "did:example:ada", "name": "Ada", "description": "Passed with an A"}


async def _issued(api: Client, key: str, **options: Any) -> dict[str, Any]:
    given = credential(issuer=await issuer_did(api, key), credentialSubject=_SUBJECT)
    return dict((await api.post("/credentials/issue", credential=given, options=options))["verifiableCredential"])


async def _derived(api: Client, whole: dict[str, Any], *pointers: str) -> dict[str, Any]:
    options = {"selectivePointers": [*pointers]}
    return dict(await api.post("/credentials/derive", verifiableCredential=whole, options=options))


async def test_a_part_of_a_credential_shows_what_issuer_and_holder_select(api: Client) -> None:
    whole = await _issued(api, "p256", mandatoryPointers=["/issuer"])
    assert whole["proof"]["cryptosuite"] == "ecdsa-sd-2023"
    part = await _derived(api, whole, "/credentialSubject/name")
    assert part["credentialSubject"] == {"id": "did:example:ada", "name": "Ada"}
    assert part["issuer"] == whole["issuer"]
    assert "name" not in part
    assert (await api.post("/credentials/verify", verifiableCredential=part))["verified"] is True
    part["credentialSubject"]["name"] = "Eve"
    status, result = await api.ask("POST", "/credentials/verify", json={"verifiableCredential": part})
    assert (status, result["problemDetails"][0]["check"]) == (400, "proof")


async def test_a_part_of_an_sd_jwt_stays_in_its_envelope(api: Client) -> None:
    pointers = ["/credentialSubject/name", "/credentialSubject/description"]
    whole = await _issued(api, "ed25519", mediaType="application/vc+sd-jwt", selectivePointers=pointers)
    part = await _derived(api, whole, "/credentialSubject/name")
    jwt, *shown = part["id"].partition(",")[2].rstrip("~").split("~")
    assert [strict_json.loads(b64url_decode(text))[1:] for text in shown] == [["name", "Ada"]]
    assert "Ada" not in b64url_decode(jwt.split(".")[1]).decode()
    assert (await api.post("/credentials/verify", verifiableCredential=part))["verified"] is True


@pytest.mark.parametrize(
    ("options", "code"),
    [({}, "proof.not_selective"), ({"mediaType": "application/vc+jwt"}, "vc_api.not_selective")],
)
async def test_what_was_not_issued_for_it_is_not_shown_in_parts(
    api: Client, options: dict[str, Any], code: str
) -> None:
    body = {"verifiableCredential": await _issued(api, "p256", **options)}
    status, problem = await api.ask("POST", "/credentials/derive", json=body)
    assert (status, problem["code"]) == (400, code), problem


async def test_a_pointer_to_nothing_is_refused_when_issuing_and_when_deriving(api: Client) -> None:
    given = {"credential": credential(), "options": {"mandatoryPointers": ["/nothing"]}}
    await issuer_did(api, "p256")
    status, problem = await api.ask("POST", "/credentials/issue", json=given)
    assert (status, problem["type"]) == (400, "https://w3id.org/security#PROOF_GENERATION_ERROR")
    body = {
        "verifiableCredential": await _issued(api, "p256", mandatoryPointers=["/issuer"]),
        "options": {"selectivePointers": ["/nothing"]},
    }
    status, problem = await api.ask("POST", "/credentials/derive", json=body)
    assert (status, problem["type"]) == (400, "https://w3id.org/security#PROOF_GENERATION_ERROR")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"proof": {"type": "DataIntegrityProof", "cryptosuite": "ecdsa-sd-2023"}},
        {"proof": {"type": "DataIntegrityProof", "cryptosuite": "ecdsa-sd-2023", "proofValue": "u2V0AhVhA"}},
        {"proof": [1]},
        {"type": "EnvelopedVerifiableCredential"},
        {"type": "EnvelopedVerifiableCredential", "id": "data:application/vc+sd-jwt,e30.e30.e30~"},
    ],
)
async def test_what_is_not_a_credential_is_refused(api: Client, document: dict[str, Any]) -> None:
    status, problem = await api.ask("POST", "/credentials/derive", json={"verifiableCredential": document})
    assert (status, problem["status"]) == (400, 400)
