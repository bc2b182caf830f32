"""JSON-LD documents straight to quads: the fast path for what credentials normally use.

Expansion, flattening and conversion to RDF (JSON-LD 1.1 API §5, §7, §8) in one walk over the JSON, with terms
compiled beforehand. It promises the same quads as :mod:`protocols.jsonld.expansion` or :class:`Hard`; it never
decides that a document is wrong, except for its contexts. Not here: ``@graph``, ``@list``, ``@set``,
``@reverse``, ``@nest`` and ``@included`` as keys, reverse terms, maps, directions, several ``@type`` keys.
"""

from __future__ import annotations

from typing import Any

from protocols.jsonld.active_contexts import Budget
from protocols.jsonld.expanded import FIRST, NIL, REST, TYPE_OF, json_literal
from protocols.jsonld.memory import Key, Said, height_of, said_by
from protocols.jsonld.rdf_terms import InvalidTerm, Quad, iri, literal, scalar, suffix
from protocols.jsonld.scope import (
    AS_IRI,
    AS_JSON,
    AS_TERM,
    HARD,
    ID,
    LANGUAGE,
    PROPERTY,
    TYPE,
    VALUE,
    Hard,
    Scope,
    Scopes,
    Term,
)
from protocols.strict_json import MAX_DEPTH

__all__ = ["Walk", "to_quads"]

_FEW_MEMBERS = 3
"""An object with more is worth a look whether it is known."""


def to_quads(document: dict[str, Any], scopes: Scopes, kind: type[Walk] | None = None) -> set[Quad]:
    """The RDF dataset of a document.

    Args:
        kind: a walk that labels blank nodes in a way of its own.

    Raises:
        Hard: the complete path must look at it.
        BadInput: ``jsonld.*`` where a context cannot be used.
    """
    walk = (kind or Walk)(scopes)
    try:
        walk.node(scopes.initial(), document, "", 0)
    except InvalidTerm:
        raise Hard from None
    if not walk.quads:
        raise Hard
    return walk.quads


class Walk:
    """The walk over one document.

    Attributes:
        quads: what has been found so far.
        remembers: whether what many documents have in common is kept for the next one.
    """

    remembers = True

    def __init__(self, scopes: Scopes) -> None:
        self.quads: set[Quad] = set()
        self._scopes = scopes
        self._budget = Budget()
        self._labels: dict[str, str] = {}
        self._blanks = 0

    def node(self, scope: Scope, element: dict[str, Any], graph: str, depth: int) -> str:
        """Take a node or value object, in the scope before its own ``@context``; returns its N-Quads text."""
        if depth > MAX_DEPTH:
            raise Hard
        if "@context" in element:
            scope = self._scopes.local(scope, element["@context"], self._budget)
        for key in scope.value_keys:
            if key in element:
                return _value(scope, element)
        types: tuple[str, ...] = ()
        type_key = _type_key(scope, element)
        if type_key is not None:
            types, scope = self._types(scope, element[type_key])
            if scope.keywords.get(type_key) != TYPE:
                raise Hard
        subject, said, others = self._members(scope, element, type_key)
        add = self.quads.add
        for type_ in types:
            add((subject, TYPE_OF, type_, graph))
        for predicate, text in said:
            add((subject, predicate, text, graph))
        for key, term, value in others:
            self._property(scope, (subject, graph), key, term, value, depth)
        return subject

    def _named(self, scope: Scope, element: dict[str, Any], depth: int) -> str:
        """As :meth:`node`, for what may stand in many documents."""
        memory = self._scopes.memory
        key = memory.key(scope.active["_uuid"], element)
        said = None if key is None else memory.find(key) or self._learnt(key, scope, element)
        if said is None:
            return self.node(scope, element, "", depth)
        if depth + said.height > MAX_DEPTH:
            raise Hard
        for name in said.derived:
            self._budget.derived(name)
        labels = [self.blank(element) for _ in range(said.blanks)]
        self.quads.update(said.fixed)
        self.quads.update(said.quads(labels))
        return said.subject if isinstance(said.subject, str) else labels[said.subject]

    def _learnt(self, key: Key, scope: Scope, element: dict[str, Any]) -> Said | None:
        """What an object says that is met again."""
        memory = self._scopes.memory
        if not memory.is_known(key):
            return None
        walk = Walk(self._scopes)
        subject = walk.node(scope, element, "", 0)
        if walk._labels:  # a context made a blank node of a name
            return None
        labels = [f"_:b{number + 1}" for number in range(walk._blanks)]
        said = said_by(subject, walk.quads, labels, height_of(element), walk._budget.asked)
        memory.keep(key, said)
        return said

    def _types(self, scope: Scope, given: Any) -> tuple[tuple[str, ...], Scope]:
        """The texts of a node's types, and the scope that they bring."""
        if not isinstance(given, str | list):
            raise Hard
        texts, contexts = scope.types((given,) if isinstance(given, str) else tuple(given))
        for name, context in contexts:
            scope = self._scopes.scoped(scope, context, name, self._budget, of_type=True)
        return texts, scope

    def _members(
        self, scope: Scope, element: dict[str, Any], type_key: str | None
    ) -> tuple[str, list[tuple[str, str]], list[tuple[str, Term, Any]]]:
        """The text of a node's identifier, what it says in plain strings, and its other properties with a value."""
        subject = None
        said = []
        others = []
        terms = scope.terms
        for key, value in element.items():
            if key == type_key or key == "@context":  # noqa: PLR1714 - two comparisons are faster than a tuple
                continue
            term = terms.get(key) or scope.term(key)
            if term.is_plain and isinstance(value, str):
                said.append((term.predicate, literal(value, term.ending or "")))
            elif term.kind == PROPERTY:
                if value is not None or term.coercion == AS_JSON:
                    others.append((key, term, value))
            elif term.kind == ID and subject is None and isinstance(value, str):
                subject = self._resource(scope.reference(value))
            else:
                raise Hard
        return subject or self.blank(element), said, others

    def _property(self, scope: Scope, node: tuple[str, str], key: str, term: Term, value: Any, depth: int) -> None:
        subject, graph = node
        if term.coercion == AS_JSON:
            self.quads.add((subject, term.predicate, json_literal(value), graph))
            return
        inner, meaning = scope, term
        if term.scoped:
            inner = self._scopes.scoped(scope, term.context, term.context_name, self._budget, of_type=False)
            meaning = inner.within(key, term)
        if term.is_map and isinstance(value, dict):
            raise Hard
        if term.is_list:
            members = value if isinstance(value, list) else [value]
            texts = [
                self._object(inner, key, meaning, member, graph, depth) for member in members if member is not None
            ]
            self.quads.add((subject, term.predicate, self._list(texts, graph, value), graph))
            return
        take = self._graph if term.is_graph else self._object
        for member in _flat(value) if isinstance(value, list) else (value,):
            self.quads.add((subject, term.predicate, take(inner, key, meaning, member, graph, depth), graph))

    def _object(self, scope: Scope, key: str, term: Term, value: Any, graph: str, depth: int) -> str:
        """The N-Quads text of one value of a property, whose content is taken as well."""
        if isinstance(value, str):
            if term.ending is not None:
                return literal(value, term.ending)
            if term.coercion == AS_IRI:
                return self._resource(scope.reference(value))
            if term.coercion == AS_TERM:
                return self._resource(scope.expand(value))
        elif isinstance(value, dict):
            if scope.previous is not None and _reverts(scope, value):
                scope = self._scopes.of(scope.previous)
            if term.scoped:
                scope = self._scopes.scoped(scope, term.context, term.context_name, self._budget, of_type=False)
            if depth and "id" in value and len(value) > _FEW_MEMBERS and not graph and self.remembers:
                return self._named(scope, value, depth + 1)
            return self.node(scope, value, graph, depth + 1)
        if term.kind == HARD:
            raise Hard
        return scalar(value, term.datatype)

    def _graph(self, scope: Scope, key: str, term: Term, value: Any, _outer: str, depth: int) -> str:
        """Take a node as the content of a graph of its own; returns the graph's name."""
        if not isinstance(value, dict):
            raise Hard
        name = self.blank(value, -1)
        before = len(self.quads)
        self._object(scope, key, term, value, name, depth)
        if len(self.quads) == before:  # nothing said, or a value: the complete path knows which
            raise Hard
        return name

    def _list(self, texts: list[str], graph: str, value: Any) -> str:
        head = NIL
        for number in reversed(range(len(texts))):
            cell, text = self.blank(value, number), texts[number]
            self.quads.add((cell, FIRST, text, graph))
            self.quads.add((cell, REST, head, graph))
            head = cell
        return head

    def _resource(self, value: str) -> str:
        if value[:2] != "_:":
            return iri(value)
        label = self._labels.get(value)
        if label is None:
            label = self._labels[value] = self.blank(value)
        return label

    def blank(self, _of: Any, _part: int | None = None, /) -> str:
        """A label for a blank node that no other has.

        A kind of walk may take into account what the node stands for (an object, the items of a list, a name in the
        document) and, where that has several, which of them (the number of a cell of a list, -1 for a graph's name).
        """
        self._blanks += 1
        return f"_:b{self._blanks}"


def _type_key(scope: Scope, element: dict[str, Any]) -> str | None:
    """The key that means ``@type``."""
    found = None
    for key in scope.type_keys:
        if key in element:
            if found is not None:
                raise Hard
            found = key
    return found


def _reverts(scope: Scope, element: dict[str, Any]) -> bool:
    """Whether a nested object leaves the context that a type brought (JSON-LD 1.1 API §5.1.2 step 7)."""
    if len(element) > 2 or "@context" in element:
        return True
    kinds = [scope.keywords.get(key) for key in element]
    return VALUE not in kinds and kinds != [ID]


def _value(scope: Scope, element: dict[str, Any]) -> str:
    members: dict[int, Any] = {}
    for key, member in element.items():
        if key == "@context":
            continue
        kind = scope.term(key).kind
        if kind in members or member is None:
            raise Hard
        members[kind] = member
    value = members.pop(VALUE)
    if not members:
        return scalar(value)
    kind, member = members.popitem()
    if members or not isinstance(member, str):
        raise Hard
    if kind == LANGUAGE and isinstance(value, str):
        return literal(value, suffix(None, member))
    if kind != TYPE:
        raise Hard
    texts, contexts = scope.types((member,))
    if contexts:
        raise Hard
    return scalar(value, texts[0][1:-1])


def _flat(values: list[Any]) -> list[Any]:
    """The members of an array, arrays in arrays taken apart and nulls left out."""
    found = []
    for member in values:
        if isinstance(member, list):
            found += _flat(member)
        elif member is not None:
            found.append(member)
    return found
