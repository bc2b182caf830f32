"""The suites over NIST curves: each curve in its place, sets and chains as with Ed25519, no ``created`` needed."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.credentials.data_integrity import CRYPTOSUITES, UnsecuredDocument
from protocols.credentials.data_integrity.suite import Selective
from protocols.credentials.verification import Check, Outcome
from protocols.jsonld.processor import DEFAULT
from protocols.keys import SoftwareSigner
from protocols.multiformats import multibase_decode, multibase_encode
from tests.credentials.worlds import (
    CREATED,
    ECDSA_SUITES,
    ISSUER_P256,
    ISSUER_P384,
    V1,
    check_credential,
    codes,
    did,
    found,
    issue,
    issue_with,
    record,
)

EACH = pytest.mark.parametrize("suite", ECDSA_SUITES)
EACH_CURVE = pytest.mark.parametrize("by", [ISSUER_P256, ISSUER_P384], ids=["P-256", "P-384"])


def of_version_1(by: SoftwareSigner) -> dict[str, Any]:
    dated = {name: item for name, item in record().items() if not name.startswith("valid")}
    contexts = [V1, *dated["@context"][1:], "https://w3id.org/security/data-integrity/v2"]
    return {**dated, "@context": contexts, "issuanceDate": "2026-01-01T00:00:00Z", "issuer": did(by)}


@EACH
@EACH_CURVE
def test_records_of_both_versions_of_the_data_model_verify(suite: str, by: SoftwareSigner) -> None:
    assert check_credential(issue_with(suite, record(), by=by)).verified
    result = check_credential(issue(of_version_1(by), by=by, suite=suite))
    assert result.verified, codes(result)


@EACH
@EACH_CURVE
def test_a_proof_is_as_long_as_the_curve_says_and_the_same_each_time(suite: str, by: SoftwareSigner) -> None:
    values = {issue_with(suite, record(), by=by)["proof"]["proofValue"] for _ in range(2)}
    (value,) = values
    assert len(multibase_decode(value)) == (64 if by is ISSUER_P256 else 96)


@EACH
@EACH_CURVE
def test_a_changed_signature_or_one_of_another_length_does_not_hold(suite: str, by: SoftwareSigner) -> None:
    signed = issue_with(suite, record(), by=by)
    raw = multibase_decode(signed["proof"]["proofValue"])
    for other in (raw[:-1] + bytes([raw[-1] ^ 1]), bytes(len(raw)), raw[1:], raw + b"\x00", raw * 2):
        proof = {**signed["proof"], "proofValue": multibase_encode(other)}
        assert codes(check_credential({**signed, "proof": proof})).keys() == {Check.PROOF}


@EACH
def test_a_key_of_one_curve_does_not_verify_what_one_of_the_other_signed(suite: str) -> None:
    signed = issue_with(suite, record(), by=ISSUER_P256)
    claimed = {**signed["proof"], "verificationMethod": ISSUER_P384.verification_method}
    result = check_credential({**signed, "proof": claimed})
    assert found(result, Check.PROOF).code == "proof.malformed"


@EACH
@EACH_CURVE
def test_a_proof_needs_no_created(suite: str, by: SoftwareSigner) -> None:
    unsigned = record(issuer=did(by))
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "verificationMethod": by.verification_method,
        "proofPurpose": "assertionMethod",
    }
    chosen = CRYPTOSUITES[suite]
    assert not isinstance(chosen, Selective)
    proof = chosen.create(UnsecuredDocument(unsigned, DEFAULT), options, by)
    result = check_credential({**unsigned, "proof": proof})
    assert result.verified, codes(result)


@EACH
def test_a_chain_over_both_curves_holds_and_falls_with_its_first_link(suite: str) -> None:
    first = issue_with(suite, record(), by=ISSUER_P256, proof_id="urn:uuid:1")
    chain = issue(first, by=ISSUER_P384, suite=suite, previous_proof="urn:uuid:1")
    assert check_credential(chain).verified
    alone = {**chain, "proof": chain["proof"][1]}
    assert found(check_credential(alone), Check.PROOF).code == "proof.previous_missing"
    later = {**chain["proof"][0], "created": CREATED.replace(year=2025).isoformat()}
    broken = {**chain, "proof": [later, chain["proof"][1]]}
    assert found(check_credential(broken), Check.PROOF).outcome is Outcome.FAIL
