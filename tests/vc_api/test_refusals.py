"""What the node does not sign, and why; nothing is kept of it."""

from __future__ import annotations

import io
from typing import Any

import pytest

from protocols import strict_json
from tests.admin.helpers import Client
from tests.vc_api.documents import V2, credential, presentation

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        ({"issuer": "did:example:other"}, {}, "vc_api.foreign_signer"),
        ({"issuer": None}, {}, "vc_api.issuer_malformed"),
        ({"issuer": {"id": None}}, {}, "vc_api.issuer_malformed"),
        ({"issuer": "college"}, {}, "vc_api.issuer_malformed"),
        ({}, {"verificationMethod": "did:example:other#key-1"}, "vc_api.foreign_signer"),
        ({}, {"cryptosuite": "ecdsa-rdfc-2019"}, "vc_api.securing_unfit"),
        ({}, {"cryptosuite": "rot13"}, "securing.unknown"),
        ({}, {"type": "Ed25519Signature2020", "cryptosuite": "eddsa-rdfc-2022"}, "vc_api.securing_ambiguous"),
        ({}, {"cryptosuite": "eddsa-rdfc-2022", "mediaType": "application/vc+jwt"}, "vc_api.securing_ambiguous"),
        ({}, {"selectivePointers": ["/name"]}, "securing.terms"),
        ({}, {"cryptosuite": "eddsa-rdfc-2022", "mandatoryPointers": ["/issuer"]}, "vc_api.securing_unfit"),
        ({}, {"credentialId": "urn:other"}, "vc_api.two_ids"),
        ({"@context": []}, {}, "structure.context.first"),
        ({"type": ["Diploma"]}, {}, "structure.type.missing"),
        ({"credentialSubject": []}, {}, "structure.subject.missing"),
        ({"madeUp": 1}, {}, "jsonld.undefined_term"),
        ({"validFrom": "yesterday"}, {}, "structure.validFrom.time"),
        ({"relatedResource": {"id": V2, "digestSRI": "sha256-AAAA"}}, {}, "related.digest_mismatch"),
    ],
)
async def test_what_cannot_be_signed_is_refused_with_its_reason(
    untouched: Client, change: dict[str, Any], options: dict[str, Any], code: str
) -> None:
    body = {"credential": credential(**change), "options": options}
    status, problem = await untouched.ask("POST", "/credentials/issue", json=body)
    assert (status, problem["code"]) == (400, code), problem
    assert problem["type"].startswith("https://")
    assert problem["status"] == 400
    assert await untouched.get("/admin/issued") == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        ({"holder": "did:example:other"}, {}, "vc_api.foreign_signer"),
        ({"type": ["Other"]}, {}, "structure.type.missing"),
        ({}, {"cryptosuite": "rot13"}, "securing.unknown"),
        ({}, {"verificationMethod": "did:example:other#a"}, "vc_api.foreign_signer"),
    ],
)
async def test_a_presentation_that_is_not_the_nodes_to_sign_is_refused(
    untouched: Client, change: dict[str, Any], options: dict[str, Any], code: str
) -> None:
    body = {"presentation": presentation(**change), "options": options}
    status, problem = await untouched.ask("POST", "/presentations", json=body)
    assert (status, problem["code"]) == (400, code), problem


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/credentials/issue", "credential"),
        ("/credentials/verify", "verifiableCredential"),
        ("/credentials/derive", "verifiableCredential"),
        ("/presentations", "presentation"),
        ("/presentations/verify", "verifiablePresentation"),
    ],
)
async def test_a_document_of_more_than_a_mebibyte_is_not_worked_on(untouched: Client, path: str, name: str) -> None:
    document = {**credential(), "type": ["VerifiableCredential", "VerifiablePresentation"], "name": "x" * (1 << 20)}
    body = io.BytesIO(strict_json.dumps({name: document}))
    status, answer = await untouched.ask("POST", path, data=body, headers={"Content-Type": "application/json"})
    assert status in {400, 413}
    (problem,) = answer.get("problemDetails", [answer])[:1]
    assert problem["code"] == "json.too_large"
