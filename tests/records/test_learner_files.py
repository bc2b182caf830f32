"""Learners from a student system in each form that it may have, and what is written for people's programs."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from node.records.csv_input import Column, Columns, LearnerList
from node.records.csv_text import harmless, write_records
from node.records.learner_files import read_learners
from node.records.results import ResultDescription
from protocols.errors import BadInput

GRADE = ResultDescription(id="urn:g", name="Grade", result_type="Percent", minimum="0", maximum="100")
# Arabic, Hebrew with points, Devanagari with joiners, Vietnamese decomposed, Persian with ZWNJ, Han.
NAMES = ["محمد علي", "שָׂרָה כֹּהֵן", "क्ष‍त्रिय", "Nguyễn", "نیلوفر می‌خواهد", "王小明"]


def read(data: bytes, **how: Any) -> LearnerList:
    columns = Columns(**how.pop("columns", {}))
    return read_learners(data, result=how.pop("result", GRADE), columns=columns, **how)


def refusal(data: bytes, **how: Any) -> str:
    with pytest.raises(BadInput) as caught:
        read(data, **how)
    return caught.value.code


def people(found: LearnerList) -> list[tuple[str, str | None, str | None]]:
    return [(row.name, row.email, row.result) for row in found.rows]


def csv_of(names: list[str], mark: str = "", delimiter: str = ",") -> str:
    rows = [["name", "email"], *([name, f"p{number}@example.org"] for number, name in enumerate(names))]
    return mark + "\r\n".join(delimiter.join(row) for row in rows)


@pytest.mark.parametrize(
    ("mark", "encoding", "delimiter"),
    [("", "utf-8", ","), ("", "utf-8-sig", ";"), ("\ufeff", "utf-16-le", "\t"), ("\ufeff", "utf-16-be", ";")],
)
def test_names_of_any_script_come_through_as_they_are(mark: str, encoding: str, delimiter: str) -> None:
    found = read(csv_of(NAMES, mark, delimiter).encode(encoding))
    assert [row.name for row in found.rows] == NAMES
    lines = "\n".join(json.dumps({"name": name, "email": f"p{i}@example.org"}) for i, name in enumerate(NAMES))
    assert [row.name for row in read(lines.encode()).rows] == NAMES


def test_another_encoding_is_read_where_it_is_said_and_refused_where_it_is_not() -> None:
    data = csv_of(["Jürgen Groß"]).encode("windows-1252")
    assert refusal(data) == "csv.encoding"
    assert [row.name for row in read(data, columns={"encoding": "windows-1252"}).rows] == ["Jürgen Groß"]
    assert refusal(data, columns={"encoding": "klingon"}) == "csv.encoding_unknown"


def test_columns_are_mapped_joined_and_dated_as_the_student_system_has_them() -> None:
    data = b"Vorname;Nachname;Mail;Abschluss;Punkte;Geb\nAda;Byron;ada@example.org;31.5.2026;88;x\n"
    names = {Column.NAME: "Vorname+Nachname", Column.EMAIL: "mail", Column.DATE: "Abschluss", Column.RESULT: "Punkte"}
    found = read(data, columns={"names": names, "date_format": "%d.%m.%Y"})
    assert people(found) == [("Ada Byron", "ada@example.org", "88")]
    assert found.rows[0].date == datetime(2026, 5, 31, tzinfo=UTC)
    assert found.ignored_columns == 1
    assert refusal(data, columns={"names": names | {Column.DID: "Nothing"}}) == "csv.column_unknown"
    assert refusal(data) == "csv.header"


def test_every_problem_is_told_by_its_line_and_not_only_the_first() -> None:
    rows = [
        '{"name": "Ada", "email": "ada@example.org", "result": 88.5}',
        "not json",
        '{"name": "", "email": "nobody", "result": 101}',
        '["name"]',
        '{"name": "Grace", "email": "grace@example.org", "date": "31.5.2026"}',
        '{"name": {"deep": 1}, "email": "x@example.org"}',
        '{"name": "Ada again", "email": "ADA@example.org"}',
    ]
    found = read("\n".join(rows).encode())
    assert people(found) == [("Ada", "ada@example.org", "88.5")]
    assert [(each.line, each.code) for each in found.problems] == [
        (2, "row.unreadable"),
        (3, "record.email"),
        (3, "name.missing"),
        (3, "result.out_of_range"),
        (4, "row.unreadable"),
        (5, "date.malformed"),
        (6, "row.unreadable"),
        (7, "row.duplicate"),
    ]


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1", "=HYPERLINK(\"https://x\")", "\n-2"],
)  # fmt: skip
def test_no_cell_that_is_written_is_a_formula(cell: str) -> None:
    written = write_records([["name", "why"], [cell, None]])
    assert written.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))
    assert rows == [["name", "why"], [f"'{cell}", ""]]


@pytest.mark.parametrize("cell", ["Ada", "O'Brien", "a=b", "", *NAMES])
def test_other_cells_are_written_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


USERS = """sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,email,preferredGivenName
u1,active,,true,ada,,Augusta,Byron,ada@example.org,Ada
u2,,,true,li,,小明,王,li@example.org,
u3,,,false,off,,Not,Enabled,off@example.org,
u4,tobedeleted,,true,gone,,Gone,Away,gone@example.org,
u5,,,true,t,,Tea,Cher,t@example.org,
"""
FILES = {
    "manifest": "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.users,bulk\n",
    "users": USERS,
    "classes": "sourcedId,status,title\nc1,active,Welding\nc2,active,Coding\n",
    "enrollments": "sourcedId,classSourcedId,userSourcedId,role\n"
    "e1,c1,u1,student\ne2,c1,u2,student\ne3,c1,u5,teacher\ne4,c1,u3,student\ne5,c1,u4,student\ne6,c2,u2,student\n",
    "lineItems": "sourcedId,title\nl1,Final exam\nl2,Quiz\n",
    "results": "sourcedId,lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,textScore\n"
    "r1,l1,u1,fully graded,91,2026-05-31,\nr2,l1,u2,submitted,,2026-05-31,\nr3,l2,u2,fully graded,40,2026-05-30,\n",
}


def roster(**changed: str | None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**FILES, **changed}.items():
            if text is not None:
                archive.writestr(f"{name}.csv", text)
    return out.getvalue()


def test_the_students_of_a_class_are_those_who_are_there_and_enabled() -> None:
    found = read(roster(), class_id="c1")
    assert people(found) == [("Ada Byron", "ada@example.org", None), ("小明 王", "li@example.org", None)]
    assert [row.line for row in found.rows] == [2, 3]


def test_results_of_a_line_item_come_with_score_and_date() -> None:
    found = read(roster(), line_item_id="l1")
    assert people(found) == [("Ada Byron", "ada@example.org", "91")]
    assert found.rows[0].date == datetime(2026, 5, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "how", "code"),
    [
        ({}, {}, "oneroster.ambiguous"),
        ({}, {"class_id": "c1", "line_item_id": "l1"}, "oneroster.ambiguous"),
        ({}, {"class_id": "c9"}, "oneroster.unknown"),
        ({"users": None}, {"class_id": "c1"}, "oneroster.incomplete"),
        ({"users": "sourcedId\nu1\n"}, {"class_id": "c1"}, "oneroster.incomplete"),
        ({"users": USERS + "u6,too few\n"}, {"class_id": "c1"}, "oneroster.row"),
        ({"manifest": FILES["manifest"].replace("bulk", "delta")}, {"class_id": "c1"}, "oneroster.not_bulk"),
        ({"manifest": "propertyName,value\noneroster.version,9\n"}, {"class_id": "c1"}, "oneroster.version"),
    ],
)
def test_a_package_that_cannot_be_used_says_why(changed: dict[str, str | None], how: dict[str, str], code: str) -> None:
    assert refusal(roster(**changed), **how) == code


def test_a_damaged_package_is_refused() -> None:
    assert refusal(roster()[:200]) == "oneroster.unreadable"
    assert refusal(csv_of(["Ada"]).encode(), class_id="c1") == "oneroster.not_one"
