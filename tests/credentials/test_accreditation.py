"""Accreditation chains: believed as far as sound accreditations lead to one whom the verifier trusts, no further."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from protocols import strict_json
from protocols.credentials.trust.grants import Action, By, Grant, Known, Origin
from protocols.credentials.trust.recognition import Entry, read_recognition, recognition_credential
from protocols.credentials.trust.scope import Scope
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import BadInput
from protocols.keys import SoftwareSigner
from protocols.status.entry import status_entry
from tests.credentials.worlds import (
    HOLDER,
    ISSUER,
    LIST_URL,
    NOW,
    STRANGER,
    TRUSTING,
    Lists,
    check_credential,
    check_presentation,
    did,
    found,
    issue,
    present,
    record,
    signer,
    status_list,
)

ACCREDITOR, MINISTRY = signer("accreditor"), signer("ministry")
START = NOW - timedelta(days=900)


class Source:
    """What a verifier knows: whom it lets accredit, and the accreditations that it keeps."""

    def __init__(
        self, accreditors: tuple[SoftwareSigner, ...], *kept: dict[str, Any], scope: Scope | None = None
    ) -> None:
        self.accreditors = {did(each) for each in accreditors}
        self.kept = kept
        self.scope = scope or Scope()

    async def about(self, of: str) -> Known:
        rule = Grant(did=of, action=Action.RECOGNIZE, scope=self.scope, origin=Origin(by=By.RULE, id="r-1"))
        documents = (each for each in self.kept if of in [s["id"] for s in each["credentialSubject"]])
        return Known((rule,) if of in self.accreditors else (), tuple(strict_json.dumps(each) for each in documents))

    async def is_empty(self) -> bool:
        return not self.accreditors


def accredit(
    by: SoftwareSigner,
    of: SoftwareSigner,
    *types: str,
    action: Action = Action.ISSUE,
    start: datetime = START,
    end: datetime | None = None,
    **changes: Any,
) -> dict[str, Any]:
    scope = Scope(achievement_types=frozenset(types))
    unsigned = recognition_credential(
        [Entry(did=did(of), action=action, scope=scope)],
        issuer=did(by),
        name="Accreditation",
        valid_from=start,
        valid_until=end,
        credential_id=f"urn:uuid:{by.verification_method[-8:]}-{of.verification_method[-8:]}",
    )
    return issue(unsigned | changes, by=by)


def trust_in(document: dict[str, Any], source: Source, **more: Any) -> CheckResult:
    policy = dataclasses.replace(TRUSTING, trust=source)
    return found(check_credential(issue(document), policy=policy, **more), Check.ISSUER_TRUSTED)


def degree(**changes: Any) -> dict[str, Any]:
    document = record(**changes)
    document["credentialSubject"]["achievement"]["achievementType"] = "BachelorDegree"
    return document


def test_a_record_is_believed_by_an_accreditation_for_what_it_awards() -> None:
    kept = accredit(ACCREDITOR, ISSUER, "BachelorDegree")
    result = trust_in(degree(), Source((ACCREDITOR,), kept))
    assert result.outcome is Outcome.PASS, result
    first, second = (result.details or {})["because"]
    assert (first["by"], first["did"], first["publisher"]) == ("accreditation", did(ISSUER), did(ACCREDITOR))
    assert (second["by"], second["did"], second["may"]) == ("rule", did(ACCREDITOR), "recognize")


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (accredit(ACCREDITOR, ISSUER, "Certificate"), "achievement-type"),
        (accredit(ACCREDITOR, ISSUER, "BachelorDegree", start=NOW - timedelta(days=1)), "before"),
        (accredit(ACCREDITOR, ISSUER, "BachelorDegree", end=START + timedelta(days=1)), "after"),
    ],
)
def test_an_accreditation_for_something_else_or_of_another_time_is_no_reason(kept: dict[str, Any], why: str) -> None:
    result = trust_in(degree(), Source((ACCREDITOR,), kept))
    assert (result.outcome, result.code) == (Outcome.FAIL, "trust.out_of_scope")
    assert [link["refused"] for link in (result.details or {})["refused"]] == [why]


def test_an_accreditation_that_has_ended_since_still_counts_for_what_was_issued_before() -> None:
    over = accredit(ACCREDITOR, ISSUER, "BachelorDegree", end=NOW - timedelta(days=5))
    assert trust_in(degree(), Source((ACCREDITOR,), over)).outcome is Outcome.PASS
    late = degree(validFrom="2026-11-22T00:00:00Z")
    assert trust_in(late, Source((ACCREDITOR,), over)).code == "trust.out_of_scope"


def test_an_accreditation_to_recognise_does_not_let_issue_nor_the_other_way_round() -> None:
    wrong = accredit(ACCREDITOR, ISSUER, action=Action.RECOGNIZE)
    assert trust_in(degree(), Source((ACCREDITOR,), wrong)).outcome is Outcome.FAIL
    chained = accredit(MINISTRY, ACCREDITOR), accredit(ACCREDITOR, ISSUER)
    assert trust_in(degree(), Source((MINISTRY,), *chained)).outcome is Outcome.FAIL


def test_accreditors_can_be_accredited_themselves_each_within_its_own_limits() -> None:
    of_college = accredit(ACCREDITOR, ISSUER)
    narrow = accredit(MINISTRY, ACCREDITOR, "Certificate", action=Action.RECOGNIZE)
    wide = accredit(MINISTRY, ACCREDITOR, "BachelorDegree", action=Action.RECOGNIZE)
    assert trust_in(degree(), Source((MINISTRY,), of_college, narrow)).code == "trust.out_of_scope"
    result = trust_in(degree(), Source((MINISTRY,), of_college, wide))
    assert [link["did"] for link in (result.details or {})["because"]] == [did(ISSUER), did(ACCREDITOR), did(MINISTRY)]
    limited = Source((MINISTRY,), of_college, wide, scope=Scope(achievement_types=frozenset({"Certificate"})))
    assert trust_in(degree(), limited).code == "trust.out_of_scope"


def test_who_recognise_each_other_or_themselves_are_not_believed_for_it() -> None:
    circle = [
        accredit(ACCREDITOR, ISSUER),
        accredit(MINISTRY, ACCREDITOR, action=Action.RECOGNIZE),
        accredit(ACCREDITOR, MINISTRY, action=Action.RECOGNIZE),
        accredit(ISSUER, ISSUER),
        accredit(ISSUER, ACCREDITOR, action=Action.RECOGNIZE),
    ]
    result = trust_in(degree(), Source((STRANGER,), *circle))
    assert result.outcome is Outcome.FAIL
    assert "circle" in [link["refused"] for link in (result.details or {})["refused"]]


def test_a_chain_has_at_most_four_accreditations() -> None:
    above = [signer(f"accreditor {number}") for number in range(6)]
    chain = [accredit(above[0], ISSUER)]
    chain += [accredit(high, low, action=Action.RECOGNIZE) for low, high in pairwise(above)]
    assert trust_in(degree(), Source((above[3],), *chain)).outcome is Outcome.PASS
    refused = trust_in(degree(), Source((above[4],), *chain))
    assert refused.outcome is Outcome.FAIL
    assert "too-long" in [link["refused"] for link in (refused.details or {})["refused"]]


def test_a_forged_accreditation_is_no_reason() -> None:
    forged = accredit(STRANGER, ISSUER, issuer=did(ACCREDITOR))
    changed = accredit(ACCREDITOR, STRANGER)
    changed["credentialSubject"][0]["id"] = did(ISSUER)
    for kept in (forged, changed):
        assert trust_in(degree(), Source((ACCREDITOR,), kept)).outcome is Outcome.FAIL


@pytest.mark.parametrize("revoked", [True, False])
def test_a_revoked_accreditation_is_none_and_one_whose_status_is_not_to_be_had_is_not_checked(revoked: bool) -> None:
    kept = accredit(ACCREDITOR, ISSUER, credentialStatus=status_entry(LIST_URL, "revocation", 7))
    lists = Lists({LIST_URL: status_list(7, by=ACCREDITOR)}) if revoked else Lists({})
    result = trust_in(degree(), Source((ACCREDITOR,), kept), lists=lists)
    wanted = (
        (Outcome.FAIL, "trust.accreditation_revoked")
        if revoked
        else (Outcome.NOT_CHECKED, "trust.accreditation_unclear")
    )
    assert (result.outcome, result.code) == wanted


def test_an_accreditation_goes_along_with_the_records_of_a_presentation() -> None:
    policy = dataclasses.replace(TRUSTING, trust=Source((ACCREDITOR,)))
    over = accredit(ACCREDITOR, ISSUER, "BachelorDegree", end=NOW - timedelta(days=5))
    result = check_presentation(present(over, issue(degree())), policy=policy)
    assert result.verified, result
    assert found(result.credentials[0], Check.VALID_TIME).code == "time.ended_since"
    unneeded = accredit(ACCREDITOR, STRANGER, end=NOW - timedelta(days=5))
    assert not check_presentation(present(over, unneeded, issue(degree())), policy=policy).verified
    untrusted = accredit(STRANGER, ISSUER)
    assert not check_presentation(present(over, untrusted, issue(degree())), policy=policy).verified


def test_nobody_presents_the_record_of_another_by_calling_it_an_accreditation() -> None:
    policy = dataclasses.replace(TRUSTING, trust=Source((ACCREDITOR, ISSUER), accredit(ACCREDITOR, ISSUER)))
    both = degree(type=["VerifiableCredential", "OpenBadgeCredential", "VerifiableRecognitionCredential"])
    both["@context"] = [*both["@context"], "urn:lernode:trust:v1"]
    result = check_presentation(present(issue(both), by=STRANGER), policy=policy)
    assert found(result, Check.HOLDER_BINDING).code == "holder.not_subject"
    assert check_presentation(present(issue(degree()), by=HOLDER), policy=policy).verified


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": ["VerifiableCredential"]},
        {"credentialSubject": []},
        {"credentialSubject": [{"type": "RecognizedEntity"}]},
        {"credentialSubject": [{"id": "did:", "type": "RecognizedEntity"}]},
        {"credentialSubject": [7]},
        {"sequence": -1},
        {"sequence": True},
        {"sequence": "1"},
        {"validFrom": "yesterday"},
        {"validUntil": "tomorrow"},
        {"issuer": {}},
    ],
)
def test_what_is_not_written_as_a_recognition_is_not_read_as_one(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        read_recognition(accredit(ACCREDITOR, ISSUER) | wrong)


@pytest.mark.parametrize(
    ("change", "grants"),
    [
        ({}, True),
        ({"action": "verify"}, False),
        ({"outputValidation": {"type": "JsonSchema", "id": "https://x.example/schema"}}, False),
        ({"recognizedBy": "did:web:other.example"}, False),
    ],
)
def test_an_action_with_a_limit_that_nobody_here_could_hold_grants_nothing(
    change: dict[str, Any], grants: bool
) -> None:
    document = accredit(ACCREDITOR, ISSUER)
    document["credentialSubject"][0]["recognizedTo"][0] |= change
    assert bool(read_recognition(document).entries) is grants


@pytest.mark.parametrize("limit", [[], [""], [7], {"x": 1}, None])
def test_a_limit_that_names_nothing_is_refused_and_does_not_mean_everything(limit: Any) -> None:
    document = accredit(ACCREDITOR, ISSUER)
    document["credentialSubject"][0]["recognizedTo"][0]["achievementType"] = limit
    with pytest.raises(BadInput):
        read_recognition(document)
