"""A list of learners: every form in which programs write it, and every bad row by its line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.records.csv_input import MAX_ROWS, LearnerList, LearnerRow, parse_learners
from node.records.csv_text import MAX_BYTES
from node.records.results import ResultDescription
from protocols.errors import BadInput

GRADE = ResultDescription("urn:r:1", "Grade", "LetterGrade", allowed=("F", "D", "C", "B", "A"), required="C")
DID = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
HEADER = "name,email,did,date,result\n"
ADA = LearnerRow(2, "Ada Lovelace", "ada@example.org", None, datetime(2026, 5, 31, tzinfo=UTC), "A")


def parse(text: str) -> LearnerList:
    return parse_learners(text.encode(), result=GRADE)


def told(text: str) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.column, problem.code) for problem in parse(text).problems]


PLAIN = "name,email,did,date,result\nAda Lovelace,ada@example.org,,2026-05-31,A\n"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.rstrip().encode(),
        (PLAIN + "\n\n,,,,\n").encode(),
        PLAIN.replace("Ada Lovelace", '"Ada Lovelace"').encode(),
        PLAIN.replace("Ada Lovelace", "  Ada   Lovelace ").encode(),
        PLAIN.replace("name,email,did,date,result", " Student Name ,E-Mail, DID ,Award_Date,GRADE").encode(),
        b"name,email or did,date,result\nAda Lovelace,ada@example.org,2026-05-31,A\n",
        b"name,E-mail / DID,date,result\nAda Lovelace,ada@example.org,2026-05-31,A\n",
        PLAIN.replace("2026-05-31", "2026-05-31T02:00:00+02:00").encode(),
    ],
)
def test_a_learner_is_read_however_the_file_was_written(data: bytes) -> None:
    found = parse_learners(data, result=GRADE)
    assert found.problems == ()
    assert found.rows == (ADA,)


def test_a_learner_may_have_a_did_only_and_no_date_nor_result() -> None:
    assert parse(f"name,did\nAda,{DID}\n").rows == (LearnerRow(2, "Ada", None, DID, None, None),)
    assert parse(f"name,email or did\nAda,{DID}\n").rows == (LearnerRow(2, "Ada", None, DID, None, None),)


def test_names_of_any_script_and_quoted_separators_are_kept() -> None:
    names = [row.name for row in parse('name,email\n"Lovelace, Ada",a@x.org\n李小龙,b@x.org\n"O""Neil",c@x.org\n').rows]
    assert names == ["Lovelace, Ada", "李小龙", 'O"Neil']


def test_columns_that_are_not_read_are_counted() -> None:
    assert parse("id,name,email,notes\n1,Ada,a@x.org,\n").ignored_columns == 2


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (",a@x.org,,,", "name", "name.missing"),
        ("x" * 201 + ",a@x.org,,,", "name", "name.too_long"),
        ("Ada,,,,", "", "row.nobody"),
        ("Ada,ada.example.org,,,", "email", "record.email"),
        ("Ada,,did:key,,", "did", "did.malformed"),
        (f"Ada,,{DID}#key,,", "did", "did.malformed"),
        ("Ada,a@x.org,,31/05/2026,", "date", "date.malformed"),
        ("Ada,a@x.org,,2026-5-31,", "date", "date.malformed"),
        ("Ada,a@x.org,,2026-02-30,", "date", "date.malformed"),
        ("Ada,a@x.org,,2026-05-31T10:00:00,", "date", "date.malformed"),
        ("Ada,a@x.org,,20260531,", "date", "date.malformed"),
        ("Ada,a@x.org,,,a", "result", "result.not_allowed"),
        ("Ada,a@x.org,,,F", "result", "result.below_required"),
        ("Ada,a@x.org,,", "", "row.missing_cells"),
        ("Ada,a@x.org,,,A,A", "", "row.extra_cells"),
        ("Lovelace, Ada,a@x.org,,,A", "", "row.extra_cells"),
        ("Ada\x00,a@x.org,,,", "", "row.control_characters"),
        ("Ada\x1b[2J,a@x.org,,,", "", "row.control_characters"),
        ('"Ada" L,a@x.org,,,', "", "row.quotes"),
        ('"Ada,a@x.org,,,', "", "row.quotes"),
        ('"' + "A" * 200_000 + '",a@x.org,,,', "name", "name.too_long"),
        ('"' + "A" * 1_100_000 + '",a@x.org,,,', "", "row.quotes"),
    ],
)
def test_a_bad_row_is_told_by_line_column_and_kind_without_what_it_holds(row: str, column: str, code: str) -> None:
    found = parse(f"{HEADER}Grace,grace@x.org,,2026-05-31,A\n{row}\n")
    assert [(problem.line, problem.column, problem.code) for problem in found.problems] == [(3, column, code)]
    assert [learner.name for learner in found.rows] == ["Grace"]
    assert not any(cell in found.problems[0].message for cell in row.split(",") if len(cell) > 6)


def test_a_learner_who_stands_there_twice_is_told_with_the_first_line() -> None:
    text = f"{HEADER}Ada,a@x.org,,,\nAda,A@X.org,,,\nEve,,{DID},,\nEve,e@x.org,{DID},,\n"
    found = parse(text)
    assert [(p.line, p.column, p.code) for p in found.problems] == [
        (3, "email", "row.duplicate"),
        (5, "did", "row.duplicate"),
    ]
    assert "line 2" in found.problems[0].message
    assert [row.line for row in found.rows] == [2, 4]


def test_all_problems_of_a_row_are_told_at_once() -> None:
    assert told(f"{HEADER},nobody,did:x,soon,Z\n") == [
        (2, "email", "record.email"),
        (2, "did", "did.malformed"),
        (2, "name", "name.missing"),
        (2, "date", "date.malformed"),
        (2, "result", "result.not_allowed"),
    ]


def test_lines_are_those_of_the_file_where_cells_hold_several() -> None:
    text = f'{HEADER}\n"Ada\nLovelace",a@x.org,,,\n\nEve,eve,,,\n'
    assert [row.line for row in parse(text).rows] == [3]
    assert told(text) == [(6, "email", "record.email")]


def test_nothing_after_a_broken_quote_is_issued() -> None:
    found = parse(f'{HEADER}Ada,a@x.org,,,\n"Eve" or "x\nMallory,m@x.org,,,\n"\n')
    assert [row.name for row in found.rows] == ["Ada"]
    assert [(p.line, p.code) for p in found.problems] == [(3, "row.quotes")]


def test_a_result_is_told_where_the_achievement_has_none() -> None:
    problems = parse_learners(PLAIN.encode()).problems
    assert [(p.line, p.column, p.code) for p in problems] == [(2, "result", "result.not_described")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "csv.empty"),
        (b"\xef\xbb\xbf", "csv.empty"),
        (b" \r\n \n", "csv.empty"),
        (b",,,\n;;\n", "csv.header"),
        (b"Ada,ada@example.org\n", "csv.header"),
        (b"name,date\nAda,2026-05-31\n", "csv.header"),
        (b"email,date\na@x.org,2026-05-31\n", "csv.header"),
        (b'"name,email\n', "csv.header"),
        (b"name,email,E-Mail\nAda,a@x.org,b@x.org\n", "csv.header_twice"),
        (b"name,email\n", "csv.no_rows"),
        ("name,email\nAndré,a@x.org\n".encode("cp1252"), "csv.encoding"),
        ("name,email\n".encode("utf-32"), "csv.encoding"),
        (b"\xff\xfen", "csv.encoding"),
        (b"PK\x03\x04\x14\x00\x06\x00\xff", "csv.encoding"),
        (b"name,email\n" + b"Ada,a@x.org\n" * (MAX_ROWS + 1), "csv.too_many_rows"),
        (b"x" * (MAX_BYTES + 1), "csv.too_large"),
    ],
)
def test_a_file_of_which_nothing_can_be_used_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_learners(data, result=GRADE)
    assert caught.value.code == code
    assert caught.value.hint


CELLS = st.text(alphabet='ab@x.org",;\n\r\t\x00 did:éA2026-1', max_size=12)


@given(st.lists(st.lists(CELLS, max_size=6), max_size=5), st.sampled_from([HEADER, "name;email\r\n", ""]))
def test_any_file_ends_in_rows_and_problems_or_a_refusal(rows: list[list[str]], header: str) -> None:
    text = header + "\n".join(",".join(row) for row in rows)
    try:
        found = parse_learners(text.encode(), result=GRADE)
    except BadInput as error:
        assert error.code.startswith("csv.")
        return
    good, bad = {row.line for row in found.rows}, {problem.line for problem in found.problems}
    assert good | bad
    assert good.isdisjoint(bad)
