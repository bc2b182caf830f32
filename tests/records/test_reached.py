"""What a record says was reached in each skill."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from node.records.reached import reached_in
from storage.record_skills import Reached
from tests.shared_data import shared_json

_GRADE = "urn:x:grade"


def _aligned(name: str) -> dict[str, Any]:
    return {"type": ["Alignment"], "targetName": name, "targetUrl": f"urn:skill:{name}"}


def _record(result: dict[str, Any], **description: Any) -> dict[str, Any]:
    described = {"id": _GRADE, "type": ["ResultDescription"], "name": "Grade", **description}
    achievement = {"alignment": [_aligned("a"), _aligned("b")], "resultDescription": [described]}
    return {"credentialSubject": {"achievement": achievement, "result": [result]}}


def _by_name(document: dict[str, Any]) -> dict[str, tuple[Reached, ...]]:
    return {skill.name: reached for skill, reached in reached_in(document).items()}


def test_a_result_that_is_aligned_to_nothing_is_of_every_skill_of_the_achievement() -> None:
    found = _by_name(_record({"resultDescription": _GRADE, "value": "B"}, resultType="LetterGrade",
                             allowedValue=["C", "B", "A"]))  # fmt: skip
    grade = Reached(name="Grade", value="B", description=_GRADE, kind="LetterGrade", steps=("C", "B", "A"))
    assert found == {"a": (grade,), "b": (grade,)}


def test_a_result_with_alignments_of_its_own_is_of_these_only() -> None:
    own = _by_name(_record({"resultDescription": _GRADE, "value": "3", "alignment": [_aligned("c")]}, valueMax="7"))
    described = _by_name(_record({"resultDescription": _GRADE, "value": "3"}, alignment=_aligned("d")))
    assert own == {"c": (Reached(name="Grade", value="3", description=_GRADE, high="7"),)}
    assert set(described) == {"d"}


def test_a_level_of_a_rubric_is_told_by_its_name_among_the_others() -> None:
    levels = [{"id": "urn:x:1", "name": "Novice"}, {"id": "urn:x:2", "name": "Expert"}]
    found = _by_name(_record({"resultDescription": _GRADE, "achievedLevel": "urn:x:1"}, rubricCriterionLevel=levels))
    assert [(each.value, each.steps) for each in found["a"]] == [("Novice", ("Novice", "Expert"))]


def test_a_record_of_the_specification_is_read() -> None:
    found = reached_in(shared_json("credentials/1edtech/ob30/complete.json"))
    assert ("Final Project Grade", "A") in {(each.name, each.value) for some in found.values() for each in some}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "name", "value", "result", "achievement", "alignment", "targetName",
                                       "resultDescription", "rubricCriterionLevel", "achievedLevel", "allowedValue"]),
                      inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
def test_no_document_breaks_the_reading(subject: Any) -> None:
    for reached in reached_in({"credentialSubject": subject}).values():
        assert all(isinstance(each, Reached) for each in reached)
