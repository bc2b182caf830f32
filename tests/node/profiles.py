"""Records of skills, as a learner's node holds them."""

from __future__ import annotations

from typing import Any

from node.app import Node
from node.roles.keeping import add_record, held_record
from protocols import strict_json
from storage.credentials import HeldCredential
from storage.dids import DidPurpose

ONET = "https://www.onetonline.org/link/summary/51-4121.00"
COLLEGE = "did:web:college.example"


def alignment(name: str, **more: str) -> dict[str, Any]:
    return {"type": ["Alignment"], "targetName": name, **more}


WELDER = alignment("Welders", targetUrl=ONET, targetCode="51-4121.00", targetFramework="O*NET-SOC")


def skill_record(
    number: int,
    *alignments: dict[str, Any],
    issuer: str = COLLEGE,
    subject: str = "did:key:z6MkLearner",
    year: int = 2024,
    name: str = "Welding",
    **more: Any,
) -> dict[str, Any]:
    """A record that attests skills; ``more`` is laid over its subject."""
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": f"urn:uuid:{number}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": issuer, "type": ["Profile"], "name": "Riverside"},
        "validFrom": f"{year}-05-01T00:00:00Z",
        "name": name,
        "credentialSubject": {
            "id": subject,
            "type": ["AchievementSubject"],
            "achievement": {
                "id": f"{issuer}#welding",
                "type": ["Achievement"],
                "name": name,
                "achievementType": "Certificate",
                "alignment": list(alignments),
            },
            **more,
        },
    }


async def hold(node: Node, *documents: dict[str, Any]) -> list[HeldCredential]:
    """Keep documents as records that came, without asking whether they are genuine."""
    held = [held_record(strict_json.dumps(document), node.world) for document in documents]
    async with node.store.write() as tx:
        for record in held:
            await add_record(tx, record)
    return held


async def learner_did(node: Node) -> str:
    async with node.store.write() as tx:
        return (await node.identity.default(tx, DidPurpose.HOLDER)).did
