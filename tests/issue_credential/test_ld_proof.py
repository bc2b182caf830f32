"""What may change from offer to request to credential, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import BadInput, PeerFault
from protocols.issue_credential.ld_proof import (
    LdProofVcDetail,
    credential_difference,
    request_difference,
    with_holder,
)
from tests.issue_credential.samples import HOLDER, credential, detail, signed

STATUS = {"type": "BitstringStatusListEntry", "statusListIndex": "7"}


def changed(base: LdProofVcDetail, *, options: dict[str, Any] | None = None, **fields: Any) -> LdProofVcDetail:
    return LdProofVcDetail(base.credential | fields, base.options | (options or {}))


def test_a_request_may_repeat_the_offer_or_name_the_holder_in_an_open_subject() -> None:
    assert request_difference(detail(), detail()) is None
    assert request_difference(detail(), with_holder(detail(), HOLDER)) is None


@pytest.mark.parametrize("subjects", [1, 2])
def test_a_list_of_subjects_is_open_only_where_there_is_one(subjects: int) -> None:
    listed = changed(detail(), credentialSubject=[{"type": "S"}] * subjects)
    named = with_holder(listed, HOLDER)
    assert (named.credential["credentialSubject"][0].get("id") == HOLDER) == (subjects == 1)
    forged = changed(listed, credentialSubject=[{"type": "S", "id": HOLDER}, *[{"type": "S"}] * (subjects - 1)])
    assert request_difference(listed, forged) == (None if subjects == 1 else "credentialSubject")


def test_the_holder_is_not_named_twice() -> None:
    bound = detail(subject_id=HOLDER)
    assert with_holder(bound, "did:example:other") == bound


@pytest.mark.parametrize(
    ("request_", "differing"),
    [
        (detail(subject_id="did:example:other"), "credentialSubject"),
        (detail(), "credentialSubject"),
        (changed(detail(subject_id=HOLDER), issuer="did:example:other"), "issuer"),
        (changed(detail(subject_id=HOLDER), validFrom="2020-01-01T00:00:00Z"), "validFrom"),
        (changed(detail(subject_id=HOLDER), options={"cryptosuite": "eddsa-jcs-2022"}), "options.cryptosuite"),
        (changed(detail(subject_id=HOLDER), options={"challenge": "abc"}), "options.challenge"),
        (changed(detail(subject_id=HOLDER), options={"unknown": 1}), "options.unknown"),
    ],
)
def test_a_request_that_changes_anything_else_is_told_by_the_property(
    request_: LdProofVcDetail, differing: str
) -> None:
    assert request_difference(detail(subject_id=HOLDER), request_) == differing


def test_the_default_purpose_and_nulls_say_the_same_as_silence() -> None:
    bare = LdProofVcDetail(credential(), {"proofType": "Ed25519Signature2020"})
    full = {"proofType": "Ed25519Signature2020", "proofPurpose": "assertionMethod", "domain": None}
    assert request_difference(bare, LdProofVcDetail(credential(), full)) is None


@pytest.mark.parametrize(("left", "right", "same"), [(1, 1.0, True), (1, True, False), (0, False, False)])
def test_numbers_are_compared_as_json_compares_them(left: Any, right: Any, same: bool) -> None:
    one = changed(detail(), evidence=[{"level": left}])
    other = changed(detail(), evidence=[{"level": right}])
    assert (request_difference(one, other) is None) == same


def test_the_issuer_may_add_an_id_a_date_and_the_status_that_was_announced() -> None:
    requested = changed(detail(), options={"credentialStatus": {"type": STATUS["type"]}})
    additions = {"id": "urn:uuid:1", "validFrom": "2026-02-02T00:00:00Z", "credentialStatus": [STATUS, STATUS]}
    assert credential_difference(requested, signed(requested, **additions)) is None


@pytest.mark.parametrize(
    ("additions", "differing"),
    [
        ({"credentialStatus": STATUS}, "credentialStatus"),
        ({"id": "no url"}, "id"),
        ({"validFrom": 7}, "validFrom"),
        ({"validUntil": "2027-01-01T00:00:00Z"}, "validUntil"),
        ({"@context": ["https://www.w3.org/ns/credentials/v2", "https://example.org/"]}, "@context"),
        ({"credentialSubject": {"id": "did:example:other"}}, "credentialSubject"),
    ],
)
def test_the_issuer_may_add_nothing_else(additions: dict[str, Any], differing: str) -> None:
    assert credential_difference(detail(), signed(detail(), **additions)) == differing


@pytest.mark.parametrize("status", [None, {"type": "Other"}, [STATUS, {"type": "Other"}], [STATUS, 7], []])
def test_an_announced_status_must_come_and_be_of_its_type(status: Any) -> None:
    requested = changed(detail(), options={"credentialStatus": {"type": STATUS["type"]}})
    additions = {} if status is None else {"credentialStatus": status}
    assert credential_difference(requested, signed(requested, **additions)) == "credentialStatus"


def test_a_status_in_the_offered_credential_itself_must_come_back_as_it_was() -> None:
    requested = changed(detail(), credentialStatus=STATUS)
    assert credential_difference(requested, signed(requested)) is None
    assert credential_difference(requested, signed(requested, credentialStatus=STATUS | {"statusListIndex": "8"}))


def test_a_date_cannot_be_added_to_a_vc_1_1_credential() -> None:
    requested = detail(version=1)
    assert credential_difference(requested, signed(requested, validFrom="2026-01-01T00:00:00Z")) == "validFrom"


@pytest.mark.parametrize(
    "proof",
    [
        None,
        [],
        "text",
        {"type": "Ed25519Signature2020"},
        {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"},
        {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "authentication"},
        {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "proofPurpose": "assertionMethod",
            "challenge": "x",
        },
    ],
)
def test_the_proof_must_be_as_the_options_say(proof: Any) -> None:
    assert credential_difference(detail(), credential() | {"proof": proof}) == "proof"


def test_of_several_proofs_one_must_be_as_asked() -> None:
    document = signed(detail())
    assert credential_difference(detail(), document | {"proof": [{"type": "Other"}, document["proof"]]}) is None


def test_a_date_of_the_proof_binds_where_it_was_asked_for() -> None:
    requested = changed(detail(), options={"created": "2026-02-02T00:00:00Z"})
    assert credential_difference(requested, signed(requested)) is None
    late = changed(detail(), options={"created": "2026-02-03T00:00:00Z"})
    assert credential_difference(late, signed(late)) == "proof"


BAD_CREDENTIALS: list[dict[str, Any]] = [
    {"@context": None},
    {"@context": ["https://example.org/"]},
    {"type": "Other"},
    {"issuer": 7},
    {"issuer": {"name": "no id"}},
    {"credentialSubject": None},
    {"credentialSubject": []},
    {"credentialSubject": "did:example:1"},
    {"credentialSubject": {"id": 7}},
    {"id": ""},
    {"proof": {}},
]


@pytest.mark.parametrize("fields", BAD_CREDENTIALS)
def test_a_credential_that_breaks_the_data_model_can_be_neither_offered_nor_received(fields: dict[str, Any]) -> None:
    broken = credential() | fields
    with pytest.raises(BadInput) as local:
        LdProofVcDetail.of(broken, proof_type="Ed25519Signature2020")
    assert local.value.code == "issue_credential.detail"
    with pytest.raises(PeerFault) as remote:
        LdProofVcDetail.from_json({"credential": broken, "options": {"proofType": "Ed25519Signature2020"}})
    assert remote.value.code == "issue_credential.malformed"


@pytest.mark.parametrize(
    "options",
    [
        None,
        [],
        {},
        {"proofType": 7},
        {"proofType": ""},
        {"proofType": "P", "domain": 7},
        {"proofType": "P", "challenge": "x" * 513},
        {"proofType": "P", "cryptosuite": "eddsa-rdfc-2022"},
        {"proofType": "P", "credentialStatus": "revocation"},
        {"proofType": "P", "credentialStatus": {}},
    ],
)
def test_options_that_are_not_of_rfc_0593_are_refused(options: Any) -> None:
    with pytest.raises(PeerFault) as refused:
        LdProofVcDetail.from_json({"credential": credential(), "options": options})
    assert refused.value.code == "issue_credential.malformed"


def test_a_vc_1_1_credential_needs_its_date() -> None:
    undated = {name: value for name, value in credential(version=1).items() if name != "issuanceDate"}
    with pytest.raises(BadInput):
        LdProofVcDetail.of(undated, proof_type="Ed25519Signature2020")


def test_a_data_integrity_proof_is_offered_with_its_suite() -> None:
    with pytest.raises(BadInput):
        LdProofVcDetail.of(credential(), proof_type="DataIntegrityProof")
