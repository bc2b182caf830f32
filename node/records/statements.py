"""What a record says, statement by statement: to show a person what leaves with a presentation, and what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from node.records.shown import shown

__all__ = ["Statement", "statements", "withheld"]

_NOT_ABOUT_ANYBODY = frozenset({"@context", "proof"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One value of a document.

    Attributes:
        path: where it stands, e.g. ``credentialSubject.result[1].value``.
        value: as text for a person.
    """

    path: str
    value: str


def statements(document: Mapping[str, Any]) -> list[Statement]:
    """Every statement of a document; its contexts and proofs say nothing about anybody and are left out."""
    return [Statement(_written(steps), value) for steps, value in _leaves(document)]


def withheld(whole: Mapping[str, Any], part: Mapping[str, Any]) -> list[Statement]:
    """The statements of a record that the part of it which is shown does not have."""
    if part == whole:
        return []
    there = Counter(_place(steps, value) for steps, value in _leaves(part))
    missing = []
    for steps, value in _leaves(whole):
        place = _place(steps, value)
        if there[place]:
            there[place] -= 1
        else:
            missing.append(Statement(_written(steps), value))
    return missing


Steps = tuple[str | int, ...]


def _leaves(document: Mapping[str, Any]) -> Iterator[tuple[Steps, str]]:
    for name, value in document.items():
        if name not in _NOT_ABOUT_ANYBODY:
            yield from _inside(value, (name,))


def _inside(value: Any, steps: Steps) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _inside(inner, (*steps, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _inside(inner, steps if len(value) == 1 else (*steps, number))
    else:
        yield steps, shown(str(value))


def _place(steps: Steps, value: str) -> tuple[Steps, str]:
    """Without positions: items of an array that are not shown leave no gap."""
    return tuple(step for step in steps if isinstance(step, str)), value


def _written(steps: Steps) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{shown(step)}" if text else shown(step)
    return text
