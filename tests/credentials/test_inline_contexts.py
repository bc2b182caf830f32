"""Contexts inside a document: what others write with them is accepted, and nobody can rename with them what is signed.

Each attack starts from a record that an honest issuer signed, and leaves its RDF as it is, so that a signature over RDF
holds; what a reader of the JSON sees would be something else.
"""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.credentials.compacted import compaction_problem
from protocols.credentials.verification import Check, VerificationResult
from protocols.credentials.verify import verify
from protocols.errors import BadInput
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import DEFAULT, Processor
from tests.credentials.worlds import (
    HOLDER,
    LIST_URL,
    NOW,
    OB,
    SUITES,
    TRUSTING,
    V1,
    V2,
    Dids,
    Lists,
    check_credential,
    codes,
    did,
    issue,
    record,
    status_list,
    with_status,
)

TERMS = "https://college.example/terms#"
EACH_SUITE = pytest.mark.parametrize("suite", SUITES)
RDF_SUITES = pytest.mark.parametrize("suite", [suite for suite in SUITES if "jcs" not in suite])
COLLEGE = {"grade": TERMS + "grade", "maxGrade": TERMS + "maxGrade"}


def graded(context: Any, **claims: Any) -> dict[str, Any]:
    """An unsigned record with claims of the college's own."""
    plain = record()
    return {
        **plain,
        "@context": [V2, OB, *([context] if isinstance(context, dict) else context)],
        "credentialSubject": {**plain["credentialSubject"], **claims},
    }


def with_claims(signed: dict[str, Any], context: Any, **claims: Any) -> dict[str, Any]:
    """A signed record whose own claims and inline context were exchanged."""
    subject = {name: value for name, value in signed["credentialSubject"].items() if name not in COLLEGE}
    return {**signed, "@context": [V2, OB, context], "credentialSubject": {**subject, **claims}}


LEGAL = {
    "a new term": graded(COLLEGE, grade="A", maxGrade="B"),
    "a context wrapped like a file": graded({"@context": COLLEGE}, grade="A"),
    "a term by a prefix": graded({"ex": TERMS, "grade": "ex:grade"}, grade="A"),
    "a typed term": graded(
        {"grade": {"@id": TERMS + "grade", "@type": "http://www.w3.org/2001/XMLSchema#integer"}}, grade=5
    ),
    "references": graded({"tutor": {"@id": TERMS + "tutor", "@type": "@id"}}, tutor=did(HOLDER)),
    "an ordered list": graded({"marks": {"@id": TERMS + "marks", "@container": "@list"}}, marks=["A", "B"]),
    "a set": graded({"marks": {"@id": TERMS + "marks", "@container": ["@set"]}}, marks=["A", "B"]),
    "a JSON literal": graded({"raw": {"@id": TERMS + "raw", "@type": "@json"}}, raw={"@odd": None, "list": []}),
    "a term with a context": graded(
        {"course": {"@id": TERMS + "course", "@context": {"hours": TERMS + "hours"}}}, course={"hours": 5}
    ),
    "a vocabulary": graded({"@vocab": TERMS}, grade="A"),
    "a vocabulary and a term": graded({"@vocab": TERMS, "grade": {"@type": "@id"}}, grade=did(HOLDER)),
    "protected terms and a version": graded({"@version": 1.1, "@protected": True, **COLLEGE}, grade="A"),
    "a language": graded({"@language": "en"}),
    "the usual aliases": graded({"id": "@id", "type": "@type", **COLLEGE}, grade="A"),
    "a term of schema.org": graded({"birthDate": "https://schema.org/birthDate"}, birthDate="2001-01-01"),
    "a context of an inner object": graded([], note={"@context": {"text": TERMS + "text"}, "text": "x"})
    | {"@context": [V2, OB, {"note": TERMS + "note"}]},
    "a type": {**graded({"DiplomaCredential": TERMS + "DiplomaCredential"}), "type": [
        "VerifiableCredential", "OpenBadgeCredential", "DiplomaCredential"]},
    "a type that is an IRI": {**record(), "type": ["VerifiableCredential", "OpenBadgeCredential", TERMS + "Diploma"]},
    "a text with a direction": record(name={"@value": "x", "@language": "ar", "@direction": "rtl"}),
}  # fmt: skip


@EACH_SUITE
@pytest.mark.parametrize("document", LEGAL.values(), ids=LEGAL)
def test_what_others_write_with_inline_contexts_is_accepted(suite: str, document: dict[str, Any]) -> None:
    result = check_credential(issue(document, suite=suite))
    assert codes(result) == {}
    assert result.verified


ILLEGAL: dict[str, tuple[str, Any]] = {
    "an alias": ("last part", {"mark": TERMS + "grade"}),
    "an alias in a wrapped context": ("last part", {"@context": {"mark": TERMS + "grade"}}),
    "a wrapped context with more beside it": ("more than", {"@context": COLLEGE, "maxGrade": TERMS + "maxGrade"}),
    "nothing in a wrapped context": ("neither", {"@context": None}),
    "an alias by a prefix": ("last part", {"ex": TERMS, "mark": "ex:grade"}),
    "an alias in a term": ("last part", {"course": {"@id": TERMS + "course", "@context": {"mark": TERMS + "grade"}}}),
    "an alias that differs in case": ("last part", {"Grade": TERMS + "grade"}),
    "an alias of a known term": ("absolute", {"standing": "credentialStatus"}),
    "a reserved vocabulary": ("reads", {"credentialStatus2": "https://www.w3.org/2018/credentials#credentialStatus2"}),
    "a second name of schema.org": ("reads", {"keywords": "https://schema.org/keywords"}),
    "an alias of a keyword": ("absolute", {"ident": "@id"}),
    "a swapped alias": ("absolute", {"id": "@type"}),
    "a reverse property": ("more than", {"of": {"@reverse": TERMS + "of"}}),
    "a nested property": ("more than", {"part": {"@id": TERMS + "part", "@nest": "grades"}}),
    "a map": ("more than", {"grade": {"@id": TERMS + "grade", "@container": "@language"}}),
    "a graph": ("more than", {"grade": {"@id": TERMS + "grade", "@container": "@graph"}}),
    "a prefix by declaration": ("more than", {"grade": {"@id": TERMS + "grade", "@prefix": True}}),
    "a base": ("more than", {"@base": "https://college.example/"}),
    "an import": ("more than", {"@import": OB}),
    "no propagation": ("more than", {"@propagate": False}),
    "a term of a known context": ("redefines", {"narrative": "https://college.example/terms#narrative"}),
    "nothing for a term": ("absolute", {"grade": None}),
    "a strange scheme": ("absolute", {"grade": "file:grade"}),
    "a relative IRI": ("absolute", {"grade": "grade"}),
    "an ambiguous vocabulary": ("vocabulary", {"@vocab": "https://college.example/terms"}),
    "a vocabulary above a reserved one": ("vocabulary", {"@vocab": "https://"}),
    "a keyword as a prefix": ("vocabulary", {"@vocab": ""}),
}


@EACH_SUITE
@pytest.mark.parametrize(("why", "context"), ILLEGAL.values(), ids=ILLEGAL)
def test_inline_contexts_that_could_rename_are_refused(suite: str, why: str, context: Any) -> None:
    document = graded(context)
    assert why in str(compaction_problem(document, DEFAULT.store))
    with pytest.raises(BadInput):
        issue(document, suite=suite)


@EACH_SUITE
@pytest.mark.parametrize(
    ("context", "claims"),
    [
        ({"grade": TERMS + "maxGrade", "maxGrade": TERMS + "grade"}, {"maxGrade": "D", "grade": "A"}),
        ({"Grade": TERMS + "grade", "maxGrade": TERMS + "maxGrade"}, {"Grade": "D", "maxGrade": "A"}),
        ({"ex": TERMS, "grade": "ex:maxGrade", "low": "ex:grade"}, {"low": "D", "grade": "A"}),
        ({"@vocab": TERMS, "grade": TERMS + "maxGrade", "low": TERMS + "grade"}, {"low": "D", "grade": "A"}),
        ({"@vocab": "https://college.example/"}, {"terms#grade": "D", "terms#maxGrade": "A"}),
        ({"ex": TERMS}, {"ex:grade": "D", "ex:maxGrade": "A"}),
        ({}, {TERMS + "grade": "D", TERMS + "maxGrade": "A"}),
    ],
)
def test_a_term_that_is_remapped_after_signing_fails(suite: str, context: Any, claims: dict[str, Any]) -> None:
    signed = issue(graded(COLLEGE, grade="D", maxGrade="A"), suite=suite)
    assert check_credential(signed).verified
    assert codes(check_credential(with_claims(signed, context, **claims)))[Check.CONTEXT] == "context.not_compacted"


@EACH_SUITE
def test_an_inline_context_that_is_taken_away_fails(suite: str) -> None:
    signed = issue(graded(COLLEGE, grade="D", maxGrade="A"), suite=suite)
    without = {**signed, "@context": [item for item in signed["@context"] if item != COLLEGE]}
    assert codes(check_credential(without))[Check.CONTEXT] in ("jsonld.undefined_term", "context.unsigned")


@RDF_SUITES
def test_an_inline_context_that_says_the_same_in_other_words_shows_the_same(suite: str) -> None:
    signed = issue(graded(COLLEGE, grade="D", maxGrade="A"), suite=suite)
    same = with_claims(signed, {"@vocab": TERMS}, grade="D", maxGrade="A")
    same["@context"] = [*same["@context"], *signed["@context"][3:]]
    assert check_credential(same).verified
    assert same["credentialSubject"] == signed["credentialSubject"]


@RDF_SUITES
@pytest.mark.parametrize("prefix", ["did", "key"])
def test_a_prefix_cannot_write_one_subject_as_another(suite: str, prefix: str) -> None:
    chosen = "https://attacker.example/#key:zMine"
    signed = issue(
        {**graded(COLLEGE), "credentialSubject": {**record()["credentialSubject"], "id": chosen}}, suite=suite
    )
    assert check_credential(signed).verified
    moved = copy.deepcopy(signed)
    moved["@context"].insert(2, {prefix: "https://attacker.example/#"})
    moved["credentialSubject"]["id"] = f"{prefix}:key:zMine"
    assert codes(check_credential(moved))[Check.CONTEXT] == "context.not_compacted"


@RDF_SUITES
@pytest.mark.parametrize("where", ["key", "type"])
def test_a_prefix_cannot_stand_for_itself(suite: str, where: str) -> None:
    context = {"ex": TERMS, "grade": "ex:grade"}
    document = graded(context, ex="A") if where == "key" else {**graded(context), "type": [*record()["type"], "ex"]}
    with pytest.raises(BadInput) as caught:
        issue(document, suite=suite)
    assert caught.value.code == "proof.not_compacted"


def test_a_term_cannot_mean_two_things_in_one_document() -> None:
    context = {"note": TERMS + "note", "raw": {"@id": TERMS + "raw", "@type": "@json"}}
    note = {"@context": {"raw": TERMS + "raw"}, "raw": {"https://www.w3.org/2018/credentials#credentialStatus": "x"}}
    assert "redefines" in str(compaction_problem(graded(context, note=note), DEFAULT.store))


def test_a_json_term_of_one_object_hides_nothing_in_another() -> None:
    vocabulary = {"@vocab": TERMS}
    raw = {"@context": {"raw": {"@id": TERMS + "raw", "@type": "@json"}}, "raw": {"list": []}}
    assert compaction_problem(graded(vocabulary, note=raw), DEFAULT.store) is None
    hidden = {"raw": {"id": record()["id"], "credentialStatus": {"type": "x"}}}
    assert compaction_problem(graded(vocabulary, note=raw, other=hidden), DEFAULT.store) is not None


NAMES = ["grade", "low", "mark", "ex", "Grade"]
MEANINGS = st.sampled_from(
    [TERMS + "grade", TERMS + "low", TERMS, "ex:grade", "ex:low", {"@id": TERMS + "grade"}, {"@id": "ex:low"}]
)
INLINE = st.dictionaries(st.sampled_from(NAMES), MEANINGS, min_size=2) | st.just({"@vocab": TERMS})
PLACES = [*NAMES, "ex:grade", "ex:low", TERMS + "grade", TERMS + "low"]


def meaning(context: dict[str, Any], claims: dict[str, Any]) -> str | None:
    """What a signature over RDF covers, where the document passes for one that shows no more and no less."""
    document = {"@context": [V2, context], "id": "urn:a:1", "type": "VerifiableCredential", **claims}
    if compaction_problem(document, DEFAULT.store) is not None:
        return None
    try:
        return DEFAULT.canonical_nquads(document)
    except BadInput:
        return None


@given(INLINE)
def test_documents_of_the_same_meaning_show_the_same_whatever_their_contexts(context: dict[str, Any]) -> None:
    plain = {"grade": "D", "low": "A"}
    signed = meaning({"@vocab": TERMS}, plain)
    for first, second in itertools.permutations(PLACES, 2):
        claims = {first: "D", second: "A"}
        assert claims == plain or meaning(context, claims) != signed


CONFIGURED = "https://college.example/context"
OWN = Processor(ContextStore({CONFIGURED: {"@context": {"low": TERMS + "grade", "grade": TERMS + "maxGrade"}}}))


async def _checked(document: dict[str, Any]) -> VerificationResult:
    return await verify(document, resolver=Dids(), statuses=Lists(), policy=TRUSTING, now=NOW, processor=OWN)


@pytest.mark.parametrize("context", [COLLEGE, {"@vocab": TERMS}])
async def test_an_inline_context_cannot_take_the_place_of_a_configured_one(context: dict[str, Any]) -> None:
    signed = issue(graded([CONFIGURED], low="D", grade="A"), processor=OWN)
    assert (await _checked(signed)).verified
    subject = {name: value for name, value in signed["credentialSubject"].items() if name != "low"}
    moved = {**signed, "credentialSubject": {**subject, "grade": "D", "maxGrade": "A"}}
    moved["@context"] = [V2, OB, context, *signed["@context"][3:]]
    assert codes(await _checked(moved))[Check.CONTEXT] == "context.not_compacted"


@RDF_SUITES
@pytest.mark.parametrize(
    ("entry", "elsewhere"),
    [
        ({"type": "BitstringStatusListEntry"}, {"statusSize": 2}),
        ({}, {"type": ["https://college.example/terms#Other"]}),
    ],
)
def test_parts_of_a_status_entry_cannot_be_moved_elsewhere(suite: str, entry: Any, elsewhere: Any) -> None:
    unsigned = with_status("revocation")
    entry_id = unsigned["credentialStatus"]["id"] = "https://college.example/status/1#7"
    signed = issue(unsigned, suite=suite)
    assert check_credential(signed, lists=Lists({LIST_URL: status_list()})).verified
    moved = {**signed, "termsOfUse": {"type": "https://college.example/terms#Terms", **elsewhere, "id": entry_id}}
    result = check_credential(moved, lists=Lists({LIST_URL: status_list()}))
    assert codes(result)[Check.CONTEXT] == "context.not_compacted"


@pytest.mark.parametrize(
    "name", ["https://www.w3.org/2018/credentials#JsonSchema", "cred:JsonSchema", "https://w3id.org/security#X"]
)
def test_a_type_cannot_be_hidden_behind_its_iri(name: str) -> None:
    schema = {"id": "https://college.example/schema", "type": name}
    assert "A type" in str(compaction_problem(record(credentialSchema=schema), DEFAULT.store))


@pytest.mark.parametrize("value", [None, []])
def test_null_and_empty_sets_of_others_pass_where_the_signature_covers_them(value: Any) -> None:
    document = record(description=value)
    assert compaction_problem(document, DEFAULT.store) is not None
    assert compaction_problem(document, DEFAULT.store, covers_json=True) is None


def test_version_1_1_documents_may_define_terms_too() -> None:
    old = {
        "@context": [V1, {"degree": TERMS + "degree", "name": "https://schema.org/name"}],
        "type": ["VerifiableCredential"],
        "issuer": record()["issuer"]["id"],
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": did(HOLDER), "degree": {"name": "Bachelor"}},
    }
    assert check_credential(issue(old, suite="Ed25519Signature2020")).verified
