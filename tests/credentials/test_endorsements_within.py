"""Endorsements that stand in a record: each verified by itself, and the record does not rest on them."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.credentials.verify import MAX_ENDORSEMENTS
from tests.credentials.worlds import (
    ISSUER,
    STRANGER,
    check_credential,
    check_presentation,
    did,
    endorsement,
    found,
    issue,
    present,
    record,
)

ACHIEVEMENT = record()["credentialSubject"]["achievement"]["id"]


def good(of: str, number: int = 1) -> dict[str, Any]:
    return issue(endorsement(of, id=f"urn:uuid:endorsement-{number}"), by=STRANGER)


def endorsed(*of_achievement: Any, of_record: Any = None, of_issuer: Any = None) -> dict[str, Any]:
    document = record()
    if of_achievement:
        document["credentialSubject"]["achievement"]["endorsement"] = list(of_achievement)
    if of_record:
        document["endorsement"] = of_record
    if of_issuer:
        document["issuer"]["endorsement"] = of_issuer
    return issue(document, suite="eddsa-jcs-2022")


def verified(document: dict[str, Any]) -> VerificationResult:
    result = check_credential(document)
    assert result.verified, result
    return result


def test_those_of_record_achievement_and_issuer_are_verified_and_told() -> None:
    other = "https://college.example/achievements/steel"
    inner = verified(endorsed(good(ACHIEVEMENT), of_record=good(other, 3), of_issuer=good(did(ISSUER), 2))).credentials
    assert sorted(each.endorses for each in inner) == sorted([(ACHIEVEMENT,), (did(ISSUER),), (other,)])
    assert [each.verified for each in inner] == [True] * 3
    assert {found(each, Check.ISSUER_TRUSTED).code for each in inner} == {"trust.endorser"}


@pytest.mark.parametrize(
    ("wrong", "check", "code"),
    [
        ({**good(ACHIEVEMENT), "name": "The best"}, Check.PROOF, "proof.invalid"),
        (endorsement(ACHIEVEMENT), Check.PROOF, "proof.missing"),
        ({"id": "urn:uuid:2", "type": "Profile"}, Check.STRUCTURE, "structure.context.first"),
    ],
)
def test_one_that_does_not_hold_is_told_and_takes_nothing_from_the_record(wrong: Any, check: Check, code: str) -> None:
    whole = endorsed(good(ACHIEVEMENT), wrong)
    first, second = sorted(verified(whole).credentials, key=lambda each: each.verified)
    assert (first.verified, second.verified) == (False, True)
    assert (found(first, check).outcome, found(first, check).code) == (Outcome.FAIL, code)
    shown = check_presentation(present(whole, suite="eddsa-jcs-2022"))
    assert shown.verified
    assert [len(each.credentials) for each in shown.credentials] == [2]


def test_good_ones_make_no_changed_record_good() -> None:
    changed = {**endorsed(good(ACHIEVEMENT)), "name": "Welding, level 9"}
    result = check_credential(changed)
    assert (result.verified, [each.verified for each in result.credentials]) == (False, [True])


def test_those_after_so_many_are_not_looked_at_and_those_of_endorsements_neither() -> None:
    many = verified(
        endorsed(*({"id": f"urn:uuid:{each}", "type": "Profile"} for each in range(MAX_ENDORSEMENTS + 3)))
    ).credentials
    assert len(many) == MAX_ENDORSEMENTS + 1
    assert found(many[-1], Check.STRUCTURE).code == "structure.too_many"
    nested = issue(endorsement(ACHIEVEMENT, endorsement=[good(ACHIEVEMENT)]), by=STRANGER)
    (only,) = verified(endorsed(nested)).credentials
    assert only.credentials == ()
