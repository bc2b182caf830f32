"""eddsa-rdfc-2022: Ed25519 over the canonical RDF of a document (VC Data Integrity EdDSA 1.0 §3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.suite import (
    ED25519,
    UnsecuredDocument,
    decode_proof_value,
    encode_proof_value,
    rdfc_hashes,
)
from protocols.credentials.data_integrity.terms import DATA_INTEGRITY_CONTEXTS
from protocols.multiformats import Multicodec

__all__ = ["EddsaRdfc2022"]


@dataclass(frozen=True, slots=True)
class EddsaRdfc2022:
    """The suite; it has no state."""

    name: str = "eddsa-rdfc-2022"
    proof_type: str = "DataIntegrityProof"
    contexts: tuple[str, ...] = DATA_INTEGRITY_CONTEXTS
    key_types: frozenset[Multicodec] = ED25519

    def prepare(self, _document: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """The options as they are: the document's context joins them only while they are made canonical."""
        return options

    def signed_bytes(self, unsecured: UnsecuredDocument, options: Mapping[str, Any]) -> bytes:
        """The hash data (§3.2.4)."""
        return rdfc_hashes(unsecured, options)

    def seal(self, options: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
        """§3.2.1, last steps."""
        return encode_proof_value(options, signature)

    def open(self, proof: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """§3.2.2, first steps."""
        return decode_proof_value(proof)
