"""``lernode framework``: imported, looked into, compared and forgotten, as a person does it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.admin.helpers import make_node
from tests.cli.test_commands import run
from tests.opening import KEY_TEXT
from tests.shared_data import shared_path
from tests.skills import samples

Framework = Callable[..., tuple[int, str]]


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    await make_node(tmp_path / "n", "College")
    return tmp_path / "n"


@pytest.fixture
def framework(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Framework:
    """Runs the command; its exit code, and all that it shows."""
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)

    def call(*arguments: str | Path) -> tuple[int, str]:
        code = run(monkeypatch, "framework", *arguments, "--home", home)
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return call


def as_json(framework: Framework, *arguments: str | Path) -> Any:
    code, shown = framework(*arguments, "--json")
    assert code == 0, shown
    return json.JSONDecoder().raw_decode(shown)[0]  # what follows went to standard error


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_real_framework_is_imported_found_and_forgotten(framework: Framework) -> None:
    code, shown = framework("import", shared_path("frameworks/onet-occupations.tsv"))
    assert code == 0
    assert "1,016 items" in shown
    assert "51-4121.00" in framework("search", "weld", "cutt")[1]
    assert "Welders, Cutters" in framework("skill", "https://www.onetonline.org/link/summary/51-4121.00")[1]
    listed = as_json(framework, "list")["items"][0]
    assert (listed["id"], listed["licence"], listed["items"]) == ("o-net", "CC-BY-4.0", 1016)
    assert listed["digest"].startswith("sha-256:")
    assert framework("remove", "o-net", "--yes")[0] == 0
    assert framework("show", "o-net")[0] == 2


def test_a_folder_of_the_onet_database_shows_what_an_occupation_needs(framework: Framework, tmp_path: Path) -> None:
    folder = tmp_path / "db_29_0_text"
    folder.mkdir()
    for name, text in samples.ONET.items():
        (folder / name).write_text(text)
    assert framework("import", folder, "--name", "onet", "--version", "29.0")[0] == 0
    needs = as_json(framework, "skill", "11-1011.00")["relations"]
    assert [(each["otherName"], each["importance"], each["level"]) for each in needs] == [
        ("Reading Comprehension", 4.12, 4.75)
    ]
    assert "Basic Skills" in framework("tree", "onet", "2")[1]
    assert "29.0" in framework("show", "onet")[1]


def test_a_new_version_shows_what_it_changes_and_the_old_one_stays(framework: Framework, tmp_path: Path) -> None:
    old = write(tmp_path / "ours.csv", "code,name,parent\nA,Welding,\nB,Cutting,\nA.1,Overhead,A\nC,Gone,\n")
    new = write(tmp_path / "new.csv", "code,name,parent\nA,Fusion welding,\nB,Cutting,\nA.1,Overhead,B\nD,New,\n")
    assert framework("import", old)[0] == 0
    code, shown = framework("import", new, "--name", "ours")
    assert code == 0
    assert "1 added, 1 removed, 1 changed, 1 moved" in shown
    assert "“Welding” is now “Fusion welding”" in shown
    assert as_json(framework, "diff", "ours")["counts"] == {"added": 1, "removed": 1, "changed": 1, "moved": 1}
    assert [each["number"] for each in as_json(framework, "show", "ours")["versions"]] == [2, 1]
    assert as_json(framework, "skill", "C")["item"]["number"] == 1
    assert "is here already" in framework("import", new, "--name", "ours")[1]


def test_bad_rows_are_told_by_line_and_the_rest_is_imported_only_when_asked(
    framework: Framework, tmp_path: Path
) -> None:
    bad = write(tmp_path / "bad.csv", "code,name\nA,a\n,b\nC\nA,again\nD,d\n")
    code, shown = framework("import", bad)
    assert code == 2
    assert "line 3: It has neither a code nor a URL." in shown
    assert "line 4: It has 1 cells" in shown
    assert "line 5, A: It stands in the file twice" in shown
    assert as_json(framework, "list")["items"] == []
    imported = as_json(framework, "import", bad, "--skip-bad")
    assert (imported["framework"]["items"], imported["framework"]["skipped"]) == (2, 3)
    assert [fault["place"] for fault in imported["faults"]] == ["line 3", "line 4", "line 5, A"]


def test_a_column_mapping_is_kept_for_the_next_version(framework: Framework, tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", "ID;Titel\n1;Schweißen\n")
    second = write(tmp_path / "b.csv", "ID;Titel\n1;Schweißen\n2;Löten\n")
    assert framework("import", first, "--name", "ours", "--map", "code=ID", "--map", "name=Titel")[0] == 0
    assert framework("import", second, "--name", "ours")[0] == 0
    assert "Löten" in framework("search", "loten")[1]


def test_a_crosswalk_leads_from_one_framework_to_another(framework: Framework, tmp_path: Path) -> None:
    framework("import", write(tmp_path / "ours.csv", "code,name\nW1,Welding\n"))
    framework("import", write(tmp_path / "theirs.csv", "code,name,url\nT,Soudage,https://x.example/t\n"))
    assert framework("import", write(tmp_path / "walk.csv", "source,target\nW1,https://x.example/t\n"))[0] == 0
    assert "Soudage" in framework("crosswalk", "W1")[1]
    assert "← exactMatch" in framework("crosswalk", "https://x.example/t")[1]
    framework("import", write(tmp_path / "theirs.csv", "code,name,url\nT,Brasage,https://x.example/t\n"))
    assert "Brasage" in framework("crosswalk", "W1")[1], "as its last version calls it"
    unknown = write(tmp_path / "odd.csv", "source,target,type\nW1,https://x.example/t,sameAs\n")
    code, shown = framework("import", unknown)
    assert (code, "line 2: Its type is none of exactMatch" in shown) == (2, True)


def test_what_is_no_framework_is_refused_in_one_sentence(framework: Framework, tmp_path: Path) -> None:
    code, shown = framework("import", write(tmp_path / "x.txt", "hello"))
    assert code == 2
    assert "of no format that is known" in shown
    assert "esco-csv" in shown
    assert framework("import", tmp_path / "nowhere.csv")[0] == 2
    assert framework("import", "http://127.0.0.1:1/f.json")[0] == 3
    assert framework("skill", "nothing")[0] == 2
