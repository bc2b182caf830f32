"""eddsa-jcs-2022: Ed25519 over the canonical JSON of a document (VC Data Integrity EdDSA 1.0 §3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.suite import (
    ED25519,
    UnsecuredDocument,
    check_created,
    combined_hash,
    decode_proof_value,
    encode_proof_value,
    jcs,
    malformed,
)
from protocols.credentials.data_integrity.terms import DATA_INTEGRITY_CONTEXTS
from protocols.credentials.model import as_list
from protocols.multiformats import Multicodec

__all__ = ["EddsaJcs2022"]


@dataclass(frozen=True, slots=True)
class EddsaJcs2022:
    """The suite; it has no state."""

    name: str = "eddsa-jcs-2022"
    proof_type: str = "DataIntegrityProof"
    contexts: tuple[str, ...] = DATA_INTEGRITY_CONTEXTS
    key_types: frozenset[Multicodec] = ED25519

    def prepare(self, document: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """The options with the document's context (§3.3.1), so that later proofs may add contexts of their own."""
        return {**options, "@context": document["@context"]} if "@context" in document else options

    def signed_bytes(self, unsecured: UnsecuredDocument, options: Mapping[str, Any]) -> bytes:
        """The hash data (§3.3.4).

        Where the options have a context, it stands for the document's, which has to begin with it (§3.3.2).
        """
        check_created(options)
        document: Mapping[str, Any] = unsecured.document
        if "@context" in options:
            signed = as_list(options["@context"])
            if as_list(document.get("@context"))[: len(signed)] != signed:
                raise malformed("the document's @context does not begin with the proof's")
            document = {**document, "@context": options["@context"]}
        return combined_hash(jcs(options), jcs(document))

    def seal(self, options: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
        """§3.3.1, last steps."""
        return encode_proof_value(options, signature)

    def open(self, proof: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """§3.3.2, first steps."""
        return decode_proof_value(proof)
