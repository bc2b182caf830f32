"""What others have made: ACA-Py's recorded credential and presentation, and the samples of 1EdTech's validator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.credentials.data_integrity import UnsecuredDocument, verify_proof
from protocols.credentials.model import as_list
from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, Outcome
from protocols.did import https_controller
from protocols.jsonld.processor import DEFAULT
from protocols.keys import PublicKey
from protocols.status.source import StatusListCopy
from tests.credentials.worlds import NOW, Dids, Lists, check_credential, check_presentation, codes, found
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


def answering(document: dict[str, Any]) -> tuple[Dids, Policy]:
    """As if the server of its issuer gave the controller document with the key that the proof names; it is believed."""
    issuer: str = document["issuer"]["id"]
    (proof,) = [item for item in as_list(document["proof"]) if item["type"] == "DataIntegrityProof"]
    name: str = proof["verificationMethod"]
    method = {"id": name, "type": "Multikey", "controller": issuer, "publicKeyMultibase": name.rpartition("#")[2]}
    body = json.dumps({"id": issuer, "verificationMethod": [method], "assertionMethod": [name]}).encode()
    known = https_controller.read(issuer, [body], now=NOW).current()
    return Dids({issuer: known}), Policy(trust=TrustedIssuers({issuer}))


def revocations(document: dict[str, Any], *revoked: str) -> Lists:
    """As if the server of its issuer gave the list that the sample names."""
    url: str = document.get("credentialStatus", {}).get("id", "https://1edtech.edu/none")
    listed = {"id": url, "issuer": document["issuer"]["id"], "revokedCredential": [{"id": name} for name in revoked]}
    return Lists({url: StatusListCopy(listed, NOW, False)})


@pytest.mark.parametrize("name", ["complete", "simple", "endorsement-valid"])
def test_1edtechs_good_samples_are_verified_where_their_issuers_answer(name: str) -> None:
    document = sample(name)
    dids, policy = answering(document)
    result = check_credential(document, dids=dids, policy=policy, lists=revocations(document))
    assert result.verified, codes(result)


def test_1edtechs_complete_sample_is_refused_once_its_issuer_revokes_it() -> None:
    document = sample("complete")
    dids, policy = answering(document)
    result = check_credential(document, dids=dids, policy=policy, lists=revocations(document, document["id"]))
    assert codes(result)[Check.STATUS] == "status.revoked"
    assert not result.verified


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("simple-err-proof-value", {Check.PROOF: "proof.invalid"}),
        ("simple-err-expired", {Check.VALID_TIME: "time.expired"}),
    ],
)
def test_1edtechs_bad_samples_are_refused_for_what_their_names_say_and_nothing_else(
    name: str, wrong: dict[Check, str]
) -> None:
    document = sample(name)
    dids, policy = answering(document)
    result = check_credential(document, dids=dids, policy=policy)
    assert not result.verified
    assert {check: code for check, code in codes(result).items() if check in result.required} == wrong


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
        ("complete", Check.STATUS, "status.unreachable"),
    ],
)
def test_1edtechs_samples_are_refused_for_the_right_reason(name: str, check: Check, code: str) -> None:
    result = check_credential(sample(name))
    assert not result.verified
    assert found(result, check).code == code
