"""The cryptosuites that lernode knows. A new one is one line here, and one file where it is of a new kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.credentials.data_integrity.ecdsa_sd_2023 import EcdsaSd2023
from protocols.credentials.data_integrity.ed25519_signature_2018 import Ed25519Signature2018
from protocols.credentials.data_integrity.hash_pair import ECDSA, ED25519
from protocols.credentials.data_integrity.jcs import JcsSuite
from protocols.credentials.data_integrity.rdfc import RdfcSuite
from protocols.credentials.data_integrity.suite import Selective, WholeDocument
from protocols.credentials.data_integrity.terms import ED25519_2018_CONTEXTS, ED25519_2020_CONTEXTS
from protocols.errors import BadInput

__all__ = ["CRYPTOSUITES", "suite_named", "suite_of"]

CRYPTOSUITES: dict[str, WholeDocument | Selective] = {
    suite.name: suite
    for suite in (
        RdfcSuite("eddsa-rdfc-2022", ED25519),
        JcsSuite("eddsa-jcs-2022", ED25519),
        RdfcSuite("Ed25519Signature2020", ED25519, "Ed25519Signature2020", ED25519_2020_CONTEXTS),
        Ed25519Signature2018("Ed25519Signature2018", ED25519, "Ed25519Signature2018", ED25519_2018_CONTEXTS),
        RdfcSuite("ecdsa-rdfc-2019", ECDSA),
        JcsSuite("ecdsa-jcs-2019", ECDSA),
        EcdsaSd2023(),
    )
}
"""Name of the cryptosuite, or of the proof type where the type is the suite -> the suite."""


def suite_named(name: str) -> WholeDocument | Selective:
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


def suite_of(proof: Mapping[str, Any]) -> WholeDocument | Selective | None:
    """The suite that a proof was made with, or ``None`` where lernode does not know it."""
    kind = proof.get("type")
    name = proof.get("cryptosuite") if kind == "DataIntegrityProof" else kind
    suite = CRYPTOSUITES.get(name) if isinstance(name, str) else None
    return suite if suite is not None and suite.proof_type == kind else None
