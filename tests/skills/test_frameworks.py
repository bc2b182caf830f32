"""Frameworks: the real files read completely, those that are broken refused, and entries found again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.skills.frameworks import READERS, Framework, Skill, SkillIndex, carried, read_framework
from protocols.errors import BadInput
from tests.shared_data import shared_json, shared_path

WELDERS = "https://www.onetonline.org/link/summary/51-4121.00"


def framework(file: str) -> Framework:
    path = shared_path(f"frameworks/{file}")
    return read_framework(path.read_bytes(), name=path.stem)


@pytest.mark.parametrize(
    ("file", "name", "entries", "first"),
    [
        ("onet-occupations.tsv", "O*NET-SOC", 1016, ("11-1011.00", "Chief Executives")),
        ("onet-elements.json", "O*NET Content Model", 152, ("skills/Active Learning", "Active Learning")),
        ("case-smartlevel.json", "SmartLevel Test", 14, ("00000000-0000-0000-0000-000000000001", "Item 1")),
        ("case-utf8.json", "UTF8 𝑑 Test", 1, ("00000000-0000-0000-0000-000000000001", "Item 𝑑 1")),
        ("case-ordering.json", "ACT Holistic Framework, Math", 28, ("H.A.MATH.GM", "Properties and measurements of")),
        ("ccsso-ela-items.csv", "ccsso-ela-items", 1189, ("L.1.4", "Determine or clarify the meaning of unknown")),
    ],
)
def test_a_real_file_is_read_completely(file: str, name: str, entries: int, first: tuple[str, str]) -> None:
    found = framework(file)
    assert found.name == name
    assert len(found.entries) == entries
    assert found.entries[0].code == first[0]
    assert found.entries[0].name.startswith(first[1])
    assert all(entry.code and entry.name and entry.framework == name for entry in found.entries)


def test_an_occupation_is_found_by_code_url_and_words() -> None:
    onet = framework("onet-occupations.tsv")
    welders = Skill(code="51-4121.00", name="Welders, Cutters, Solderers, and Brazers", framework="O*NET-SOC",
                    url=WELDERS)  # fmt: skip
    assert onet.get("51-4121.00") == onet.get(WELDERS) == welders
    assert onet.search("welders")[0] == welders
    assert welders in onet.search("brazers CUTTERS")
    assert onet.search("51-4121")[0] == welders
    assert onet.get("99-9999.00") is None
    assert onet.search("basket weaving wizard") == onet.search("  ") == ()
    assert len(onet.search("and", limit=7)) == 7


def test_a_case_item_is_found_by_its_uri() -> None:
    item = framework("case-ordering.json").get(
        "http://localhost:3000/ims/case/v1p0/CFItems/3d8cdec5-83d6-49b4-9300-91a824c59758"
    )
    assert item is not None
    assert item.code == "H.A.MATH.GM"


def test_what_lernode_carries_is_in_the_real_framework_word_for_word() -> None:
    occupations = framework("onet-occupations.tsv")
    elements = shared_json("frameworks/onet-elements.json")
    for entry in carried().entries:
        if entry.framework == "O*NET-SOC":
            assert occupations.get(entry.code or "") == entry
        else:
            kind = {"2.A": "skills", "2.B": "skills", "2.C": "knowledge"}[(entry.code or "")[:3]]
            assert entry.name in elements[kind]
            assert entry.url == f"https://www.onetonline.org/find/descriptor/result/{entry.code}"


def test_what_lernode_carries_says_its_source_and_licence() -> None:
    assert carried().licence == "CC-BY-4.0"
    assert "onetcenter.org" in carried().source
    assert len({entry.code for entry in carried().entries}) == len(carried().entries) >= 10


def test_an_index_asks_its_frameworks_in_order() -> None:
    own = read_framework(b"code,name,url\n51-4121.00,Our welders,https://x.example/w\nX1,Basket weaving,\n", name="own")
    index = SkillIndex([carried(), own])
    assert index.known(WELDERS)
    assert index.known("https://x.example/w")
    assert index.known("X1")
    assert not index.known("https://x.example/other")
    assert not SkillIndex([]).known(WELDERS)
    found = index.get("51-4121.00")
    assert found is not None
    assert found.framework == "O*NET-SOC"
    assert {entry.framework for entry in index.search("welders")} == {"O*NET-SOC", "own"}
    assert len(index.search("welders", limit=1)) == 1


def test_the_first_of_two_entries_with_one_code_is_found() -> None:
    own = read_framework(b"code,name\nA,first\nA,second\n", name="own")
    assert [entry.name for entry in own.entries] == ["first", "second"]
    found = own.get("A")
    assert found is not None
    assert found.name == "first"


def test_a_format_can_be_named() -> None:
    assert read_framework(b"\xef\xbb\xbfcode,name\nA,a\n", name="own", format_name="csv").entries[0].code == "A"


CASE = {"CFDocument": {"title": "T"}, "CFItems": [{"identifier": "1", "fullStatement": "one"}]}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "framework.unknown_format"),
        (b"hello", "framework.unknown_format"),
        (b"\xff\xfe", "framework.encoding"),
        (b"code,name\n", "framework.empty"),
        (b"code,name\nA\n", "framework.malformed"),
        (b"code,name\nA,b,c\n", "framework.malformed"),
        (b'code,name\n"A,b\n', "framework.malformed"),
        (b"code,name\n,b\n", "framework.malformed"),
        (b"code,name,url\nA,b,nowhere\n", "framework.malformed"),
        (b"identifier,fullStatement\n1,\n", "framework.malformed"),
        (b"O*NET-SOC Code\tTitle\n11-1011.00\n", "framework.malformed"),
        (b'{"skills": {"a": 1}}', "framework.malformed"),
        (b'{"skills": []}', "framework.empty"),
        (b'{"skills": [', "json.malformed"),
        (b'{"CFDocument": {}}', "framework.malformed"),
        (b'{"CFDocument": 1, "CFItems": []}', "framework.malformed"),
        (b'{"CFDocument": {}, "CFItems": [7]}', "framework.malformed"),
        (b'{"CFDocument": {}, "CFItems": [{"identifier": "1"}]}', "framework.malformed"),
        (b'{"CFDocument": {}, "CFItems": []}', "framework.empty"),
    ],
)
def test_a_file_that_is_no_framework_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_framework(data, name="x")
    assert caught.value.code == code


def test_an_unknown_format_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="onet-occupations"):
        read_framework(json.dumps(CASE).encode(), name="x", format_name="xml")


@given(st.sampled_from(sorted(READERS)), st.text(alphabet='code,name\t\n"{}[]:1AF skills', max_size=60))
def test_any_text_ends_in_a_framework_or_a_refusal(format_name: str, text: str) -> None:
    try:
        found = read_framework(text.encode(), name="x", format_name=format_name)
    except BadInput:
        return
    assert found.entries
