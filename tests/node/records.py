"""Records as a stranger makes them: right, or wrong in one way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from protocols.issue_credential.ld_proof import LdProofVcDetail
from tests.node.nodes import WELDING
from tests.node.wire_peer import new_id

NOW = datetime.now(UTC)


def stamp(**ago: float) -> str:
    return (NOW - timedelta(**ago)).isoformat(timespec="seconds").replace("+00:00", "Z")


def unsigned(issuer: str, **changes: Any) -> dict[str, Any]:
    """An Open Badges 3.0 record that leaves its subject open."""
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": f"urn:uuid:{new_id()}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Secret Diploma",
        "issuer": {"id": issuer, "type": ["Profile"], "name": "Some College"},
        "validFrom": stamp(days=1),
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "achievement": {
                "id": WELDING,
                "type": ["Achievement"],
                "name": "Secret Diploma",
                "description": "Welds.",
                "criteria": {"narrative": "Passed."},
            },
        },
        **changes,
    }


def detail(credential: dict[str, Any]) -> LdProofVcDetail:
    """What is offered, to be proved in a way that does not look at the terms."""
    return LdProofVcDetail.of(credential, proof_type="DataIntegrityProof", cryptosuite="eddsa-jcs-2022")
