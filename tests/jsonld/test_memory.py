"""What many documents have in common is walked once, and says the same wherever it stands."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from protocols.errors import BadInput
from protocols.jsonld import walker
from protocols.jsonld.active_contexts import ActiveContexts
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.memory import height_of
from protocols.jsonld.rdfc import canonicalize
from protocols.jsonld.scope import Hard, Scopes
from protocols.strict_json import MAX_DEPTH
from tests.jsonld.samples import EXTRA, open_badge, reference

STORE = ContextStore(EXTRA)


def fresh() -> Scopes:
    return Scopes(ActiveContexts(STORE))


def known(scopes: Scopes) -> list[int]:
    """How many blank nodes each object has that is known."""
    return sorted(said.blanks for said in scopes.memory._kept.values() if said is not None)


def met_thrice(document: dict[str, Any], scopes: Scopes) -> list[str]:
    return [canonicalize(walker.to_quads(copy.deepcopy(document), scopes)) for _ in range(3)]


def test_the_achievement_of_a_cohort_is_known_after_its_second_record() -> None:
    scopes = fresh()
    for number in range(4):
        record = open_badge()
        record["id"] = f"urn:example:{number}"
        assert canonicalize(walker.to_quads(record, scopes)) == reference(record)
        assert bool(known(scopes)) == (number >= 1)


def test_a_changed_achievement_is_another_one() -> None:
    scopes, record = fresh(), open_badge()
    met_thrice(record, scopes)
    record["credentialSubject"]["achievement"]["name"] = "Another"
    assert met_thrice(record, scopes) == [reference(record)] * 3


def test_the_same_object_under_another_context_says_something_else() -> None:
    scopes = fresh()
    inner = {"id": "urn:x", "type": "urn:T", "urn:p": "1", "name": "a"}
    found = []
    for vocabulary in ("urn:a:", "urn:b:"):
        document = {"@context": {"@vocab": vocabulary}, "@id": "urn:d", "p": {"@id": "urn:e", "q": inner}}
        document["@context"] |= {"id": "@id", "type": "@type"}
        first, *again = met_thrice(document, scopes)
        assert again == [first, first]
        found.append(first)
    assert "<urn:a:name>" in found[0] and "<urn:b:name>" in found[1]


def test_an_object_known_twice_in_one_document_has_blank_nodes_of_its_own_each_time() -> None:
    scopes = fresh()
    inner = {"id": "urn:x", "urn:p": "1", "urn:q": {"urn:r": "2"}, "urn:s": [{"urn:t": "3"}, {"urn:t": "4"}]}
    context = {"id": "@id", "a": "urn:a", "b": "urn:b", "c": "urn:c"}
    document = {"@context": context, "id": "urn:d", "a": {"id": "urn:e", "b": inner, "c": copy.deepcopy(inner)}}
    assert met_thrice(document, scopes) == [reference(document)] * 3
    assert known(scopes) == [3]


@pytest.mark.parametrize(
    "inner",
    [
        {"id": "urn:x", "urn:p": {"id": "_:shared"}, "urn:q": "1", "urn:r": "2"},
        {"id": "_:shared", "urn:p": "0", "urn:q": "1", "urn:r": "2"},
        {"id": "urn:x", "urn:p": {"@context": {"z": "urn:z"}, "z": "0"}, "urn:q": "1", "urn:r": "2"},
    ],
)
def test_what_is_tied_to_the_rest_of_a_document_is_not_kept(inner: dict[str, Any]) -> None:
    scopes = fresh()
    context = {"id": "@id", "a": "urn:a", "b": "urn:b", "c": "urn:c"}
    document = {"@context": context, "id": "_:shared", "a": {"id": "urn:e", "b": inner, "c": {"id": "_:shared"}}}
    assert met_thrice(document, scopes) == [reference(document)] * 3
    assert known(scopes) == []


def test_a_known_object_is_refused_where_it_stands_too_deep() -> None:
    scopes = fresh()
    inner = {"id": "urn:x", "urn:p": {"urn:q": {"urn:r": "1"}}, "urn:s": "2", "urn:t": "3"}
    assert height_of(inner) == 2

    def at_depth(depth: int) -> dict[str, Any]:
        nested: dict[str, Any] = inner
        for _ in range(depth):
            nested = {"urn:n": nested}
        return {"@context": {"id": "@id"}, **nested}

    met_thrice(at_depth(2), scopes)
    assert known(scopes) == [2]
    assert walker.to_quads(at_depth(MAX_DEPTH - 2), scopes)
    for deep in (scopes, fresh()):
        with pytest.raises(Hard):
            walker.to_quads(at_depth(MAX_DEPTH - 1), deep)


def test_known_objects_count_in_what_a_document_may_ask_of_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    scopes, record = fresh(), open_badge()
    met_thrice(record, scopes)
    assert known(scopes)
    monkeypatch.setattr("protocols.jsonld.active_contexts._MAX_DERIVED", 2)
    for each in (scopes, fresh()):
        with pytest.raises(BadInput, match="too many contexts"):
            walker.to_quads(record, each)


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.jsonld.memory._MAX_KEPT", 8)
    scopes = fresh()
    for number in range(50):
        inner = {"id": f"urn:{number}", "urn:p": "0", "urn:q": "1", "urn:r": "2"}
        walker.to_quads({"@context": {"id": "@id"}, "id": "urn:d", "urn:a": {"id": "urn:e", "urn:b": inner}}, scopes)
        assert len(scopes.memory._kept) <= 8


def test_a_large_object_is_not_kept() -> None:
    scopes = fresh()
    inner = {"id": "urn:x", "urn:p": "0" * 9000, "urn:q": "1", "urn:r": "2"}
    document = {"@context": {"id": "@id"}, "id": "urn:d", "urn:a": {"id": "urn:e", "urn:b": inner}}
    assert met_thrice(document, scopes) == [reference(document)] * 3
    assert known(scopes) == []
