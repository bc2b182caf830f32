"""Documents, contexts and the reference processor that the JSON-LD tests share."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from pyld import jsonld

from protocols.jsonld.contexts import BUNDLED, ContextStore
from tests.shared_data import SHARED

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
EXTRA = {EXAMPLES: {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}}}
V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
OB3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

_STORE = ContextStore(EXTRA)


def _load(url: str, _options: Any) -> dict[str, Any]:
    return {"contextUrl": None, "documentUrl": url, "document": copy.deepcopy(_STORE.get(url)), "tag": "static"}


def reference(document: Any) -> str:
    """The canonical form by pyld, which is not in safe mode."""
    options = {
        "algorithm": "URDNA2015",
        "format": "application/n-quads",
        "documentLoader": _load,
        "rdfDirection": "i18n-datatype",
    }
    result: str = jsonld.normalize(copy.deepcopy(document), options)
    return result


def shared_documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON-LD document, also inner ones, of the shared credentials, vectors and recorded messages."""
    for folder in ("credentials", "vectors/vc-di-eddsa", "vectors/vc-di-ecdsa", "wire/acapy"):
        for path in sorted((SHARED / folder).rglob("*.json")):
            found = list(_documents(json.loads(path.read_text())))
            for number, document in enumerate(found):
                yield f"{path.relative_to(SHARED)}#{number}", document


def _documents(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "@context" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _documents(member)


def open_badge() -> dict[str, Any]:
    """An Open Badges 3.0 record as a college would issue it."""
    return {
        "@context": [V2, OB3],
        "id": "urn:uuid:0e5bb1ab-5c1d-4bd5-9b56-1d1e3e54d8c6",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Welding, level 2",
        "issuer": {"id": "did:web:college.example", "type": ["Profile"], "name": "College"},
        "validFrom": "2026-01-02T03:04:05Z",
        "credentialSubject": {
            "id": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://college.example/achievements/welding-2",
                "type": ["Achievement"],
                "achievementType": "Certificate",
                "name": "Welding, level 2",
                "description": "Welds steel in all positions.",
                "criteria": {"narrative": "Passed the practical examination."},
                "alignment": [
                    {
                        "type": ["Alignment"],
                        "targetName": "Welders, Cutters, Solderers, and Brazers",
                        "targetUrl": "https://www.onetonline.org/link/summary/51-4121.00",
                        "targetFramework": "O*NET-SOC",
                        "targetCode": "51-4121.00",
                    }
                ],
            },
            "result": [{"type": ["Result"], "resultDescription": "urn:uuid:1", "value": "A"}],
        },
        "credentialStatus": {
            "id": "https://college.example/status/1#94567",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "94567",
            "statusListCredential": "https://college.example/status/1",
        },
    }


__all__ = ["BUNDLED", "EXAMPLES", "EXTRA", "OB3", "V1", "V2", "open_badge", "reference", "shared_documents"]
