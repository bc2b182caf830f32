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

from pyld.jsonld import KEYWORDS, JsonLdProcessor

from protocols.errors import BadInput
from protocols.jsonld.active_contexts import BASE, ActiveContext, ActiveContexts, Budget, refusal
from protocols.jsonld.expanded import to_quads as expanded_to_quads
from protocols.jsonld.rdf_terms import InvalidTerm, Quad
from protocols.strict_json import MAX_DEPTH

__all__ = ["to_quads"]

_MAX_VALUES = 15_000
_KEYWORDS = frozenset(KEYWORDS)
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*|_):\S*").fullmatch


def to_quads(document: dict[str, Any], contexts: ActiveContexts) -> set[Quad]:
    """The RDF dataset of a document, in safe mode (JSON-LD 1.1 API §8, Deserialize JSON-LD to RDF).

    Raises:
        BadInput: ``jsonld.*``; the message names the JSON path and the term, never a value.
    """
    if _count(document, 0) > _MAX_VALUES:
        raise BadInput("jsonld.too_complex", f"The document has more than {_MAX_VALUES} values.", "Send less.")
    try:
        quads = expanded_to_quads(_SafeProcessor(contexts).expand(document, contexts.options))
    except InvalidTerm as error:
        raise BadInput("jsonld.value_invalid", f"The document has {error}.", "Correct the value.") from None
    except Exception as error:  # pyld meets some malformed documents with KeyError, TypeError and others
        raise refusal(error, "document") from None
    if not quads:
        raise BadInput("jsonld.dropped", "The document says nothing in RDF.", "Give it content that a context defines.")
    return quads


class _SafeProcessor(JsonLdProcessor):  # type: ignore[misc]  # pyld has no types
    """pyld's expansion of one document, with kept contexts and with nothing lost unnoticed."""

    def __init__(self, contexts: ActiveContexts) -> None:
        super().__init__()
        self._contexts = contexts
        self._budget = Budget()
        self._path: list[str] = []

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
            if type_ != "@json":
                self._check_reference(type_, "@type", "jsonld.undefined_term")

    def _prepare_nested_context(self, active_ctx: ActiveContext, element: Any, options: Any) -> Any:
        prepared = super()._prepare_nested_context(active_ctx, element, options)
        typed = prepared[2]
        for key, value in element.items():
            if self._expand_iri(typed, key, vocab=True) != "@type":
                continue
            for name in value if isinstance(value, list) else (value,):
                if isinstance(name, str) and self.get_context_value(typed, name, "@context") is False:
                    # It clears all terms by the standard; pyld passes over it, so its result would be wrong.
                    self._refuse("jsonld.context_invalid", f"has the type {name[:80]!r}, whose context is null")
        return prepared

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


def _count(value: Any, depth: int) -> int:
    """How many values a document has, all of which must be JSON."""
    if depth > MAX_DEPTH:
        raise BadInput("jsonld.too_complex", f"The document nests deeper than {MAX_DEPTH}.", "Flatten it.")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise BadInput("jsonld.invalid", "The document has a key that is no string.", "Give JSON.")
        return 1 + sum(_count(member, depth + 1) for member in value.values())
    if isinstance(value, list):
        return 1 + sum(_count(member, depth + 1) for member in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput("jsonld.value_invalid", "The document has a number that is not finite.", "Correct it.")
    if value is not None and not isinstance(value, str | int | float):
        raise BadInput("jsonld.invalid", "The document has a value that is not JSON.", "Give JSON.")
    return 1
