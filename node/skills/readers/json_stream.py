"""JSON files piece by piece, and the language maps of JSON-LD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ijson

from node.skills.parts import Label
from node.skills.source import Source
from protocols.errors import BadInput

__all__ = ["labels", "objects", "one", "refs", "text", "types"]


def objects(source: Source, *prefixes: str) -> Iterator[tuple[int, Any]]:
    """The values at a path such as ``CFItems.item``, with their numbers; the first of ``prefixes`` that is there.

    Raises:
        BadInput: ``framework.malformed`` where the file is not JSON.
    """
    for prefix in prefixes:
        found = False
        with source.utf8() as file:
            try:
                for number, value in enumerate(ijson.items(file, prefix, use_float=True)):
                    found = True
                    yield number, value
            except (ijson.JSONError, ijson.IncompleteJSONError, RecursionError):
                raise BadInput("framework.malformed", "The file is not sound JSON.", "Export it again.") from None
        if found:
            return


def one(source: Source, prefix: str) -> Any:
    """The first value at a path; None where there is none."""
    return next((value for _, value in objects(source, prefix)), None)


def text(thing: Any, *names: str) -> str:
    """The text that the first of these properties has: in English, without a language, or in the first there is."""
    found = labels(thing, *names)
    by_language = {label.language: label.text for label in reversed(found)}
    for language in ("en-us", "en", ""):
        if language in by_language:
            return by_language[language]
    return found[0].text if found else ""


def labels(thing: Any, *names: str) -> tuple[Label, ...]:
    """All texts of these properties: plain, in a language map, or as value objects."""
    if not isinstance(thing, dict):
        return ()
    return tuple(label for name in names for label in _labels(thing.get(name)))


def refs(thing: dict[str, Any], *names: str) -> Iterator[str]:
    """The ids that these properties name: plain, or as objects with one."""
    for name in names:
        value = thing.get(name)
        for each in value if isinstance(value, list) else [value]:
            found = each.get("@id") or each.get("id") or each.get("uri") if isinstance(each, dict) else each
            if isinstance(found, str) and found:
                yield found


def types(thing: dict[str, Any]) -> frozenset[str]:
    """The types of a node, without prefixes."""
    return frozenset(name.rpartition("#")[2].rpartition(":")[2] for name in refs(thing, "@type", "type"))


def _labels(value: Any, language: str = "") -> Iterator[Label]:
    if isinstance(value, str):
        if value.strip():
            yield Label(" ".join(value.split()), language)
    elif isinstance(value, list):
        for each in value:
            yield from _labels(each, language)
    elif isinstance(value, dict):
        if "@value" in value:
            yield from _labels(value["@value"], str(value.get("@language", "")).lower())
        elif "literalForm" in value:
            yield from _labels(value["literalForm"], language)
        else:
            for name, each in value.items():
                if not name.startswith("@"):
                    yield from _labels(each, name.lower())
