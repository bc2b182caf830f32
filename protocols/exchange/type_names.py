"""The full names of a record's types, for the ``schema`` URIs of Presentation Exchange version 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from protocols.errors import LernodeError
from protocols.jsonld.processor import DEFAULT

__all__ = ["TypeNames", "expanded_types"]

TypeNames = Callable[[Mapping[str, Any]], frozenset[str]]
"""Gives the URIs that a record's ``type`` stands for under its ``@context``."""

_NODE = "urn:lernode:record"
_TYPE_QUAD = re.compile(rf"^<{_NODE}> <http://www\.w3\.org/1999/02/22-rdf-syntax-ns#type> <([^<>]*)> \.$", re.MULTILINE)


def expanded_types(document: Mapping[str, Any]) -> frozenset[str]:
    """The type URIs of a record; none where its contexts are not known here or its types are undefined.

    Only ``@context`` and ``type`` are processed, so the cost does not depend on the rest of the record.
    """
    types = document.get("type")
    names = [name for name in (types if isinstance(types, list) else [types]) if isinstance(name, str)]
    contexts = document.get("@context")
    if isinstance(contexts, list) and all(isinstance(context, str) for context in contexts):
        return _expanded_by_name(tuple(contexts), tuple(names))
    return _expanded(contexts, names)


@lru_cache(maxsize=128)
def _expanded_by_name(contexts: tuple[str, ...], names: tuple[str, ...]) -> frozenset[str]:
    # The records of a holder are of few kinds, and what a context's name stands for never changes.
    return _expanded(list(contexts), list(names))


def _expanded(contexts: Any, names: list[str]) -> frozenset[str]:
    try:
        quads = DEFAULT.canonical_nquads({"@context": contexts, "@id": _NODE, "@type": names})
    except LernodeError:
        return frozenset()
    return frozenset(_TYPE_QUAD.findall(quads))
