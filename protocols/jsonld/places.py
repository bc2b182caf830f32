"""Blank nodes that are known by the place in the document that they stand for.

Selective disclosure has to find the statements of a part of a document among those of the whole. VC Data Integrity
ECDSA 1.0 §3.4 gives every blank node a URN for that (skolemisation), in the expanded form, and compacts the result.
Here a document is copied once into containers that know their place, parts are made of the same containers, and a
blank node is labelled by its place: the same statements, with no second form of the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from protocols.jsonld.scope import Hard
from protocols.jsonld.walker import Walk

__all__ = ["PlacedArray", "PlacedObject", "PlacedWalk", "placed", "plain"]


class PlacedObject(dict[str, Any]):
    """A JSON object, and which of the whole document it is or is a part of."""

    __slots__ = ("place",)

    def __init__(self, members: Iterable[tuple[str, Any]], place: int) -> None:
        super().__init__(members)
        self.place = place


class PlacedArray(list[Any]):
    """A JSON array, and which of the whole document it is or is a part of."""

    __slots__ = ("place",)

    def __init__(self, items: Iterable[Any], place: int) -> None:
        super().__init__(items)
        self.place = place


def placed(document: dict[str, Any]) -> PlacedObject:
    """A copy of ``document`` in which every container outside of contexts has a place."""
    copy = _copy(document, count())
    assert isinstance(copy, PlacedObject)
    return copy


def _copy(value: Any, places: Iterator[int]) -> Any:
    if isinstance(value, dict):
        members = ((key, item if key == "@context" else _copy(item, places)) for key, item in value.items())
        return PlacedObject(members, next(places))
    if isinstance(value, list):
        return PlacedArray((_copy(item, places) for item in value), next(places))
    return value


def plain(value: Any) -> Any:
    """A copy of a placed value as plain JSON values."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


class PlacedWalk(Walk):
    """A walk over a placed document, whose blank nodes are labelled by place."""

    remembers = False

    def blank(self, of: Any, part: int | None = None, /) -> str:
        """The label of what stands in one place.

        Raises:
            Hard: for a blank node that the document names, as a name is no place.
        """
        if not isinstance(of, PlacedObject | PlacedArray):
            raise Hard
        return f"_:p{of.place}" if part is None else f"_:p{of.place}.{part}"
