"""Comprehensive Learner Record 2.0: one record of many, and verified only where each of them is."""

from __future__ import annotations

from typing import Any

import pytest

from node.records.outline import outline
from node.records.schema import SCHEMA_CHECKERS, clr_problems
from protocols.credentials.enveloped import envelope
from protocols.credentials.issue import issue as secure
from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check
from tests.credentials.worlds import (
    CREATED,
    HOLDER,
    ISSUER,
    OB,
    STRANGER,
    V2,
    check_credential,
    codes,
    did,
    issue,
    record,
)

CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
POLICY = Policy(trust=TrustedIssuers({did(ISSUER)}), schemas=SCHEMA_CHECKERS)


def learner_record(*inside: Any, **subject: Any) -> dict[str, Any]:
    return {
        "@context": [V2, CLR, OB],
        "id": "urn:uuid:2f0b7a0e-6b0a-4c3e-9a53-0d5a0e0f9a11",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Transcript",
        "issuer": {"id": did(ISSUER), "type": ["Profile"], "name": "College"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": did(HOLDER),
            "type": ["ClrSubject"],
            "verifiableCredential": list(inside),
            **subject,
        },
    }


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_it_is_verified_where_all_in_it_is(suite: str) -> None:
    result = check_credential(issue(learner_record(issue(record())), suite=suite), policy=POLICY)
    assert result.verified, [codes(result), *map(codes, result.credentials)]
    assert [inner.kind for inner in result.credentials] == ["credential"]


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (lambda: {**issue(record()), "name": "Another name"}, "proof.invalid"),
        (record, "proof.missing"),
        (
            lambda: issue(record(issuer=did(STRANGER)), by=STRANGER),
            "trust.issuer_untrusted",
        ),
        (lambda: issue(record(validUntil="2026-02-01T00:00:00Z")), "time.expired"),
        (lambda: "eyJ.e30.x", "encoding.base64url"),
        (lambda: 7, "structure.item"),
    ],
)
def test_one_bad_record_in_it_spoils_it(inside: Any, code: str) -> None:
    whole = issue(learner_record(issue(record()), inside()), suite="eddsa-jcs-2022")
    result = check_credential(whole, policy=POLICY)
    assert not result.verified
    good, bad = result.credentials
    assert good.verified, codes(good)
    assert code in codes(bad).values()


def test_a_jwt_in_it_is_verified_too() -> None:
    jwt = secure(record(), "vc+jwt", ISSUER, created=CREATED).data.decode()
    result = check_credential(
        issue(learner_record(envelope(jwt, "application/vc+jwt")), suite="eddsa-jcs-2022"), policy=POLICY
    )
    (inner,) = result.credentials
    assert (inner.securing, inner.verified) == ("vc+jwt", True), codes(inner)


@pytest.mark.parametrize(
    "wrong",
    [
        {"verifiableCredential": []},
        {"type": ["AchievementSubject"]},
        {
            "association": [
                {"type": "Association", "associationType": "isUncleOf", "sourceId": "a:b", "targetId": "a:c"}
            ]
        },
        {"association": [{"type": "Association", "associationType": "isPartOf", "sourceId": "a:b"}]},
        {"achievement": [{"id": "urn:a", "type": ["Achievement"]}]},
        {"id": None},
    ],
)
def test_a_record_that_breaks_the_model_is_told_so(wrong: dict[str, Any]) -> None:
    assert clr_problems(learner_record(issue(record()))) == []
    assert clr_problems(learner_record(issue(record()), **wrong))


def part(kind: str, source: str, target: str) -> dict[str, Any]:
    return {"type": "Association", "associationType": kind, "sourceId": f"urn:{source}", "targetId": f"urn:{target}"}


def lines(*associations: dict[str, Any]) -> list[tuple[int, str]]:
    listed = [{"id": f"urn:{name}", "type": ["Achievement"], "name": name} for name in "abcd"]
    document = learner_record(achievement=listed, association=list(associations))
    return [(line.depth, line.name) for line in outline(document)]


def test_its_outline_says_what_is_part_of_what() -> None:
    assert lines(part("isParentOf", "a", "b"), part("isPartOf", "c", "b")) == [(0, "a"), (1, "b"), (2, "c"), (0, "d")]
    assert lines(part("isChildOf", "a", "d"), part("precedes", "b", "c")) == [(0, "b"), (0, "c"), (0, "d"), (1, "a")]


def test_circles_strangers_and_rubbish_leave_each_achievement_once() -> None:
    circle = [part("isPartOf", "a", "b"), part("isPartOf", "b", "a"), part("isPartOf", "c", "c")]
    assert sorted(name for _depth, name in lines(*circle, part("isPartOf", "d", "nobody"))) == list("abcd")
    assert lines({"associationType": 7, "sourceId": [], "targetId": None}) == [(0, name) for name in "abcd"]
    assert outline({"type": ["ClrCredential"], "credentialSubject": [7, {"association": 7, "achievement": "x"}]}) == ()
    assert outline(record()) == ()


def test_what_a_credential_in_it_awards_is_told_with_who_awards_it() -> None:
    (line,) = outline(learner_record(issue(record())))
    assert line.issuer == did(ISSUER)


def test_more_records_than_are_verified_are_not_verified() -> None:
    result = check_credential(issue(learner_record(*[7] * 201), suite="eddsa-jcs-2022"), policy=POLICY)
    assert not result.verified
    assert codes(result.credentials[-1])[Check.STRUCTURE] == "structure.too_many"
