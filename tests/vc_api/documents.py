"""Documents to be signed."""

from __future__ import annotations

import uuid
from typing import Any

V2 = "https://www.w3.org/ns/credentials/v2"


def credential(**more: Any) -> dict[str, Any]:
    """A credential that no one has signed."""
    return {
        "@context": [V2],
        "id": f"urn:uuid:{uuid.uuid4()}",
        "type": ["VerifiableCredential"],
        "name": "Structural Welding, Level 1",
        "credentialSubject": {"id": "did:example:ada", "name": "Ada"},
        **more,
    }


def presentation(*credentials: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A presentation that no one has signed."""
    inside = {"verifiableCredential": [*credentials]} if credentials else {}
    return {"@context": [V2], "type": ["VerifiablePresentation"], **inside, **more}
