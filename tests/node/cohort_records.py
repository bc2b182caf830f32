"""Records of many learners, put straight into an issuer's store, as if each had been issued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from node.app import Node
from protocols import strict_json
from storage import credentials
from storage.credentials import IssuedCredential, IssuedState
from tests.node.wire_peer import new_id

FRAMEWORK = "https://skills.example"


def url_of(code: str) -> str:
    return f"{FRAMEWORK}/{code}"


def document(subject: str | None, codes: Sequence[str], *, name: str = "", **more: Any) -> dict[str, Any]:
    """A record that attests the skills with these codes."""
    identity = {"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "ext:name"}
    alignments = [
        {"type": ["Alignment"], "targetName": f"Skill {code}", "targetCode": code, "targetUrl": url_of(code)}
        for code in codes
    ]
    return {
        "id": f"urn:uuid:{new_id()}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "credentialSubject": {
            **({} if subject is None else {"id": subject}),
            **({"identifier": [identity]} if name else {}),
            "achievement": {"id": "urn:achievement", "type": ["Achievement"], "name": "A", "alignment": alignments},
        },
        **more,
    }


async def issue(
    node: Node, *documents: Mapping[str, Any], state: IssuedState = IssuedState.ACTIVE, at: datetime | None = None
) -> None:
    """Keep them as issued."""
    async with node.store.write() as tx:
        records = [
            IssuedCredential(
                id=new_id(),
                exchange_id=None,
                connection_id=None,
                document=strict_json.dumps(said),
                credential_id=said["id"],
                subject=said["credentialSubject"].get("id"),
                achievement_id=said["credentialSubject"]["achievement"]["id"],
                issued_at=at or node.world.clock(),
                state=state,
            )
            for said in documents
        ]
        await credentials.add_issued(tx, *records)


async def enrol(node: Node, count: int, codes: Sequence[str]) -> None:
    """As many learners, each with one record that attests these skills."""
    await issue(node, *(document(f"urn:learner:{new_id()}", codes) for _ in range(count)))
