"""Endorsements that go along with the records of a presentation: what is one, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.credentials.verification import Check, Outcome
from tests.credentials.worlds import (
    HOLDER,
    ISSUER,
    STRANGER,
    check_credential,
    check_presentation,
    endorsement,
    found,
    issue,
    present,
    record,
)

RECORD = record()


def test_it_is_verified_by_itself_and_who_endorses_is_for_the_reader_to_judge() -> None:
    result = check_presentation(present(issue(RECORD), issue(endorsement(), by=STRANGER)))
    assert result.verified, result
    of_record, along = result.credentials
    assert (of_record.endorses, along.endorses) == ((), (RECORD["id"],))
    assert along.to_json()["endorses"] == [RECORD["id"]]
    trust = found(along, Check.ISSUER_TRUSTED)
    assert (trust.outcome, trust.code) == (Outcome.NOT_CHECKED, "trust.endorser")
    trusted = {**endorsement(), "issuer": RECORD["issuer"]}
    by_issuer = check_presentation(present(issue(RECORD), issue(trusted)))
    assert found(by_issuer.credentials[1], Check.ISSUER_TRUSTED).outcome is Outcome.PASS


def test_one_that_was_changed_or_is_over_is_told_and_takes_nothing_from_the_record() -> None:
    forged = issue(endorsement(), by=STRANGER)
    forged["credentialSubject"]["endorsementComment"] = "The best of all."
    over = issue(endorsement(validUntil="2026-02-01T00:00:00Z"), by=STRANGER)
    by_nobody = issue(endorsement(issuer={"id": "did:web:nobody.example", "type": ["Profile"]}), by=STRANGER)
    unsigned = endorsement()
    for wrong, failing in (
        (forged, Check.PROOF), (over, Check.VALID_TIME), (by_nobody, Check.CONTROLLER), (unsigned, Check.PROOF)
    ):  # fmt: skip
        result = check_presentation(present(issue(RECORD), wrong))
        of_record, along = result.credentials
        assert (result.verified, of_record.verified, along.verified) == (True, True, False)
        assert along.endorses == (RECORD["id"],)
        assert found(along, failing).outcome is Outcome.FAIL
        assert along.to_json()["verified"] is False


def test_a_good_one_makes_no_bad_record_good() -> None:
    changed = {**issue(RECORD), "name": "Welding, level 9"}
    result = check_presentation(present(changed, issue(endorsement(), by=STRANGER)))
    assert (result.verified, result.credentials[1].verified) == (False, True)
    assert not check_presentation(present(issue(endorsement(), by=STRANGER))).verified, "without its record it is one"


def test_alone_its_issuer_has_to_be_trusted_as_that_of_every_credential() -> None:
    assert not check_credential(issue(endorsement(), by=STRANGER)).verified


def _with_an_achievement() -> dict[str, Any]:
    made = endorsement()
    made["credentialSubject"]["type"] = ["EndorsementSubject", "AchievementSubject"]
    made["credentialSubject"]["achievement"] = RECORD["credentialSubject"]["achievement"]
    return made


@pytest.mark.parametrize(
    "pretender",
    [
        endorsement("urn:uuid:of-nothing-that-is-here"),
        endorsement(type=["VerifiableCredential", "EndorsementCredential", "OpenBadgeCredential"]),
        endorsement(credentialSubject=[endorsement()["credentialSubject"], {"id": "did:example:somebody"}]),
        _with_an_achievement(),
    ],
)
def test_what_is_about_something_else_or_says_anything_besides_has_to_be_about_the_holder_and_trusted(
    pretender: dict[str, Any],
) -> None:
    result = check_presentation(present(issue(RECORD), issue(pretender, by=STRANGER)))
    assert not result.verified
    assert found(result, Check.HOLDER_BINDING).code == "holder.not_subject"
    assert result.credentials[1].endorses == ()
    assert found(result.credentials[1], Check.ISSUER_TRUSTED).outcome is Outcome.FAIL


def test_an_endorsement_of_an_endorsement_goes_along_with_nothing() -> None:
    first = issue(endorsement(), by=STRANGER)
    second = issue(endorsement(first["id"], id="urn:uuid:2"), by=ISSUER)
    result = check_presentation(present(issue(RECORD), first, second, by=HOLDER))
    assert found(result, Check.HOLDER_BINDING).code == "holder.not_subject"
