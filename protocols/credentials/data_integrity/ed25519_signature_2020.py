"""Ed25519Signature2020: what eddsa-rdfc-2022 was before it had that name (VC Data Integrity EdDSA 1.0 §A).

Today's Aries peers make and read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.suite import (
    UnsecuredDocument,
    decode_proof_value,
    encode_proof_value,
    rdfc_hashes,
)
from protocols.credentials.data_integrity.terms import ED25519_2020_CONTEXTS

__all__ = ["Ed25519Signature2020"]


@dataclass(frozen=True, slots=True)
class Ed25519Signature2020:
    """The suite; it has no state."""

    name: str = "Ed25519Signature2020"
    proof_type: str = "Ed25519Signature2020"
    contexts: tuple[str, ...] = ED25519_2020_CONTEXTS

    def prepare(self, _document: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """The options as they are."""
        return options

    def signed_bytes(self, unsecured: UnsecuredDocument, options: Mapping[str, Any]) -> bytes:
        """The hash data."""
        return rdfc_hashes(unsecured, options)

    def seal(self, options: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
        """The options with a ``proofValue``."""
        return encode_proof_value(options, signature)

    def open(self, proof: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The options and the signature of ``proofValue``."""
        return decode_proof_value(proof)
