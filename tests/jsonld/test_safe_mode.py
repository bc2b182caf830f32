"""Safe mode: what JSON-LD would drop is refused, by code, path and term, and never by value."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from protocols.errors import BadInput, LernodeError
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import Processor
from tests.jsonld.samples import EXTRA, V2, open_badge, reference, shared_documents

PROCESSOR = Processor(ContextStore(EXTRA))
VOCAB = {"@vocab": "https://v.example/"}


def _refusal(document: Any) -> BadInput:
    with pytest.raises(BadInput) as refused:
        PROCESSOR.canonical_nquads(document)
    return refused.value


def _with(**members: Any) -> dict[str, Any]:
    return {"@context": {"@version": 1.1, "p": "urn:p"}, "@id": "urn:a", **members}


LOST = {
    "undefined property": ("jsonld.undefined_term", _with(unknown=1)),
    "undefined property deep inside": ("jsonld.undefined_term", _with(p={"p": [{"unknown": 1}]})),
    "property set to null": ("jsonld.undefined_term", {"@context": {"p": None}, "@id": "urn:a", "p": "x"}),
    "something like a keyword": ("jsonld.undefined_term", _with(**{"@unknown": "x"})),
    "undefined type": ("jsonld.undefined_term", _with(**{"@type": "Unknown", "p": "x"})),
    "type like a keyword": ("jsonld.undefined_term", _with(**{"@type": "@unknown", "p": "x"})),
    "relative vocabulary": ("jsonld.context_invalid", {"@context": {"@vocab": "x#"}, "@id": "urn:a", "p": 1}),
    "empty vocabulary": ("jsonld.context_invalid", {"@context": {"@vocab": ""}, "@id": "urn:a", "p": 1}),
    "relative id": ("jsonld.relative_reference", {**_with(p="x"), "@id": "a"}),
    "empty id": ("jsonld.relative_reference", {**_with(p="x"), "@id": ""}),
    "fragment id": ("jsonld.relative_reference", {**_with(p="x"), "@id": "#a"}),
    "network-path id": ("jsonld.relative_reference", {**_with(p="x"), "@id": "//a.example/b"}),
    "id like a keyword": ("jsonld.relative_reference", {**_with(p="x"), "@id": "@unknown"}),
    "keyword as id": ("jsonld.relative_reference", {**_with(p="x"), "@id": "@type"}),
    "relative object": ("jsonld.relative_reference", _with(p={"@id": "b"})),
    "relative coerced object": (
        "jsonld.relative_reference",
        {"@context": {"p": {"@id": "urn:p", "@type": "@id"}}, "@id": "urn:a", "p": "b"},
    ),
    "relative object of a vocabulary type": (
        "jsonld.relative_reference",
        {"@context": {"p": {"@id": "urn:p", "@type": "@vocab"}}, "@id": "urn:a", "p": "b"},
    ),
    "relative base": ("jsonld.relative_reference", {"@context": {"@base": "x/", "p": "urn:p"}, "@id": "a", "p": "x"}),
    "relative graph": ("jsonld.relative_reference", {**_with(), "@id": "g", "@graph": [{"@id": "urn:b", "p": "x"}]}),
    "blank node property": ("jsonld.dropped", _with(**{"_:p": "x"})),
    "free-floating string in a graph": ("jsonld.dropped", {**_with(), "@graph": ["x", {"@id": "urn:b", "p": "x"}]}),
    "free-floating value in a graph": ("jsonld.dropped", {**_with(), "@graph": [{"@value": "x"}]}),
    "free-floating list in a graph": ("jsonld.dropped", {**_with(), "@graph": [{"@list": ["x"]}]}),
    "only an id in a graph": ("jsonld.dropped", {**_with(), "@graph": [{"@id": "urn:b"}]}),
    "only an id": ("jsonld.dropped", _with()),
    "nothing": ("jsonld.dropped", {}),
    "only an empty list": ("jsonld.dropped", _with(p=[])),
    "only a context": ("jsonld.dropped", {"@context": V2}),
    "only a language": ("jsonld.dropped", _with(p={"@language": "en"})),
    "null value object": ("jsonld.dropped", _with(p={"@value": None})),
    "wrong direction": ("jsonld.invalid", _with(p={"@value": "x", "@language": "ar", "@direction": "up"})),
    "direction of a number": ("jsonld.invalid", _with(p={"@value": 5, "@direction": "rtl"})),
    "wrong language of a direction": (
        "jsonld.value_invalid",
        _with(p={"@value": "x", "@language": "e n", "@direction": "rtl"}),
    ),
    "index": ("jsonld.dropped", _with(p={"@id": "urn:b", "@index": "x"})),
    "index of a value": ("jsonld.dropped", _with(p={"@value": "b", "@index": "x"})),
    "index map": (
        "jsonld.dropped",
        {"@context": {"p": {"@id": "urn:p", "@container": "@index"}}, "@id": "urn:a", "p": {"k": "x"}},
    ),
    "empty credential in a presentation": (
        "jsonld.dropped",
        {"@context": V2, "type": "VerifiablePresentation", "verifiableCredential": [{"@id": "urn:c"}]},
    ),
    "number for a credential": (
        "jsonld.dropped",
        {"@context": V2, "type": "VerifiablePresentation", "verifiableCredential": [5]},
    ),
    "wrong language tag": ("jsonld.value_invalid", _with(p={"@value": "x", "@language": "e n"})),
    "type with a null context": (
        "jsonld.context_invalid",
        {"@context": {"p": "urn:p", "T": {"@id": "urn:T", "@context": None}}, "@type": "T", "p": "x"},
    ),
    "credential of empty members in a presentation": (
        "jsonld.dropped",
        {"@context": V2, "type": "VerifiablePresentation", "verifiableCredential": [{"urn:p": []}]},
    ),
    "null type of a value": ("jsonld.undefined_term", _with(p={"@value": "x", "@type": None})),
    "wrong default language": (
        "jsonld.context_invalid",
        {"@context": {"@language": "e n", "p": "urn:p"}, "@id": "urn:a", "p": "x"},
    ),
    "wrong language in a map": (
        "jsonld.value_invalid",
        {"@context": {"p": {"@id": "urn:p", "@container": "@language"}}, "@id": "urn:a", "p": {"e n": "x"}},
    ),
    "reserved term": ("jsonld.reserved_term", {"@context": {"@term": "urn:p"}, "@id": "urn:a", "urn:p": "x"}),
    "term that means a reserved word": (
        "jsonld.reserved_term",
        {"@context": {"p": {"@id": "@other"}}, "@id": "urn:a", "p": "x"},
    ),
    "reverse reserved word": (
        "jsonld.reserved_term",
        {"@context": {"p": {"@reverse": "@other"}}, "@id": "urn:a", "p": {"@id": "urn:b"}},
    ),
}


@pytest.mark.parametrize(("code", "document"), LOST.values(), ids=LOST)
def test_what_would_be_lost_is_refused(code: str, document: dict[str, Any]) -> None:
    assert _refusal(document).code == code


@pytest.mark.parametrize(
    ("value", "datatype"),
    [
        ({"@value": "x", "@language": "ar-EG", "@direction": "rtl"}, "ar-eg_rtl"),
        ({"@value": "x", "@direction": "ltr"}, "_ltr"),
    ],
)
def test_the_direction_of_a_text_is_part_of_what_is_signed(value: Any, datatype: str) -> None:
    expected = f'<urn:a> <urn:p> "x"^^<https://www.w3.org/ns/i18n#{datatype}> .\n'
    assert PROCESSOR.canonical_nquads(_with(p=value)) == expected
    default = {"p": "urn:p", **{name: part for name, part in value.items() if name != "@value"}}
    assert PROCESSOR.canonical_nquads({"@context": default, "@id": "urn:a", "p": "x"}) == expected


WRONG = {
    "context number": {"@context": 5, "urn:p": "x"},
    "context of lists": {"@context": [[V2]], "urn:p": "x"},
    "nullified vocabulary": {"@context": {"@vocab": None}, "urn:p": "x"},
    "protected term redefined": {"@context": [V2, {"VerifiableCredential": "urn:x"}], "urn:p": "x"},
    "protected context cleared": {"@context": [V2, None], "urn:p": "x"},
    "import": {"@context": {"@import": V2}, "urn:p": "x"},
    "version": {"@context": {"@version": 2}, "urn:p": "x"},
    "cyclic terms": {"@context": {"a": "b:x", "b": "a:x"}, "urn:p": "x"},
    "id object": {"@id": {"x": 1}, "urn:p": "x"},
    "two ids": {"@context": {"id": "@id"}, "id": "urn:a", "@id": "urn:b", "urn:p": "x"},
    "type number": {"@type": 5, "urn:p": "x"},
    "graph string": {"@graph": "x"},
    "value with type and language": {"urn:p": {"@value": "x", "@type": "urn:t", "@language": "en"}},
    "value object value": {"urn:p": {"@value": {"a": 1}}},
    "reverse value": {"@reverse": {"urn:p": "x"}},
    "not an object": ["x"],
    "not finite": {"urn:p": float("nan")},
    "too large": {"urn:p": 10**400},
    "not JSON": {"urn:p": b"x"},
    "key that is no string": {"urn:p": {1: "x"}},
    "lone surrogate": {"urn:p": {"urn:q": "\ud800"}},
    "iri that would forge statements": {"@id": "urn:a>\u00a0<urn:p>", "urn:p": "x"},
    "iri with angle bracket": {"@id": "urn:a><urn:p><urn:q>.", "urn:p": "x"},
    "iri with line end": {"@id": "urn:a\n", "urn:p": "x"},
    "datatype that would forge statements": {"urn:p": {"@value": "x", "@type": "urn:a><urn:p>"}},
    "property that would forge statements": {"urn:a><urn:p>": "x"},
    "language string without language": {
        "urn:p": {"@value": "x", "@type": "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"}
    },
    "double that is none": {"urn:p": {"@value": "NaN", "@type": "http://www.w3.org/2001/XMLSchema#double"}},
    "json literal beyond I-JSON": {"urn:p": {"@value": 2**60, "@type": "@json"}},
}


@pytest.mark.parametrize("document", WRONG.values(), ids=WRONG)
def test_malformed_documents_end_in_a_stable_error(document: Any) -> None:
    assert _refusal(document).code.startswith("jsonld.")


def test_too_deep_a_document_is_refused() -> None:
    document: dict[str, Any] = {"urn:p": "x"}
    for _ in range(5000):
        document = {"urn:p": document}
    assert _refusal(document).code == "jsonld.too_complex"


def test_too_many_inline_contexts_are_refused() -> None:
    nodes = [{"@context": {f"p{i}": "urn:p"}, f"p{i}": "x"} for i in range(100)]
    assert _refusal({"@id": "urn:a", "urn:p": nodes}).code == "jsonld.too_complex"


def test_too_large_an_inline_context_is_refused() -> None:
    context = {f"term{i}": f"urn:p:{i}" for i in range(5000)}
    assert _refusal({"@context": context, "@id": "urn:a", "term1": "x"}).code == "jsonld.too_complex"


def test_scoped_contexts_in_scoped_contexts_are_bounded() -> None:
    terms = {name: {"@id": f"urn:{name}", "@context": {f"x{name}": f"urn:x{name}"}} for name in "abcdefgh"}

    def tree(depth: int) -> Any:
        return {name: tree(depth - 1) for name in terms} if depth else "x"

    assert _refusal({"@context": terms, "@id": "urn:a", **tree(4)}).code == "jsonld.too_complex"


def test_many_references_to_contexts_inside_an_inline_context_are_refused() -> None:
    terms = {f"t{i}": {"@id": f"urn:{i}", "@context": [V2, V2]} for i in range(50)}
    assert _refusal({"@context": terms, "@id": "urn:a", "t1": "x"}).code == "jsonld.too_complex"


def test_a_document_of_too_many_values_is_refused_on_the_complete_path() -> None:
    document = {"@id": "urn:a", "urn:p": [{"@set": [i]} for i in range(9000)]}
    assert _refusal(document).code == "jsonld.too_complex"


def test_many_values_of_one_property_are_all_kept() -> None:
    document = {"@id": "urn:a", "@graph": [{"@id": "urn:b", "urn:p": [str(i) for i in range(9000)]}]}
    assert PROCESSOR.canonical_nquads(document).count("\n") == 9000


def test_the_error_names_path_and_term_and_not_the_value() -> None:
    badge = open_badge()
    badge["credentialSubject"]["achievement"]["secretTerm"] = "secret value"
    error = _refusal(badge)
    assert "$.credentialSubject.achievement" in error.message
    assert "secretTerm" in error.message
    assert "secret value" not in str(error)


def test_null_members_are_as_good_as_absent() -> None:
    badge = open_badge()
    assert PROCESSOR.canonical_nquads({**badge, "description": None}) == PROCESSOR.canonical_nquads(badge)


def test_the_document_is_not_changed() -> None:
    badge = open_badge()
    badge["@context"].append({"custom": {"@id": "urn:custom", "@context": {"inner": "urn:inner"}}})
    badge["custom"] = {"inner": 1}
    before = copy.deepcopy(badge)
    PROCESSOR.canonical_nquads(badge)
    assert badge == before


def test_an_inline_context_of_one_document_means_nothing_for_the_next() -> None:
    context = {"p": {"@id": "urn:p", "@context": {"q": "urn:q1"}}}
    document = {"@context": context, "@id": "urn:a", "p": {"@id": "urn:b", "q": "x"}}
    assert "urn:q1" in PROCESSOR.canonical_nquads(document)
    context["p"]["@context"]["q"] = "urn:q2"  # type: ignore[index]
    assert "urn:q2" in PROCESSOR.canonical_nquads(document)
    del context["p"]["@context"]["q"]  # type: ignore[attr-defined]
    assert _refusal(document).code == "jsonld.undefined_term"


def test_every_shared_document_gives_what_pyld_gives_or_is_refused() -> None:
    given = refused = 0
    for name, document in shared_documents():
        try:
            canonical = PROCESSOR.canonical_nquads(json.loads(json.dumps(document)))
        except LernodeError as error:
            assert error.code in {"jsonld.context_unknown", "jsonld.undefined_term"}, name
            refused += 1
            continue
        assert canonical == reference(document), name
        given += 1
    assert given >= 47
    assert refused <= 30
