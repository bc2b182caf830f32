"""A presentation definition and a presentation for it (the machines never look at signature or match)."""

from __future__ import annotations

from typing import Any

CHALLENGE = "b2c1"
DOMAIN = "verifier.example"
DEFINITION: dict[str, Any] = {
    "id": "welders",
    "input_descriptors": [
        {"id": "welding", "constraints": {"fields": [{"path": ["$.credentialSubject.achievement.name"]}]}}
    ],
}


def presentation(*, challenge: str | None = CHALLENGE, domain: str | None = DOMAIN) -> dict[str, Any]:
    bound = {"challenge": challenge, "domain": domain}
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [{"type": ["VerifiableCredential"]}],
        "presentation_submission": {
            "id": "s",
            "definition_id": "welders",
            "descriptor_map": [{"id": "welding", "format": "ldp_vc", "path": "$.verifiableCredential[0]"}],
        },
        "proof": {"type": "DataIntegrityProof", "proofPurpose": "authentication"}
        | {name: value for name, value in bound.items() if value is not None},
    }
