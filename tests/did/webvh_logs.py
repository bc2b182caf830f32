"""Makes did:webvh logs with the DIF's library, so that what lernode reads was written by others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from did_webvh.askar import AskarSigningKey
from did_webvh.core.proof import di_jcs_sign
from did_webvh.core.state import DocumentState

from protocols.keys import KeyPair

START = datetime(2025, 12, 1, tzinfo=UTC)


def signing_key(name: int) -> AskarSigningKey:
    return AskarSigningKey.from_secret_bytes("ed25519", bytes([name]) * 32)


FIRST, SECOND, THIRD = (signing_key(n) for n in (1, 2, 3))
ISSUER = KeyPair.from_seed(bytes([9]) * 32)


def key_hash(key: AskarSigningKey) -> str:
    made = DocumentState.initial({"updateKeys": []}, {"id": "did:webvh:{SCID}:a.example"})
    return str(made.generate_next_key_hash(str(key.multikey)))


class Log:
    """A log under construction; each entry an hour after the one before."""

    def __init__(self, place: str = "college.example", *, signer: AskarSigningKey = FIRST, **parameters: Any) -> None:
        did = "did:webvh:{SCID}:" + place
        method = {
            "id": f"{did}#key-1", "type": "Multikey", "controller": did, "publicKeyMultibase": ISSUER.multikey,
        }  # fmt: skip
        document = {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": did, "verificationMethod": [method], "assertionMethod": [f"{did}#key-1"],
        }  # fmt: skip
        parameters = {"updateKeys": [str(FIRST.multikey)], **parameters}
        self.state = DocumentState.initial(parameters, document, START)
        self.state.sign(signer, timestamp=START)
        self.entries: list[dict[str, Any]] = [self.state.history_line()]

    def add(self, signer: AskarSigningKey = FIRST, document: dict[str, Any] | None = None, **parameters: Any) -> Log:
        time = START + timedelta(hours=len(self.entries))
        self.state = self.state.create_next(document=document, params_update=parameters, timestamp=time)
        self.state.sign(signer, timestamp=time)
        self.entries.append(self.state.history_line())
        return self

    @property
    def did(self) -> str:
        return str(self.state.document["id"])

    @property
    def version_ids(self) -> list[str]:
        return [entry["versionId"] for entry in self.entries]

    @property
    def body(self) -> bytes:
        return b"".join(json.dumps(entry).encode() + b"\n" for entry in self.entries)


def witness_id(key: AskarSigningKey) -> dict[str, str]:
    return {"id": f"did:key:{key.multikey}"}


def witness_file(*proofs: tuple[str, AskarSigningKey], **changes: Any) -> bytes:
    """Proofs of witnesses, each for a version."""
    return json.dumps(
        [
            {"versionId": version, "proof": [{**di_jcs_sign({"versionId": version}, key), **changes}]}
            for version, key in proofs
        ]
    ).encode()
