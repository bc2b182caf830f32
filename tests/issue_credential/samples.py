"""A credential, its detail, and the same signed (the machines never look at the signature itself)."""

from __future__ import annotations

from typing import Any

from protocols.issue_credential.ld_proof import LdProofVcDetail

HOLDER = "did:key:z6MkpNFQSyUeY97rR6pmNRAUxMxpJMevXShtD14tATNjHBzg"


def credential(*, subject_id: str | None = None, version: int = 2, credential_id: str | None = None) -> dict[str, Any]:
    head: dict[str, Any] = (
        {"@context": ["https://www.w3.org/ns/credentials/v2"]}
        if version == 2
        else {
            "@context": ["https://www.w3.org/2018/credentials/v1"],
            "issuanceDate": "2026-01-01T00:00:00Z",
        }
    )
    subject: dict[str, Any] = {"type": "AchievementSubject", "achievement": {"name": "Welding", "credits": 3}}
    if subject_id is not None:
        subject["id"] = subject_id
    named = {} if credential_id is None else {"id": credential_id}
    return {
        **head,
        **named,
        "type": ["VerifiableCredential"],
        "issuer": "did:key:z6MkpAQVY5uHX9v14kUbssCzJNh9A1RGD8ogT9Qfec9jp2Qt",
        "credentialSubject": subject,
    }


def detail(**kwargs: Any) -> LdProofVcDetail:
    options: dict[str, Any] = {"proof_type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"}
    return LdProofVcDetail.of(credential(**kwargs), **options)


def signed(requested: LdProofVcDetail, **additions: Any) -> dict[str, Any]:
    proof = {
        "type": requested.proof_type,
        "proofPurpose": "assertionMethod",
        "created": "2026-02-02T00:00:00Z",
        "verificationMethod": "did:key:z6MkpAQVY5uHX9v14kUbssCzJNh9A1RGD8ogT9Qfec9jp2Qt#key",
        "proofValue": "zSignature",
    }
    if requested.cryptosuite is not None:
        proof["cryptosuite"] = requested.cryptosuite
    return requested.credential | additions | {"proof": proof}
