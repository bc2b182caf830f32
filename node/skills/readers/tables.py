"""Tables with a header line, as the readers of CSV and TSV formats need them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from node.skills.framework import MAX_ENTRIES
from protocols.errors import BadInput

__all__ = ["header", "rows"]


def header(text: str, delimiter: str) -> tuple[str, ...]:
    """The names in the first line, in lower case; nothing where it cannot be read."""
    try:
        return tuple(name.strip().lower() for name in next(csv.reader([text.partition("\n")[0]], delimiter=delimiter)))
    except (csv.Error, StopIteration):
        return ()


def rows(text: str, delimiter: str, *, needed: set[str]) -> Iterator[dict[str, str]]:
    """The rows below the header, each by the header's names in lower case, among them those that are ``needed``.

    Raises:
        BadInput: ``framework.malformed`` with the line, or ``framework.too_large``.
    """
    names = header(text, delimiter)
    if not needed <= set(names):
        message = "The first line of the framework file does not name the columns of its format."
        raise BadInput("framework.malformed", message, f"It needs: {', '.join(sorted(needed))}.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    count = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = ["", *names]  # a width that no row has
        if line == 1 or not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            message = f"Line {line} of the framework file does not have {len(names)} cells."
            raise BadInput("framework.malformed", message, "Check that the file is whole and not edited.")
        count += 1
        if count > MAX_ENTRIES:
            raise BadInput("framework.too_large", f"The framework has more than {MAX_ENTRIES} entries.", "Split it.")
        yield dict(zip(names, (cell.strip() for cell in cells), strict=True))
