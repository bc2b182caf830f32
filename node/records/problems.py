"""How a problem with a JSON document is told: where it is, as a JSONPath, and what it is, without any value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Problem", "json_path"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document.

    Attributes:
        path: where, as a normalized path in the dot notation of RFC 9535, e.g. ``$.alignment[0].targetUrl``.
        message: one sentence; it never holds a value of the document.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def json_path(parts: Iterable[str | int]) -> str:
    """The JSONPath of a value, from the names and indexes that lead to it."""
    return "$" + "".join(_step(part) for part in parts)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if part.isidentifier() else f"[{part!r}]"
