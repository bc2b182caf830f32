"""Expanded JSON-LD to quads: flattening and conversion to RDF in one walk (JSON-LD 1.1 API §7 and §8).

pyld does the same in time quadratic in the values of a property, and drops or mangles what has no place in
RDF; here it is an error. A text with a base direction becomes a literal of an i18n datatype (``rdfDirection`` of §9.3):
without it the direction would not be signed, and it is what the other makers of RDFC cryptosuites chose.
"""

from __future__ import annotations

from typing import Any

from protocols.canonical_json import NotCanonical, canonical_json
from protocols.errors import BadInput
from protocols.jsonld.rdf_terms import RDF, InvalidTerm, Quad, iri, literal, scalar, suffix

__all__ = ["FIRST", "NIL", "REST", "TYPE_OF", "json_literal", "to_quads"]

TYPE_OF = f"<{RDF}type>"
FIRST = f"<{RDF}first>"
REST = f"<{RDF}rest>"
NIL = f"<{RDF}nil>"
_JSON = suffix(RDF + "JSON")
_I18N = "https://www.w3.org/ns/i18n#"


def to_quads(expanded: list[Any]) -> set[Quad]:
    """The RDF dataset of a document in expanded form.

    Raises:
        BadInput: ``jsonld.dropped``.
        InvalidTerm: a value or identifier has no place in RDF.
    """
    walk = _Walk()
    for item in expanded:
        walk.node(item, "")
    return walk.quads


def json_literal(value: Any) -> str:
    """The N-Quads text of a JSON literal (JSON-LD 1.1 API §8.2.2 step 6, with RFC 8785).

    Raises:
        InvalidTerm: the value has no canonical form.
    """
    try:
        return literal(canonical_json(value).decode(), _JSON)
    except NotCanonical:
        raise InvalidTerm("a JSON literal without canonical form") from None


class _Walk:
    def __init__(self) -> None:
        self.quads: set[Quad] = set()
        self._labels: dict[str, str] = {}
        self._blanks = 0

    def node(self, node: dict[str, Any], graph: str) -> str:
        """Take a node object; returns its N-Quads text."""
        subject = self._resource(node["@id"]) if "@id" in node else self._blank()
        for type_ in node.get("@type", ()):
            self.quads.add((subject, TYPE_OF, self._resource(type_), graph))
        for key, values in node.items():
            if key == "@graph":
                for member in values:
                    self._graph_member(member, subject)
            elif key == "@included":
                for member in values:
                    self.node(member, graph)
            elif key == "@reverse":
                for predicate, members in values.items():
                    for member in members:
                        self.quads.add((self.node(member, graph), iri(predicate), subject, graph))
            elif key[0] != "@":
                for value in values:
                    self.quads.add((subject, iri(key), self._object(value, graph), graph))
        return subject

    def _graph_member(self, member: dict[str, Any], graph: str) -> None:
        before = len(self.quads)
        if "@value" not in member and "@list" not in member:
            self.node(member, graph)
        if len(self.quads) == before:
            raise BadInput("jsonld.dropped", "A graph has a member that says nothing in RDF.", "Say more of it.")

    def _object(self, value: dict[str, Any], graph: str) -> str:
        if "@value" in value:
            return _value(value)
        if "@list" not in value:
            return self.node(value, graph)
        head = NIL
        for member in reversed(value["@list"]):
            cell = self._blank()
            self.quads.add((cell, FIRST, self._object(member, graph), graph))
            self.quads.add((cell, REST, head, graph))
            head = cell
        return head

    def _resource(self, value: str) -> str:
        if not value.startswith("_:"):
            return iri(value)
        label = self._labels.get(value)
        if label is None:
            label = self._labels[value] = self._blank()
        return label

    def _blank(self) -> str:
        self._blanks += 1
        return f"_:b{self._blanks}"


def _value(value: dict[str, Any]) -> str:
    content, type_ = value["@value"], value.get("@type")
    if "@direction" in value:
        return literal(content, suffix(f"{_I18N}{value.get('@language', '').lower()}_{value['@direction']}"))
    if type_ == "@json":
        return json_literal(content)
    if "@language" in value:
        return literal(content, suffix(None, value["@language"]))
    return scalar(content, type_)
