"""Badges of Open Badges 2.0: hosted and signed, and whatever a stranger can do about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node.config import Config
from node.net.at_hand import NotAtHand
from node.records.summary import summary
from node.roles.checker import Checker
from node.roles.policy import VerificationPolicies
from node.runtime.tracing import NO_TRACES
from node.runtime.world import World
from node.skills.frameworks import SkillIndex
from protocols import strict_json
from protocols.credentials.open_badges_2.parts import assembled
from protocols.credentials.policy import Policy
from protocols.credentials.resources import NoResources
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.credentials.verify import verify
from tests.credentials.badges_2 import ADA, Badges
from tests.credentials.worlds import NOW, Dids, Lists

COLLEGE = "https://college.example"
Change = Callable[[Badges], object]


def verified(badges: Badges, given: dict[str, Any] | str, *, issuer: str = COLLEGE, **more: Any) -> VerificationResult:
    policy = Policy(trust=TrustedIssuers({f"{issuer}/issuer"}), badges=badges, **more)
    return asyncio.run(verify(given, resolver=Dids(), statuses=Lists(), policy=policy, now=NOW))


def whole(badges: Badges, given: dict[str, Any] | str) -> dict[str, Any]:
    """A badge as it is kept."""
    return asyncio.run(assembled(given, badges))


def left(result: VerificationResult) -> dict[Check, tuple[Outcome, str]]:
    return {
        check.check: (check.outcome, check.code)
        for check in result.checks
        if check.outcome is not Outcome.PASS and check.check is not Check.SKILLS
    }


@pytest.fixture
def college() -> Badges:
    return Badges(COLLEGE, NOW)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_a_badge_is_verified_by_what_its_issuers_server_has(college: Badges, signed: bool, kept: bool) -> None:
    given = college.signed() if signed else college.hosted
    result = verified(college, whole(college, given) if kept else given)
    assert left(result) == {}
    assert result.verified
    assert (result.securing, result.issuer) == ("SignedBadge" if signed else "HostedBadge", f"{COLLEGE}/issuer")
    assert result.document is not None
    about = summary(result.document)
    assert (about.name, about.issuer_name, about.types) == ("Structural Welding", "Riverside College", ("Assertion",))
    assert [skill.code for skill in about.skills] == ["51-4121.00"]
    assert [each.id for each in about.attached] == [f"{COLLEGE}/evidence/1"]


@pytest.mark.parametrize("signed", [False, True])
def test_a_file_alone_is_not_checked(college: Badges, signed: bool) -> None:
    kept = whole(college, college.signed() if signed else college.hosted)
    college.away = True
    result = verified(college, kept)
    unknown = (Check.PROOF, Check.CONTROLLER, Check.STATUS)
    assert left(result) == dict.fromkeys(unknown, (Outcome.NOT_CHECKED, "badge.unreachable"))
    assert not result.verified
    assert left(verified(college, college.hosted))[Check.STRUCTURE] == (Outcome.NOT_CHECKED, "badge.unreachable")


@pytest.mark.parametrize(
    ("change", "check", "code"),
    [
        (lambda b: b.hosted.update(issuedOn="2026-06-01T12:00:00Z"), Check.PROOF, "badge.differs"),
        (lambda b: b.hosted.update(id=f"{COLLEGE}/assertions/2"), Check.PROOF, "badge.differs"),
        (lambda b: b.badge_class.update(name="Brain Surgery"), Check.PROOF, "badge.differs"),
        (lambda b: b.issuer.update(name="Another College"), Check.CONTROLLER, "badge.issuer_differs"),
        (lambda b: b.issuer.update(id="https://other.example/issuer"), Check.CONTROLLER, "badge.part"),
        (lambda b: b.there.pop(f"{COLLEGE}/issuer"), Check.CONTROLLER, "badge.not_there"),
        (lambda b: b.there.pop(f"{COLLEGE}/assertions/1"), Check.PROOF, "badge.not_there"),
        (lambda b: b.hosted.update(revoked=True), Check.STATUS, "status.revoked"),
        (
            lambda b: b.issuer.update(verification={"allowedOrigins": "badges.example"}),
            Check.CONTROLLER,
            "controller.not_issuer",
        ),
        (
            lambda b: b.issuer.update(verification={"startsWith": [f"{COLLEGE}/new/"]}),
            Check.CONTROLLER,
            "controller.not_issuer",
        ),
        (lambda b: setattr(b, "fetched_at", NOW - timedelta(days=2)), Check.STATUS, "status.stale"),
    ],
)
def test_a_hosted_badge_does_not_outlive_what_vouches_for_it(
    college: Badges, change: Change, check: Check, code: str
) -> None:
    kept = whole(college, college.hosted)
    change(college)
    result = verified(college, kept)
    assert left(result)[check][1] == code
    assert not result.verified


def test_nobody_awards_the_badges_of_another_issuer(college: Badges) -> None:
    evil = Badges("https://evil.example", NOW)
    evil.there |= college.there
    # The class is the college's, the badge lies elsewhere; then the college is described by the badge itself.
    evil.hosted["badge"] = f"{COLLEGE}/welding"
    assert left(verified(evil, evil.hosted))[Check.CONTROLLER][1] == "controller.not_issuer"
    own = {**college.issuer, "verification": {"allowedOrigins": "evil.example"}, "publicKey": evil.key}
    evil.hosted["badge"] = {**college.badge_class, "issuer": own}
    assert left(verified(evil, evil.hosted))[Check.CONTROLLER][1] == "controller.not_issuer"
    inside = evil.signed(badge={**college.badge_class, "issuer": own})
    assert left(verified(evil, inside))[Check.CONTROLLER][1] == "controller.not_issuer"


@pytest.mark.parametrize(
    ("change", "check", "code"),
    [
        (lambda b: b.issuer.update(publicKey=[]), Check.CONTROLLER, "controller.not_issuer"),
        (lambda b: b.key.update(owner="https://other.example/issuer"), Check.CONTROLLER, "controller.not_issuer"),
        (lambda b: b.key.update(publicKeyPem="no key"), Check.PROOF, "badge.key"),
        (lambda b: b.there.pop(f"{COLLEGE}/key"), Check.PROOF, "badge.not_there"),
        (lambda b: b.revoked.update(revokedAssertions=["urn:uuid:3527"]), Check.STATUS, "status.revoked"),
        (
            lambda b: b.revoked.update(revokedAssertions=[[], {"id": "urn:uuid:3527", "revocationReason": "x"}]),
            Check.STATUS,
            "status.revoked",
        ),
        (lambda b: b.revoked.update(issuer="https://other.example/issuer"), Check.STATUS, "status.malformed"),
        (lambda b: b.revoked.update(revokedAssertions={}), Check.STATUS, "status.malformed"),
        (lambda b: b.there.pop(f"{COLLEGE}/revoked"), Check.STATUS, "badge.not_there"),
        (lambda b: b.badge_class.update(name="Brain Surgery"), Check.PROOF, "badge.differs"),
    ],
)
def test_a_signed_badge_needs_its_issuers_key_and_list(
    college: Badges, change: Change, check: Check, code: str
) -> None:
    kept = whole(college, college.signed())
    change(college)
    result = verified(college, kept)
    assert left(result)[check][1] == code
    assert not result.verified


def test_what_is_shown_of_a_signed_badge_is_what_was_signed(college: Badges) -> None:
    kept = whole(college, college.signed())
    shown = {**kept, "issuedOn": "2020-01-01T00:00:00Z"}
    assert left(verified(college, shown))[Check.PROOF] == (Outcome.FAIL, "badge.differs")
    text = college.signed(issuedOn="2020-01-01T00:00:00Z")
    forged = ".".join([*text.split(".")[:2], college.signed().split(".")[2]])
    assert left(verified(college, forged))[Check.PROOF] == (Outcome.FAIL, "proof.invalid")
    assert left(verified(college, college.signed(alg="HS256")))[Check.PROOF] == (Outcome.FAIL, "jws.alg_unsupported")
    assert left(verified(college, college.signed(alg="none")))[Check.PROOF] == (Outcome.FAIL, "jws.alg_unsupported")


def test_an_expired_badge_and_one_of_nobody_whom_one_believes_are_not_verified(college: Badges) -> None:
    college.hosted["expires"] = "2026-06-01T00:00:00Z"
    assert left(verified(college, college.hosted)) == {Check.VALID_TIME: (Outcome.FAIL, "time.expired")}
    del college.hosted["expires"]
    refused = verified(college, college.hosted, issuer="https://other.example")
    assert left(refused) == {Check.ISSUER_TRUSTED: (Outcome.FAIL, "trust.issuer_untrusted")}


@pytest.mark.parametrize(
    ("recipient", "asked", "code"),
    [
        ({}, ADA, "ok"),
        ({}, "bob@example.org", "recipient.differs"),
        ({"hashed": False, "identity": ADA}, ADA, "ok"),
        ({"hashed": False, "identity": ADA}, "bob@example.org", "recipient.differs"),
        ({"identity": "md5$5d41402abc4b2a76b9719d911017c592"}, ADA, "recipient.hash_unknown"),
    ],
)
def test_whom_a_badge_is_for_is_told_by_an_address(
    college: Badges, recipient: dict[str, Any], asked: str, code: str
) -> None:
    college.hosted["recipient"].update(recipient)
    policy = Policy(trust=TrustedIssuers({f"{COLLEGE}/issuer"}), badges=college).for_recipient(asked)
    run = verify(college.hosted, resolver=Dids(), statuses=Lists(), policy=policy, now=NOW)
    result = asyncio.run(run)
    assert [each.code for each in result.checks if each.check is Check.RECIPIENT] == [code]
    assert result.verified is (code == "ok")


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], {"id": 1}, {"type": [1]}, "https://college.example/x"])
@pytest.mark.parametrize("signed", [False, True])
def test_no_member_of_a_badge_can_be_anything_and_break_more_than_the_badge(
    college: Badges, value: Any, signed: bool
) -> None:
    kept = whole(college, college.signed() if signed else college.hosted)
    shown = verified(college, kept).document
    for names in (
        [(name,) for name in kept]
        + [("badge", name) for name in kept["badge"]]
        + [("badge", "issuer", name) for name in kept["badge"]["issuer"]]
    ):
        changed: dict[str, Any] = strict_json.loads_object(strict_json.dumps(kept))
        inner = changed
        for name in names[:-1]:
            inner = inner[name]
        inner[names[-1]] = value
        result = verified(college, changed)
        assert not result.verified or result.document == shown, names
    for part in (college.issuer, college.key, college.revoked, college.badge_class, college.hosted):
        for name in list(part):
            before, part[name] = part[name], value
            verified(college, kept)
            part[name] = before


def test_what_is_verified_at_once_fetches_nothing_for_a_badge(college: Badges, tmp_path: Path) -> None:
    policies = VerificationPolicies(Config(), tmp_path, NoResources(), SkillIndex(), TrustedIssuers(), college)
    at_hand: Any = (Dids(), Lists())
    raised: list[NotAtHand] = []

    async def look(checker: Checker) -> VerificationResult:
        try:
            return await checker.check(college.hosted, policies.verifier(any_issuer=True))
        except NotAtHand as error:
            raised.append(error)
            raise

    waiting = Checker(policies, Dids(), Lists(), World(), NO_TRACES, at_hand)
    assert asyncio.run(waiting.at_once(look)) is None
    assert len(raised) == 1
    assert college.asked == []
