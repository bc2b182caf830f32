"""JSONPath (RFC 9535) for queries that strangers write: the library's parser, evaluated step by counted step.

Presentation Exchange 2.1.1 asks to guard against function extensions, regular expressions and costly filters.
So a filter may hold existence tests and comparisons with a literal, of singular queries, joined by ``&&``, ``||``
and ``!``: each of these costs no more than its length. Functions (``match``, ``search``, ``length``, ...) are
refused; ``filter`` of the field (JSON Schema) says the same in linear time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathNode, JSONPathQuery
from jsonpath_rfc9535.filter_expressions import (
    ComparisonExpression,
    Expression,
    FilterExpression,
    FilterExpressionLiteral,
    FilterQuery,
    LogicalExpression,
    PrefixExpression,
)
from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath_rfc9535.selectors import FilterSelector, NameSelector

from protocols.errors import BadInput
from protocols.exchange.budget import Budget

__all__ = ["MAX_PATH_CHARS", "Match", "Path", "compile_path"]

MAX_PATH_CHARS = 512
_MAX_SEGMENTS = 32
_MAX_SELECTORS = 64
_MAX_DESCENDANT_SEGMENTS = 2
_CHARS_A_STEP = 4

_ENVIRONMENT = JSONPathEnvironment()


@dataclass(frozen=True, slots=True)
class Match:
    """A value that a path selects, and the names and indices that lead to it."""

    value: Any
    location: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path that is cheap enough to run."""

    text: str
    _query: JSONPathQuery = field(repr=False, compare=False)
    _names: tuple[str, ...] | None = field(repr=False, compare=False)  # where it is nothing but names

    def first(self, document: Any, budget: Budget) -> Match | None:
        """The first match in ``document``, in document order, or None.

        Raises:
            BadInput: ``pex.too_much_work``.
        """
        return next(self.matches(document, budget), None)

    def matches(self, document: Any, budget: Budget) -> Iterator[Match]:
        """Every match in ``document``, in document order.

        Raises:
            BadInput: ``pex.too_much_work``.
        """
        if self._names is not None:
            return self._walk(self._names, document, budget)
        return (Match(node.value, node.location) for node in self._nodes(document, budget))

    @property
    def singular(self) -> bool:
        """Whether the path can select one place at most (RFC 9535 §2.3.5.1)."""
        return self._query.singular_query()

    @staticmethod
    def _walk(names: tuple[str, ...], document: Any, budget: Budget) -> Iterator[Match]:
        """What the library would find, without its nodes: most paths of most requests are names alone."""
        value = document
        for name in names:
            budget.spend(2)
            if not isinstance(value, dict) or name not in value:
                return
            value = value[name]
        yield Match(value, names)

    def _nodes(self, document: Any, budget: Budget) -> Iterable[JSONPathNode]:
        nodes: Iterable[JSONPathNode] = (JSONPathNode(value=document, location=(), parent=None, root=document),)
        filter_cost = 1 + len(self.text) // _CHARS_A_STEP
        for segment in self._query.segments:
            nodes = _select(segment, nodes, budget, filter_cost)
        return nodes


def compile_path(text: object, where: str, budget: Budget) -> Path:
    """Parse a path and make sure that running it is cheap.

    Args:
        where: the property that holds the path, for the error message.
        budget: characters that may still be parsed.

    Raises:
        BadInput: ``pex.path_malformed``, ``pex.path_unsupported`` or ``pex.too_much_work``.
    """
    if not isinstance(text, str) or len(text) > MAX_PATH_CHARS:
        raise _malformed(where)
    budget.spend(len(text))
    found = _parsed(text)
    if found is None:
        raise _malformed(where)
    path, cheap = found
    if not cheap:
        raise BadInput(
            "pex.path_unsupported",
            f"The JSONPath in {where} uses functions, nested queries or too many parts.",
            "Name the place plainly and put conditions into the field's filter.",
        )
    return path


@lru_cache(maxsize=1024)  # a verifier asks everybody the same, and each side reads it several times an exchange
def _parsed(text: str) -> tuple[Path, bool] | None:
    """The path and whether running it is cheap; None where it is none."""
    try:
        query = _ENVIRONMENT.compile(text)
    # The library lets number conversions and its own recursion escape as they are.
    except (JSONPathError, ValueError, ArithmeticError, LookupError, RecursionError):
        return None
    descendants = sum(isinstance(segment, JSONPathRecursiveDescentSegment) for segment in query.segments)
    selectors = [selector for segment in query.segments for selector in segment.selectors]
    cheap = (
        len(query.segments) <= _MAX_SEGMENTS
        and len(selectors) <= _MAX_SELECTORS
        and descendants <= _MAX_DESCENDANT_SEGMENTS
        and all(_is_cheap(s.expression) for s in selectors if isinstance(s, FilterSelector))
    )
    return Path(text, query, _names_of(query)), cheap


def _names_of(query: JSONPathQuery) -> tuple[str, ...] | None:
    if not query.singular_query():
        return None
    selectors = [segment.selectors[0] for segment in query.segments]
    names = tuple(selector.name for selector in selectors if isinstance(selector, NameSelector))
    return names if len(names) == len(selectors) else None


def _select(
    segment: JSONPathSegment, nodes: Iterable[JSONPathNode], budget: Budget, filter_cost: int
) -> Iterator[JSONPathNode]:
    for node in nodes:
        places = _containers(node, budget) if isinstance(segment, JSONPathRecursiveDescentSegment) else (node,)
        for place in places:
            for selector in segment.selectors:
                budget.spend()
                if isinstance(selector, FilterSelector) and isinstance(place.value, list | dict):
                    budget.spend(filter_cost * len(place.value))
                for child in selector.resolve(place):
                    budget.spend()
                    yield child


def _containers(node: JSONPathNode, budget: Budget) -> Iterator[JSONPathNode]:
    """The node and every object and array below it, parents first, as RFC 9535 §2.5.2.2 orders them."""
    waiting = [node]
    while waiting:
        place = waiting.pop()
        yield place
        children: Iterable[tuple[str | int, Any]] = ()
        if isinstance(place.value, dict):
            children = place.value.items()
        elif isinstance(place.value, list):
            children = enumerate(place.value)
        below = [place.new_child(value, key, place) for key, value in children if isinstance(value, list | dict)]
        budget.spend(1 + len(below))
        waiting.extend(reversed(below))


def _is_cheap(expression: Expression) -> bool:
    match expression:
        case FilterExpression():
            return _is_cheap(expression.expression)
        case PrefixExpression():
            return _is_cheap(expression.right)
        case LogicalExpression():
            return _is_cheap(expression.left) and _is_cheap(expression.right)
        case ComparisonExpression():
            # Two queries could each select a large value, and comparing those costs as much as they are large.
            sides = (expression.left, expression.right)
            has_literal = any(isinstance(side, FilterExpressionLiteral) for side in sides)
            return has_literal and all(isinstance(side, FilterExpressionLiteral) or _is_cheap(side) for side in sides)
        case FilterQuery():
            return expression.query.singular_query()
        case _:
            return False


def _malformed(where: str) -> BadInput:
    return BadInput(
        "pex.path_malformed",
        f"A path in {where} is not a JSONPath of up to {MAX_PATH_CHARS} characters.",
        "Write it by RFC 9535, e.g. $.credentialSubject.id",
    )
