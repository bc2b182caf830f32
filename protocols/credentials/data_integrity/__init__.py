"""VC Data Integrity 1.0: proofs embedded in a document, one file a kind of cryptosuite."""

from __future__ import annotations

from protocols.credentials.data_integrity.proofs import add_proof, base_proof, derive_proof, verify_proof
from protocols.credentials.data_integrity.registry import CRYPTOSUITES
from protocols.credentials.data_integrity.suite import Cryptosuite, Selective, UnsecuredDocument

__all__ = [
    "CRYPTOSUITES", "Cryptosuite", "Selective", "UnsecuredDocument", "add_proof", "base_proof", "derive_proof",
    "verify_proof",
]  # fmt: skip
