"""Ed25519Signature2020: what eddsa-rdfc-2022 was before it had that name (VC Data Integrity EdDSA 1.0 §A).

Today's Aries peers make and read it.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.credentials.data_integrity.eddsa_rdfc_2022 import EddsaRdfc2022
from protocols.credentials.data_integrity.terms import ED25519_2020_CONTEXTS

__all__ = ["Ed25519Signature2020"]


@dataclass(frozen=True, slots=True)
class Ed25519Signature2020(EddsaRdfc2022):
    """The same algorithms under a proof type, and with contexts, of its own."""

    name: str = "Ed25519Signature2020"
    proof_type: str = "Ed25519Signature2020"
    contexts: tuple[str, ...] = ED25519_2020_CONTEXTS
