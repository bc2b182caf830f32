"""The cryptosuites that lernode knows. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.credentials.data_integrity.ed25519_signature_2018 import Ed25519Signature2018
from protocols.credentials.data_integrity.ed25519_signature_2020 import Ed25519Signature2020
from protocols.credentials.data_integrity.eddsa_jcs_2022 import EddsaJcs2022
from protocols.credentials.data_integrity.eddsa_rdfc_2022 import EddsaRdfc2022
from protocols.credentials.data_integrity.suite import Cryptosuite
from protocols.errors import BadInput

__all__ = ["CRYPTOSUITES", "suite_named", "suite_of"]

CRYPTOSUITES: dict[str, Cryptosuite] = {
    "eddsa-rdfc-2022": EddsaRdfc2022(),
    "eddsa-jcs-2022": EddsaJcs2022(),
    "Ed25519Signature2020": Ed25519Signature2020(),
    "Ed25519Signature2018": Ed25519Signature2018(),
}
"""Name of the cryptosuite, or of the proof type where the type is the suite -> the suite."""


def suite_named(name: str) -> Cryptosuite:
    """The suite of that name.

    Raises:
        BadInput: ``proof.suite_unknown``.
    """
    if name not in CRYPTOSUITES:
        raise BadInput(
            "proof.suite_unknown",
            "There is no cryptosuite of that name.",
            f"Use one of {', '.join(CRYPTOSUITES)}.",
        )
    return CRYPTOSUITES[name]


def suite_of(proof: Mapping[str, Any]) -> Cryptosuite | None:
    """The suite that a proof was made with, or ``None`` where lernode does not know it."""
    kind = proof.get("type")
    name = proof.get("cryptosuite") if kind == "DataIntegrityProof" else kind
    suite = CRYPTOSUITES.get(name) if isinstance(name, str) else None
    return suite if suite is not None and suite.proof_type == kind else None
