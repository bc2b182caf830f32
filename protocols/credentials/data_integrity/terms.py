"""The contexts that define the terms of proofs, one tuple a proof type; the first is the one to add."""

from __future__ import annotations

from protocols.credentials.model import CONTEXT_V1, CONTEXT_V2

__all__ = ["DATA_INTEGRITY_CONTEXTS", "ED25519_2018_CONTEXTS", "ED25519_2020_CONTEXTS"]

DATA_INTEGRITY_CONTEXTS = ("https://w3id.org/security/data-integrity/v2", CONTEXT_V2)
ED25519_2020_CONTEXTS = ("https://w3id.org/security/suites/ed25519-2020/v1",)
ED25519_2018_CONTEXTS = ("https://w3id.org/security/suites/ed25519-2018/v1", CONTEXT_V1)
