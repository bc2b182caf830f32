"""Whom a verifier believes for what: grants and their limits, as a verification uses them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from protocols.credentials.trust.grants import By, Grant, Known, Origin
from protocols.credentials.trust.scope import Scope, award_of
from protocols.credentials.verification import Check, Outcome
from tests.credentials.worlds import ISSUER, NOW, STRANGER, TRUSTING, check_credential, did, found, issue, record

ONET = "https://www.onetonline.org/link/summary/51-4121.00"
RULE = Origin(by=By.RULE, id="r-1")


class Source:
    """A source that knows some grants."""

    def __init__(self, *grants: Grant) -> None:
        self.grants = grants

    async def about(self, of: str) -> Known:
        return Known(tuple(grant for grant in self.grants if grant.did == of))

    async def is_empty(self) -> bool:
        return not self.grants


def grant(**limits: Any) -> Grant:
    period = {name: limits.pop(name) for name in ("start", "end", "did", "origin") if name in limits}
    scope = Scope(**{name: frozenset(values) for name, values in limits.items()})
    return Grant(**({"did": did(ISSUER), "origin": RULE} | period), scope=scope)


def check(document: dict[str, Any], *grants: Grant) -> Any:
    policy = dataclasses.replace(TRUSTING, trust=Source(*grants))
    return found(check_credential(issue(document), policy=policy), Check.ISSUER_TRUSTED)


def aligned(*alignments: tuple[str, str]) -> dict[str, Any]:
    document = record()
    document["credentialSubject"]["achievement"] |= {
        "achievementType": "Certificate",
        "alignment": [
            {"type": ["Alignment"], "targetName": "Welding", "targetFramework": name, "targetUrl": url}
            for name, url in alignments
        ],
    }
    return document


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"achievement_types": ["Diploma", "Certificate"]},
        {"achievements": ["https://college.example/achievements/welding-2"]},
        {"frameworks": ["O*NET-SOC"]},
        {"frameworks": ["https://www.onetonline.org/"]},
        {"frameworks": ["https://www.onetonline.org"]},
        {"start": NOW - timedelta(days=700), "end": NOW},
    ],
)
def test_a_rule_that_reaches_the_award_is_the_reason_why_the_issuer_is_believed(limits: dict[str, Any]) -> None:
    result = check(aligned(("O*NET-SOC", ONET)), grant(**limits))
    assert result.outcome is Outcome.PASS, result
    (link,) = result.details["because"]
    assert (link["did"], link["by"], link["id"]) == (did(ISSUER), "rule", "r-1")


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"achievement_types": ["Diploma"]}, "achievement-type"),
        ({"achievement_types": ["certificate"]}, "achievement-type"),
        ({"achievements": ["https://college.example/achievements/welding"]}, "achievement"),
        ({"frameworks": ["ESCO"]}, "framework"),
        ({"frameworks": ["https://www.onetonline.or"]}, "framework"),
        ({"frameworks": ["https://www.onetonline.org/link/summ"]}, "framework"),
        ({"start": NOW}, "before"),
        ({"end": datetime(2025, 12, 31, tzinfo=UTC)}, "after"),
    ],
)
def test_a_rule_that_does_not_reach_so_far_is_told_with_the_limit_that_it_has(limits: dict[str, Any], why: str) -> None:
    result = check(aligned(("O*NET-SOC", ONET)), grant(**limits))
    assert (result.outcome, result.code) == (Outcome.FAIL, "trust.out_of_scope")
    assert [link["refused"] for link in result.details["refused"]] == [why]


def test_every_achievement_and_every_alignment_has_to_be_within_the_limits() -> None:
    foreign = aligned(("O*NET-SOC", ONET), ("O*NET-SOC", "https://evil.example/surgeon"))
    assert check(foreign, grant(frameworks=["https://www.onetonline.org/"])).code == "trust.out_of_scope"
    first = aligned(("O*NET-SOC", ONET))["credentialSubject"]["achievement"]
    award = award_of({"credentialSubject": {"achievement": [first, {"achievementType": "Diploma"}]}}, did(ISSUER))
    assert Scope(achievement_types=frozenset({"Certificate"})).refusal(award) == "achievement-type"


@pytest.mark.parametrize("subject", [{}, {"achievement": "https://x.example"}, {"achievement": [[]]}, "x", [None], 7])
def test_a_record_that_does_not_say_what_it_awards_is_outside_every_limit(subject: Any) -> None:
    award = award_of({"credentialSubject": subject, "validFrom": 7}, did(ISSUER))
    assert grant(achievement_types=["Certificate"]).refusal(award, NOW) is not None
    assert grant(start=NOW).refusal(award, NOW) == "time-unknown"
    assert grant().refusal(award, NOW) is None


def test_a_list_that_is_no_longer_valid_is_no_reason_and_no_refusal_either() -> None:
    by = Origin(by=By.LIST, id="l-1", publisher=did(STRANGER), valid_until=NOW - timedelta(seconds=1))
    result = check(record(), grant(origin=by))
    assert (result.outcome, result.code) == (Outcome.NOT_CHECKED, "trust.list_expired")
    assert check(record(), grant(origin=by), grant()).outcome is Outcome.PASS


def test_a_rule_for_another_issuer_is_no_reason() -> None:
    result = check(record(), grant(did=did(STRANGER)))
    assert (result.outcome, result.code, result.details) == (Outcome.FAIL, "trust.issuer_untrusted", {})
