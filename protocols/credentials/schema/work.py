"""How much work a JSON Schema makes of a document, found out before a validator does it.

A few hundred bytes of schema can ask for 2^60 evaluations: two references to the same definition, one below the other,
or twice the same recursion over a document that nests. Validators do not bound that. Here every step that one would
take is counted without doing it, up to a limit. The count is never too low: what depends on values is counted as if
it all applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from protocols.errors import BadInput

__all__ = ["MAX_STEPS", "steps_of"]

MAX_STEPS = 50_000

_MAX_DEPTH = 250
_MAX_PATTERNS = 500
_MAX_PATTERN = 1000
_IN_PLACE = ("not", "if", "then", "else")
_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
_OF_MEMBERS = ("additionalProperties", "unevaluatedProperties")
_OF_ITEMS = ("items", "additionalItems", "unevaluatedItems", "contains")


def steps_of(schema: dict[str, Any], document: Any) -> int:
    """How many steps it takes to hold ``document`` against ``schema``.

    Raises:
        BadInput: ``schema.too_complex`` where there are more than ``MAX_STEPS``; ``schema.remote_reference`` where it
            refers to anything outside itself.
    """
    count = _Count(_Index(schema))
    count.visit(schema, document, ())
    return count.steps


class _Index:
    """The subschemas of a schema by the references that mean them (JSON Schema 2020-12 §8.2)."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._bases: dict[int, str] = {}
        self._targets: dict[str, Any] = {"": schema}
        self._dynamic: dict[str, list[Any]] = {}
        self._patterns = 0
        self._add(schema, "")

    def targets(self, schema: dict[str, Any]) -> Iterator[Any]:
        """What the references of one subschema may lead to; raises BadInput where one leads outside."""
        base = self._bases.get(id(schema), "")
        for name in ("$ref", "$dynamicRef", "$recursiveRef"):
            reference = schema.get(name)
            if isinstance(reference, str):
                yield self._resolve(base, reference)
            if isinstance(reference, str) and name != "$ref":
                yield from self._dynamic.get(urldefrag(reference)[1], ())

    def _add(self, node: Any, base: str) -> None:
        if isinstance(node, list):
            for item in node:
                self._add(item, base)
        if not isinstance(node, dict):
            return
        identifier = node.get("$id")
        if isinstance(identifier, str):
            base = urldefrag(_joined(base, identifier))[0]
            self._targets[base] = node
        for name in ("$anchor", "$dynamicAnchor"):
            if isinstance(node.get(name), str):
                self._targets[f"{base}#{node[name]}"] = node
        if isinstance(node.get("$dynamicAnchor"), str):
            self._dynamic.setdefault(node["$dynamicAnchor"], []).append(node)
        if node.get("$recursiveAnchor") is True:
            self._dynamic.setdefault("", []).append(node)
        self._count_patterns(node)
        self._bases[id(node)] = base
        for item in node.values():
            self._add(item, base)

    def _count_patterns(self, node: dict[str, Any]) -> None:
        several = node.get("patternProperties")
        patterns = [node.get("pattern"), *(several if isinstance(several, dict) else ())]
        self._patterns += sum(isinstance(pattern, str) for pattern in patterns)
        if self._patterns > _MAX_PATTERNS or any(isinstance(one, str) and len(one) > _MAX_PATTERN for one in patterns):
            raise _too_complex()

    def _resolve(self, base: str, reference: str) -> Any:
        url, fragment = urldefrag(_joined(base, reference))
        if not fragment.startswith("/"):
            found = self._targets.get(f"{url}#{fragment}" if fragment else url)
        else:
            found = self._targets.get(url)
            for step in fragment[1:].split("/"):
                found = _member(found, unquote(step).replace("~1", "/").replace("~0", "~"))
        if found is None:
            raise BadInput(
                "schema.remote_reference",
                "The schema refers to something that does not stand in it.",
                "Its author has to publish it in one piece.",
            )
        return found


@dataclass(slots=True)
class _Shape:
    """What a subschema applies to what, worked out once.

    Attributes:
        times: how often a validator goes through it on one value.
        in_place: the subschemas on the same value.
        members, names, items: those on every member, member's name, or item.
        named: those on the member of a name.
        listed: those on the items, one after the other.
    """

    times: int
    in_place: list[Any]
    members: list[Any]
    names: list[Any]
    items: list[Any]
    named: dict[str, Any]
    listed: list[list[Any]]


class _Count:
    """Counts the steps of an evaluation."""

    def __init__(self, index: _Index) -> None:
        self._index = index
        self.steps = self._depth = 0
        self._shapes: dict[int, _Shape] = {}

    def visit(self, schema: Any, value: Any, above: tuple[int, ...]) -> None:
        """Count the evaluation of a subschema on a value.

        Args:
            above: the subschemas that led here on this same value, which validators do not enter again.
        """
        self.steps += 1
        if self.steps > MAX_STEPS or self._depth > _MAX_DEPTH:
            raise _too_complex()
        if not isinstance(schema, dict) or id(schema) in above:
            return
        shape = self._shapes.get(id(schema))
        if shape is None:
            shape = self._shapes[id(schema)] = _shape(schema, self._index)
        self._depth += 1
        for _ in range(shape.times):
            for target in shape.in_place:
                self.visit(target, value, (*above, id(schema)))
            if isinstance(value, dict):
                self._visit_members(shape, value)
            elif isinstance(value, list):
                for item in value:
                    for target in shape.items:
                        self.visit(target, item, ())
                for targets in shape.listed:
                    for target, item in zip(targets, value, strict=False):
                        self.visit(target, item, ())
        self._depth -= 1

    def _visit_members(self, shape: _Shape, value: dict[str, Any]) -> None:
        for name, member in value.items():
            if name in shape.named:
                self.visit(shape.named[name], member, ())
            for target in shape.members:
                self.visit(target, member, ())
            for target in shape.names:
                self.visit(target, name, ())


def _shape(schema: dict[str, Any], index: _Index) -> _Shape:
    items = _present(schema, _OF_ITEMS)
    listed = [one for one in (*items, schema.get("prefixItems")) if isinstance(one, list)]
    in_place = [*index.targets(schema), *_present(schema, _IN_PLACE)]
    for name in _IN_PLACE_LISTS:
        in_place += schema[name] if isinstance(schema.get(name), list) else ()
    for name in ("dependentSchemas", "dependencies"):
        in_place += _object(schema, name).values()
    return _Shape(
        times=2 if "unevaluatedProperties" in schema or "unevaluatedItems" in schema else 1,
        in_place=in_place,
        members=[*_object(schema, "patternProperties").values(), *_present(schema, _OF_MEMBERS)],
        names=_present(schema, ("propertyNames",)),
        items=[one for one in items if not isinstance(one, list)],
        named=_object(schema, "properties"),
        listed=listed,
    )


def _object(schema: dict[str, Any], name: str) -> dict[str, Any]:
    value = schema.get(name)
    return value if isinstance(value, dict) else {}


def _present(schema: dict[str, Any], names: Iterable[str]) -> list[Any]:
    return [schema[name] for name in names if name in schema]


def _member(found: Any, step: str) -> Any:
    if isinstance(found, list):
        return found[int(step)] if step.isdecimal() and int(step) < len(found) else None
    return found.get(step) if isinstance(found, dict) else None


def _joined(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference


def _too_complex() -> BadInput:
    return BadInput("schema.too_complex", "The schema would take too long to check.", "Its author has to simplify it.")
