"""The achievements catalogue: what is read, and how every problem is told at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from node.records.catalogue import Catalogue
from node.skills.frameworks import carried
from protocols.errors import BadInput, WrongState

DEMO = json.loads(files("node.records").joinpath("demo_catalogue.json").read_bytes())


def parse(items: Any) -> Catalogue:
    return Catalogue.parse(json.dumps(items))


def refusal(items: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parse(items)
    return caught.value


def test_an_achievement_is_found_by_id_and_by_short_name(catalogue: Catalogue) -> None:
    welding = catalogue.get("https://riverside.example/achievements/structural-welding-1")
    assert catalogue.get("WELD-101") is catalogue.get("weld-101") is welding
    assert [item.slug for item in catalogue.list()] == ["weld-101", "code-110", "data-120"]
    assert len(catalogue) == 3


def test_an_achievement_is_kept_exactly_as_it_stands_in_the_file(catalogue: Catalogue) -> None:
    assert [item.document for item in catalogue.list()] == DEMO


def test_an_unknown_achievement_is_refused_with_those_there_are(catalogue: Catalogue) -> None:
    with pytest.raises(WrongState) as caught:
        catalogue.get("basket-weaving")
    assert caught.value.code == "catalogue.unknown_achievement"
    assert "weld-101" in caught.value.hint


def test_every_alignment_of_the_carried_catalogue_is_an_entry_that_lernode_carries(catalogue: Catalogue) -> None:
    for achievement in catalogue.list():
        assert achievement.skills
        for skill in achievement.skills:
            assert skill.url is not None
            assert carried().get(skill.url) == skill


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "missing criteria": (lambda a: a.pop("criteria"), '$[0]: "criteria" is missing.'),
    "missing type": (lambda a: a.pop("type"), '$[0]: "type" is missing.'),
    "wrong type": (lambda a: a.update(type=["Badge"]), "$[0].type:"),
    "id no URL": (lambda a: a.update(id="weld"), "$[0].id: The value is not a URI."),
    "misspelt property": (lambda a: a.update(aligment=[]), "$[0]: The standard does not define here: aligment."),
    "unknown achievementType": (lambda a: a.update(achievementType="Mug"), "$[0].achievementType:"),
    "empty alignment": (lambda a: a.update(alignment=[]), "$[0].alignment:"),
    "null": (lambda a: a.update(humanCode=None), "$[0].humanCode:"),
    "alignment without URL": (lambda a: a["alignment"][1].pop("targetUrl"), '$[0].alignment[1]: "targetUrl"'),
    "alignment with no URL": (lambda a: a["alignment"][0].update(targetUrl="O*NET"), "$[0].alignment[0].targetUrl:"),
    "unknown targetType": (lambda a: a["alignment"][0].update(targetType="Job"), "$[0].alignment[0].targetType:"),
    "unknown in alignment": (lambda a: a["alignment"][0].update(url="x:y"), "$[0].alignment[0]: The standard"),
    "required not allowed": (
        lambda a: a["resultDescription"][0].update(requiredValue="E"),
        "$[0].resultDescription[0].requiredValue: The value is not in allowedValue.",
    ),
    "allowed twice": (
        lambda a: a["resultDescription"][0].update(allowedValue=["C", "C"]),
        "$[0].resultDescription[0].allowedValue:",
    ),
    "bounds upside down": (
        lambda a: a["resultDescription"][0].update(valueMin="5", valueMax="4"),
        "$[0].resultDescription[0].valueMin:",
    ),
    "bound no number": (
        lambda a: a["resultDescription"][0].update(valueMax="ten"),
        "$[0].resultDescription[0].valueMax:",
    ),
    "level unknown": (
        lambda a: a["resultDescription"][0].update(requiredLevel="urn:x:1"),
        "$[0].resultDescription[0].requiredLevel:",
    ),
    "two results with one id": (
        lambda a: a["resultDescription"].append(a["resultDescription"][0]),
        "$[0].resultDescription: Two",
    ),
    "no short name": (lambda a: a.update(humanCode="溶接"), "$[0].humanCode:"),
    "same id": (lambda a: a.update(id=DEMO[1]["id"]), "$[1].id: The achievement at [0] has the same id."),
    "same short name": (lambda a: a.update(humanCode="Code 110"), "$[1].humanCode: The achievement at [0] has"),
}


@pytest.mark.parametrize(("change", "told"), CHANGES.values(), ids=CHANGES.keys())
def test_a_problem_is_told_with_its_path(change: Callable[[dict[str, Any]], Any], told: str) -> None:
    items = copy.deepcopy(DEMO)
    change(items[0])
    error = refusal(items)
    assert error.code == "catalogue.invalid"
    assert told in error.message
    assert error.message.count("\n") == 1


def test_all_problems_are_told_at_once() -> None:
    items = copy.deepcopy(DEMO)
    del items[0]["name"]
    items[1]["resultDescription"][0]["valueMin"] = "low"
    items[2]["alignment"][0]["targetUrl"] = 7
    message = refusal(items).message
    for path in ('$[0]: "name"', "$[1].resultDescription[0].valueMin", "$[2].alignment[0].targetUrl"):
        assert path in message


@pytest.mark.parametrize("items", [[], {}, 7, None, "x", [7], [None], [[]], DEMO * 1000])
def test_what_is_no_list_of_achievements_is_refused(items: Any) -> None:
    assert refusal(items).code == "catalogue.invalid"


@pytest.mark.parametrize("data", [b"", b"[", b"\xff\xfe[", b"[" * 5000, b'[{"id":1,"id":2}]'])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match=r"JSON|UTF-8|key"):
        Catalogue.parse(data)
