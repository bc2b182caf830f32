"""What others have made: ACA-Py's recorded credential and presentation, and the samples of 1EdTech's validator."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.credentials.data_integrity import UnsecuredDocument, verify_proof
from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, Outcome
from protocols.jsonld.processor import DEFAULT
from protocols.keys import PublicKey
from tests.credentials.worlds import check_credential, check_presentation, codes, found
from tests.shared_data import shared_json

EXCHANGE = shared_json("wire/acapy/exchange.json")
SAMPLES = "credentials/1edtech/ob30"


def acapy_presentation() -> dict[str, Any]:
    (document,) = [
        entry["plaintext"]["presentations~attach"][0]["data"]["json"]
        for entry in EXCHANGE
        if "presentations~attach" in entry["plaintext"]
    ]
    return dict(document)


def test_acapys_presentation_and_the_credential_in_it_are_verified() -> None:
    document = acapy_presentation()
    policy = Policy(trust=TrustedIssuers({document["verifiableCredential"][0]["issuer"]}))
    result = check_presentation(document, challenge=document["proof"]["challenge"], domain=None, policy=policy)
    assert result.verified, [codes(result), *map(codes, result.credentials)]


def test_acapys_presentation_answers_its_own_challenge_only() -> None:
    result = check_presentation(acapy_presentation(), challenge="another", domain=None)
    assert codes(result) == {Check.HOLDER_BINDING: "holder.challenge"}


def test_acapys_credential_fails_with_one_word_changed() -> None:
    (credential,) = acapy_presentation()["verifiableCredential"]
    credential["credentialSubject"]["achievement"]["name"] = "Welding level 9"
    assert codes(check_credential(credential))[Check.PROOF] == "proof.invalid"


def sample(name: str) -> dict[str, Any]:
    return dict(shared_json(f"{SAMPLES}/{name}.json"))


def is_genuine(document: dict[str, Any]) -> bool:
    """Whether the proof holds under the key that the last part of its verification method writes out."""
    proofs = document["proof"] if isinstance(document["proof"], list) else [document["proof"]]
    (proof,) = [item for item in proofs if item["type"] == "DataIntegrityProof"]
    key = PublicKey.from_multikey(proof["verificationMethod"].rpartition("#")[2].rpartition(":")[2])
    bare = {name: value for name, value in document.items() if name != "proof"}
    return verify_proof(UnsecuredDocument(bare, DEFAULT), proof, key)


GENUINE = {
    "complete": True,
    "endorsement-valid": True,
    "simple": True,
    "simple-did-key-method": True,
    "simple-did-web-method": True,
    "simple-err-expired": True,
    "simple-err-issuer": True,
    "simple-err-proof-value": False,
    "simple-multiple-proofs": True,
}


@pytest.mark.parametrize(("name", "genuine"), GENUINE.items())
def test_the_proofs_of_1edtechs_samples_that_are_genuine_hold(name: str, genuine: bool) -> None:
    assert is_genuine(sample(name)) is genuine


def test_the_did_key_sample_has_a_good_proof_by_someone_who_is_not_its_issuer() -> None:
    result = check_credential(sample("simple-did-key-method"))
    assert found(result, Check.PROOF).outcome is Outcome.PASS
    assert codes(result)[Check.CONTROLLER] == "controller.not_issuer"
    assert not result.verified


@pytest.mark.parametrize(
    ("name", "check", "code"),
    [
        ("simple", Check.CONTROLLER, "controller.unresolvable"),
        ("simple-err-expired", Check.VALID_TIME, "time.expired"),
        ("simple-err-issuer", Check.STRUCTURE, "structure.issuer.missing"),
        ("simple-noproof", Check.PROOF, "proof.missing"),
        ("complete", Check.STATUS, "status.type_unsupported"),
    ],
)
def test_1edtechs_samples_are_refused_for_the_right_reason(name: str, check: Check, code: str) -> None:
    result = check_credential(sample(name))
    assert not result.verified
    assert found(result, check).code == code
