"""European Digital Credentials for Learning, read: claims, levels, skills, in the credential's own language."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.records.outline import outline
from node.records.reached import awarded_by, reached_in
from node.records.summary import summary
from protocols.credentials.elm import claims_of
from protocols.credentials.trust.scope import Scope, award_of
from tests.credentials.seals import PLAN, WELD, diploma


def test_the_outline_has_each_claim_under_the_one_that_it_belongs_to() -> None:
    lines = [(each.depth, each.name, each.issuer, each.beside[0][1]) for each in outline(diploma())]
    who = "Coast University"
    assert lines == [
        (0, "Bachelor of Shipbuilding", who, "Qualification"),
        (1, "Planning of yards", who, "LearningAchievement"),
        (1, "Final examination", who, "proven by LearningAssessment"),
        (1, "Studies in shipbuilding", who, "influenced by LearningActivity"),
        (1, "Admission to a master's programme", who, "entitles to LearningEntitlement"),
    ]


def test_levels_and_grades_are_told_with_the_claim() -> None:
    assert outline(diploma())[0].beside[1:] == (
        ("EQF level", "6"),
        ("NQF level", "XX level VI"),
        ("Final examination", "1.3"),
    )


def test_what_it_says_in_few_words() -> None:
    about = summary(diploma())
    assert (about.name, about.issuer_name) == ("Diploma of Shipbuilding", "Coast University")
    assert about.achievement_id == "https://coast.example/qualifications/shipbuilding"
    assert [(skill.name, skill.url, skill.framework) for skill in about.skills] == [
        ("weld steel", WELD, "ESCO"),
        ("plan a yard", PLAN, "ESCO"),
    ]
    assert about.valid_from is not None
    assert ("EQF level", "6") in about.results


def test_what_was_reached_in_a_part_is_not_what_was_reached_in_the_whole() -> None:
    reached = {
        skill.name: [(each.name, each.value) for each in found] for skill, found in reached_in(diploma()).items()
    }
    assert reached == {"weld steel": [("EQF level", "6"), ("NQF level", "XX level VI"), ("Final examination", "1.3")]}


def test_the_european_level_has_its_scale() -> None:
    (found,) = reached_in(diploma()).values()
    assert found[0].steps == tuple("12345678")


@pytest.mark.parametrize(("language", "expected"), [("DEU", "Diplom im Schiffbau"), ("FRA", "Diploma of Shipbuilding")])
def test_texts_are_in_the_credentials_own_language_or_else_in_english(language: str, expected: str) -> None:
    display = diploma()["displayParameter"]
    uri = f"http://publications.europa.eu/resource/authority/language/{language}"
    assert summary(diploma(displayParameter={**display, "primaryLanguage": {"id": uri}})).name == expected


def test_trust_may_be_limited_to_a_class_of_claims_or_a_framework() -> None:
    award = award_of(diploma(), "did:web:coast.example")
    assert Scope(frameworks=frozenset({"http://data.europa.eu/esco/"})).refusal(award) is None
    assert Scope(achievement_types=frozenset({"Qualification"})).refusal(award) == "achievement-type"
    both = frozenset({"Qualification", "LearningAchievement"})
    assert Scope(achievement_types=both).refusal(award) is None
    assert len(awarded_by(diploma()).achievements) == 2


def test_what_stands_under_itself_is_read_once() -> None:
    claim: dict[str, Any] = {"id": "urn:a", "type": "LearningAchievement", "title": {"en": "A"}}
    claim["hasPart"] = [
        {"id": "urn:b", "type": "LearningAchievement", "title": {"en": "B"}, "hasPart": {"id": "urn:a"}}
    ]
    found = claims_of(diploma(credentialSubject={"id": "urn:p", "hasClaim": [claim, {"id": "urn:b"}]}))
    assert [each.title for each in found] == ["A", "B"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "type", "hasClaim", "hasPart", "title", "en", "specifiedBy", "EQFLevel", "learningOutcome", "grade",
             "relatedESCOSkill", "prefLabel", "provenBy", "awardedBy", "awardingBody", "legalName", "noteLiteral"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(claim=_JSON, issuer=_JSON, display=_JSON)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_one_it_is_read_without_a_fault(claim: Any, issuer: Any, display: Any) -> None:
    document = diploma(issuer=issuer, displayParameter=display, credentialSubject={"hasClaim": claim})
    summary(document)
    outline(document)
    reached_in(document)
    awarded_by(document)
