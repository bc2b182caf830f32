"""Resolving as others see it: results with metadata and errors, DID URLs, and what did:key 0.9 asks of a resolver."""

from __future__ import annotations

from typing import Any

import pytest

from node.net.did_resolver import NodeResolver
from node.net.documents import MemoryDocumentCache
from protocols.did.resolution import ResolutionResult
from tests.net.helpers import Clock, client

# The DID of the examples of w3c-ccg/did-key-test-suite, its two keys, and a key that is too short.
ED25519 = "z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b"
X25519 = "z6LSfHfAMAopsuBxaBzvp51GXrPf38Az13j2fmwqadbwwrzJ"
DID = f"did:key:{ED25519}"
TOO_SHORT = "did:key:zTjsVPtY"
SUITE_2018 = {"publicKeyFormat": "Ed25519VerificationKey2018"}


async def result(did_url: str, **options: str) -> ResolutionResult:
    async with client() as http:
        return await NodeResolver(http, MemoryDocumentCache(), clock=Clock()).result(did_url, options)


async def test_a_did_resolves_to_its_document() -> None:
    found = await result(DID)
    assert found.http_status == 200
    shown = found.to_json()
    assert shown["didDocument"]["id"] == DID
    assert shown["didResolutionMetadata"] == {"contentType": "application/did"}
    assert shown["didDocumentMetadata"] == {}


async def test_a_did_url_with_a_fragment_gives_that_part_with_its_context() -> None:
    found = await result(f"{DID}#{X25519}")
    content = found.to_json()["content"]
    assert (content["controller"], content["publicKeyMultibase"]) == (DID, X25519)
    assert content["@context"]
    assert found.to_old_json()["didDocument"] == content


@pytest.mark.parametrize(
    ("did_url", "options", "kind", "status", "word"),
    [
        ("notDid:key:z6Mk", {}, "INVALID_DID", 400, "invalidDid"),
        ("did:key:@", {}, "INVALID_DID", 400, "invalidDid"),
        (f"did:key:-4:{ED25519}", {}, "INVALID_DID", 400, "invalidDid"),
        (f"did:key:{ED25519[1:]}", {}, "INVALID_DID", 400, "invalidDid"),
        (f"did:experimental:{ED25519}", {}, "METHOD_NOT_SUPPORTED", 501, "methodNotSupported"),
        (TOO_SHORT, {}, "INVALID_DID", 400, "invalidPublicKeyLength"),
        # 2 is no x coordinate of P-256
        ("did:key:zDnaeQRy3dcKsKa1zmKtVKsTy3m2HYoQnFnfKuxD6HfSTQgYh", {}, "INVALID_DID", 400, "invalidPublicKey"),
        (f"{DID}/^bar^/?query=`#{ED25519}", {}, "INVALID_DID_URL", 400, "invalidDidUrl"),
        (f"{DID}?versionId=1&versionId=2", {}, "INVALID_DID_URL", 400, "invalidDidUrl"),
        (f"{DID}#other", {}, "NOT_FOUND", 404, "notFound"),
        (f"{DID}/path", {}, "NOT_FOUND", 404, "notFound"),
        (f"{DID}?versionId=1", {}, "FEATURE_NOT_SUPPORTED", 501, "featureNotSupported"),
        (DID, {"accept": "text/html"}, "REPRESENTATION_NOT_SUPPORTED", 406, "representationNotSupported"),
        (DID, {"publicKeyFormat": "unknown"}, "INVALID_OPTIONS", 400, "unsupportedPublicKeyType"),
        (f"{DID}#{ED25519}", SUITE_2018, "INVALID_OPTIONS", 400, "invalidPublicKeyType"),
        (
            f"{DID}#{X25519}", {**SUITE_2018, "enableExperimentalPublicKeyTypes": "false"}, "INVALID_OPTIONS", 400,
            "invalidPublicKeyType",
        ),
        (DID, {"enableEncryptionKeyDerivation": "perhaps"}, "INVALID_OPTIONS", 400, "invalidOptions"),
        ("did:jwk:e30", {}, "INVALID_DID", 400, "invalidDid"),
        ("did:jwk:e30", {"publicKeyFormat": "Multikey"}, "INVALID_DID", 400, "invalidDid"),
        ("did:web:10.0.0.1", {}, "INVALID_DID", 400, "invalidDid"),
    ],
)  # fmt: skip
async def test_what_does_not_resolve_says_why_in_both_forms(
    did_url: str, options: dict[str, str], kind: str, status: int, word: str
) -> None:
    found = await result(did_url, **options)
    assert found.http_status == status
    name = "dereferencingMetadata" if found.is_part else "didResolutionMetadata"
    error = found.to_json()[name]["error"]
    assert error["type"] == f"https://www.w3.org/ns/did#{kind}"
    assert error["title"] and error["detail"]
    old = found.to_old_json()
    assert old["didDereferencingMetadata" if found.is_part else "didResolutionMetadata"]["error"] == word
    assert old["didDocument"] == old["didDocumentMetadata"] == {}


@pytest.mark.parametrize(
    ("key_format", "types", "member"),
    [
        ("Multikey", {"Multikey"}, "publicKeyMultibase"),
        ("JsonWebKey", {"JsonWebKey"}, "publicKeyJwk"),
        ("JsonWebKey2020", {"JsonWebKey2020"}, "publicKeyJwk"),
        (
            "Ed25519VerificationKey2020", {"Ed25519VerificationKey2020", "X25519KeyAgreementKey2020"},
            "publicKeyMultibase",
        ),
        ("Ed25519VerificationKey2018", {"Ed25519VerificationKey2018", "X25519KeyAgreementKey2019"}, "publicKeyBase58"),
    ],
)  # fmt: skip
async def test_the_keys_of_a_did_key_are_written_as_asked_for(key_format: str, types: set[str], member: str) -> None:
    found = await result(DID, publicKeyFormat=key_format, enableExperimentalPublicKeyTypes="true")
    assert found.content is not None
    methods: list[dict[str, Any]] = found.content["verificationMethod"]
    assert {method["type"] for method in methods} == types
    assert all(member in method for method in methods)
    assert len(found.content["@context"]) == 1 + len(types)


async def test_no_key_for_encryption_is_derived_where_none_is_wanted() -> None:
    found = await result(DID, enableEncryptionKeyDerivation="false")
    assert found.content is not None
    assert len(found.content["verificationMethod"]) == 1
    assert "keyAgreement" not in found.content


@pytest.mark.parametrize(
    ("did", "curve"),
    [
        # did:key 0.9, §Test Vectors
        ("did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", "secp256k1"),
        ("did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv", "P-256"),
        ("did:key:z82LkvCwHNreneWpsgPEbV3gu1C6NFJEBg4srfJ5gdxEsMGRJUz2sG9FE42shbn2xkZJh54", "P-384"),
    ],
)
async def test_keys_over_every_curve_are_shown(did: str, curve: str) -> None:
    found = await result(did, publicKeyFormat="JsonWebKey2020")
    assert found.content is not None
    assert found.content["verificationMethod"][0]["publicKeyJwk"]["crv"] == curve
    unfit = await result(did, publicKeyFormat="Ed25519VerificationKey2020")
    assert unfit.to_old_json()["didResolutionMetadata"]["error"] == "invalidPublicKeyType"
