"""Which records answer a descriptor, why others do not, and which are chosen."""

from __future__ import annotations

from typing import Any

import jsonpath_rfc9535
import pytest

from protocols.errors import BadInput
from protocols.exchange.budget import Budget
from protocols.exchange.jsonpath import compile_path
from protocols.exchange.presentation_exchange import (
    Definition,
    for_achievement,
    for_skill,
    for_type,
    parse_definition,
    select,
)
from protocols.exchange.query import WantedSkill, for_skills
from tests.exchange.helpers import HOLDER, ISSUER, WELDING, asked, badge, definition, match, records

HOLDER_FIELD = {"id": "who", "path": ["$.credentialSubject.id"]}
IS_HOLDER = [{"field_id": ["who"], "directive": "required"}]


def answer(query: Definition, document: dict[str, Any], holder: str | None = HOLDER) -> str:
    """``"ok"`` or the code of the reason why the one record does not answer the one descriptor."""
    found = match(query, [("r", document)], holder=holder).descriptors[0]
    return "ok" if found.record_ids else found.reasons["r"].code


def answered(query: Definition, document: dict[str, Any]) -> bool:
    """Whether the one record answers any descriptor."""
    return any(one.record_ids for one in match(query, [("r", document)], holder=HOLDER).descriptors)


@pytest.mark.parametrize("skill", [WELDING, "51-4121.00"])
def test_a_skill_is_found_among_all_alignments_by_url_or_code(skill: str) -> None:
    raw = for_skill([skill, "other"], name="Welding", purpose="The job needs it.", definition_id="d")
    query = parse_definition(raw)
    assert answered(query, badge())
    assert not answered(query, badge(skill="https://x.example/baking", type=["VerifiableCredential"]))


@pytest.mark.parametrize("shape", ["alignment", "subject"])
def test_a_skill_is_found_where_an_array_of_one_is_written_in_the_other_way(shape: str) -> None:
    document = badge()
    if shape == "alignment":
        achievement = document["credentialSubject"]["achievement"]
        achievement["alignment"] = achievement["alignment"][1]
    else:
        document["credentialSubject"] = [document["credentialSubject"]]
    query = parse_definition(for_skill([WELDING], name="Welding", purpose="", definition_id="d"))
    assert answered(query, document)


def test_a_skill_that_only_has_the_name_of_the_wanted_one_is_not_taken() -> None:
    query = parse_definition(for_skill(["Welding"], name="Welding", purpose="", definition_id="d"))
    assert answer(query, badge()) == "pex.field_filtered"


def test_an_achievement_and_a_type_are_found() -> None:
    achievement = for_achievement("https://college.example/achievements/A", name="A", purpose="", definition_id="d")
    badges = for_type(["OpenBadgeCredential"], name="Badge", purpose="", definition_id="d")
    kept = records(a=badge("A"), b=badge("B"))
    assert match(parse_definition(achievement), kept).descriptors[0].record_ids == ("a",)
    assert match(parse_definition(badges), kept).descriptors[0].record_ids == ("a", "b")


@pytest.mark.parametrize("skills", [[], [""], [str(n) for n in range(33)]])
def test_a_query_for_nothing_or_for_too_much_is_refused(skills: list[str]) -> None:
    with pytest.raises(BadInput) as error:
        for_skill(skills, name="n", purpose="p", definition_id="d")
    assert error.value.code == "pex.query_empty"


def test_paths_are_tried_in_order_until_one_passes_the_filter() -> None:
    query = definition(asked({"path": ["$.iss", "$.issuer", "$.issuer.id"], "filter": {"const": ISSUER}}))
    assert answer(query, badge()) == "ok"
    assert answer(query, badge(issuer=ISSUER)) == "ok"


def test_only_the_first_match_of_a_path_is_looked_at() -> None:
    path = ["$.credentialSubject.achievement.alignment[*].targetUrl"]
    assert answer(definition(asked({"path": path, "filter": {"const": WELDING}})), badge()) == "pex.field_filtered"


@pytest.mark.parametrize(
    "path",
    [
        "$.credentialSubject.achievement.alignment[?(@.targetCode == '51-4121.00')].targetUrl",
        "$.credentialSubject.achievement.alignment[?@.targetCode && !@.nothing].targetUrl",
        "$.credentialSubject.achievement.alignment[-1:].targetUrl",
        "$..alignment[1,0].targetUrl",
        "$['credentialSubject']['achievement']['alignment'][1]['targetUrl']",
    ],
)
def test_paths_of_the_specification_lead_where_they_say(path: str) -> None:
    assert answer(definition(asked({"path": [path], "filter": {"const": WELDING}})), badge()) == "ok"


def test_the_reason_names_the_place_and_never_the_value() -> None:
    query = definition(asked({"path": ["$.issuer.id"], "filter": {"const": "did:web:other.example"}}))
    reason = match(query, records(a=badge())).descriptors[0].reasons["a"]
    assert (reason.code, reason.where) == ("pex.field_filtered", "$.issuer.id")
    assert "$.issuer.id" in reason.message
    assert ISSUER not in reason.message


def test_an_optional_field_may_be_absent_but_not_wrong() -> None:
    query = definition(asked({"path": ["$.grade"], "optional": True, "filter": {"const": "A"}}))
    assert answer(query, badge()) == "ok"
    assert answer(query, badge(grade="A")) == "ok"
    assert answer(query, badge(grade="B")) == "pex.field_filtered"


@pytest.mark.parametrize(
    ("constraints", "code"),
    [
        ({"limit_disclosure": "required"}, "pex.disclosure_cannot_be_limited"),
        ({"limit_disclosure": "preferred"}, "ok"),
        ({"same_subject": [{"field_id": ["who"], "directive": "required"}]}, "pex.same_subject_unsupported"),
        ({"same_subject": [{"field_id": ["who"], "directive": "preferred"}]}, "ok"),
        ({"statuses": {"active": {"directive": "required"}}}, "pex.statuses_unsupported"),
        ({"statuses": {"revoked": {"directive": "required"}}}, "pex.statuses_unsupported"),
        ({"statuses": {"suspended": {"directive": "disallowed"}, "active": {"directive": "allowed"}}}, "ok"),
        ({"subject_is_issuer": "required"}, "pex.not_self_attested"),
        ({"subject_is_issuer": "preferred"}, "ok"),
        ({"is_holder": IS_HOLDER}, "ok"),
    ],
)
def test_a_required_feature_is_honoured_or_refused_by_name(constraints: dict[str, Any], code: str) -> None:
    assert answer(definition(asked(HOLDER_FIELD, **constraints)), badge()) == code


def test_a_predicate_cannot_be_proven_but_may_be_preferred() -> None:
    field = {"path": ["$.issuer.id"], "filter": {"const": ISSUER}}
    assert answer(definition(asked({**field, "predicate": "required"})), badge()) == "pex.predicate_unsupported"
    assert answer(definition(asked({**field, "predicate": "preferred"})), badge()) == "ok"


def test_a_self_issued_record_is_self_attested() -> None:
    query = definition(asked(HOLDER_FIELD, subject_is_issuer="required"))
    assert answer(query, badge(issuer=HOLDER)) == "ok"
    assert answer(query, badge(issuer={"id": HOLDER}, credentialSubject=[{"id": HOLDER}, {"id": ISSUER}])) != "ok"
    assert answer(query, badge(issuer=None, credentialSubject={})) == "pex.field_missing"


@pytest.mark.parametrize("holder", [None, ISSUER])
def test_a_record_about_somebody_else_does_not_meet_is_holder(holder: str | None) -> None:
    assert answer(definition(asked(HOLDER_FIELD, is_holder=IS_HOLDER)), badge(), holder) == "pex.not_holder"


def test_an_attribute_below_the_subject_belongs_to_the_subject() -> None:
    field = {"id": "who", "path": ["$.credentialSubject[1].achievement.name", "$.credentialSubject.achievement.name"]}
    query = definition(asked(field, is_holder=IS_HOLDER))
    subject = badge()["credentialSubject"]
    assert answer(query, badge()) == "ok"
    assert answer(query, badge(credentialSubject=[{**subject, "id": ISSUER}, subject])) == "ok"
    assert answer(query, badge(credentialSubject=[subject, {**subject, "id": ISSUER}])) == "pex.not_holder"


@pytest.mark.parametrize(
    "field", [{"id": "who", "path": ["$.issuer.id"]}, {"id": "who", "path": ["$.x"], "optional": True}]
)
def test_is_holder_is_not_met_by_an_attribute_that_has_no_subject(field: dict[str, Any]) -> None:
    assert answer(definition(asked(field, is_holder=IS_HOLDER)), badge()) == "pex.not_holder"


ED2020 = {"type": "Ed25519Signature2020"}


@pytest.mark.parametrize(
    ("formats", "proof", "good"),
    [
        ({"ldp_vc": {"proof_type": ["DataIntegrityProof"]}}, None, True),
        ({"ldp_vc": {"proof_type": ["eddsa-rdfc-2022"]}}, None, True),
        ({"ldp_vc": {"proof_type": ["eddsa-jcs-2022"]}}, None, False),
        ({"ldp_vc": {"proof_type": ["DataIntegrityProof"], "cryptosuite": ["eddsa-jcs-2022"]}}, None, False),
        ({"ldp_vc": {"proof_type": ["DataIntegrityProof"], "cryptosuite": ["eddsa-rdfc-2022"]}}, None, True),
        ({"ldp_vc": {"proof_type": ["Ed25519Signature2020"]}}, None, False),
        ({"ldp_vc": {"proof_type": ["Ed25519Signature2020"]}}, [ED2020, {"type": "Other"}], True),
        ({"ldp": {"proof_type": ["Ed25519Signature2020"]}}, ED2020, True),
        ({"jwt_vc": {"alg": ["EdDSA"]}}, None, False),
        ({"jwt_vc": {"alg": ["EdDSA"]}, "ldp_vc": {}}, None, True),
        ({"ldp_vp": {"proof_type": ["Ed25519Signature2020"]}}, None, True),
        ({"ldp_vc": {}}, "none", False),
        (None, "none", False),
    ],
)
@pytest.mark.parametrize("level", ["definition", "descriptor"])
def test_only_records_with_a_proof_of_the_asked_format_match(
    formats: dict[str, Any] | None, proof: Any, good: bool, level: str
) -> None:
    named = {"format": formats} if formats is not None else {}
    query = (
        definition(asked(HOLDER_FIELD), **named)
        if level == "definition"
        else definition({**asked(HOLDER_FIELD), **named})
    )
    document = badge() if proof is None else badge(proof=proof)
    assert answer(query, document) == ("ok" if good else "pex.format")


VC_TYPE = "https://www.w3.org/2018/credentials#VerifiableCredential"
BADGE_TYPE = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential"


@pytest.mark.parametrize(
    ("schema", "good"),
    [
        ([VC_TYPE], True),
        ([BADGE_TYPE], True),
        (["https://www.w3.org/ns/credentials/v2"], True),
        (["https://example.org/schema.json"], True),
        (["https://example.org/Other"], False),
        (["https://example.org/Other", VC_TYPE], True),
        (["OpenBadgeCredential"], False),
    ],
)
def test_a_version_1_schema_names_a_type_a_context_or_a_credential_schema(schema: list[str], good: bool) -> None:
    query = definition({"id": "one", "schema": [{"uri": uri} for uri in schema]})
    document = badge(credentialSchema=[{"id": "https://example.org/schema.json", "type": "JsonSchema"}])
    assert answer(query, document) == ("ok" if good else "pex.schema")


def test_every_required_schema_must_be_there() -> None:
    uris = [{"uri": VC_TYPE}, {"uri": "https://example.org/Other", "required": True}]
    assert answer(definition({"id": "one", "schema": uris}), badge()) == "pex.schema"


def test_a_record_in_an_unknown_context_has_no_full_type_names() -> None:
    query = definition({"id": "one", "schema": [{"uri": VC_TYPE}]})
    assert answer(query, badge(**{"@context": ["https://evil.example/context"]})) == "pex.schema"


def test_without_requirements_every_descriptor_is_answered_with_as_few_records_as_possible() -> None:
    query = definition(
        asked({"path": ["$.a"]}, id="a"), asked({"path": ["$.b"]}, id="b"), asked({"path": ["$.c"]}, id="c")
    )
    kept = records(x=badge(a=1), y=badge(a=1, b=1), z=badge(c=1))
    selection = select(query, match(query, kept))
    assert selection.pairs == (("a", "y"), ("b", "y"), ("c", "z"))
    assert selection.record_ids == ("y", "z")


def test_what_is_missing_is_said() -> None:
    query = definition(asked({"path": ["$.a"]}, id="a"), asked({"path": ["$.b"]}, id="b\n"))
    with pytest.raises(BadInput) as error:
        select(query, match(query, records(x=badge(a=1))))
    assert error.value.code == "pex.not_satisfiable"
    assert r"'b\n'" in error.value.message
    assert "'a'" not in error.value.message


def test_a_person_may_choose_among_the_matching_records() -> None:
    query = definition(asked({"path": ["$.a"]}, id="a"))
    report = match(query, records(x=badge(a=1), y=badge(a=1), z=badge()))
    assert select(query, report, {"a": "y"}).pairs == (("a", "y"),)


@pytest.mark.parametrize("chosen", [{}, {"a": "z"}, {"a": "x", "q": "x"}, {"a": "gone"}])
def test_a_choice_that_does_not_answer_is_refused(chosen: dict[str, str]) -> None:
    query = definition(asked({"path": ["$.a"]}, id="a"))
    with pytest.raises(BadInput) as error:
        select(query, match(query, records(x=badge(a=1), z=badge())), chosen)
    assert error.value.code == "pex.choice_invalid"


def grouped(requirements: list[dict[str, Any]], **groups: str) -> Definition:
    """Descriptors by id, each in the groups that its letters name; descriptor ``a`` asks for member ``a``."""
    descriptors = [
        {**asked({"path": [f"$.{name}"]}, id=name), "group": list(letters)} for name, letters in groups.items()
    ]
    return definition(*descriptors, submission_requirements=requirements)


ALL_A = {"rule": "all", "from": "A"}
ALL_B = {"rule": "all", "from": "B"}
EITHER = {"rule": "pick", "count": 1, "from_nested": [ALL_A, ALL_B]}


@pytest.mark.parametrize(
    ("requirements", "groups", "kept", "chosen"),
    [
        ([ALL_A], {"a": "A", "b": "A", "c": "B"}, "abc", "ab"),
        ([ALL_A], {"a": "A", "b": "A"}, "a", None),
        ([{"rule": "pick", "count": 1, "from": "A"}], {"a": "A", "b": "A"}, "b", "b"),
        ([{"rule": "pick", "count": 2, "from": "A"}], {"a": "A", "b": "A"}, "b", None),
        ([{"rule": "pick", "min": 2, "from": "A"}], {"a": "A", "b": "A", "c": "A"}, "abc", "ab"),
        ([{"rule": "pick", "min": 0, "max": 2, "from": "A"}], {"a": "A"}, "a", ""),
        ([EITHER], {"a": "A", "b": "A", "c": "B"}, "abc", "c"),
        ([EITHER], {"a": "A", "b": "A", "c": "B"}, "ab", "ab"),
        ([EITHER], {"a": "A", "b": "B"}, "", None),
        (
            [{"rule": "all", "from_nested": [{"rule": "pick", "count": 1, "from": "A"}, ALL_B]}],
            {"a": "A", "b": "AB", "c": "B"},
            "abc",
            "bc",
        ),
        ([{"rule": "pick", "max": 1, "from": "A"}, ALL_B], {"a": "AB", "b": "AB"}, "ab", None),
    ],
)
def test_submission_requirements_choose_the_smallest_answer(
    requirements: list[dict[str, Any]], groups: dict[str, str], kept: str, chosen: str | None
) -> None:
    query = grouped(requirements, **groups)
    report = match(query, [(name, badge(**{name: 1})) for name in kept])
    if chosen is None:
        with pytest.raises(BadInput) as error:
            select(query, report)
        assert error.value.code == "pex.not_satisfiable"
    else:
        assert "".join(name for name, _record in select(query, report).pairs) == chosen


def test_a_choice_beyond_what_a_requirement_allows_is_refused() -> None:
    query = grouped([{"rule": "pick", "count": 1, "from": "A"}], a="A", b="A")
    report = match(query, records(x=badge(a=1, b=1)))
    assert select(query, report, {"b": "x"}).pairs == (("b", "x"),)
    with pytest.raises(BadInput) as error:
        select(query, report, {"a": "x", "b": "x"})
    assert error.value.code == "pex.choice_invalid"


@pytest.mark.parametrize("count", [8, 32, 63])
def test_requirements_made_to_explode_end_within_a_second(count: int) -> None:
    names = [f"d{n}" for n in range(64)]
    pick = [{"rule": "pick", "count": count, "from": "A"}, {"rule": "pick", "count": count, "from": "B"}]
    # Disagreeing requirements on overlapping groups: nothing satisfies them, and there is no cheap way to see it.
    query = grouped([*pick, {"rule": "pick", "max": count // 2, "from": "C"}], **dict.fromkeys(names, "ABC"))
    report = match(query, [("x", badge(**dict.fromkeys(names, 1)))])
    with pytest.raises(BadInput) as error:
        select(query, report)
    assert error.value.code in {"pex.too_much_work", "pex.not_satisfiable"}


def test_a_thousand_records_are_matched_quickly_and_always_alike() -> None:
    query = parse_definition(for_skill([WELDING], name="Welding", purpose="", definition_id="d"))
    kept = [(str(n), badge(skill=WELDING if n % 2 else "https://x.example/y")) for n in range(1000)]
    report = match(query, kept)
    assert select(query, report) == select(query, match(query, kept))


def as_others_evaluate(document: dict[str, Any], descriptor: dict[str, Any], *, one_path: bool) -> bool:
    """As agents evaluate that look at every match of a path, and of JSON Schema know what version 1 allows.

    Args:
        one_path: whether they look at no further path once one has matches, as Credo does and ACA-Py does not.
    """

    def matches(value: Any, steps: list[str]) -> list[Any]:
        if not steps:
            return [value]
        step, rest = steps[0], steps[1:]
        if step == "*":
            return [found for one in (value if isinstance(value, list) else []) for found in matches(one, rest)]
        if step.isdigit():
            within = isinstance(value, list) and int(step) < len(value)
            return matches(value[int(step)], rest) if within else []
        return matches(value[step], rest) if isinstance(value, dict) and step in value else []

    def found(field: dict[str, Any]) -> bool:
        assert field["filter"].keys() == {"type", "enum"}
        paths = [path.replace("[", ".").replace("]", "").split(".")[1:] for path in field["path"]]
        by_path = [values for path in paths if (values := matches(document, path))]
        looked_at = by_path[:1] if one_path else by_path
        return any(value in field["filter"]["enum"] for values in looked_at for value in values)

    assert descriptor["schema"], "version 1 requires it"
    return all(found(field) for field in descriptor["constraints"]["fields"])


@pytest.mark.parametrize("one_path", [True, False])
@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (for_skill([WELDING], name="W", purpose="", definition_id="d"), True),
        (for_skill(["51-4121.00"], name="W", purpose="", definition_id="d"), True),
        (for_skill(["nothing"], name="W", purpose="", definition_id="d"), False),
        (for_type(["OpenBadgeCredential"], name="B", purpose="", definition_id="d"), True),
        (for_type(["Diploma"], name="B", purpose="", definition_id="d"), False),
    ],
    ids=["skill by URL", "skill by code", "no such skill", "type", "no such type"],
)
def test_an_agent_of_others_finds_what_is_asked_for(raw: dict[str, Any], wanted: bool, one_path: bool) -> None:
    found = [as_others_evaluate(badge(), one, one_path=one_path) for one in raw["input_descriptors"]]
    assert any(found) is wanted


@pytest.mark.parametrize("place", [0, 1, 6, 39])
@pytest.mark.parametrize("skill", [WELDING, "51-4121.00"])
def test_a_skill_is_found_wherever_it_stands(place: int, skill: str) -> None:
    document = badge()
    achievement = document["credentialSubject"]["achievement"]
    other = {"type": ["Alignment"], "targetName": "Baking", "targetUrl": "https://x.example/baking", "targetCode": "1"}
    (aligned,) = [one for one in achievement["alignment"] if one.get("targetUrl") == WELDING]
    achievement["alignment"] = [other] * place + [aligned]
    query = parse_definition(for_skill([skill], name="Welding", purpose="", definition_id="d"))
    assert len(select(query, match(query, [("r", document)], holder=HOLDER)).pairs) == 1


def test_any_match_of_a_path_answers_a_descriptor_of_version_1() -> None:
    path = ["$.credentialSubject.achievement.alignment[*].targetUrl"]
    raw = asked({"path": path, "filter": {"const": WELDING}})
    assert answer(definition(raw), badge()) == "pex.field_filtered"
    version_1 = {**raw, "schema": [{"uri": "https://www.w3.org/2018/credentials#VerifiableCredential"}]}
    assert answer(definition(version_1), badge()) == "ok"


def some_of(at_least: int, total: int) -> Definition:
    wanted = [WantedSkill(name=f"s{n}", urls=[f"urn:s:{n}"], codes=[f"s{n}"]) for n in range(total)]
    return parse_definition(for_skills(wanted, name="Job", purpose="", definition_id="d", at_least=at_least))


@pytest.mark.parametrize("has", [(31,), (3, 30), tuple(range(12, 32))])
def test_who_lacks_some_of_the_skills_answers_with_the_least_or_with_all_there_is(has: tuple[int, ...]) -> None:
    query = some_of(min(len(has), 10), 32)
    report = match(query, [(f"r{n}", badge(skill=f"urn:s:{n}")) for n in has])
    least, all_there_is = select(query, report), select(query, report, fully=True)
    assert len(least.pairs) == min(len(has), 10)
    assert all_there_is.pairs == tuple((f"skill-{n + 1}-by-url", f"r{n}") for n in has)
    for each in (least, all_there_is):
        assert query.is_answered_by([name for name, _record in each.pairs])


def test_who_has_fewer_skills_than_have_to_be_answered_for_has_nothing_to_present() -> None:
    query = some_of(2, 3)
    for fully in (False, True):
        with pytest.raises(BadInput) as caught:
            select(query, match(query, [("r", badge(skill="urn:s:0"))]), fully=fully)
        assert caught.value.code == "pex.not_satisfiable"


def test_no_more_is_shown_than_may_be() -> None:
    picks = [{"rule": "pick", "min": 1, "max": 2, "from_nested": [ALL_A, ALL_B, {"rule": "all", "from": "C"}]}]
    query = grouped(picks, a="A", b="B", c="C")
    report = match(query, records(r=badge(a=1, b=1, c=1)))
    assert len(select(query, report).pairs) == 1
    assert len(select(query, report, fully=True).pairs) == 2


def test_a_path_of_names_alone_finds_what_the_library_finds() -> None:
    document = {"a": {"b c": [1, {"d": None}], "e": False}, "": {"a": 1}, "f": "text"}
    for text in (
        "$",
        "$.a",
        "$.a.e",
        "$['a']['b c']",
        "$['']['a']",
        "$.a.x",
        "$.f.a",
        "$.a['b c'].d",
        "$.x.y",
        "$.a['e']",
    ):
        path = compile_path(text, "path", Budget(10_000))
        found = [(match.value, match.location) for match in path.matches(document, Budget(10_000))]
        assert found == [(node.value, node.location) for node in jsonpath_rfc9535.find(text, document)], text


def test_a_path_of_names_alone_costs_what_it_is_long() -> None:
    path = compile_path("$" + ".a" * 30, "path", Budget(10_000))
    nested: dict[str, Any] = {}
    for _ in range(30):
        nested = {"a": nested}
    with pytest.raises(BadInput) as caught:
        path.first(nested, Budget(20))
    assert caught.value.code == "pex.too_much_work"
