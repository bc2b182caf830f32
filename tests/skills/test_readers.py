"""Readers: the real files read completely, each format's own ways, encodings, separators, and what is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.skills.frameworks import READERS, SkillIndex, carried, reader_for
from node.skills.parts import CHILD, About, Fault, Item, Part, Relation
from node.skills.source import Source
from protocols.errors import BadInput
from tests.shared_data import shared_json, shared_path
from tests.skills import samples

WELDERS = "https://www.onetonline.org/link/summary/51-4121.00"


def parts(path: Path, **how: Any) -> tuple[str, list[Part]]:
    """The format of a file and all that it says."""
    format_name = how.pop("format_name", None)
    source = Source(path, name=path.stem, **how)
    found = reader_for(source, format_name)
    return found, list(READERS[found].read(source))


def written(tmp_path: Path, data: bytes | str, name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def items(found: list[Part]) -> dict[str, Item]:
    return {part.code or part.key: part for part in found if isinstance(part, Item)}


def relations(found: list[Part]) -> set[tuple[str, str, str]]:
    return {(part.source, part.kind, part.target) for part in found if isinstance(part, Relation)}


def about(found: list[Part]) -> list[About]:
    return [part for part in found if isinstance(part, About)]


@pytest.mark.parametrize(
    ("file", "format_name", "title", "count", "first"),
    [
        ("onet-occupations.tsv", "onet", "O*NET", 1016, ("11-1011.00", "Chief Executives")),
        ("onet-elements.json", "onet-elements", "O*NET Content Model", 152, ("skills/Active Learning", "Active")),
        ("case-smartlevel.json", "case-package", "SmartLevel Test", 14, ("00000000-0000-0000-0000-000000000001", "I")),
        ("case-utf8.json", "case-package", "UTF8 𝑑 Test", 1, ("00000000-0000-0000-0000-000000000001", "Item 𝑑 1")),
        ("case-ordering.json", "case-package", "ACT Holistic Framework, Math", 28, ("H.A.MATH.GM", "Properties and")),
        ("ccsso-ela-items.csv", "case-csv", "ccsso-ela-items", 1189, ("L.1.4", "Determine or clarify the meaning")),
    ],
)
def test_a_real_file_is_read_completely(
    file: str, format_name: str, title: str, count: int, first: tuple[str, str]
) -> None:
    name, found = parts(shared_path(f"frameworks/{file}"))
    assert name == format_name
    assert about(found)[0].title == title
    assert not [part for part in found if isinstance(part, Fault)]
    read = [part for part in found if isinstance(part, Item)]
    assert len(read) == count
    assert read[0].code == first[0]
    assert read[0].name.startswith(first[1])


def test_the_tree_of_a_real_case_package_is_read() -> None:
    _, found = parts(shared_path("frameworks/case-ordering.json"))
    by_code = items(found)
    assert (by_code["H.A.MATH.GM.PF"].key, CHILD, by_code["H.A.MATH.GM"].key) in relations(found)


def test_what_lernode_carries_is_in_the_real_framework_word_for_word() -> None:
    occupations = items(parts(shared_path("frameworks/onet-occupations.tsv"))[1])
    elements = shared_json("frameworks/onet-elements.json")
    for entry in carried().entries.values():
        if entry.framework == "O*NET-SOC":
            found = occupations[entry.code or ""]
            assert (found.name, found.url) == (entry.name, entry.url)
        else:
            kind = {"2.A": "skills", "2.B": "skills", "2.C": "knowledge"}[(entry.code or "")[:3]]
            assert entry.name in elements[kind]
            assert entry.url == f"https://www.onetonline.org/find/descriptor/result/{entry.code}"


def test_what_lernode_carries_says_its_source_and_licence() -> None:
    assert carried().licence == "CC-BY-4.0"
    assert "onetcenter.org" in carried().source


async def test_what_lernode_carries_is_known_without_a_store() -> None:
    index = SkillIndex()
    assert await index.known({WELDERS, "https://x.example/other"}) == {WELDERS}
    found = await index.get("51-4121.00")
    assert found is not None
    assert found.url == WELDERS


def test_the_onet_database_gives_occupations_with_what_they_need(tmp_path: Path) -> None:
    name, found = parts(written(tmp_path, samples.archive(samples.ONET), "db.zip"))
    assert name == "onet"
    by_code = items(found)
    assert set(by_code) == {"51-4121.00", "11-1011.00", "2", "2.A", "2.A.1", "2.A.1.a"}
    assert by_code["11-1011.00"].description == 'Determine "policies" and direct.'
    assert [label.text for label in by_code["51-4121.00"].labels] == ["MIG Welder"]
    assert by_code["2.A.1.a"].kind == "skill"
    reading = by_code["2.A.1.a"].key
    needs = {r.source: (r.importance, r.level) for r in found if isinstance(r, Relation) and r.target == reading}
    assert needs == {
        by_code["11-1011.00"].key: (412, 475),
        by_code["51-4121.00"].key: (288, None),  # O*NET recommends to suppress the level
    }
    assert (reading, CHILD, by_code["2.A.1"].key) in relations(found)


def test_esco_as_csv_gives_both_pillars_and_what_connects_them(tmp_path: Path) -> None:
    name, found = parts(written(tmp_path, samples.archive(samples.ESCO), "esco.zip"))
    assert name == "esco-csv"
    by_key = {part.key: part for part in found if isinstance(part, Item)}
    assert [label.text for label in by_key[samples.ESCO_SKILL].labels] == ["lead staff", "direct personnel"]
    assert by_key[samples.ESCO_SKILL].labels[0].language == "en"
    assert relations(found) == {
        (samples.ESCO_SKILL, CHILD, samples.ESCO_GROUP),
        (samples.ESCO_WELDER, "essential", samples.ESCO_SKILL),
    }


def test_esco_as_json_ld_gives_labels_by_language(tmp_path: Path) -> None:
    name, found = parts(written(tmp_path, samples.ESCO_JSON_LD, "esco.jsonld"))
    assert name == "esco-json-ld"
    by_key = {part.key: part for part in found if isinstance(part, Item)}
    skill = by_key[samples.ESCO_SKILL]
    assert (skill.name, skill.kind) == ("manage staff", "Skill")
    assert {(label.language, label.text) for label in skill.labels} == {
        ("fr", "gérer du personnel"), ("en", "lead staff"),
    }  # fmt: skip
    assert relations(found) == {
        (samples.ESCO_SKILL, CHILD, samples.ESCO_GROUP),
        (samples.ESCO_SKILL, "closeMatch", "https://other.example/lead"),
        (samples.ESCO_WELDER, "essential", samples.ESCO_SKILL),
    }


def test_ctdl_asn_gives_tree_alignments_and_licence(tmp_path: Path) -> None:
    name, found = parts(written(tmp_path, samples.CTDL_ASN, "n.json"))
    assert name == "ctdl-asn"
    assert about(found)[0] == About(
        title="Nursing Basics",
        version="2024-02-01",
        source="https://credentialengineregistry.org/resources/ce-1",
        licence="https://creativecommons.org/licenses/by/4.0/",
    )
    by_code = items(found)
    assert by_code["N.1.1"].name == "Measure blood pressure."
    assert relations(found) == {
        (by_code["N.1.1"].key, CHILD, by_code["N.1"].key),
        (by_code["N.1.1"].key, "exactMatch", "https://other.example/bp"),
    }


@pytest.mark.parametrize(("data", "name"), [(samples.RSD_JSON, "rsd-json"), (samples.RSD_CSV, "rsd-csv")])
def test_rich_skill_descriptors_are_read(tmp_path: Path, data: str, name: str) -> None:
    found_name, found = parts(written(tmp_path, data))
    assert found_name == name
    skill = items(found)["a"]
    assert (skill.name, skill.description) == ("Active Listening", "Listen to what customers say.")
    assert skill.kind == "Communication"
    assert skill.labels[0].text == "Empathy"
    assert {kind for _, kind, _ in relations(found)} == {"relatedMatch"}


@pytest.mark.parametrize("data", [samples.SKOS_TURTLE, samples.SKOS_XML, samples.SKOS_JSON_LD])
def test_skos_is_read_in_each_of_its_forms(tmp_path: Path, data: str) -> None:
    name, found = parts(written(tmp_path, data))
    assert name == "skos"
    assert {part.name for part in found if isinstance(part, Item)} == {"cooking", "baking"}
    assert ("https://skills.example/bake", CHILD, "https://skills.example/cook") in relations(found)


def test_skos_gives_languages_matches_and_licence(tmp_path: Path) -> None:
    _, found = parts(written(tmp_path, samples.SKOS_TURTLE))
    assert about(found)[0].title == "Skills of Example"
    assert about(found)[0].licence == "https://l.example/by"
    cooking = items(found)["C1"]
    assert [(label.text, label.language) for label in cooking.labels] == [("kochen", "de")]
    assert ("https://skills.example/bake", "exactMatch", "https://other.example/bake") in relations(found)


def test_case_associations_are_kept_by_their_names(tmp_path: Path) -> None:
    _, found = parts(written(tmp_path, json.dumps(samples.CASE)))
    assert about(found)[0].licence == "https://creativecommons.org/licenses/by/4.0/"
    assert relations(found) == {
        ("https://case.example/i2", CHILD, "https://case.example/i1"),
        ("https://case.example/i2", "exactMatchOf", "https://other.example/x"),
    }


PLAIN = "code;name;parent\nA;Grüße schreiben;\nA.1;नमस्ते कहना;A\nA.2;كتابة;A\nA.3;cafe\u0301 führen;A\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (PLAIN.encode(), None),
        (b"\xef\xbb\xbf" + PLAIN.encode(), None),
        (PLAIN.encode("utf-16"), None),
        (PLAIN.encode("utf-16-be"), "utf-16-be"),
        (PLAIN.replace("\n", "\r\n").encode(), None),
        (PLAIN.replace(";", "\t").encode(), None),
        (PLAIN.replace(";", ",").encode(), None),
    ],
)
def test_encodings_marks_and_separators_make_no_difference(tmp_path: Path, data: bytes, encoding: str | None) -> None:
    name, found = parts(written(tmp_path, data), encoding=encoding)
    assert name == "csv"
    names = {code: item.name for code, item in items(found).items()}
    expected = {"A": "Grüße schreiben", "A.1": "नमस्ते कहना", "A.2": "كتابة", "A.3": "cafe\u0301 führen"}
    assert names == expected
    assert relations(found) == {(code, CHILD, "A") for code in ("A.1", "A.2", "A.3")}


def test_windows_1252_is_refused_with_what_to_say_and_read_where_it_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, "code;name\nA;Grüße – “so”\n".encode("cp1252"))
    with pytest.raises(BadInput) as caught:
        parts(path)
    assert caught.value.code == "framework.encoding"
    assert "--encoding windows-1252" in caught.value.hint
    assert items(parts(path, encoding="windows-1252")[1])["A"].name == "Grüße – “so”"


def test_columns_of_a_csv_are_mapped(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,Titel,Mehr\n7,Schweißen,Elektrode | MIG\n")
    _, found = parts(path, mapping={"name": "Titel", "code": "ID", "labels": "Mehr"})
    assert items(found)["7"].name == "Schweißen"
    assert [label.text for label in items(found)["7"].labels] == ["Elektrode", "MIG"]
    with pytest.raises(BadInput, match="nonsense"):
        parts(path, mapping={"nonsense": "ID"})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A", "1 cells"),
        ("A,b,,c", "4 cells"),
        (",b,", "neither a code nor a URL"),
        ("A,,", "no name"),
        ("A,b,nowhere", "URL"),
        ('"A,b', "quote"),
        ("A,b" + "x" * 5000 + ",", "too long"),
    ],
)
def test_a_bad_row_is_told_by_its_line_and_the_others_are_read(tmp_path: Path, row: str, message: str) -> None:
    _, found = parts(written(tmp_path, f"code,name,url\nG,good,\n{row}\n"))
    assert list(items(found)) == ["G"]
    (fault,) = (part for part in found if isinstance(part, Fault))
    assert fault.place == "line 3"
    assert message in fault.message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "framework.unknown_format"),
        (b"hello", "framework.unknown_format"),
        (b"\xff\xfe", "framework.unknown_format"),
        (b"PK\x03\x04broken", "framework.unreadable"),
        (b'{"skills": {"a": 1}}', "framework.malformed"),
        (b'{"skills": [', "framework.malformed"),
        (b'{"CFDocument": 1, "CFItems": []}', "framework.malformed"),
        (b'{"CFDocument": {"title": "T"}, "CFItems": [{"id', "framework.malformed"),
        (b"<http://www.w3.org/2004/02/skos/core#> broken", "framework.malformed"),
    ],
)
def test_a_file_that_is_no_framework_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        parts(written(tmp_path, data))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"CFItems": [7]}, "CFItems[0]"),
        ({"CFItems": [{"identifier": "1"}]}, "CFItems[0]"),
        ({"CFItems": [], "CFAssociations": [{"associationType": "isChildOf"}]}, "CFAssociations[0]"),
    ],
)
def test_a_bad_piece_of_a_package_is_told_by_its_place(tmp_path: Path, change: dict[str, Any], place: str) -> None:
    _, found = parts(written(tmp_path, json.dumps(samples.CASE | change)))
    assert place in [part.place for part in found if isinstance(part, Fault)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.sampled_from(sorted(READERS)), st.text(alphabet='code,name\t\n"{}[]:1AF skills@graph', max_size=80))
def test_any_text_ends_in_parts_or_a_refusal(tmp_path: Path, format_name: str, text: str) -> None:
    path = written(tmp_path, text)
    try:
        _, found = parts(path, format_name=format_name)
    except BadInput:
        return
    assert all(isinstance(part, About | Fault | Item | Relation) for part in found)
