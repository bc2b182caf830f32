"""What is offered, applied for and issued by Credential Manifest: two records (no signature is looked at)."""

from __future__ import annotations

from typing import Any

from protocols.issue_credential.ld_proof import LdProofVcDetail
from protocols.issue_credential.manifest import Manifest, build_application, build_manifest
from tests.issue_credential.samples import HOLDER, credential, detail

OFFERED = tuple(LdProofVcDetail.of_preview(credential(credential_id=f"urn:uuid:{n}")) for n in (1, 2))
MANIFEST = build_manifest(
    [detail(), detail()], manifest_id="m", issuer_name="College", challenge="c", domain="https://college.example"
)
ASKING = Manifest(content={**MANIFEST.content, "presentation_definition": {"id": "d"}}, challenge="c")
APPLICATION = build_application(MANIFEST, application_id="a", holder=HOLDER)
SIGNED: tuple[dict[str, Any], ...] = tuple(
    {**one.credential, "proof": {"type": "Ed25519Signature2018"}} for one in OFFERED
)
