"""What an object says that stands in many documents, kept: the achievement of a cohort's records is walked once.

The same text under the same active context says the same, but for the labels of its blank nodes, which are given anew
each time. Kept is what has been met before, and nothing that could be tied to the rest of a document: no blank node
that the document names, no context of its own, no graph of its own.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from protocols import strict_json
from protocols.jsonld.rdf_terms import Quad

__all__ = ["Key", "Memory", "Said", "height_of", "said_by"]

_MAX_KEPT = 256
_MAX_BYTES = 8192
_TIED = (b'"_:', b"@context", b"@graph")

Key = tuple[Hashable, bytes]
"""The name of an active context, and the text of an object under it."""

_Open = tuple[int | None, str, str, int | None, str]
"""A quad with a blank node: number or text of the subject, the predicate, number or text of the object."""


@dataclass(frozen=True, slots=True)
class Said:
    """The quads of an object, in the default graph.

    Attributes:
        subject: its own text; the number of a blank node where it is one.
        fixed: the quads without blank nodes.
        open: those with some.
        blanks: how many blank nodes there are.
        height: how deep the objects in it are nested.
        derived: what it asked of context processing, by which a document's budget is charged.
    """

    subject: int | str
    fixed: tuple[Quad, ...]
    open: tuple[_Open, ...]
    blanks: int
    height: int
    derived: frozenset[Hashable]

    def quads(self, labels: list[str]) -> list[Quad]:
        """The quads with blank nodes, which get these labels."""
        return [
            (text if subject is None else labels[subject], predicate, other if target is None else labels[target], "")
            for subject, text, predicate, target, other in self.open
        ]


class Memory:
    """A bounded table of what objects say. Emptied when it is full: the objects of a cohort come back at once."""

    def __init__(self) -> None:
        self._kept: dict[Key, Said | None] = {}

    def forget(self) -> None:
        """Keep nothing."""
        self._kept.clear()

    @staticmethod
    def key(context: Hashable, element: dict[str, Any]) -> Key | None:
        """What an object is known by; None where it cannot be kept."""
        try:
            text = strict_json.dumps(element)
        except (TypeError, ValueError, RecursionError):
            return None
        if len(text) > _MAX_BYTES or any(mark in text for mark in _TIED):
            return None
        return context, text

    def find(self, key: Key) -> Said | None:
        """What the object says, where that is kept."""
        return self._kept.get(key)

    def is_known(self, key: Key) -> bool:
        """Whether the object was met before, so that it is worth keeping; it is from now on."""
        if key in self._kept:
            return True
        self.keep(key, None)
        return False

    def keep(self, key: Key, said: Said | None) -> None:
        """Keep what the object says."""
        if len(self._kept) >= _MAX_KEPT:
            self._kept.clear()
        self._kept[key] = said


def said_by(
    subject: str, quads: set[Quad], labels: list[str], height: int, derived: frozenset[Hashable]
) -> Said | None:
    """What an object says, to be kept; None where it has a graph of its own.

    Args:
        labels: of its blank nodes.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    fixed: list[Quad] = []
    loose: list[_Open] = []
    for quad in quads:
        about, predicate, target, graph = quad
        if graph:
            return None
        if about in numbers or target in numbers:
            loose.append((numbers.get(about), about, predicate, numbers.get(target), target))
        else:
            fixed.append(quad)
    return Said(numbers.get(subject, subject), tuple(fixed), tuple(loose), len(labels), height, derived)


def height_of(element: Any) -> int:
    """How many objects stand in each other, this one not counted."""
    if isinstance(element, dict):
        return max((height_of(value) + isinstance(value, dict) for value in element.values()), default=0)
    if isinstance(element, list):
        return max((height_of(value) + isinstance(value, dict) for value in element), default=0)
    return 0
