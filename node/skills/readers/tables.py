"""Tables with a header line, as the readers of CSV and TSV formats need them; read row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from node.records.csv_text import MAX_CELL_CHARS
from node.skills.parts import Fault
from node.skills.source import Source
from protocols.errors import BadInput

__all__ = ["Row", "header", "rows"]

_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """A row below the header.

    Attributes:
        cells: by the names of the header in lower case, without spaces around them.
    """

    place: str
    cells: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


def header(source: Source) -> frozenset[str]:
    """The names in the first line, in lower case; nothing where it cannot be read."""
    line = source.head.lstrip("\ufeff").partition("\n")[0]
    return frozenset(_names(line, _delimiter(line)))


def rows(source: Source, *, needed: Collection[str], member: str | None = None) -> Iterator[Row | Fault]:
    """The rows below the header, and those that cannot be read.

    Cells stand apart by comma, semicolon, tab or bar: by what the header has most of.

    Raises:
        BadInput: ``framework.malformed`` where the header does not have the columns that are ``needed``.
    """
    prefix = f"{member} line" if member else "line"
    with source.text(member) as text:
        first = text.readline(MAX_CELL_CHARS).lstrip("\ufeff")
        delimiter = _delimiter(first)
        names = _names(first, delimiter)
        if not set(needed) <= set(names):
            message = f"The first line of {member or 'the file'} does not name the columns of its format."
            raise BadInput("framework.malformed", message, f"It needs: {', '.join(sorted(needed))}.")
        # Tabs are not quoted in the files of O*NET, and quotes are part of the text there.
        reader = (
            csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
            if delimiter == "\t"
            else csv.reader(text, delimiter=delimiter, strict=True)
        )
        while True:
            place = f"{prefix} {reader.line_num + 2}"
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield Fault(place, "A quote is not closed, or a cell is too long.")
                continue
            if any(cell.strip() for cell in cells):
                if len(cells) == len(names):
                    yield Row(place, dict(zip(names, (cell.strip() for cell in cells), strict=True)))
                else:
                    yield Fault(place, f"It has {len(cells)} cells, where the first line has {len(names)}.")


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(name.strip().lower() for name in next(csv.reader(io.StringIO(line), delimiter=delimiter)))
    except (csv.Error, StopIteration):
        return ()
