"""Presentations: built at the holder, judged again from scratch at the verifier."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.errors import BadInput, LernodeError
from protocols.exchange.presentation_exchange import (
    SUBMISSION_CONTEXT,
    PresentationRequest,
    Selection,
    Vcdm,
    build_presentation,
    check_submission,
    decode_proposal,
    decode_request,
    encode_request,
    for_skill,
    parse_definition,
    select,
)
from protocols.jsonld.processor import DEFAULT
from tests.exchange.helpers import (
    HOLDER,
    ISSUER,
    WELDING,
    asked,
    badge,
    definition,
    match,
    records,
    shared_presentation,
)
from tests.shared_data import shared_json

QUERY = definition(asked({"path": ["$.a"]}, id="a"), asked({"path": ["$.b"]}, id="b"))
Change = Callable[[dict[str, Any]], object]


def presented(query: Any = QUERY, **documents: dict[str, Any]) -> dict[str, Any]:
    """A presentation of the records that this node would choose."""
    selection = select(query, match(query, records(**documents), holder=HOLDER))
    return build_presentation(query, selection, documents, holder=HOLDER, submission_id="sub-1")


def entries(presentation: dict[str, Any]) -> Any:
    return presentation["presentation_submission"]["descriptor_map"]


def codes(presentation: object, query: Any = QUERY) -> list[str]:
    return [problem.code for problem in check_submission(query, presentation).problems]


def test_each_record_is_there_once_and_the_map_leads_to_it() -> None:
    document = badge(a=1, b=1)
    presentation = presented(x=document)
    assert presentation["verifiableCredential"] == [document]
    assert presentation["type"] == ["VerifiablePresentation", "PresentationSubmission"]
    assert presentation["presentation_submission"] == {
        "id": "sub-1",
        "definition_id": "def-1",
        "descriptor_map": [
            {"id": "a", "format": "ldp_vc", "path": "$.verifiableCredential[0]"},
            {"id": "b", "format": "ldp_vc", "path": "$.verifiableCredential[0]"},
        ],
    }


@pytest.mark.parametrize("vcdm", list(Vcdm))
def test_a_presentation_means_the_same_to_a_json_ld_reader(vcdm: Vcdm) -> None:
    query = parse_definition(for_skill([WELDING], name="Welding", purpose="", definition_id="d"))
    presentation = build_presentation(query, Selection(()), {}, holder=HOLDER, submission_id="s", vcdm=vcdm)
    assert presentation["@context"] == [vcdm.value, SUBMISSION_CONTEXT]
    quads = DEFAULT.canonical_nquads(presentation)
    assert "https://identity.foundation/presentation-exchange/#presentation-submission" in quads
    assert "rdf-syntax-ns#JSON" in quads


def test_holder_and_id_may_be_left_out() -> None:
    selection = Selection((("a", "x"), ("b", "x")))
    presentation = build_presentation(
        QUERY, selection, {"x": badge(a=1, b=1)}, holder=None, submission_id="s", vcdm=Vcdm.V1
    )
    assert not {"holder", "id"} & presentation.keys()


def test_a_record_that_is_gone_cannot_be_presented() -> None:
    with pytest.raises(BadInput) as error:
        build_presentation(QUERY, Selection((("a", "x"),)), {}, holder=HOLDER, submission_id="s")
    assert error.value.code == "pex.record_missing"


def test_what_this_node_presents_answers_the_definition() -> None:
    check = check_submission(QUERY, presented(x=badge(a=1), y=badge(b=1)))
    assert check.ok
    assert check.credentials == {"a": 0, "b": 1}


def test_a_single_credential_need_not_be_in_an_array() -> None:
    presentation = presented(x=badge(a=1, b=1))
    presentation["verifiableCredential"] = presentation["verifiableCredential"][0]
    for entry in entries(presentation):
        entry["path"] = "$.verifiableCredential"
    assert check_submission(QUERY, presentation).credentials == {"a": 0, "b": 0}


def test_an_entry_may_name_the_presentation_first_and_the_credential_inside() -> None:
    presentation = presented(x=badge(a=1, b=1))
    for entry in entries(presentation):
        entry["path_nested"] = {"id": entry["id"], "format": "ldp_vc", "path": entry["path"]}
        entry.update(format="ldp_vp", path="$")
    assert codes(presentation) == []


def test_an_entry_may_name_the_format_of_the_presentation_for_the_credential_in_it() -> None:
    presentation = presented(x=badge(a=1, b=1))
    for entry in entries(presentation):
        entry["format"] = "ldp_vp"
    assert codes(presentation) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda p: p.pop("presentation_submission"), "pex.submission_malformed"),
        (lambda p: p["presentation_submission"].pop("id"), "pex.submission_malformed"),
        (lambda p: p["presentation_submission"].update(descriptor_map={}), "pex.submission_malformed"),
        (lambda p: entries(p).extend(entries(p) * 40), "pex.submission_malformed"),
        (lambda p: p["presentation_submission"].update(definition_id="other"), "pex.definition_mismatch"),
        (lambda p: entries(p).append({"id": "c"}), "pex.descriptor_unknown"),
        (lambda p: entries(p).append(None), "pex.descriptor_unknown"),
        (lambda p: entries(p).append(entries(p)[0]), "pex.descriptor_repeated"),
        (lambda p: entries(p).pop(), "pex.descriptor_unanswered"),
        (lambda p: entries(p)[0].update(format="jwt_vc"), "pex.submission_format"),
        (lambda p: entries(p)[0].update(format=None), "pex.submission_format"),
        (lambda p: entries(p)[0].update(path_nested={"format": "ldp_vc", "path": "$"}), "pex.submission_format"),
        (lambda p: entries(p)[0].update(path="$.verifiableCredential[9]"), "pex.submission_path"),
        (lambda p: entries(p)[0].update(path="$.verifiableCredential[*]"), "pex.submission_path"),
        (lambda p: entries(p)[0].update(path="$.verifiableCredential"), "pex.submission_path"),
        (lambda p: entries(p)[0].update(path="$..verifiableCredential[0]"), "pex.submission_path"),
        (lambda p: entries(p)[0].update(path="$"), "pex.submission_path"),
        (lambda p: entries(p)[0].update(path="$.proof"), "pex.submission_path"),
        (lambda p: entries(p)[0].update(path=7), "pex.path_malformed"),
        (lambda p: entries(p)[0].update(path="$.verifiableCredential[1]"), "pex.field_missing"),
        (lambda p: p["verifiableCredential"].append(badge()), "pex.extra_credential"),
        (lambda p: p["verifiableCredential"].append("ey.J.x"), "pex.submission_malformed"),
        (lambda p: p["verifiableCredential"][0].pop("a"), "pex.field_missing"),
        (lambda p: p["verifiableCredential"][0].pop("proof"), "pex.format"),
        (lambda p: p.pop("verifiableCredential"), "pex.submission_path"),
    ],
)
def test_a_presentation_that_was_changed_does_not_answer(change: Change, code: str) -> None:
    presentation = presented(x=badge(a=1), y=badge(b=1))
    change(presentation)
    assert code in codes(presentation)


@pytest.mark.parametrize("presentation", [None, [], "x", {}, {"presentation_submission": []}])
def test_what_is_no_presentation_does_not_answer(presentation: object) -> None:
    assert codes(presentation) == ["pex.submission_malformed"]


def test_too_few_or_too_many_for_a_requirement_do_not_answer() -> None:
    descriptors = [{**asked({"path": [f"$.{name}"]}, id=name), "group": ["A"]} for name in "abc"]
    query = definition(*descriptors, submission_requirements=[{"rule": "pick", "count": 2, "from": "A"}])
    document = badge(a=1, b=1, c=1)
    presentation = presented(query, x=document)
    assert codes(presentation, query) == []
    for change in (entries(presentation)[:1], [{**entries(presentation)[0], "id": name} for name in "abc"]):
        other = {**presentation, "presentation_submission": {**presentation["presentation_submission"]}}
        other["presentation_submission"]["descriptor_map"] = change
        assert codes(other, query) == ["pex.requirements_unsatisfied"]


HOLDER_QUERY = definition(
    asked(
        {"id": "who", "path": ["$.credentialSubject.id"]},
        is_holder=[{"field_id": ["who"], "directive": "required"}],
    )
)


def test_the_presenter_must_be_whom_the_record_is_about() -> None:
    presentation = presented(HOLDER_QUERY, x=badge())
    assert codes(shared_presentation(presentation), HOLDER_QUERY) == []
    without_holder = {name: value for name, value in presentation.items() if name != "holder"}
    assert codes(shared_presentation(without_holder), HOLDER_QUERY) == []
    assert "pex.not_holder" in codes(without_holder, HOLDER_QUERY)


def test_naming_the_subject_as_holder_does_not_help_a_thief() -> None:
    stolen = presented(HOLDER_QUERY, x=badge())
    assert "pex.not_holder" in codes(shared_presentation(stolen, ISSUER), HOLDER_QUERY)
    own_proof = {"type": "DataIntegrityProof", "verificationMethod": f"{HOLDER}#key-1"}
    two_proofs = {**shared_presentation(stolen, ISSUER), "proof": [own_proof, {"verificationMethod": f"{ISSUER}#k"}]}
    assert "pex.not_holder" in codes(two_proofs, HOLDER_QUERY)


def test_the_presentations_own_proof_must_be_of_the_asked_format() -> None:
    query = definition(asked({"path": ["$.a"]}), format={"ldp_vp": {"proof_type": ["eddsa-rdfc-2022"]}})
    presentation = presented(query, x=badge(a=1))
    assert codes(shared_presentation(presentation), query) == []
    assert codes(presentation, query) == ["pex.presentation_format"]
    assert query.formats.allow_presentation_suite("eddsa-rdfc-2022")
    assert not query.formats.allow_presentation_suite("Ed25519Signature2020")


def test_a_stated_wish_to_limit_disclosure_is_not_passed_over_at_the_verifier() -> None:
    presentation = presented(x=badge(a=1, b=1))
    strict = definition(asked({"path": ["$.a"]}, id="a", limit_disclosure="required"), asked({"path": ["$.b"]}, id="b"))
    assert "pex.disclosure_cannot_be_limited" in codes(presentation, strict)


def acapy(message_type: str, attachments: str) -> Any:
    """The attachment of the recorded message of this type."""
    messages = shared_json("wire/acapy/exchange.json")
    plain = next(m["plaintext"] for m in messages if m["plaintext"]["@type"].endswith(message_type))
    data = plain[attachments][0]["data"]
    return data["json"] if "json" in data else json.loads(base64.urlsafe_b64decode(data["base64"] + "=="))


def test_what_acapy_asks_is_read() -> None:
    request = decode_request(acapy("/request-presentation", "request_presentations~attach"))
    assert request.challenge == "40185128-0bf8-430b-9b9a-101adf756f25"
    assert request.domain == "verifier.example"
    assert request.definition.descriptors[0].schemas[0].uri.endswith("#VerifiableCredential")
    assert encode_request(request) == acapy("/request-presentation", "request_presentations~attach")


def test_acapys_answer_has_its_records_right_and_its_own_proof_not_as_it_asked() -> None:
    query = decode_request(acapy("/request-presentation", "request_presentations~attach")).definition
    presentation = acapy("/presentation", "presentations~attach")
    check = check_submission(query, presentation)
    # It asked for Ed25519Signature2020 and signed the presentation with Ed25519Signature2018.
    assert [problem.code for problem in check.problems] == ["pex.presentation_format"]
    assert check.credentials == {"ach": 0}
    presentation["proof"]["type"] = "Ed25519Signature2020"
    assert check_submission(query, presentation).ok


def test_a_record_that_acapy_issued_answers_what_acapy_asks() -> None:
    query = decode_request(acapy("/request-presentation", "request_presentations~attach")).definition
    document = acapy("/presentation", "presentations~attach")["verifiableCredential"][0]
    kept = [("r", document)]
    assert match(query, kept, holder=HOLDER).descriptors[0].record_ids == ("r",)
    assert match(query, kept, holder=ISSUER).descriptors[0].reasons["r"].code == "pex.not_holder"


def test_a_request_and_a_proposal_survive_the_wire() -> None:
    request = PresentationRequest(QUERY, "challenge", None)
    assert decode_request(json.loads(json.dumps(encode_request(request)))) == request
    assert "options" not in encode_request(PresentationRequest(QUERY))
    proposal = decode_proposal(json.loads(json.dumps(QUERY.raw)), definition_id="new")
    assert proposal.id == "new"
    assert proposal.descriptors == QUERY.descriptors
    assert proposal.requirements == QUERY.requirements


@pytest.mark.parametrize(
    "attachment",
    [
        None,
        [],
        {"options": [], "presentation_definition": QUERY.raw},
        {"options": {"challenge": 7}, "presentation_definition": QUERY.raw},
        {"options": {"domain": "x" * 2000}, "presentation_definition": QUERY.raw},
    ],
)
def test_a_malformed_request_attachment_is_refused(attachment: object) -> None:
    with pytest.raises(BadInput) as error:
        decode_request(attachment)
    assert error.value.code == "pex.request_malformed"
    with pytest.raises(BadInput):
        decode_proposal(attachment, definition_id="d")


# What the code under test reads, so that arbitrary JSON gets past the first check.
NAMES = st.sampled_from([
    "id", "input_descriptors", "constraints", "fields", "path", "filter", "optional", "predicate", "is_holder",
    "field_id", "directive", "statuses", "active", "schema", "uri", "required", "group", "submission_requirements",
    "rule", "count", "min", "max", "from", "from_nested", "format", "ldp_vc", "proof_type", "presentation_submission",
    "descriptor_map", "definition_id", "verifiableCredential", "path_nested", "proof", "type", "verificationMethod",
    "holder", "credentialSubject", "@context",
])  # fmt: skip
WORDS = st.sampled_from([
    "A", "all", "pick", "required", "allowed", "ldp_vc", "ldp_vp", "$", "$.a", "$..*", "$.verifiableCredential[0]",
    "def-1", "a", "b",
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.floats(allow_nan=False) | WORDS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)


@given(JSON, JSON)
def test_arbitrary_json_as_a_definition_is_refused_by_name_or_evaluated(value: Any, part: Any) -> None:
    whole = {"id": "x", "input_descriptors": [{"id": "a", "constraints": {"fields": [part]}, "group": ["A"]}]}
    for raw in (value, {"id": "x", "input_descriptors": value}, whole, {**whole, "submission_requirements": [value]}):
        try:
            match(parse_definition(raw), [("r", badge())])
        except LernodeError as error:
            assert error.code.startswith("pex.")


@given(JSON, JSON)
def test_arbitrary_json_as_a_record_or_a_presentation_never_answers_by_accident(value: Any, part: Any) -> None:
    for presentation in (
        value,
        {"presentation_submission": value, "verifiableCredential": part},
        {"presentation_submission": {"id": "s", "definition_id": "def-1", "descriptor_map": value}, "proof": part},
    ):
        assert not check_submission(QUERY, presentation).ok
    schema_query = definition({"id": "a", "schema": [{"uri": "urn:x"}], "constraints": HOLDER_QUERY.raw[
        "input_descriptors"][0]["constraints"]})  # fmt: skip
    document = {"proof": {}, "@context": value, "type": part, "credentialSubject": value, "issuer": part}
    assert not match(schema_query, [("r", document)], holder=HOLDER).available


@st.composite
def queries_and_records(draw: st.DrawFn) -> tuple[Any, dict[str, dict[str, Any]]]:
    """Definitions with groups and requirements, and records that answer some of their descriptors."""
    names = [f"d{n}" for n in range(draw(st.integers(1, 5)))]
    descriptors = [
        {**asked({"path": [f"$.{name}"]}, id=name), "group": sorted(draw(st.sets(st.sampled_from("AB"), min_size=1)))}
        for name in names
    ]
    used = sorted({group for descriptor in descriptors for group in descriptor["group"]})
    leaf = st.builds(
        lambda group, rule: {**rule, "from": group},
        st.sampled_from(used),
        st.sampled_from([{"rule": "all"}, {"rule": "pick", "count": 1}, {"rule": "pick", "min": 1, "max": 2}]),
    )
    nested = st.builds(
        lambda inner: {"rule": "pick", "min": 1, "from_nested": inner}, st.lists(leaf, min_size=1, max_size=2)
    )
    requirements = draw(st.lists(leaf | nested, max_size=3))
    others = {"submission_requirements": requirements} if requirements else {}
    kept = {
        f"r{n}": badge(f"r{n}", **dict.fromkeys(draw(st.sets(st.sampled_from(names))), 1))
        for n in range(draw(st.integers(0, 4)))
    }
    return definition(*descriptors, **others), kept


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(queries_and_records())
def test_what_is_selected_always_satisfies_the_verifier(world: tuple[Any, dict[str, dict[str, Any]]]) -> None:
    query, documents = world
    try:
        presentation = presented(query, **documents)
    except BadInput as error:
        assert error.code == "pex.not_satisfiable"
        return
    assert check_submission(query, presentation).problems == ()
