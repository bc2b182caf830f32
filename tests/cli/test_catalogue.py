"""``lernode catalogue``: added to, edited, shown and retired, as a person does it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
ADA = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


def document(lernode: Command, name: str) -> dict[str, Any]:
    code, shown = lernode("catalogue", "show", name, "--json")
    assert code == 0, shown
    return dict(json.JSONDecoder().raw_decode(shown)[0]["document"])


def test_an_achievement_is_made_of_a_framework_item_and_awarded(lernode: Command, tmp_path: Path) -> None:
    skills = tmp_path / "ours.csv"
    skills.write_text(
        "code,name,description,url\nW1,Overhead welding,Welds overhead.,https://college.example/skills/w1\n"
        "W2,No URL,,\n"
    )
    assert lernode("framework", "import", skills)[0] == 0
    code, shown = lernode("catalogue", "add", "--from-skill", "ours:W1")
    assert code == 0, shown
    assert "w1: “Overhead welding” can be awarded." in shown
    made = document(lernode, "w1")
    assert made["alignment"] == [
        {
            "type": ["Alignment"],
            "targetName": "Overhead welding",
            "targetUrl": "https://college.example/skills/w1",
            "targetCode": "W1",
            "targetDescription": "Welds overhead.",
            "targetFramework": "ours",
        }
    ]
    assert (made["achievementType"], made["description"]) == ("Competency", "Welds overhead.")
    code, shown = lernode("issue", "w1", "--to", ADA, "--json")
    assert code == 0, shown
    assert json.JSONDecoder().raw_decode(shown)[0]["document"]["credentialSubject"]["achievement"] == made
    assert "no URL" in lernode("catalogue", "add", "--from-skill", "ours:W2")[1]
    assert lernode("catalogue", "add", "--from-skill", "ours:NONE")[0] == 2


def test_properties_skills_and_the_image_are_edited(lernode: Command, tmp_path: Path) -> None:
    image = tmp_path / "weld.png"
    image.write_bytes(PIXEL)
    code, shown = lernode(
        "catalogue", "edit", "weld-101", "--set", "name=Welding ١", "--set", "criteria.narrative=Three tests.",
        "--set", 'tag=["steel"]', "--set", "fieldOfStudy=-", "--unalign", "2.C.3.e", "--image", image,
    )  # fmt: skip
    assert code == 0, shown
    made = document(lernode, "weld-101")
    assert (made["name"], made["criteria"], made["tag"]) == ("Welding ١", {"narrative": "Three tests."}, ["steel"])
    assert "fieldOfStudy" not in made
    assert [each["targetCode"] for each in made["alignment"]] == ["51-4121.00", "2.B.3.m"]
    assert base64.b64decode(made["image"]["id"].removeprefix("data:image/png;base64,")) == PIXEL


def test_a_document_is_written_out_edited_and_taken_back(lernode: Command, tmp_path: Path) -> None:
    file = tmp_path / "weld.json"
    assert lernode("catalogue", "show", "weld-101", "--out", file)[0] == 0
    file.write_text(json.dumps(json.loads(file.read_text()) | {"description": "Other."}))
    assert lernode("catalogue", "edit", "weld-101", file)[0] == 0
    assert document(lernode, "weld-101")["description"] == "Other."


@pytest.mark.parametrize(
    "arguments",
    [
        ("edit", "weld-101"),
        ("edit", "weld-101", "--set", "criteria"),
        ("edit", "weld-101", "--set", "criteria=-"),
        ("edit", "weld-101", "--set", "name.x=1"),
        ("edit", "weld-101", "--unalign", "nothing"),
        ("edit", "nothing", "--set", "name=x"),
        ("add",),
        ("add", "--from-skill", "onet"),
        ("add", "--from-skill", "none:1"),
    ],
)
def test_what_cannot_be_done_says_so_and_changes_nothing(lernode: Command, arguments: tuple[str, ...]) -> None:
    before = document(lernode, "weld-101")
    code, shown = lernode("catalogue", *arguments)
    assert code in {1, 2}
    assert "Traceback" not in shown
    assert document(lernode, "weld-101") == before


def test_what_is_retired_leaves_the_list_and_comes_back(lernode: Command) -> None:
    assert lernode("catalogue", "retire", "weld-101")[0] == 0
    assert "weld-101" not in lernode("catalogue")[1]
    assert "weld-101" in lernode("catalogue", "list", "--retired")[1]
    assert "awarded no more" in lernode("issue", "weld-101", "--to", ADA)[1]
    assert lernode("catalogue", "retire", "weld-101", "--undo")[0] == 0
    assert "weld-101" in lernode("catalogue", "list")[1]
