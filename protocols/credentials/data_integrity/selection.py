"""Parts of a document, chosen by JSON Pointers (RFC 6901).

Spec: VC Data Integrity ECDSA 1.0 §3.4.10 to §3.4.13 (jsonPointerToPaths to selectJsonLd). Everything on the way to
what a pointer names keeps its ``id``, ``type`` and ``@context``, and so does the document itself; items of an array
that are not chosen leave no gap. The order of the document is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from protocols.errors import BadInput
from protocols.json_pointer import parse_pointer, step_into
from protocols.jsonld.places import PlacedArray, PlacedObject

__all__ = ["MAX_POINTERS", "select", "those_there"]

MAX_POINTERS = 1_000
_KEPT = ("id", "type", "@context")

Chosen = dict[str, Any]
"""What is chosen of a container: step -> the same of what is there, or None for all of it."""


def select(document: PlacedObject, pointers: Sequence[str]) -> PlacedObject | None:
    """The part of ``document`` that the pointers choose together; ``None`` where there are no pointers.

    Raises:
        BadInput: ``pointer.malformed``; ``pointer.nothing_there``; ``pointer.too_many``.
    """
    if not pointers:
        return None
    if len(pointers) > MAX_POINTERS:
        raise BadInput("pointer.too_many", f"There are more than {MAX_POINTERS} pointers.", "Choose larger parts.")
    chosen: Chosen | None = {}
    for pointer in pointers:
        chosen = _choose(chosen, document, parse_pointer(pointer))
    part = _part(document, chosen)
    assert isinstance(part, PlacedObject)
    return part


def those_there(document: Mapping[str, Any], pointers: Sequence[str]) -> list[str]:
    """Those of ``pointers`` that lead somewhere in ``document``.

    Raises:
        BadInput: ``pointer.malformed``.
    """
    return [pointer for pointer in pointers if _leads_somewhere(document, parse_pointer(pointer))]


def _leads_somewhere(value: Any, steps: Sequence[str]) -> bool:
    try:
        for step in steps:
            value = step_into(value, step)
    except BadInput:
        return False
    return True


def _choose(chosen: Chosen | None, value: Any, steps: Sequence[str]) -> Chosen | None:
    """``chosen`` and what the steps lead to from ``value``."""
    if not steps:
        return None
    inner = step_into(value, steps[0])
    if chosen is None:
        _choose({}, inner, steps[1:])  # all is chosen already, but a pointer to nowhere is an error still
        return None
    return {**chosen, steps[0]: _choose(chosen.get(steps[0], {}), inner, steps[1:])}


def _part(value: Any, chosen: Chosen | None) -> Any:
    if chosen is None or not isinstance(value, PlacedObject | PlacedArray):
        return value  # a context has no place, and is kept whole
    if isinstance(value, PlacedArray):
        steps = sorted(chosen, key=int)
        return PlacedArray((_part(value[int(step)], chosen[step]) for step in steps), value.place)
    members = (
        (name, item if name in _KEPT else _part(item, chosen[name]))
        for name, item in value.items()
        if name in chosen or name in _KEPT
    )
    return PlacedObject(members, value.place)
