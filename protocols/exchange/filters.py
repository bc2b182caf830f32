"""The ``filter`` of a field: JSON Schema draft 7, from a stranger, so bounded in size and time.

Presentation Exchange 2.1.1 requires draft 7. Regular expressions run in linear time (no look-around, no
back-references). ``$ref`` may only name one of the schema's own definitions: nothing is fetched, and a schema counts
as large as it is with every reference written out, so that a few nested ones cannot ask for exponential work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import jsonschema_rs

from protocols.errors import BadInput
from protocols.exchange.budget import Budget

__all__ = ["Filter", "compile_filter"]

_DRAFT_7 = frozenset({"http://json-schema.org/draft-07/schema", "https://json-schema.org/draft-07/schema"})
_MAX_NODES = 512
_MAX_DEPTH = 24
_MAX_PATTERN_CHARS = 256
_MAX_TEXT_CHARS = 16_384
_CHARS_A_STEP = 1024
_PATTERN_CHARS_A_STEP = 4
_REGEX_PROGRAM_BYTES = 1 << 16
_CLOSE_READERS = frozenset({"pattern", "patternProperties", "format"})
_LOCAL_REFERENCE = re.compile(r"#/(definitions|\$defs)/([A-Za-z0-9_.-]+)")


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled filter.

    Attributes:
        schema: the JSON Schema as received.
        nodes: its size, the number of values that it is made of.
    """

    schema: dict[str, Any]
    nodes: int
    _chars_a_step: int
    _validator: jsonschema_rs.Draft7Validator = field(repr=False, compare=False)

    def accepts(self, value: Any, budget: Budget) -> bool:
        """Whether ``value`` validates; a value that is no JSON does not.

        Raises:
            BadInput: ``pex.too_much_work``.
        """
        cost = 1 + self.nodes // 2
        for node in _nodes(value):
            budget.spend(cost * (1 + _text_length(node) // self._chars_a_step))
        try:
            return self._validator.is_valid(value)
        except ValueError:
            return False


def compile_filter(schema: object, where: str) -> Filter:
    """Compile the schema.

    Args:
        where: the property that holds the schema, for the error message.

    Raises:
        BadInput: ``pex.filter_unsupported`` (size, depth, references, another draft) or ``pex.filter_malformed``.
    """
    if not isinstance(schema, dict):
        raise _malformed(where)
    nodes = _bounded(schema, where)
    try:
        validator = jsonschema_rs.Draft7Validator(
            schema,
            validate_formats=True,
            retriever=_no_retrieval,
            pattern_options=jsonschema_rs.RegexOptions(
                size_limit=_REGEX_PROGRAM_BYTES, dfa_size_limit=4 * _REGEX_PROGRAM_BYTES
            ),
        )
    except ValueError:
        raise _malformed(where) from None
    # A regular expression costs its length for every character; everything else only reads the text once.
    reads_closely = any(_CLOSE_READERS & node.keys() for node in _nodes(schema) if isinstance(node, dict))
    return Filter(schema, nodes, _PATTERN_CHARS_A_STEP if reads_closely else _CHARS_A_STEP, validator)


def _bounded(schema: dict[str, Any], where: str) -> int:
    """The number of values that the schema is made of, references followed; all limits are kept."""
    dialect = schema.get("$schema")
    if dialect is not None and (not isinstance(dialect, str) or dialect.removesuffix("#") not in _DRAFT_7):
        raise _unsupported(where, "is of another JSON Schema draft than 7")
    nodes = text = 0
    waiting: list[tuple[Any, int]] = [(schema, 0)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        text += _text_length(node)
        # A reference to itself, or doubled at every level, comes to an end here as well.
        if nodes > _MAX_NODES or text > _MAX_TEXT_CHARS or depth > _MAX_DEPTH:
            raise _unsupported(where, "is too large or too deep")
        if isinstance(node, dict):
            _check_keywords(node, where, is_root=depth == 0)
            reference = node.get("$ref")
            if isinstance(reference, str):
                waiting.append((_target(schema, reference, where), depth + 1))
        if isinstance(node, list | dict):
            children = node.values() if isinstance(node, dict) else node
            waiting.extend((child, depth + 1) for child in children)
    return nodes


def _check_keywords(node: dict[str, Any], where: str, *, is_root: bool) -> None:
    if not is_root and isinstance(node.get("$id"), str):
        raise _unsupported(where, "gives a part of itself an $id")
    pattern = node.get("pattern")
    patterns = node.get("patternProperties")
    texts = [pattern, *(patterns if isinstance(patterns, dict) else ())]
    if any(isinstance(text, str) and len(text) > _MAX_PATTERN_CHARS for text in texts):
        raise _unsupported(where, f"has a pattern of more than {_MAX_PATTERN_CHARS} characters")


def _target(schema: dict[str, Any], reference: str, where: str) -> Any:
    """What a reference of the form ``#/definitions/name`` or ``#/$defs/name`` leads to."""
    found = _LOCAL_REFERENCE.fullmatch(reference)
    definitions = schema.get(found[1]) if found else None
    if not found or not isinstance(definitions, dict) or found[2] not in definitions:
        raise _unsupported(where, "refers to something that is not among its own definitions")
    return definitions[found[2]]


def _nodes(value: Any) -> Iterator[Any]:
    """Every value inside ``value``, itself included; lazily, so that the reader can stop early."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, list | dict):
            waiting.extend(node.values() if isinstance(node, dict) else node)


def _text_length(node: Any) -> int:
    if isinstance(node, str):
        return len(node)
    return sum(len(key) for key in node if isinstance(key, str)) if isinstance(node, dict) else 0


def _no_retrieval(uri: str) -> NoReturn:
    raise ValueError("filters are not fetched")


def _malformed(where: str) -> BadInput:
    return BadInput(
        "pex.filter_malformed",
        f"The filter in {where} is not a JSON Schema of draft 7, or has a pattern that cannot run in linear time.",
        "Use const, enum, contains or a plain pattern.",
    )


def _unsupported(where: str, what: str) -> BadInput:
    return BadInput("pex.filter_unsupported", f"The filter in {where} {what}.", "Use a small, self-contained schema.")
