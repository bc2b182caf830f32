"""The little Markdown that the pages need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["NOTICE", "code", "table"]

NOTICE = "<!-- Written by scripts/docs from the code; change the code, then run it. -->"


def code(text: str) -> str:
    """Text as code, also where it stands in a table."""
    return f"`{text}`" if text else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
    ]
