"""Every place of a document, and what to put there instead."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

REPLACEMENTS: dict[str, Any] = {
    "null": None,
    "true": True,
    "number": 7,
    "huge number": 10**21,
    "fraction": -0.5,
    "empty text": "",
    "text": "changed",
    "long text": "x" * 100_000,
    "odd text": "\x00\u202e\U0001f600\\\"'<script>",
    "list": [],
    "list of lists": [[["changed"]]],
    "list of everything": [None, True, 7, "changed", {}, []],
    "object": {},
    "object with a key": {"changed": {"id": "urn:x"}},
    "value object": {"@value": "changed", "@type": "@json"},
    "reference": {"@id": "_:b0", "@type": ["@id"]},
    "deep": {"a": {"a": {"a": {"a": {"a": {"a": [[[[{}]]]]}}}}}},
}


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The way to every member of every object and list."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from places(member, (*path, key))


def replaced(document: Any, path: Path, value: Any) -> Any:
    """A copy with another value at the place."""
    changed = copy.deepcopy(document)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return changed


def each_replaced(document: Any) -> Iterator[tuple[str, Any]]:
    """Every place with every other value, and what was done."""
    for path in places(document):
        for name, value in REPLACEMENTS.items():
            changed = replaced(document, path, value)
            if changed != document:
                yield f"{'/'.join(map(str, path))} := {name}", changed
