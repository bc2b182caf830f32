"""RDFC-1.0: the W3C's suite, and the bound on work."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.errors import BadInput
from protocols.jsonld.rdfc import canonical_labels, canonicalize, sorted_nquads
from protocols.jsonld.work import MAX_QUADS
from tests.jsonld.nquads import canonicalize_nquads, parse_nquads
from tests.shared_data import shared_path

SUITE = shared_path("vectors/rdf-canon")
ENTRIES = [
    (entry["id"].removeprefix("#"), entry) for entry in json.loads((SUITE / "manifest.jsonld").read_text())["entries"]
]
EVALUATED = [pytest.param(e, id=i) for i, e in ENTRIES if e["type"] == "rdfc:RDFC10EvalTest"]
MAPPED = [pytest.param(e, id=i) for i, e in ENTRIES if e["type"] == "rdfc:RDFC10MapTest"]
NEGATIVE = [pytest.param(e, id=i) for i, e in ENTRIES if e["type"] == "rdfc:RDFC10NegativeEvalTest"]


def _text(name: str) -> str:
    return (SUITE / name).read_bytes().decode()


def _hash(entry: dict[str, Any]) -> Any:
    return entry.get("hashAlgorithm", "SHA256").lower()


@pytest.mark.parametrize("entry", EVALUATED)
def test_the_suite_gives_its_canonical_form(entry: dict[str, Any]) -> None:
    assert canonicalize_nquads(_text(entry["action"]), _hash(entry)) == _text(entry["result"])


@pytest.mark.parametrize("entry", MAPPED)
def test_the_suite_gives_its_issued_identifiers(entry: dict[str, Any]) -> None:
    labels = canonical_labels(parse_nquads(_text(entry["action"])), _hash(entry))
    issued = {given.removeprefix("_:"): canonical.removeprefix("_:") for given, canonical in labels.items()}
    assert issued == json.loads(_text(entry["result"]))


@pytest.mark.parametrize("entry", NEGATIVE)
def test_a_poison_graph_of_the_suite_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        canonicalize_nquads(_text(entry["action"]), _hash(entry))
    assert refused.value.code == "jsonld.too_complex"


def test_the_suite_is_there_as_a_whole() -> None:
    assert (len(EVALUATED), len(MAPPED), len(NEGATIVE)) == (64, 21, 1)
    assert len(EVALUATED) + len(MAPPED) + len(NEGATIVE) == len(ENTRIES)


def test_labels_of_ones_own_make_a_canonical_form_too() -> None:
    quads = {("_:x", "<urn:p>", "_:y", "_:g"), ("_:y", "<urn:p>", '"1"', "")}
    labels = {given: canonical.replace("c14n", "u") for given, canonical in canonical_labels(quads).items()}
    lines = sorted_nquads(quads, labels)
    assert "".join(lines) == canonicalize(quads).replace("c14n", "u")
    assert sorted_nquads(quads, {}) == ["_:x <urn:p> _:y _:g .\n", '_:y <urn:p> "1" .\n']


def _clique(size: int) -> str:
    return "".join(f"_:n{i} <urn:p> _:n{j} .\n" for i in range(size) for j in range(size) if i != j)


def _chain(size: int) -> str:
    return "".join(f"_:n{i} <urn:p> _:n{i + 1} .\n" for i in range(size))


def _ring(size: int) -> str:
    return "".join(f"_:n{i} <urn:p> _:n{(i + 1) % size} .\n" for i in range(size))


def _twin_stars(size: int) -> str:
    return "".join(f"_:c{k} <urn:p> _:n{k}x{j} .\n" for k in range(2) for j in range(size))


def _many_graphs(size: int) -> str:
    return "".join(f"_:a{i} <urn:p> _:b{i} <urn:g{j}> .\n" for i in range(2) for j in range(size))


def _coloured(size: int) -> str:
    """A clique whose edges have such names that every node sees each name once, so that no hash tells nodes apart."""
    rest = size - 1
    rounds = [[(rest, colour), *(((colour + k) % rest, (colour - k) % rest) for k in range(1, size // 2))]
              for colour in range(rest)]  # fmt: skip
    return "".join(
        f"_:n{a} <urn:p{c}> _:n{b} .\n_:n{b} <urn:p{c}> _:n{a} .\n" for c, pairs in enumerate(rounds) for a, b in pairs
    )


def _wheels(size: int, jumps: int) -> str:
    return "".join(f"_:n{i} <urn:p{k}> _:n{(i + k) % size} .\n" for i in range(size) for k in range(1, jumps + 1))


def _rings(count: int, size: int) -> str:
    return "".join(f"_:r{r}n{i} <urn:p> _:r{r}n{(i + 1) % size} .\n" for r in range(count) for i in range(size))


def _twisted_graphs(size: int) -> str:
    """Each node is subject, object and graph, in a ring."""
    return "".join(f"_:n{i} <urn:p> _:n{(i + 1) % size} _:n{(i + 2) % size} .\n" for i in range(size))


def _nested_graphs(size: int) -> str:
    return "".join(f"_:n{i} <urn:p> _:n{i + 1} _:n{i + 2} .\n" for i in range(size))


def _latin_square(size: int) -> str:
    return "".join(f"_:r{r} <urn:p> _:c{c} _:n{(r + c) % size} .\n" for r in range(size) for c in range(size))


def _cube(dimensions: int, *, named: bool) -> str:
    return "".join(
        f"_:n{i} <urn:p{k if named else ''}> _:n{i ^ (1 << k)} .\n"
        for i in range(1 << dimensions)
        for k in range(dimensions)
    )


def _alike(count: int) -> str:
    return "".join(f'_:n{i} <urn:p> "x" .\n' for i in range(count))


def _long_names(size: int) -> str:
    return _ring(size).replace("urn:p", "urn:" + "p" * 100_000)


POISON = [
    _clique(8), _clique(40), _chain(500), _chain(5000), _ring(3000), _twin_stars(9), _many_graphs(12), _coloured(20),
    _coloured(100), _wheels(100, 99), _rings(30, 30), _twisted_graphs(50), _nested_graphs(500), _latin_square(30),
    _cube(6, named=True), _cube(9, named=False), _alike(9000), _long_names(40),
]  # fmt: skip


@pytest.mark.parametrize("graph", POISON, ids=range(len(POISON)))
def test_crafted_graphs_are_refused(graph: str) -> None:
    with pytest.raises(BadInput) as refused:
        canonicalize_nquads(graph)
    assert refused.value.code == "jsonld.too_complex"


WITHIN = [
    _chain(40), _ring(30), _twin_stars(4), _clique(4), _many_graphs(3), _coloured(6), _wheels(12, 3), _rings(5, 5),
    _twisted_graphs(8), _nested_graphs(8), _cube(3, named=True), _alike(2000),
]  # fmt: skip


@pytest.mark.parametrize("graph", WITHIN, ids=range(len(WITHIN)))
def test_alike_blank_nodes_within_the_bound_are_told_apart_whatever_their_names(graph: str) -> None:
    renamed = "".join(sorted(graph.replace("_:n", "_:zz").splitlines(keepends=True), reverse=True))
    assert canonicalize_nquads(renamed) == canonicalize_nquads(graph)


def test_more_quads_than_allowed_are_refused() -> None:
    graph = "".join(f"<urn:s> <urn:p> <urn:o:{i}> .\n" for i in range(MAX_QUADS + 1))
    with pytest.raises(BadInput, match="statements"):
        canonicalize_nquads(graph)


def test_statements_that_are_too_long_together_are_refused_though_the_document_is_short() -> None:
    graph = "".join(f'<urn:{"s" * 100_000}> <urn:p> "{i}" .\n' for i in range(100))
    with pytest.raises(BadInput, match="too long"):
        canonicalize_nquads(graph)


def test_control_characters_are_escaped_as_the_specification_says() -> None:
    graph = '<urn:s> <urn:p> "\\u0000\\u0008\\u000C\\u001F\\u007F\\u0085\\u2028" .\n'
    assert canonicalize_nquads(graph) == '<urn:s> <urn:p> "\\u0000\\b\\f\\u001F\\u007F\u0085\u2028" .\n'
