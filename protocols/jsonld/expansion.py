"""JSON-LD documents to quads through pyld, in safe mode: whatever would be lost is an error.

JSON-LD drops what it does not understand; a signature over the result would not cover it. Safe mode, as
jsonld.js defines it by its events, refuses such documents instead. Refused beyond that: ``@index`` and index
maps, and members of a graph that say nothing, because both vanish from the canonical form without an event.

This is the complete path. :mod:`protocols.jsonld.walker` is the fast one for what credentials normally use.
"""

from __future__ import annotations

import math
import re
from typing import Any, NoReturn

import rfc8785
from pyld.jsonld import KEYWORDS, JsonLdProcessor

from protocols.errors import BadInput
from protocols.jsonld.active_contexts import BASE, ActiveContext, ActiveContexts, Budget, refusal
from protocols.jsonld.rdf_terms import InvalidTerm, Quad, iri, literal, scalar, suffix
from protocols.strict_json import MAX_DEPTH

__all__ = ["to_quads"]

_KEYWORDS = frozenset(KEYWORDS)
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*|_):\S*").fullmatch


def to_quads(document: dict[str, Any], contexts: ActiveContexts) -> set[Quad]:
    """The RDF dataset of a document, in safe mode (JSON-LD 1.1 API §8, Deserialize JSON-LD to RDF).

    Raises:
        BadInput: ``jsonld.*``; the message names the JSON path and the term, never a value.
    """
    _check_json(document, 0)
    processor = _SafeProcessor(contexts)
    try:
        dataset = processor.to_rdf(document, contexts.options)
        return {_quad(triple, graph) for graph, triples in dataset.items() for triple in triples}
    except InvalidTerm as error:
        raise BadInput("jsonld.value_invalid", f"The document has {error}.", "Correct the value.") from None
    except Exception as error:  # pyld meets some malformed documents with KeyError, TypeError and others
        raise refusal(error, "document") from None


class _SafeProcessor(JsonLdProcessor):  # type: ignore[misc]  # pyld has no types
    """pyld's expansion of one document, with kept contexts and with nothing lost unnoticed."""

    def __init__(self, contexts: ActiveContexts) -> None:
        super().__init__()
        self._contexts = contexts
        self._budget = Budget()
        self._path: list[str] = []

    def expand(self, input_: Any, options: Any) -> Any:
        expanded = super().expand(input_, options)
        _check_expanded(expanded)
        return expanded

    def _process_context(
        self,
        active_ctx: ActiveContext,
        local_ctx: Any,
        options: Any,
        override_protected: bool = False,
        propagate: bool = True,
        validate_scoped: bool = True,
        cycles: Any = None,
    ) -> ActiveContext:
        if propagate and not override_protected:
            return self._contexts.local(active_ctx, local_ctx, self._budget)
        return self._contexts.scoped(
            active_ctx,
            local_ctx,
            self._contexts.name(local_ctx),
            self._budget,
            override_protected=override_protected,
            propagate=propagate,
        )

    def _expand(self, active_ctx: ActiveContext, active_property: Any, element: Any, *args: Any, **kwargs: Any) -> Any:
        step = isinstance(element, dict) and active_property is not None
        if step:
            self._path.append(active_property)
        expanded = super()._expand(active_ctx, active_property, element, *args, **kwargs)
        if expanded is None and element is not None:
            self._refuse("jsonld.dropped", "has a value that stands free of any property, so that it is not signed")
        if step:
            self._path.pop()
        return expanded

    def _expand_object(
        self,
        active_ctx: ActiveContext,
        active_property: Any,
        expanded_active_property: Any,
        element: Any,
        expanded_parent: Any,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        for key in element:
            if key != "@context":
                self._check_key(active_ctx, key)
        super()._expand_object(
            active_ctx, active_property, expanded_active_property, element, expanded_parent, *args, **kwargs
        )
        self._check_reference(expanded_parent.get("@id", "_:"), "@id")
        for type_ in self.get_values(expanded_parent, "@type"):
            if type_ != "@json" and (type_ is not None or "@value" not in expanded_parent):
                self._check_reference(type_, "@type", "jsonld.undefined_term")

    def _expand_value(self, active_ctx: ActiveContext, active_property: Any, value: Any, options: Any) -> Any:
        expanded = super()._expand_value(active_ctx, active_property, value, options)
        if isinstance(expanded, dict) and "@id" in expanded:
            self._check_reference(expanded["@id"], str(active_property))
        return expanded

    def _check_key(self, active_ctx: ActiveContext, key: str) -> None:
        meaning = self._expand_iri(active_ctx, key, vocab=True)
        if meaning in _KEYWORDS:
            if meaning == "@index":
                self._refuse("jsonld.dropped", f"has {key[:80]}, an index, which is not signed")
            return
        if not isinstance(meaning, str) or _ABSOLUTE(meaning) is None or meaning.startswith(BASE):
            self._refuse("jsonld.undefined_term", f"has the term {key[:80]!r}, which no context defines")
        if meaning.startswith("_:"):
            self._refuse("jsonld.dropped", f"has the property {key[:80]!r}, a blank node, which RDF drops")
        mapping = active_ctx["mappings"].get(key)
        if mapping and "@index" in mapping.get("@container", ()):
            self._refuse("jsonld.dropped", f"has the index map {key[:80]!r}, whose keys are not signed")

    def _check_reference(self, value: Any, term: str, code: str = "jsonld.relative_reference") -> None:
        if not isinstance(value, str) or _ABSOLUTE(value) is None or value.startswith(BASE[:-1]):
            what = "a type that no context defines" if term == "@type" else "a reference that is not absolute"
            self._refuse(code, f"has in {term[:80]!r} {what}")

    def _refuse(self, code: str, what: str) -> NoReturn:
        path = ".".join(["$", *self._path])
        raise BadInput(code, f"The document {what} (at {path[:300]}).", "Add a context that defines it, or remove it.")


def _check_json(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise BadInput("jsonld.too_complex", f"The document nests deeper than {MAX_DEPTH}.", "Flatten it.")
    if isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise BadInput("jsonld.invalid", "The document has a key that is no string.", "Give JSON.")
            _check_json(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _check_json(member, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadInput("jsonld.value_invalid", "The document has a number that is not finite.", "Correct it.")
    elif value is not None and not isinstance(value, str | int | float):
        raise BadInput("jsonld.invalid", "The document has a value that is not JSON.", "Give JSON.")


def _check_expanded(value: Any, inside_graph: bool = False) -> None:
    """Check what pyld leaves to the conversion to RDF, which would drop or mangle it."""
    if isinstance(value, list):
        for member in value:
            _check_expanded(member, inside_graph)
        return
    if not isinstance(value, dict):
        return
    if inside_graph and (not value.keys() - {"@id"} or "@value" in value or "@list" in value):
        raise BadInput("jsonld.dropped", "A graph has a member that says nothing in RDF.", "Give the node's content.")
    if "@value" in value:
        _check_value(value)
        return
    for key, member in value.items():
        if key == "@reverse":
            for nodes in member.values():
                _check_expanded(nodes)
        elif key not in ("@id", "@type"):
            _check_expanded(member, key == "@graph")


def _check_value(value: dict[str, Any]) -> None:
    if "@direction" in value:
        raise BadInput("jsonld.dropped", "A string has a @direction, which RDF drops.", "Remove the direction.")
    if value.get("@type") == "@json":
        try:
            rfc8785.dumps(value["@value"])
        except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError):
            raise InvalidTerm("a JSON literal without canonical form") from None
    elif "@language" in value:
        suffix(None, value["@language"])
    else:
        scalar(value["@value"], value.get("@type"))


def _quad(triple: dict[str, Any], graph: str) -> Quad:
    return (
        _resource(triple["subject"]["value"]),
        _resource(triple["predicate"]["value"]),
        _object(triple["object"]),
        "" if graph == "@default" else _resource(graph),
    )


def _resource(value: str) -> str:
    # pyld has given every blank node a label of its own making.
    return value if value.startswith("_:") else iri(value)


def _object(term: dict[str, Any]) -> str:
    if term["type"] != "literal":
        return _resource(term["value"])
    if "language" in term:
        return literal(term["value"], suffix(None, term["language"]))
    return literal(term["value"], suffix(term["datatype"]))
