"""LER-RS résumés of HR Open: written in the shape of the standard, and read with who vouches for what."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.records.intake import records_in
from node.records.ler_rs import LER_RS_TYPE, WrittenEntry, credentials_in, entries_of, is_ler_rs, ler_rs
from protocols import strict_json
from protocols.errors import BadInput
from tests.credentials.seals import diploma, sealed
from tests.credentials.worlds import issue, record

_NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
_ENTRY = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "institution": _NAMED,
        "issuingAuthority": _NAMED,
        "educationDegrees": {"type": "array", "items": _NAMED},
        "descriptions": {"type": "array", "items": {"type": "string"}},
        "firstIssued": {"type": "string"},
        "end": {"type": "string"},
        "effectiveTimePeriod": {
            "type": "object",
            "properties": {"validFrom": {"type": "string"}, "validTo": {"type": "string"}},
            "additionalProperties": False,
        },
        "verifications": {"type": "array", "items": {"type": "object", "required": ["@context", "type"]}},
    },
    "additionalProperties": False,
}
_TEXT = {
    "type": "object",
    "required": ["name", "lines"],
    "properties": {"name": {"type": "string"}, "lines": {"type": "array", "items": {"type": "string"}}},
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "required": ["type", "person"],
    "properties": {
        "type": {"enum": [LER_RS_TYPE]},
        "documentId": {"type": "object", "required": ["value"]},
        "person": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "object", "required": ["formattedName"]}},
        },
        "narratives": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "texts"],
                "properties": {"name": {"type": "string"}, "texts": {"type": "array", "items": _TEXT}},
                "additionalProperties": False,
            },
        },
        "educationAndLearnings": {"type": "array", "items": _ENTRY},
        "certifications": {"type": "array", "items": _ENTRY},
        "licenses": {"type": "array", "items": _ENTRY},
        "skills": {"type": "array", "items": _NAMED},
    },
    "additionalProperties": False,
}
"""The parts of LER-RSType 4.4 that are written, in words of our own: the standard's files are not ours to carry."""


def kind(achievement_type: str) -> dict[str, Any]:
    changed = record()
    changed["credentialSubject"]["achievement"]["achievementType"] = achievement_type
    return changed


def written(*entries: WrittenEntry, text: str = "Ten years\nof steel.") -> dict[str, Any]:
    return ler_rs(name="Ada Lovelace", title="Welding", text=text, entries=entries, document_id="d-1")


SIGNED = issue(record())


def test_records_stand_in_the_section_of_their_kind_and_own_statements_are_narratives() -> None:
    made = written(
        WrittenEntry(record(), SIGNED, "My first"),
        WrittenEntry(kind("BachelorDegree"), issue(kind("BachelorDegree")), ""),
        WrittenEntry(kind("License"), issue(kind("License")), ""),
        WrittenEntry(diploma(), sealed(diploma()) | {"@context": [], "type": []}, ""),
        WrittenEntry(record(name="Crane"), None, "In 2019."),
    )
    jsonschema_rs.validate(SCHEMA, made)
    assert [entry["verifications"] for entry in made["certifications"]] == [[SIGNED]]
    assert [entry["educationDegrees"][0]["name"] for entry in made["educationAndLearnings"]] == [
        "Welding, level 2",
        "Diploma of Shipbuilding",
    ]
    assert made["licenses"][0]["issuingAuthority"] == {"name": "College of the Coast"}
    assert [each["name"] for each in made["narratives"]] == ["Welding", "Crane"]
    assert made["narratives"][1]["texts"][0]["lines"] == ["Welds steel plate in two positions.", "In 2019."]
    assert [skill["name"] for skill in made["skills"]][1:] == ["weld steel", "plan a yard"]


def test_an_empty_one_says_no_more_than_whose_it_is() -> None:
    assert written(text="").keys() == {"type", "documentId", "person"}


def test_what_brings_no_credential_is_self_asserted() -> None:
    made = written(WrittenEntry(record(), SIGNED, ""), WrittenEntry(record(name="Crane"), None, ""))
    found = [(each.section, each.name, len(each.credentials)) for each in entries_of(made)]
    assert found == [
        ("narratives", "Welding", 0),
        ("narratives", "Crane", 0),
        ("certifications", "Welding, level 2", 1),
        ("skills", "Welders, Cutters, Solderers, and Brazers", 0),
    ]


@pytest.mark.parametrize("version", ["4.4/recruiting/json/ler-rs", "4.5/recruiting/json"])
def test_a_wrapped_one_is_read_and_its_wrapper_vouches_for_nothing(version: str) -> None:
    name = f"http://schema.hropenstandards.org/{version}/LER-RSType.json"
    employment = {
        "organization": {"tradeName": "Steelworks"},
        "positionHistories": [{"title": "Welder", "verifications": [SIGNED]}],
    }
    resume = {"type": name, "employmentHistories": [employment], "certifications": [{"name": "First aid"}]}
    wrapper = issue(record(type=["VerifiableCredential", "OpenBadgeCredential"])) | {"credentialSubject": resume}
    assert is_ler_rs(wrapper)
    assert [(each.name, each.credentials) for each in entries_of(wrapper)] == [
        ("Welder", (SIGNED,)),
        ("First aid", ()),
    ]
    assert records_in(strict_json.dumps(wrapper)) == [strict_json.dumps(SIGNED)]


def test_one_with_nothing_but_words_has_no_records_to_take_in() -> None:
    with pytest.raises(BadInput) as caught:
        records_in(strict_json.dumps(written()))
    assert caught.value.code == "intake.self_asserted"


def test_one_in_another_is_refused() -> None:
    inner = written(WrittenEntry(record(), SIGNED, ""))
    with pytest.raises(BadInput) as caught:
        records_in(strict_json.dumps(written(WrittenEntry(record(), inner, ""))))
    assert caught.value.code == "intake.unknown"


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "verifications", "texts", "title", "organization"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(section=_JSON)
@settings(max_examples=100, deadline=None)
def test_whatever_stands_in_a_section_it_is_read_without_a_fault(section: Any) -> None:
    document = {"type": LER_RS_TYPE, "certifications": section, "skills": section}
    assert is_ler_rs(document)
    entries_of(document)
    credentials_in(document)
