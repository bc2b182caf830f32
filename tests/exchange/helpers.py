"""Records and definitions that the tests of Presentation Exchange share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.exchange import presentation_exchange
from protocols.exchange.presentation_exchange import Definition, MatchReport, parse_definition, read_claim

HOLDER = "did:key:z6MkpNFQSyUeY97rR6pmNRAUxMxpJMevXShtD14tATNjHBzg"
ISSUER = "did:web:college.example"
WELDING = "https://www.onetonline.org/link/summary/51-4121.00"
PROOF = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod"}


def badge(name: str = "Welding", *, skill: str = WELDING, subject: str = HOLDER, **changes: Any) -> dict[str, Any]:
    """A signed-looking Open Badges 3.0 record; its proof is not what these tests are about."""
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": f"urn:uuid:{name}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": ISSUER, "type": ["Profile"]},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": subject,
            "type": ["AchievementSubject"],
            "achievement": {
                "id": f"https://college.example/achievements/{name}",
                "type": ["Achievement"],
                "name": name,
                "alignment": [
                    {"type": ["Alignment"], "targetName": "Reading", "targetUrl": "https://x.example/reading"},
                    {"type": ["Alignment"], "targetName": name, "targetUrl": skill, "targetCode": "51-4121.00"},
                ],
            },
        },
        "proof": PROOF,
        **changes,
    }


def asked(*fields: dict[str, Any], id: str = "one", **constraints: Any) -> dict[str, Any]:  # noqa: A002
    """An input descriptor."""
    return {"id": id, "constraints": {"fields": list(fields), **constraints}}


def definition(*descriptors: dict[str, Any], **others: Any) -> Definition:
    """A parsed definition."""
    return parse_definition({"id": "def-1", "input_descriptors": list(descriptors), **others})


def records(**documents: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Kept records by the store's id."""
    return list(documents.items())


def match(
    query: Definition, kept: Sequence[tuple[str, dict[str, Any] | str]], *, holder: str | None = None
) -> MatchReport:
    """Which records answer which descriptor, read as the holder reads them."""
    return presentation_exchange.match(query, [(name, read_claim(item)) for name, item in kept], holder=holder)


def shared_presentation(presentation: dict[str, Any], holder: str = HOLDER) -> dict[str, Any]:
    """The presentation as it arrives, with a signed-looking proof of ``holder``."""
    return {**presentation, "proof": {**PROOF, "verificationMethod": f"{holder}#key-1"}}
