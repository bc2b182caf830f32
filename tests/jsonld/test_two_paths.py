"""The fast path against the complete one and against pyld: the same canonical form, the same refusals."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import BadInput
from protocols.jsonld import expansion, walker
from protocols.jsonld.active_contexts import ActiveContexts
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import Processor
from protocols.jsonld.rdf_terms import XSD
from protocols.jsonld.rdfc import canonicalize
from protocols.jsonld.scope import Hard, Scopes
from tests.jsonld.samples import BUNDLED, EXTRA, OB3, V1, V2, open_badge, reference, shared_documents

STORE = ContextStore(EXTRA)
CONTEXTS = ActiveContexts(STORE)
SCOPES = Scopes(CONTEXTS)

CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
STATUS = "https://www.w3.org/ns/credentials/status/v1"
SUITE_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"
SUBMISSION = "https://identity.foundation/presentation-exchange/submission/v1"
STACKS: list[list[str]] = [
    [V2],
    [V2, OB3],
    [V2, CLR, OB3],
    [V1, OB3.replace("-3.0.3", ""), SUITE_2020],
    [V1, STATUS, SUBMISSION],
    ["https://www.w3.org/ns/did/v1", SUITE_2020],
    ["https://w3id.org/security/data-integrity/v2"],
    ["https://w3id.org/security/v2"],
    [V2, "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"],
]


def compare(document: dict[str, Any]) -> str:
    """Both paths must agree, and with pyld; returns what they came to."""
    try:
        complete = canonicalize(expansion.to_quads(copy.deepcopy(document), CONTEXTS))
    except BadInput as error:
        with pytest.raises((Hard, BadInput)) as refused:
            canonicalize(walker.to_quads(document, SCOPES))
        assert not isinstance(refused.value, BadInput) or refused.value.code == error.code
        return "refused"
    expected = reference(document)
    if not _pyld_errs(expected):
        assert complete == expected
    try:
        walked = walker.to_quads(document, SCOPES)
    except Hard:
        return "complete"
    assert canonicalize(walked) == complete
    for _ in range(2):  # what is met again is learnt, and then known
        assert canonicalize(walker.to_quads(document, SCOPES)) == complete
    return "walked"


def _pyld_errs(nquads: str) -> bool:
    """Where pyld 3.3 departs from RDFC-1.0: a quad twice, or counted twice as it has a blank node in two places."""
    lines = nquads.split("\n")
    blanks = [re.findall(r"(?:^| )(_:c14n[0-9]+)(?= )", line) for line in lines]
    return len(set(lines)) < len(lines) or any(len(set(found)) < len(found) for found in blanks)


def _vocabulary(urls: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The types of some contexts with the terms that each brings, and the terms that are always there."""
    types: dict[str, list[str]] = {}
    terms: list[str] = []
    for url in urls:
        content = STORE.get(url)["@context"]
        for part in content if isinstance(content, list) else [content]:
            for term, definition in part.items() if isinstance(part, dict) else ():
                if term.startswith("@"):
                    continue
                scoped = definition.get("@context") if isinstance(definition, dict) else None
                if term[0].isupper() and ":" not in term:
                    types.setdefault(term, []).extend(k for k in scoped or () if not k.startswith("@"))
                else:
                    terms.append(term)
    return types, terms


VOCABULARIES = {tuple(stack): _vocabulary(stack) for stack in STACKS}

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6) | st.sampled_from(
    ["", 'a"b', "a\\b", "a\nb\tc\rd", "\u2028\x85", "2026-01-02T03:04:05Z", "1", "1.5", "en", "\U0001f600"]
)
IRIS = st.sampled_from(
    ["urn:a", "urn:b", "https://x.example/1", "did:key:z6Mk#z6Mk", "_:x", "_:y", "urn:a?é", "mailto:a@b", "data:,x"]
)
ODD_IRIS = st.sampled_from(["rel", "#f", "a b:c", "", "urn:a>b", "//h/p", "@id", "@foo", "xsd:a", "cred:x", ":", "_:"])
NUMBERS = (
    st.integers(-(10**23), 10**23)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, -0.0, 1.0, 1e21, 1e-7, 5e-324, 10**21, 10**20, 0.1, 123456.789, True, False])
)
SCALARS = TEXT | IRIS | NUMBERS | st.none() | st.sampled_from(["assertionMethod", "VerifiableCredential"])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4
)
VALUE_OBJECTS = st.fixed_dictionaries(
    {"@value": TEXT | NUMBERS},
    optional={
        "@language": st.sampled_from(["en", "EN-gb", "e n", None]),
        "@type": st.sampled_from(["urn:t", XSD + "double", "@json", "Rel", None]),
    },
) | st.builds(lambda value: {"@value": value, "@type": "@json"}, JSON)
HARD_OBJECTS = st.sampled_from(
    [
        {"@list": ["a", "urn:b", 1]},
        {"@set": ["a", {"@id": "urn:x"}]},
        {"@id": "urn:g", "@graph": [{"@id": "urn:n", "urn:p": "x"}]},
        {"@reverse": {"urn:r": {"@id": "urn:x"}}},
        {"@included": [{"@id": "urn:i", "urn:p": "x"}]},
        {"@language": "en"},
        {"@value": "x", "@direction": "rtl"},
        {"@value": "x", "@index": "i"},
        {},
    ]
)


@st.composite
def nodes(draw: st.DrawFn, stack: tuple[str, ...], depth: int = 3) -> dict[str, Any]:
    types, terms = VOCABULARIES[stack]
    node: dict[str, Any] = {}
    allowed = list(terms)
    if types and draw(st.integers(0, 5)):
        chosen = draw(st.lists(st.sampled_from(sorted(types)), min_size=1, max_size=2))
        node[draw(st.sampled_from(["type", "type", "@type"]))] = chosen[0] if draw(st.booleans()) else chosen
        for name in chosen:
            allowed += 3 * types[name]
    if draw(st.booleans()):
        node[draw(st.sampled_from(["id", "id", "@id"]))] = draw(IRIS if draw(st.integers(0, 15)) else ODD_IRIS)
    keys = (
        st.sampled_from(allowed) if allowed and draw(st.integers(0, 15)) else st.sampled_from(["urn:q", "nope", "@foo"])
    )
    for key in draw(st.lists(keys, max_size=4)):
        if key not in ("id", "type"):
            node[key] = draw(_values(stack, depth))
    return node


def _values(stack: tuple[str, ...], depth: int) -> st.SearchStrategy[Any]:
    simple = st.one_of(SCALARS, SCALARS, IRIS, VALUE_OBJECTS, HARD_OBJECTS | ODD_IRIS)
    if depth:
        inner = nodes(stack, depth - 1)
        simple = st.one_of(inner, inner, simple)
    return st.one_of(simple, simple, st.lists(simple, max_size=3), JSON)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    stack = draw(st.sampled_from(sorted(VOCABULARIES)))
    return {"@context": list(stack), **draw(nodes(stack))}


@settings(max_examples=200)
@given(documents())
def test_generated_documents_over_the_bundled_contexts(document: dict[str, Any]) -> None:
    compare(document)


def _places(value: Any) -> list[tuple[Any, Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, member in members if key != "@context" for place in ((value, key), *_places(member))]


@settings(max_examples=150)
@given(st.data())
def test_changed_open_badges(data: st.DataObject) -> None:
    badge = open_badge()
    for _ in range(data.draw(st.integers(1, 2))):
        holder, key = data.draw(st.sampled_from(_places(badge)))
        holder[key] = copy.deepcopy(data.draw(_values((V2, OB3), 1)))  # drawn samples are shared
    compare(badge)


SCOPED = st.sampled_from(
    [
        None,
        {"p": "urn:scoped"},
        {"@propagate": False, "p": "urn:once"},
        {"@vocab": "urn:inner#"},
        {"@language": "de"},
        {"id": "@id", "q": {"@id": "urn:q2", "@type": "@id"}},
        [None, {"r": "urn:r2"}],
        {"p": None},
        V2,
    ]
)
DEFINITIONS = st.fixed_dictionaries(
    {"@id": st.sampled_from(["urn:p", "urn:q", "urn:r", "x:y"])},
    optional={
        "@type": st.sampled_from(["@id", "@vocab", "@json", "@none", "urn:t", XSD + "double"]),
        "@container": st.sampled_from(
            ["@list", "@set", "@graph", "@language", "@index", "@id", "@type", ["@graph", "@set"]]
        ),
        "@language": st.sampled_from(["fr", None]),
        "@context": SCOPED,
        "@direction": st.sampled_from(["ltr", None]),
        "@nest": st.just("n"),
        "@protected": st.booleans(),
    },
)
INLINE = st.fixed_dictionaries(
    {},
    optional={
        "@version": st.just(1.1),
        "@vocab": st.sampled_from(["urn:v#", "https://v.example/", ""]),
        "@base": st.sampled_from(["https://base.example/a/", "b/"]),
        "@language": st.sampled_from(["en", "x!"]),
        "@direction": st.just("rtl"),
        "@protected": st.booleans(),
        "@propagate": st.booleans(),
        "id": st.just("@id"),
        "type": st.just("@type"),
        "value": st.just("@value"),
        "none": st.none(),
        "n": st.just("@nest"),
        "x": st.just("https://x.example/"),
        "T": st.fixed_dictionaries({"@id": st.just("urn:T")}, optional={"@context": SCOPED}),
        "U": st.fixed_dictionaries({"@id": st.just("urn:U")}, optional={"@context": SCOPED}),
        "p": st.just("urn:p") | DEFINITIONS,
        "q": st.just("urn:q") | DEFINITIONS,
        "r": st.fixed_dictionaries({"@reverse": st.just("urn:back")}) | DEFINITIONS,
    },
)


@st.composite
def inline_nodes(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    inner = inline_nodes(depth - 1) if depth else st.just({"@id": "urn:leaf"})
    simple = st.one_of(inner, inner, SCALARS, IRIS, VALUE_OBJECTS, st.just("x:rest"), st.just("p"))
    members = {
        "@type": st.sampled_from(["T", "U", ["T", "U"], "urn:W", "x:W", []]),
        "@id": IRIS | st.sampled_from(["x:node", "relative"]),
    }
    for key in ("p", "q", "r", "x:s", "urn:u"):
        members[key] = st.one_of(simple, simple, st.lists(simple, max_size=3))
    node = draw(st.fixed_dictionaries({}, optional=members))
    if not draw(st.integers(0, 4)):
        node["n"] = {draw(st.sampled_from(["p", "q"])): draw(simple)}
    if not draw(st.integers(0, 4)):
        node["@context"] = draw(INLINE)
    return node


@settings(max_examples=250)
@given(INLINE, inline_nodes())
def test_generated_inline_contexts(context: dict[str, Any], node: dict[str, Any]) -> None:
    base = {"x": "https://x.example/", "T": "urn:T", "U": "urn:U", "p": "urn:p", "q": "urn:q", "r": "urn:r"}
    compare({**node, "@context": [base, context]})


@pytest.mark.parametrize("version", ["-3.0.2", "-3.0.3"])
def test_an_open_badge_takes_the_fast_path(version: str) -> None:
    badge = open_badge()
    badge["@context"] = [V2, OB3.replace("-3.0.3", version)]
    assert compare(badge) == "walked"


@pytest.mark.parametrize("version", ["", "-3.0.1", "-3.0.2", "-3.0.3"])
def test_an_open_badge_of_the_older_data_model_takes_the_fast_path(version: str) -> None:
    badge = open_badge()
    badge["@context"] = [V1, OB3.replace("-3.0.3", version)]
    badge["issuanceDate"] = badge.pop("validFrom")
    del badge["credentialStatus"]
    assert compare(badge) == "walked"


def test_real_credentials_take_the_fast_path() -> None:
    ways = [compare(document) for _, document in shared_documents()]
    assert ways.count("walked") >= 47
    assert ways.count("complete") == 0


@pytest.mark.parametrize(
    "member",
    [
        {"@list": ["a", "a", "b"]},
        {"@set": ["a", ["b", None]]},
        {"@reverse": {"urn:r": {"@id": "urn:x"}}},
        {"@included": [{"@id": "urn:i", "urn:p": "x"}]},
        {"@graph": [{"@id": "urn:n", "urn:p": "x"}]},
        {"@context": {"n": "@nest"}, "n": {"urn:p": "x"}},
        {"@context": {"m": {"@id": "urn:m", "@container": "@language"}}, "m": {"en": "x", "de": ["y", "z"]}},
        {"@context": {"m": {"@id": "urn:m", "@container": "@id"}}, "m": {"urn:k": {"urn:p": "x"}}},
        {"@context": {"m": {"@id": "urn:m", "@container": "@type"}}, "m": {"urn:K": {"urn:p": "x"}}},
        {"@context": {"b": {"@reverse": "urn:b"}}, "b": {"@id": "urn:x"}},
    ],
)
def test_rare_forms_take_the_complete_path_and_are_counted(member: dict[str, Any]) -> None:
    processor = Processor(STORE)
    document = {"@id": "urn:a", "urn:q": member}
    assert compare(document) == "complete"
    assert processor.canonical_nquads(document) == reference(document)
    assert processor.fallbacks == 1
    processor.canonical_nquads(open_badge())
    assert processor.fallbacks == 1


@pytest.mark.parametrize("url", BUNDLED)
def test_every_type_of_a_bundled_context_means_the_same_on_both_paths(url: str) -> None:
    types, _ = _vocabulary([url])
    for name, terms in types.items():
        node = {"type": name, **{term: "urn:value" for term in terms if term not in ("id", "type")}}
        for key in ("type", "@type"):
            compare(
                {"@context": [url, {"T": "@type"}], key: node["type"], **{k: v for k, v in node.items() if k != "type"}}
            )


def test_processing_in_any_order_with_little_room_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.jsonld.active_contexts._MAX_KEPT", 2)
    monkeypatch.setattr("protocols.jsonld.scope._MAX_SCOPES", 1)
    monkeypatch.setattr("protocols.jsonld.scope._MAX_TYPE_LISTS", 1)
    processor = Processor(STORE)
    for document in (open_badge(), {"@context": V2, "@id": "urn:a", "urn:p": "x"}, open_badge()):
        assert processor.canonical_nquads(document) == reference(document)


@pytest.mark.parametrize("context", [{"@context": []}, [], [[]], [None], [{}], [V2, {"@context": []}]])
def test_contexts_that_define_nothing_mean_the_same_on_both_paths(context: Any) -> None:
    compare({"@context": context, "@id": "urn:a", "urn:p": "b"})
