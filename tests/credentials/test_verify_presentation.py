"""A presentation is verified only for its own challenge and domain, by the subject of all the records in it."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.credentials.verification import Check, Outcome
from tests.credentials.worlds import (
    HOLDER,
    ISSUER,
    LIST_URL,
    STRANGER,
    SUITES,
    V2,
    Lists,
    check_presentation,
    codes,
    did,
    found,
    issue,
    present,
    record,
    status_list,
    with_status,
)

ORDER = [
    Check.STRUCTURE, Check.CONTEXT, Check.PROOF, Check.PROOF_PURPOSE, Check.CONTROLLER, Check.VALID_TIME,
    Check.HOLDER_BINDING,
]  # fmt: skip


@pytest.mark.parametrize("suite", SUITES)
def test_a_good_presentation_is_verified_with_each_record_in_it(suite: str) -> None:
    result = check_presentation(present(issue(record()), issue(record(id="urn:uuid:2"), suite=suite), suite=suite))
    assert result.verified, [codes(result), *map(codes, result.credentials)]
    assert [item.check for item in result.checks] == ORDER
    assert (result.kind, result.holder) == ("presentation", did(HOLDER))
    assert [item.issuer for item in result.credentials] == [did(ISSUER)] * 2


def test_a_replay_to_another_challenge_or_domain_fails() -> None:
    presented = present(issue(record()))
    other_challenge = check_presentation(presented, challenge="c-2")
    assert codes(other_challenge) == {Check.HOLDER_BINDING: "holder.challenge"}
    other_domain = check_presentation(presented, domain="thief.example")
    assert codes(other_domain) == {Check.HOLDER_BINDING: "holder.domain"}
    assert not other_challenge.verified and not other_domain.verified


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", ["challenge", "domain"])
def test_rewriting_what_a_presentation_answers_breaks_its_proof(suite: str, name: str) -> None:
    presented = present(issue(record()), suite=suite)
    presented["proof"] = {**presented["proof"], name: "other"}
    expected: dict[str, Any] = {name: "other"}
    result = check_presentation(presented, **expected)
    assert codes(result) == {Check.PROOF: "proof.invalid"}


def test_a_presentation_without_the_challenge_or_domain_that_was_asked_fails() -> None:
    assert codes(check_presentation(present(issue(record()), challenge=None)))[Check.HOLDER_BINDING]
    assert codes(check_presentation(present(issue(record()), domain=None)))[Check.HOLDER_BINDING]


def test_more_domains_than_the_one_asked_fail() -> None:
    presented = present(issue(record()))
    presented["proof"] = {**presented["proof"], "domain": ["employer.example", "thief.example"]}
    assert codes(check_presentation(presented))[Check.HOLDER_BINDING] == "holder.domain"


def test_where_no_challenge_was_asked_holder_binding_stays_open() -> None:
    result = check_presentation(present(issue(record())), challenge=None, domain=None)
    assert not result.verified
    assert codes(result, outcome=Outcome.NOT_CHECKED) == {Check.HOLDER_BINDING: "holder.no_challenge"}


def test_a_record_about_someone_else_fails() -> None:
    presented = present(issue(record()), by=STRANGER)
    assert codes(check_presentation(presented)) == {Check.HOLDER_BINDING: "holder.not_subject"}


def test_a_record_that_names_no_subject_is_not_bound_to_the_holder() -> None:
    subject = {"type": ["AchievementSubject"]}
    result = check_presentation(present(issue(record(credentialSubject=subject))))
    assert not result.verified
    assert found(result, Check.HOLDER_BINDING).code == "holder.subject_unnamed"


def test_a_presentation_signed_by_another_than_its_holder_fails() -> None:
    presented = present(issue(record()), by=STRANGER, holder=did(HOLDER))
    assert codes(check_presentation(presented)) == {Check.CONTROLLER: "controller.not_holder"}


def test_without_a_holder_the_signer_is_the_holder() -> None:
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [issue(record())]}
    options: dict[str, Any] = {"purpose": "authentication", "challenge": "c-1", "domain": "employer.example"}
    good = check_presentation(issue(document, by=HOLDER, **options))
    assert good.verified and good.holder == did(HOLDER)
    thief = check_presentation(issue(document, by=STRANGER, **options))
    assert codes(thief) == {Check.HOLDER_BINDING: "holder.not_subject"}


def test_a_proof_for_asserting_does_not_authenticate() -> None:
    presented = present(issue(record()), purpose="assertionMethod")
    assert codes(check_presentation(presented)) == {Check.PROOF_PURPOSE: "purpose.wrong"}


def test_an_unsigned_presentation_fails() -> None:
    presented = {name: value for name, value in present(issue(record())).items() if name != "proof"}
    assert codes(check_presentation(presented))[Check.PROOF] == "proof.missing"
    assert found(check_presentation(presented), Check.HOLDER_BINDING).outcome is not Outcome.PASS


def test_one_bad_record_makes_the_whole_not_verified() -> None:
    revoked = issue(with_status("revocation"))
    result = check_presentation(present(issue(record()), revoked), lists=Lists({LIST_URL: status_list(7)}))
    assert not result.verified
    assert [item.verified for item in result.credentials] == [True, False]
    assert codes(result.credentials[1]) == {Check.STATUS: "status.revoked"}


def test_a_record_changed_inside_a_presentation_fails_in_the_record() -> None:
    changed = {**issue(record()), "name": "Welding, level 9"}
    result = check_presentation(present(changed))
    assert codes(result.credentials[0]) == {Check.PROOF: "proof.invalid"}
    assert not result.verified


def test_something_else_than_an_object_among_the_records_breaks_the_structure() -> None:
    presented = {**present(issue(record())), "verifiableCredential": ["eyJhbGciOiJFZERTQSJ9.e30."]}
    result = check_presentation(presented)
    assert codes(result) == {Check.STRUCTURE: "structure.verifiableCredential.object"}
    assert not result.verified


def test_the_result_as_json_names_everything() -> None:
    shown = check_presentation(present(issue(record()))).to_json()
    assert shown["verified"] is True
    assert [item["check"] for item in shown["checks"]] == [check.value for check in ORDER]
    assert shown["credentials"][0]["issuer"] == did(ISSUER)
