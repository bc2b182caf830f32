"""What a report of interoperability may show of a message."""

from __future__ import annotations

import base64
import json
from typing import Any

from protocols.didcomm.message import PlainMessage, Wire
from scripts.interop_peers.redaction import shown

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


def message(body: dict[str, Any]) -> PlainMessage:
    return PlainMessage("https://didcomm.org/some/1.0/thing", "an-id", "a-thread", None, body, wire=Wire.V1)


def test_secrets_and_persons_are_removed_wherever_they_stand() -> None:
    credential = {
        "credentialSubject": {"id": DID, "givenName": "Ada", "hobby": "chess", "achievement": {"name": "Welding"}},
        "proof": {"type": "Ed25519Signature2020", "proofValue": "zSECRET", "challenge": "SECRET"},
    }
    attached = base64.urlsafe_b64encode(json.dumps(credential).encode()).decode()
    body = {"offers~attach": [{"data": {"base64": attached}}], "comment": "For Ada", "did": DID}
    found = json.dumps(shown(message(body)))
    for hidden in ("SECRET", "Ada", "chess", DID):
        assert hidden not in found
    for kept in ("Welding", "Ed25519Signature2020", "a-thread", "did:key:z6Mkha"):
        assert kept in found


def test_what_is_attached_and_is_no_json_is_not_shown() -> None:
    attached = base64.b64encode(b"a photograph of Ada").decode()
    assert shown(message({"x~attach": {"data": {"base64": attached}}}))["x~attach"]["data"]["base64"] == "(removed)"
