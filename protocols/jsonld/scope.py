"""Compiled active contexts: for each term, all that the walker must know, worked out once.

A :class:`Scope` stands for one active context (JSON-LD 1.1 API §4.1) and fills its tables as terms are met.
Terms that need more than the walker can do are marked ``HARD``; documents that use them take the complete path.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from pyld.jsonld import JsonLdProcessor

from protocols.jsonld.active_contexts import BASE, ActiveContext, ActiveContexts, Budget, derivation
from protocols.jsonld.memory import Memory
from protocols.jsonld.rdf_terms import XSD, InvalidTerm, iri, suffix

__all__ = [
    "AS_IRI",
    "AS_JSON",
    "AS_TERM",
    "AS_VALUE",
    "HARD",
    "ID",
    "LANGUAGE",
    "PROPERTY",
    "TYPE",
    "VALUE",
    "Hard",
    "Scope",
    "Scopes",
    "Term",
]

# Kinds of terms, plain numbers as they are compared for every member of every object.
HARD, PROPERTY, ID, TYPE, VALUE, LANGUAGE = range(6)
_KINDS = {"@id": ID, "@type": TYPE, "@value": VALUE, "@language": LANGUAGE}

# What a string stands for under a property.
AS_VALUE, AS_IRI, AS_TERM, AS_JSON = range(4)
_COERCIONS = {"@id": AS_IRI, "@vocab": AS_TERM, "@json": AS_JSON}

_MAX_SCOPES = 1024
_MAX_TYPE_LISTS = 256
_MAX_WAYS = 256
_EXPAND = JsonLdProcessor()._expand_iri


class Hard(Exception):
    """The walker cannot do this; the complete path decides what it means or what is wrong with it."""


class Term:
    """What one key means in one active context.

    Attributes:
        kind: PROPERTY, a keyword's kind, or HARD.
        predicate: the property's N-Quads text.
        coercion: what a string under it stands for.
        datatype: the IRI of the type of its values, or None.
        ending: what follows the lexical form of a string under it; None where the string itself must be looked at.
        scoped: whether it has a context of its own; ``context`` is that, ``context_name`` its name.
        is_list, is_graph: its container.
        is_map: its container gives objects a meaning of their own.
        is_plain: whether a string under it is a literal and nothing else.
    """

    __slots__ = (
        "coercion",
        "context",
        "context_name",
        "datatype",
        "ending",
        "is_graph",
        "is_list",
        "is_map",
        "is_plain",
        "kind",
        "predicate",
        "scoped",
    )

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.predicate = ""
        self.coercion = AS_VALUE
        self.datatype: str | None = None
        self.ending: str | None = None
        self.scoped = self.is_list = self.is_graph = self.is_map = self.is_plain = False
        self.context: Any = None
        self.context_name: Hashable = None


_HARD_TERM = Term(HARD)

Types = tuple[tuple[str, ...], tuple[tuple[Hashable, Any], ...]]
"""The N-Quads texts of a node's types, and name and content of the contexts that these bring."""


class Scope:
    """One active context, compiled as it is used.

    Attributes:
        active: pyld's form of it.
        terms: the terms met so far, by key; :meth:`term` finds the others.
        keywords: the kind of every key that means a keyword of the walker.
        type_keys, value_keys: those that mean ``@type`` and ``@value``.
        ways: the scopes that contexts of types and properties make of this one, each with its name for a budget.
        previous: the active context to go back to in nested nodes, where a type brought this one.
    """

    __slots__ = (
        "_contexts",
        "_mappings",
        "_types",
        "_vocabulary",
        "active",
        "keywords",
        "previous",
        "terms",
        "type_keys",
        "value_keys",
        "ways",
    )

    def __init__(self, active: ActiveContext, contexts: ActiveContexts) -> None:
        self.active = active
        self.previous: ActiveContext | None = active.get("previousContext")
        self.terms: dict[str, Term] = {}
        self._contexts = contexts
        self._mappings = active["mappings"]
        self._vocabulary: str | None = active.get("@vocab")
        aliases = ((key, mapping["@id"]) for key, mapping in self._mappings.items() if mapping)
        self.keywords = _KINDS | {key: _KINDS[meaning] for key, meaning in aliases if meaning in _KINDS}
        self.type_keys, self.value_keys = (
            tuple(key for key, kind in self.keywords.items() if kind == wanted) for wanted in (TYPE, VALUE)
        )
        self.ways: dict[Hashable, tuple[Hashable, Scope]] = {}
        self._types: dict[tuple[str, ...], Types] = {}

    def term(self, key: str) -> Term:
        """What a key means."""
        if not isinstance(key, str):
            raise Hard
        known = self.terms.get(key)
        if known is None:
            try:
                known = self._compile(key)
            except InvalidTerm:
                known = _HARD_TERM
            if key in self._mappings or key in _KINDS:  # others come from documents, without end
                self.terms[key] = known
        return known

    def within(self, key: str, outer: Term) -> Term:
        """What a property means in the context that it brings itself, where that can be walked."""
        meaning = self.term(key)
        undefined = key not in self._mappings
        if (
            meaning.is_list != outer.is_list
            or meaning.coercion == AS_JSON
            or not (meaning.kind == PROPERTY or undefined)
        ):
            raise Hard
        return meaning

    def types(self, names: tuple[Any, ...]) -> Types:
        """What the types of a node mean; they need not be strings."""
        try:
            known = self._types.get(names)
        except TypeError:  # something in it cannot be a key
            raise Hard from None
        if known is None:
            if not all(isinstance(name, str) for name in names):
                raise Hard
            texts = tuple(iri(self.expand(name)) for name in names)
            contexts = []
            for name in sorted(names):
                context = self._mappings[name].get("@context") if name in self._mappings else None
                if context is False:
                    raise Hard
                if context is not None:
                    contexts.append((self._contexts.name(context), context))
            known = texts, tuple(contexts)
            if len(self._types) >= _MAX_TYPE_LISTS:
                self._types.clear()
            self._types[names] = known
        return known

    def expand(self, value: str) -> str:
        """The IRI of a type or vocabulary term (JSON-LD 1.1 API §5.2, vocab); not yet known to be one."""
        mapping = self._mappings.get(value)
        if mapping is not None:
            meaning = mapping["@id"]
            if isinstance(meaning, str):
                return meaning
            raise Hard
        if ":" not in value[1:] and self._vocabulary is not None and value[:1] != "@":
            return self._vocabulary + value
        return self.reference(value)

    def reference(self, value: str) -> str:
        """The IRI of a node, absolute or compact (JSON-LD 1.1 API §5.2); not yet known to be one."""
        prefix, colon, rest = value.partition(":")
        if not colon or not prefix:
            raise Hard
        if prefix != "_" and rest[:2] != "//":
            mapping = self._mappings.get(prefix)
            if mapping is not None and mapping["_prefix"]:
                expanded: str = mapping["@id"] + rest
                return expanded
        return value

    def _compile(self, key: str) -> Term:
        meaning = _EXPAND(self.active, key, vocab=True)
        if meaning in _KINDS:
            return Term(_KINDS[meaning])
        mapping = self._mappings.get(key) or {}
        containers = mapping.get("@container", ())
        direction = mapping.get("@direction", self.active.get("@direction"))
        if (
            not isinstance(meaning, str)
            or meaning.startswith((BASE[:-1], "@"))
            or mapping.get("reverse")
            or direction is not None
            or "@index" in containers
            or ("@graph" in containers and "@id" in containers)
        ):
            return _HARD_TERM
        term = Term(PROPERTY)
        term.predicate = iri(meaning)
        term.is_list = "@list" in containers
        term.is_graph = "@graph" in containers
        term.is_map = not {"@language", "@id", "@type"}.isdisjoint(containers)
        if "@context" in mapping:
            term.scoped = True
            term.context = mapping["@context"]
            term.context_name = self._contexts.name(term.context)
        self._coerce(term, mapping)
        term.is_plain = term.ending is not None and not (term.scoped or term.is_list or term.is_graph)
        return term

    def _coerce(self, term: Term, mapping: Any) -> None:
        type_ = mapping.get("@type")
        if type_ in _COERCIONS:
            term.coercion = _COERCIONS[type_]
            if term.coercion == AS_JSON and (term.is_list or term.is_graph or term.is_map):
                raise InvalidTerm("a JSON literal in a container")
        elif type_ is None or type_ == "@none":
            term.ending = suffix(None, mapping.get("@language", self.active.get("@language")))
        else:
            term.datatype = type_
            ending = suffix(type_)
            term.ending = None if type_ == XSD + "double" else ending


class Scopes:
    """The scopes of one processor: a bounded table, and the ways from one to the next.

    Attributes:
        memory: what objects say in them that stand in many documents.
    """

    def __init__(self, contexts: ActiveContexts) -> None:
        self.memory = Memory()
        self._contexts = contexts
        self._kept: OrderedDict[str, Scope] = OrderedDict()

    def initial(self) -> Scope:
        """The scope in which a document starts."""
        return self.of(self._contexts.initial)

    def of(self, active: ActiveContext) -> Scope:
        """The scope of an active context."""
        name = active["_uuid"]
        scope = self._kept.get(name)
        if scope is None:
            scope = self._kept[name] = Scope(active, self._contexts)
            if len(self._kept) > _MAX_SCOPES:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(name)
        return scope

    def local(self, scope: Scope, context: Any, budget: Budget) -> Scope:
        """The scope that an ``@context`` in the document makes of another; raises BadInput."""
        return self.of(self._contexts.local(scope.active, context, budget))

    def scoped(self, scope: Scope, context: Any, name: Hashable, budget: Budget, *, of_type: bool) -> Scope:
        """The scope that the context of a type or property makes of another; raises BadInput."""
        known = scope.ways.get((name, of_type))
        if known is not None:
            budget.derived(known[0])
            return known[1]
        if context == []:
            return scope
        how = {"override_protected": not of_type, "propagate": not of_type}
        found = self.of(self._contexts.scoped(scope.active, context, name, budget, **how))
        if len(scope.ways) >= _MAX_WAYS:
            scope.ways.clear()
        scope.ways[name, of_type] = derivation(scope.active, name, **how), found
        return found
