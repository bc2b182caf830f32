"""Datasets written as N-Quads, for the suite of the W3C; lernode itself never reads that format."""

from __future__ import annotations

import pyoxigraph

from protocols.jsonld.rdf_terms import Quad
from protocols.jsonld.rdfc import Hash, canonicalize


def parse_nquads(nquads: str) -> set[Quad]:
    """The dataset that N-Quads write."""
    quads: set[Quad] = set()
    for quad in pyoxigraph.parse(nquads, format=pyoxigraph.RdfFormat.N_QUADS):
        name = "" if isinstance(quad.graph_name, pyoxigraph.DefaultGraph) else str(quad.graph_name)
        quads.add((str(quad.subject), str(quad.predicate), str(quad.object), name))
    return quads


def canonicalize_nquads(nquads: str, hash: Hash = "sha256") -> str:  # noqa: A002 - the specification's word
    """The canonical form of a dataset given as N-Quads (RDFC-1.0 §4.4)."""
    return canonicalize(parse_nquads(nquads), hash)
