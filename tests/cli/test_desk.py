"""``lernode desk``: a list from a student system, looked through, issued and reported on, as a person does it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.records.test_learner_files import FILES

ODD = "Vorname;Nachname;Mail;Note\nAda;Byron;ada@example.org;A\n=cmd;Bad;bad@example.org;B\n;;;\nX;Y;nomail;A\n"
MAP = ("--map", "name=Vorname+Nachname", "--map", "email=Mail", "--map", "result=Note")


def answer(shown: str) -> Any:
    return json.JSONDecoder().raw_decode(shown)[0]


def test_a_list_is_checked_mapped_issued_and_reported(lernode: Command, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(ODD, encoding="windows-1252")
    code, shown = lernode("desk", "check", "weld-101", file)
    assert (code, "does not name the columns" in shown) == (2, True)
    code, shown = lernode("desk", "check", "weld-101", file, *MAP, "--save-mapping", "sis")
    assert code == 1
    assert "line 5, email: A value is not an e-mail address." in shown
    assert "2 rows are right, 1 are wrong" in shown
    assert "name=Vorname+Nachname" in lernode("desk", "mappings")[1]
    assert lernode("desk", "add", "weld-101", file, "--mapping", "sis")[0] == 2
    code, shown = lernode("desk", "add", "weld-101", file, "--mapping", "sis", "--skip-bad", "--json")
    assert code == 0, shown
    order = answer(shown)
    assert (order["state"], order["rows"]) == ("approved", {"ready": 2, "failed": 1})
    assert "export.csv" in lernode("desk")[1]
    out = tmp_path / "records"
    assert lernode("desk", "run", order["id"][:8], "--out", out)[0] == 1  # a row failed
    assert len(list(out.iterdir())) == 2
    assert lernode("desk", "run", order["id"], "--out", out, "--json")[0] == 1
    assert len(list(out.iterdir())) == 2
    report = tmp_path / "report.csv"
    assert lernode("desk", "report", order["id"], "--out", report)[0] == 0
    rows = list(csv.DictReader(io.StringIO(report.read_text(encoding="utf-8-sig"))))
    assert [(row["line"], row["state"], row["name"]) for row in rows] == [
        ("2", "issued", "Ada Byron"),
        ("3", "issued", "'=cmd Bad"),
        ("5", "failed", ""),
    ]
    assert rows[2]["code"] == "record.email"
    assert rows[0]["credential"].startswith("urn:uuid:")
    assert lernode("desk", "report", order["id"], "--out", report)[0] == 2
    assert lernode("desk", "remove", order["id"], "--yes")[0] == 0
    assert lernode("desk", "show", order["id"])[0] == 2
    assert lernode("desk", "mappings", "--remove", "sis")[0] == 0


def test_a_folder_of_oneroster_files_is_read(lernode: Command, tmp_path: Path) -> None:
    folder = tmp_path / "oneroster"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text)
    code, shown = lernode("desk", "check", "weld-101", folder, "--class", "c1", "--json")
    assert code == 0, shown
    assert [row["name"] for row in answer(shown)["preview"]] == ["Ada Byron", "小明 王"]
    assert "line item l1 (Final exam)" in lernode("desk", "check", "weld-101", folder)[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "none"),
        ("approve", "none"),
        ("report", "none"),
        ("report", "none", "--out", "x.txt"),
        ("check", "weld-101", "FILE", "--map", "name"),
        ("check", "weld-101", "FILE", "--map", "height=Mail"),
        ("check", "weld-101", "FILE", "--mapping", "none"),
        ("check", "none", "FILE"),
        ("add", "weld-101", "FILE", "--mail"),
    ],
)
def test_what_cannot_be_done_says_so(lernode: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    file = tmp_path / "list.csv"
    file.write_text("name,email\nAda,ada@example.org\n")
    code, shown = lernode("desk", *(str(file) if each == "FILE" else each for each in arguments))
    assert code in {1, 2}
    assert "Traceback" not in shown
