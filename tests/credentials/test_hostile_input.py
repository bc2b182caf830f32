"""Verification returns for anything at all, and what it cannot read it does not believe."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.credentials import model
from protocols.credentials.verification import Check, VerificationResult
from tests.credentials.worlds import (
    HOLDER,
    V2,
    check_credential,
    check_presentation,
    did,
    found,
    issue,
    present,
    record,
)

QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.sampled_from(
    ["@context", "id", "type", "issuer", "credentialSubject", "proof", "credentialStatus", "validFrom", "validUntil",
     "verifiableCredential", "holder", "@graph", "@id", "name", "statusListCredential", "proofValue", "cryptosuite",
     "verificationMethod", "proofPurpose", "previousProof", "created", "@value"]
)  # fmt: skip
WORDS = st.sampled_from(
    [V2, "VerifiableCredential", "VerifiablePresentation", "DataIntegrityProof", "eddsa-rdfc-2022", "eddsa-jcs-2022",
     "assertionMethod", did(HOLDER), HOLDER.verification_method, "2026-01-01T00:00:00Z", "_:b0", "", "did:", "\ud800"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)
GOOD = issue(record())
PRESENTED = present(GOOD)


def assert_unverified(result: VerificationResult) -> None:
    assert not result.verified
    result.to_json()


@QUICK
@given(JSON)
def test_any_json_gives_an_unverified_result(value: Any) -> None:
    assert_unverified(check_credential(value))
    assert_unverified(check_presentation(value))


@QUICK
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_text_gives_an_unverified_result(value: bytes | str) -> None:
    assert_unverified(check_credential(value))
    assert_unverified(check_presentation(value))


@QUICK
@given(st.sampled_from(sorted(GOOD)), JSON)
def test_any_value_in_place_of_a_part_of_a_record_gives_a_result(name: str, value: Any) -> None:
    check_credential({**GOOD, name: value}).to_json()


@QUICK
@given(st.sampled_from(sorted(GOOD["proof"])), JSON)
def test_any_value_in_place_of_a_part_of_a_proof_gives_an_unverified_result(name: str, value: Any) -> None:
    if value != GOOD["proof"][name]:
        assert_unverified(check_credential({**GOOD, "proof": {**GOOD["proof"], name: value}}))


@QUICK
@given(st.sampled_from(sorted(PRESENTED)), JSON)
def test_any_value_in_place_of_a_part_of_a_presentation_gives_a_result(name: str, value: Any) -> None:
    check_presentation({**PRESENTED, name: value}).to_json()


@QUICK
@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_readers_of_the_model_never_raise(document: dict[str, Any]) -> None:
    for read in (
        model.version_of, model.issuer_id, model.holder_id, model.subject_ids, model.status_entries, model.proofs_of,
        model.credentials_of, model.alignments, model.is_presentation, model.types_of,
    ):  # fmt: skip
        read(document)


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(depth):
        inner = {"a": inner}
    return inner


def cyclic() -> dict[str, Any]:
    inner: dict[str, Any] = {}
    inner["a"] = inner
    return inner


@pytest.mark.parametrize(
    "value",
    [
        nested(70), nested(100_000), cyclic(), {"a": {1, 2}}, {"a": b"x"}, {"a": float("nan")}, {"a": 10**5000},
        {"a": "x" * (1 << 20)}, b'{"a":1,"a":2}', b"\xff", "[]", "null", None, 5, [], bytearray(b"{}"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_bounded_json_object_fails_by_its_structure(value: Any) -> None:
    for result in (check_credential(value), check_presentation(value)):
        assert_unverified(result)
        assert found(result, Check.STRUCTURE).code.startswith(("json.", "structure."))


def test_verifying_leaves_the_given_document_as_it_was() -> None:
    presented = present(GOOD)
    before = copy.deepcopy(presented)
    check_presentation(presented)
    assert presented == before


def test_too_many_proofs_or_records_are_refused_before_any_work() -> None:
    many = check_credential({**GOOD, "proof": [GOOD["proof"]] * 17})
    assert found(many, Check.STRUCTURE).code == "structure.proof.many"
    crowd = check_presentation({**PRESENTED, "verifiableCredential": [{}] * 129})
    assert found(crowd, Check.STRUCTURE).code == "structure.verifiableCredential.many"
