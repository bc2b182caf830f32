"""What the user sees: plain text with a little colour, or one JSON document; errors with what to do next.

What peers say about themselves, and what stands in records, is shown without control characters: a name must not be
able to move the cursor, change colours or turn the writing direction.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from protocols.errors import LernodeError, NotNow, PeerFault, WrongState

__all__ = [
    "check_name",
    "clean",
    "emit_json",
    "exit_code",
    "fail",
    "fields",
    "is_terminal",
    "line",
    "mark",
    "note",
    "short",
    "table",
    "when",
]

_SHOWN_ID = 8
_SHOWN_DID = 24
_MAX_CELL = 72
_CHECK_WIDTH = len("related-resources")


def exit_code(error: LernodeError) -> int:
    """1 refused, 2 bad input, 3 not now."""
    if isinstance(error, NotNow):
        return 3
    if isinstance(error, WrongState):
        # A name that fits nothing, or too much, is the user's input; everything else is the node's state.
        return 2 if error.code.rpartition(".")[2] in {"unknown", "ambiguous", "missing", "none"} else 1
    if isinstance(error, PeerFault):
        return 1
    return 2 if type(error) is not LernodeError else 1


def fail(error: LernodeError, *, as_json: bool) -> int:
    """Show an error; the exit code that belongs to it."""
    if as_json:
        problem = {"type": f"urn:lernode:error:{error.code}", "title": error.message, "code": error.code}
        click.echo(json.dumps({**problem, "detail": error.hint}, ensure_ascii=False))
    else:
        click.echo(f"lernode: {clean(error.message)}", err=True)
        if error.hint:
            click.echo(f"next: {clean(error.hint)}", err=True)
    return exit_code(error)


def emit_json(document: bytes) -> None:
    """The one JSON document of ``--json``, indented."""
    click.echo(json.dumps(json.loads(document), indent=2, ensure_ascii=False))


def clean(text: str) -> str:
    """The text without what a terminal would obey; line breaks and tabs become spaces."""
    return "".join(_harmless(char) for char in text)


def line(text: str = "", *, style: str | None = None, bold: bool = False) -> None:
    """One line on standard output."""
    shown = clean(text)
    click.echo(click.style(shown, fg=style, bold=bold or None) if style or bold else shown, color=_colour())


def note(text: str) -> None:
    """One line on standard error: what happens, or what to do next."""
    click.echo(clean(text), err=True, color=_colour())


def fields(pairs: Iterable[tuple[str, Any]]) -> None:
    """Names and values, aligned; what is None is left out."""
    shown = [(name, value) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        line(f"  {name.ljust(width)}  {value}")


def table(header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    """Rows under a header, each column as wide as it needs."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *cells]) for i in range(len(header))]
    line("  ".join(name.ljust(width) for name, width in zip(header, widths, strict=True)).rstrip(), bold=True)
    for row in cells:
        line("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def check_name(name: str) -> str:
    """The name of a check, as wide as the longest, so that what is said of each stands below the other."""
    return name.ljust(_CHECK_WIDTH)


def mark(outcome: str) -> tuple[str, str]:
    """The sign and the colour of a check's outcome."""
    return {"pass": ("✓", "green"), "fail": ("✗", "red")}.get(outcome, ("–", "yellow"))


def short(identifier: str) -> str:
    """The beginning of an id, enough to name it again; of a DID, enough to know it again."""
    return identifier[: _SHOWN_DID if identifier.startswith("did:") else _SHOWN_ID]


def when(moment: datetime | None) -> str | None:
    """A time, to the minute, in UTC."""
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M UTC")


def is_terminal() -> bool:
    """Whether a person looks at standard output."""
    return sys.stdout.isatty()


def _cell(value: str | None) -> str:
    text = clean(value or "")
    return text if len(text) <= _MAX_CELL else text[: _MAX_CELL - 1] + "…"


def _harmless(char: str) -> str:
    if char in "\t\n\r":
        return " "
    # Cc: control; Cf: invisible, among them those that turn the direction; Zl, Zp: other line breaks; Cs: surrogates.
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Cs"} else char


def _colour() -> bool | None:
    """None lets click colour on a terminal only."""
    return False if os.environ.get("NO_COLOR") else None
