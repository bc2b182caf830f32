"""VC Data Integrity 1.0: proofs embedded in a document, one file a cryptosuite."""

from __future__ import annotations

from protocols.credentials.data_integrity.proofs import add_proof, verify_proof
from protocols.credentials.data_integrity.registry import CRYPTOSUITES
from protocols.credentials.data_integrity.suite import Cryptosuite, UnsecuredDocument

__all__ = ["CRYPTOSUITES", "Cryptosuite", "UnsecuredDocument", "add_proof", "verify_proof"]
