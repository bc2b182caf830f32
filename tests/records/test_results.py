"""Results against what the achievement says of them."""

from __future__ import annotations

from typing import Any

import pytest

from node.records.results import Level, ResultDescription, make_result
from protocols.errors import BadInput

GRADE = ResultDescription("urn:r:1", "Grade", "LetterGrade", allowed=("F", "D", "C", "B", "A"), required="C")
SCORE = ResultDescription("urn:r:2", "Score", "Percent", minimum="0", maximum="100", required="59.5")
FREE = ResultDescription("urn:r:3", "Remark", "Result")
STATUS = ResultDescription("urn:r:4", "Status", "Status")
RUBRIC = ResultDescription(
    "urn:r:5",
    "Craft",
    "RubricCriterionLevel",
    levels=(Level("urn:l:1", "Novice"), Level("urn:l:2", "Skilled"), Level("urn:l:3", "Master")),
    required_level="urn:l:2",
)


@pytest.mark.parametrize(
    ("description", "value", "expected"),
    [
        (GRADE, "C", {"value": "C"}),
        (GRADE, "A", {"value": "A"}),
        (SCORE, "59.5", {"value": "59.5"}),
        (SCORE, "100", {"value": "100"}),
        (FREE, "with distinction", {"value": "with distinction"}),
        (STATUS, "Completed", {"status": "Completed"}),
        (RUBRIC, "Skilled", {"achievedLevel": "urn:l:2"}),
        (RUBRIC, "Master", {"achievedLevel": "urn:l:3"}),
    ],
)
def test_a_result_names_its_description(description: ResultDescription, value: str, expected: dict[str, Any]) -> None:
    assert make_result(description, value) == {"type": ["Result"], "resultDescription": description.id, **expected}


@pytest.mark.parametrize(
    ("description", "value", "code"),
    [
        (GRADE, "c", "result.not_allowed"),
        (GRADE, "", "result.not_allowed"),
        (GRADE, "D", "result.below_required"),
        (SCORE, "101", "result.out_of_range"),
        (SCORE, "-1", "result.out_of_range"),
        (SCORE, "85%", "result.out_of_range"),
        (SCORE, "85,5", "result.out_of_range"),
        (SCORE, "1e2", "result.out_of_range"),
        (SCORE, "NaN", "result.out_of_range"),
        (SCORE, "٩٠", "result.out_of_range"),
        (SCORE, "59", "result.below_required"),
        (STATUS, "Done", "result.not_allowed"),
        (RUBRIC, "urn:l:3", "result.not_allowed"),
        (RUBRIC, "Novice", "result.below_required"),
        (FREE, "x" * 201, "result.too_long"),
    ],
)
def test_a_result_that_does_not_fit_is_refused(description: ResultDescription, value: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        make_result(description, value)
    assert caught.value.code == code
    assert len(value) < 2 or value not in str(caught.value)
