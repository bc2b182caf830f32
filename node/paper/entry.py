"""One record as it stands on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["PrintedEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedEntry:
    """One record on paper.

    Attributes:
        facts: what it says, each with its name.
        mark: that it is an own statement, where it is one.
    """

    name: str
    mark: str
    facts: Sequence[tuple[str, str]]
    text: str
