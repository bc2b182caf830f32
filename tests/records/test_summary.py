"""Summaries: right for real records, and total for anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.records.shown import MAX_TEXT
from node.records.summary import MAX_SKILLS, summary
from storage.credentials import Skill
from tests.shared_data import shared_json

SAMPLES = "credentials/1edtech/"


def test_a_complete_record_is_summed_up() -> None:
    found = summary(shared_json(SAMPLES + "ob30/complete.json"))
    assert found.id == "http://1edtech.edu/credentials/3732"
    assert found.name == "1EdTech University Degree for Example Student"
    assert (found.issuer, found.issuer_name) == ("https://1edtech.edu/issuers/565049", "1EdTech University")
    assert found.subject == "did:example:ebfeb1f712ebc6f1c276e12ec21"
    assert found.achievement_name == "1EdTech University Degree"
    assert found.types == ("OpenBadgeCredential",)
    assert found.valid_from == datetime(2010, 1, 1, tzinfo=UTC)
    assert found.valid_until == datetime(2030, 1, 1, tzinfo=UTC)
    framework = "1EdTech University Program and Course Catalog"
    degree = Skill(code="degree", name="1EdTech University Degree", framework=framework,
                   url="https://1edtech.edu/catalog/degree")  # fmt: skip
    assert found.skills[0] == degree
    assert len(found.skills) == len(set(found.skills)) >= 3
    assert ("Final Project Grade", "A") in found.results


@pytest.mark.parametrize(
    ("name", "title", "kind", "achievement"),
    [
        ("ob30/simple", "Teamwork Badge", "OpenBadgeCredential", "Teamwork"),
        ("ob30/simple-did-key-method", "test 1", "AchievementCredential", "test 1"),
        ("ob30/simple-err-issuer", "Example University Degree", "OpenBadgeCredential", None),
        ("ob30/endorsement-valid", "Example endorsement", "EndorsementCredential", None),
        ("clr20/simple", "Sample Transcript", "ClrCredential", "Achievement 1"),
    ],
)
def test_records_of_every_kind_are_summed_up(name: str, title: str, kind: str, achievement: str | None) -> None:
    found = summary(shared_json(f"{SAMPLES}{name}.json"))
    assert found.name == title
    assert kind in found.types
    assert found.achievement_name == achievement


def test_a_record_of_1_1_has_its_times_too() -> None:
    found = summary(shared_json(SAMPLES + "ob30/simple-noproof.json"))
    assert found.valid_from == datetime(2010, 1, 1, tzinfo=UTC)
    assert found.valid_until is None


def test_a_built_record_shows_its_skills_result_and_status(record: dict[str, Any]) -> None:
    grade = "https://riverside.example/achievements/structural-welding-1#grade"
    record["credentialSubject"]["result"] = [{"type": ["Result"], "resultDescription": grade, "value": "B"}]
    record["credentialStatus"] = [{"statusPurpose": "revocation"}, {"statusPurpose": "suspension"}]
    found = summary(record)
    assert [skill.code for skill in found.skills] == ["51-4121.00", "2.B.3.m", "2.C.3.e"]
    assert found.results == (("Practical grade", "B"),)
    assert found.status_purposes == ("revocation", "suspension")


def test_a_name_given_in_a_language_is_read() -> None:
    assert summary({"name": [{"@value": "Soudage", "@language": "fr"}]}).name == "Soudage"


def test_texts_are_cut_and_cannot_move_what_a_terminal_shows() -> None:
    hostile = "\x1b[2J\u202eAda\n" + "x" * 10_000
    found = summary({"name": hostile, "issuer": {"id": "did:example:1", "name": "\x07"}})
    assert found.name.startswith("[2J Ada xxx")
    assert len(found.name) <= MAX_TEXT
    assert found.issuer_name is None


def test_skills_are_bounded() -> None:
    alignment = [{"targetName": str(number)} for number in range(5000)]
    assert len(summary({"credentialSubject": {"achievement": {"alignment": alignment}}}).skills) == MAX_SKILLS


NAMES = st.sampled_from(
    ["@context", "id", "type", "name", "issuer", "credentialSubject", "achievement", "alignment", "targetName",
     "targetUrl", "result", "resultDescription", "rubricCriterionLevel", "value", "validFrom", "credentialStatus",
     "statusPurpose", "@value", "achievedLevel"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_any_object_has_a_summary(document: dict[str, Any]) -> None:
    assert summary(document).name
