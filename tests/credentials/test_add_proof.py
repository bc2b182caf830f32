"""Adding proofs: the terms a proof needs come with it, and what nobody could verify is not signed."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.credentials.data_integrity import CRYPTOSUITES
from protocols.errors import BadInput
from protocols.keys import SoftwareSigner
from tests.credentials.worlds import (
    ECDSA_SUITES,
    ISSUER,
    ISSUER_P256,
    OB,
    SUITES,
    V2,
    check_credential,
    codes,
    issue,
    issue_with,
    issuer_for,
    record,
)


def test_the_suites_are_known_by_their_own_names() -> None:
    assert set(CRYPTOSUITES) == {*SUITES, *ECDSA_SUITES, "ecdsa-sd-2023"}
    assert all(suite.name == name for name, suite in CRYPTOSUITES.items())


@pytest.mark.parametrize(
    ("suite", "context"),
    [
        ("eddsa-rdfc-2022", None),
        ("eddsa-jcs-2022", None),
        ("Ed25519Signature2020", "https://w3id.org/security/suites/ed25519-2020/v1"),
        ("Ed25519Signature2018", "https://w3id.org/security/suites/ed25519-2018/v1"),
    ],
)
def test_the_context_that_defines_a_proof_is_added_where_it_is_missing(suite: str, context: str | None) -> None:
    signed = issue(record(), suite=suite)
    assert signed["@context"] == [V2, OB, *([context] if context else [])]
    assert issue(signed, suite=suite)["@context"] == signed["@context"]


def test_the_jcs_suite_keeps_the_context_in_the_proof() -> None:
    signed = issue(record(), suite="eddsa-jcs-2022")
    assert signed["proof"]["@context"] == signed["@context"]


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        issue(record(), suite="ecdsa-rdfc-2000")
    assert caught.value.code == "proof.suite_unknown"


@pytest.mark.parametrize(("suite", "by"), [("ecdsa-rdfc-2019", ISSUER), ("eddsa-jcs-2022", ISSUER_P256)])
def test_a_key_of_another_kind_than_the_suites_is_refused(suite: str, by: SoftwareSigner) -> None:
    with pytest.raises(BadInput) as caught:
        issue_with(suite, record(), by=by)
    assert caught.value.code == "proof.key_type"


def test_a_chain_needs_the_proof_that_it_builds_on() -> None:
    with pytest.raises(BadInput) as caught:
        issue(issue(record()), previous_proof="urn:uuid:none")
    assert caught.value.code == "proof.previous_missing"


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    "changes",
    [
        {"invented": "x"},
        {"https://schema.org/name": "x"},
        {"description": None},
        {"evidence": []},
        {"@context": [V2, OB, {"invented": "https://a.example/other"}]},
        {"@context": [V2, OB, {"narrative": "https://a.example/narrative"}]},
        {"@context": [V2, "https://nobody.example/context"]},
    ],
)
def test_what_nobody_could_verify_is_not_signed(suite: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        issue_with(suite, record(**changes))


def test_a_number_that_has_no_canonical_json_is_refused() -> None:
    subject = {**record()["credentialSubject"], "creditsEarned": 2**60}
    with pytest.raises(BadInput) as caught:
        issue(record(credentialSubject=subject), suite="eddsa-jcs-2022")
    assert caught.value.code == "proof.not_canonical"


def test_a_set_of_different_suites_is_verified() -> None:
    signed = record()
    for suite in (*SUITES, *ECDSA_SUITES):
        signed = issue(signed, suite=suite, by=issuer_for(suite))
    result = check_credential(signed)
    assert len(signed["proof"]) == len({*SUITES, *ECDSA_SUITES})
    assert result.verified, codes(result)
