"""What a peer issues in the matrix: Open Badges 3.0 as issuers of either version of the data model write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from scripts.interop_peers.peer import DataModel

__all__ = ["OFFERS", "Offer"]

_OB = "https://purl.imsglobal.org/spec/ob/v3p0/context"
_ED25519_2018 = "Ed25519Signature2018"
_ED25519_2020 = "Ed25519Signature2020"
_ANY_RECORD = "https://www.w3.org/2018/credentials#VerifiableCredential"  # last, or ACA-Py finds nothing
_CONTEXTS: dict[DataModel, list[str]] = {
    "1.1": ["https://www.w3.org/2018/credentials/v1", f"{_OB}-3.0.1.json"],
    "2.0": ["https://www.w3.org/ns/credentials/v2", f"{_OB}-3.0.3.json"],
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of record.

    Attributes:
        model: the version of the data model.
        proof_type: what it is signed with.
    """

    model: DataModel
    proof_type: str

    @property
    def about(self) -> str:
        """For the table."""
        return f"Open Badges 3.0 (VCDM {self.model})"

    def achievement_id(self) -> str:
        """Of this kind's achievement, by which a verifier asks for it."""
        return f"https://college.example/achievements/{self.model}/{self.proof_type}"

    def credential(self, issuer: str) -> dict[str, Any]:
        """A record to offer; its subject is left open."""
        issued = "issuanceDate" if self.model == "1.1" else "validFrom"
        return {
            "@context": _CONTEXTS[self.model],
            "id": f"urn:uuid:{uuid4()}",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Soldering",
            "issuer": {"id": issuer, "type": ["Profile"], "name": "A college"},
            issued: "2026-01-31T12:00:00Z",
            "credentialSubject": {
                "type": ["AchievementSubject"],
                "achievement": {
                    "id": self.achievement_id(),
                    "type": ["Achievement"],
                    "name": "Soldering",
                    "description": "Solders to IPC-A-610.",
                    "criteria": {"narrative": "A practical examination."},
                },
            },
        }

    def definition(self, proof_type: str | None) -> dict[str, Any]:
        """A request for it, in the version 1 form of Presentation Exchange that Aries agents write.

        Args:
            proof_type: of the presentation; None leaves it to the holder.
        """
        field = {
            "path": ["$.credentialSubject.achievement.id"],
            "filter": {"type": "string", "const": self.achievement_id()},
        }
        descriptor = {
            "id": "achievement",
            "name": "Soldering",
            "schema": [{"uri": uri, "required": False} for uri in (_CONTEXTS[self.model][0], _ANY_RECORD)],
            "constraints": {"fields": [field]},
        }
        wanted: dict[str, Any] = {"id": str(uuid4()), "input_descriptors": [descriptor]}
        if proof_type is not None:
            wanted["format"] = {"ldp_vp": {"proof_type": [proof_type]}}
        return wanted


OFFERS = (
    Offer("1.1", _ED25519_2018),
    Offer("1.1", _ED25519_2020),
    Offer("2.0", _ED25519_2020),
)
