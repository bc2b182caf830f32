"""Presentation definitions: what is read, what is refused, and that refusing is quick."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import BadInput
from protocols.exchange.presentation_exchange import Definition, parse_definition
from tests.exchange.helpers import asked, badge, definition, match, records

PATH = {"path": ["$.type"]}


def refusal(raw: object) -> str:
    with pytest.raises(BadInput) as error:
        parse_definition(raw)
    return error.value.code


def test_what_people_are_shown_is_read() -> None:
    field = {"path": ["$.issuer"], "name": "Issuer", "purpose": "We trust some.", "intent_to_retain": True}
    parsed = definition({"id": "one", "name": "Diploma", "constraints": {"fields": [field]}}, name="Job", purpose="P")
    descriptor = parsed.descriptors[0]
    assert (parsed.name, parsed.purpose, descriptor.name) == ("Job", "P", "Diploma")
    assert descriptor.constraints.fields[0].purpose == "We trust some."
    assert descriptor.constraints.fields[0].intent_to_retain


def test_unknown_properties_of_a_definition_are_ignored_as_the_specification_says() -> None:
    assert definition(asked(PATH), colour="blue").id == "def-1"


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        {"id": "x", "input_descriptors": []},
        {"id": "x", "input_descriptors": {}},
        {"id": "", "input_descriptors": [asked(PATH)]},
        {"id": "x", "input_descriptors": [asked(PATH), asked(PATH)]},
        {"id": "x", "input_descriptors": [asked(PATH, id=str(n)) for n in range(65)]},
        {"id": "x", "input_descriptors": [asked(*[PATH] * 65)]},
        {"id": "x", "input_descriptors": [asked(*[PATH] * 64, id=str(n)) for n in range(5)]},
        {"id": "x", "input_descriptors": [asked({"path": []})]},
        {"id": "x", "input_descriptors": [asked({"path": ["$.a"] * 17})]},
        {"id": "x", "input_descriptors": [asked({"path": "$.a"})]},
        {"id": "x", "input_descriptors": [asked({"path": ["$.a"], "optional": "yes"})]},
        {"id": "x", "input_descriptors": [asked({"path": ["$.a"], "predicate": "required"})]},
        {"id": "x", "input_descriptors": [asked({"path": ["$.a"], "id": "f"}, {"path": ["$.b"], "id": "f"})]},
        {"id": "x", "input_descriptors": [asked(PATH, limit_disclosure="always")]},
        {"id": "x", "input_descriptors": [asked(PATH, is_holder=[{"field_id": ["f"], "directive": "required"}])]},
        {"id": "x", "input_descriptors": [asked(PATH, is_holder=[{"field_id": [], "directive": "required"}])]},
        {"id": "x", "input_descriptors": [asked(PATH, statuses={"active": {"directive": "perhaps"}})]},
        {"id": "x", "input_descriptors": [{"id": "one", "schema": {"uri": "u"}}]},
        {"id": "x", "input_descriptors": [{"id": "\ud800"}]},
        {"id": "x", "input_descriptors": [asked(PATH)], "format": {"ldp_vc": []}},
        {"id": "x", "input_descriptors": [asked(PATH)], "format": {}},
        {"id": "x", "name": "n" * 5000, "input_descriptors": [asked(PATH)]},
    ],
)
def test_a_malformed_definition_is_refused(raw: object) -> None:
    assert refusal(raw) == "pex.definition_malformed"


@pytest.mark.parametrize(
    "raw",
    [
        {"id": "x", "frame": {}, "input_descriptors": [asked(PATH)]},
        {"id": "x", "input_descriptors": [asked(PATH, issued_on_a_sunday="required")]},
        {"id": "x", "input_descriptors": [asked({"path": ["$.a"], "must_be_secret": True})]},
    ],
)
def test_what_could_narrow_the_answer_and_is_not_understood_is_refused(raw: object) -> None:
    assert refusal(raw) == "pex.feature_unsupported"


@pytest.mark.parametrize(
    "requirement",
    [
        {"rule": "all"},
        {"rule": "all", "from": "A", "from_nested": [{"rule": "all", "from": "A"}]},
        {"rule": "some", "from": "A"},
        {"rule": "all", "from": "B"},
        {"rule": "pick", "from": "A"},
        {"rule": "pick", "count": 0, "from": "A"},
        {"rule": "pick", "min": 2, "max": 1, "from": "A"},
        {"rule": "pick", "count": True, "from": "A"},
        {"rule": "all", "from_nested": []},
    ],
)
def test_a_malformed_submission_requirement_is_refused(requirement: dict[str, Any]) -> None:
    raw = {"id": "x", "submission_requirements": [requirement], "input_descriptors": [{"id": "one", "group": ["A"]}]}
    assert refusal(raw) == "pex.definition_malformed"


def test_beside_submission_requirements_every_descriptor_must_be_grouped() -> None:
    descriptors = [{"id": "one", "group": ["A"]}, {"id": "two"}]
    raw = {"id": "x", "submission_requirements": [{"rule": "all", "from": "A"}], "input_descriptors": descriptors}
    assert refusal(raw) == "pex.definition_malformed"


def test_requirements_that_nest_too_deeply_are_refused() -> None:
    requirement: dict[str, Any] = {"rule": "all", "from": "A"}
    for _ in range(5000):
        requirement = {"rule": "all", "from_nested": [requirement]}
    raw = {"id": "x", "submission_requirements": [requirement], "input_descriptors": [{"id": "one", "group": ["A"]}]}
    assert refusal(raw) == "pex.definition_malformed"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "pex.path_malformed"),
        ("credentialSubject", "pex.path_malformed"),
        ("$.a[", "pex.path_malformed"),
        ("$.a-b", "pex.path_malformed"),
        (7, "pex.path_malformed"),
        ("$" + ".a" * 300, "pex.path_malformed"),
        ("$[?@.a==1e99999999]", "pex.path_malformed"),
        ("$[?" + "(" * 250 + "@" + ")" * 250 + "]" * 9, "pex.path_malformed"),
        ("$" + ".a" * 33, "pex.path_unsupported"),
        ("$..a..b..c", "pex.path_unsupported"),
        ("$..*..*..*", "pex.path_unsupported"),
        ("$[" + ",".join("0" * 65) + "]", "pex.path_unsupported"),
        ("$[?match(@.a, '(a+)+$')]", "pex.path_unsupported"),
        ("$[?search(@.a, '(a+)+$')]", "pex.path_unsupported"),
        ("$[?length(@.a) > 1]", "pex.path_unsupported"),
        ("$[?count(@..*) > 1]", "pex.path_unsupported"),
        ("$[?@..a]", "pex.path_unsupported"),
        ("$[?@.a == $.b]", "pex.path_unsupported"),
        ("$[?@[?@.a]]", "pex.path_unsupported"),
    ],
)
def test_a_path_that_is_none_or_could_be_costly_is_refused(path: object, code: str) -> None:
    assert refusal({"id": "x", "input_descriptors": [asked({"path": [path]})]}) == code


def filter_nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"not": schema}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    """A small schema that is exponentially large with its references written out."""
    twice = {f"d{n}": {"allOf": [{"$ref": f"#/definitions/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/definitions/d0", "definitions": {**twice, f"d{levels}": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ([], "pex.filter_malformed"),
        ({"type": "date"}, "pex.filter_malformed"),
        ({"pattern": "("}, "pex.filter_malformed"),
        ({"pattern": "(?=a)b"}, "pex.filter_malformed"),
        ({"pattern": r"(a)\1"}, "pex.filter_malformed"),
        ({"pattern": "(x{1,1000}){1,1000}"}, "pex.filter_malformed"),
        ({"pattern": "\ud800"}, "pex.filter_malformed"),
        ({"pattern": "a" * 257}, "pex.filter_unsupported"),
        ({"patternProperties": {"a" * 257: True}}, "pex.filter_unsupported"),
        ({"$ref": "https://example.org/schema.json"}, "pex.filter_unsupported"),
        ({"$ref": "file:///etc/passwd"}, "pex.filter_unsupported"),
        ({"$ref": "#"}, "pex.filter_unsupported"),
        ({"$ref": "#/definitions/b", "definitions": {"a": {"type": "string"}}}, "pex.filter_unsupported"),
        ({"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}}, "pex.filter_unsupported"),
        ({"allOf": [{"$id": "https://example.org/other"}]}, "pex.filter_unsupported"),
        (doubling(30), "pex.filter_unsupported"),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, "pex.filter_unsupported"),
        ({"$schema": {}}, "pex.filter_unsupported"),
        ({"enum": list(range(600))}, "pex.filter_unsupported"),
        ({"const": "x" * 20_000}, "pex.filter_unsupported"),
        (filter_nested(200), "pex.filter_unsupported"),
    ],
)
def test_a_filter_that_is_none_or_could_be_costly_is_refused(schema: object, code: str) -> None:
    assert refusal({"id": "x", "input_descriptors": [asked({"path": ["$.a"], "filter": schema})]}) == code


def test_a_filter_that_names_draft_7_is_taken() -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "array"}
    report = match(definition(asked({"path": ["$.type"], "filter": schema})), records(a=badge()))
    assert report.available == {"one"}


@pytest.mark.parametrize("keyword", ["definitions", "$defs"])
def test_a_filter_may_refer_to_its_own_definitions(keyword: str) -> None:
    schema = {"contains": {"$ref": f"#/{keyword}/badge"}, keyword: {"badge": {"const": "OpenBadgeCredential"}}}
    query = definition(asked({"path": ["$.type"], "filter": schema}))
    assert match(query, records(a=badge(), b=badge(type=["Other"]))).descriptors[0].record_ids == ("a",)


def costly(path: str, schema: dict[str, Any] | None = None) -> Definition:
    """As many fields with this path as a definition may hold, none of which ends the evaluation early."""
    field = {"path": [path], "optional": True, **({"filter": schema} if schema else {})}
    fields = min(256, 16_000 // len(path))
    return definition(*(asked(*[field] * 4, id=str(n)) for n in range(fields // 4)))


DEEP = badge(extra={"a": [{"b": [{"c": i} for i in range(60)]} for _ in range(60)]})
LONG = badge(extra="ab" * 200_000)


@pytest.mark.parametrize(
    ("query", "document"),
    [
        (costly("$..*..nothing"), DEEP),
        (costly("$..[?@.nothing == 1 || @.never == 2]"), DEEP),
        (costly("$..nothing"), DEEP),
        (costly("$" + "[*, *, *, *]" * 12 + ".nothing"), DEEP),
        (costly("$.extra", {"pattern": "(a|b)*a(a|b){60}[^ab]"}), LONG),
        (costly("$.extra", {"pattern": "^(a+)+$"}), LONG),
        (costly("$", {"not": {"required": ["id"]}}), DEEP),
    ],
)
def test_a_query_made_to_hang_ends(query: Definition, document: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as error:
        match(query, [(str(n), document) for n in range(10)])
    assert error.value.code == "pex.too_much_work"


@pytest.mark.parametrize("path", ["$..*..nothing", "$..[?@.nothing == 1]", "$..nothing"])
def test_one_record_of_a_usual_size_is_never_too_much_work_for_one_field(path: str) -> None:
    report = match(definition(asked({"path": [path]})), records(a=badge()))
    assert report.descriptors[0].reasons["a"].code == "pex.field_missing"


@pytest.mark.parametrize(
    "path", ["$[?" + "@.a||" * 80 + "@.b]", "$[?" + "!" * 248 + "@]", "$[" + ",".join("0" * 63) + "]"]
)
def test_a_definition_that_is_costly_to_read_is_refused(path: str) -> None:
    descriptors = [asked(*[{"path": [path] * 16}] * 64, id=str(n)) for n in range(4)]
    assert refusal({"id": "x", "input_descriptors": descriptors}) == "pex.too_much_work"
