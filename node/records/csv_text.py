"""A CSV file (RFC 4180) as people's programs write it -> its records, each with the line on which it begins.

Says what it cannot read instead of guessing: the encoding is told by a byte order mark or is UTF-8, and a quote that is
never closed, or has text after it, ends the reading, for what follows could be inside it or not. What is written for
people's programs holds no formulas: see :func:`harmless`.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protocols.errors import BadInput

__all__ = ["MAX_BYTES", "MAX_CELL_CHARS", "Record", "decode", "harmless", "read_records", "write_records", "written"]

MAX_BYTES = 8 << 20
MAX_CELL_CHARS = 1 << 20
# The limit is one of the whole process, so every reader of CSV takes it from here.
csv.field_size_limit(MAX_CELL_CHARS)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, None),  # begins as the mark of UTF-16 does, so it stands before that
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BREAKS = ("\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        line: the line of the file on which it begins, from 1; a quoted cell may hold several lines.
        cells: empty where the record could not be read.
        broken: whether it cannot be read: in CSV its quotes are wrong, and nothing comes after it.
        fault: why, where it is not that.
    """

    line: int
    cells: tuple[str, ...]
    broken: bool = False
    fault: str = ""


def decode(data: bytes, *, encoding: str | None = None, max_bytes: int = MAX_BYTES) -> str:
    """The text of a file.

    Args:
        encoding: where its user knows that it is none of those that can be told apart, e.g. ``windows-1252``.

    Raises:
        BadInput: ``csv.too_large``, ``csv.encoding``, ``csv.encoding_unknown`` or ``csv.empty``.
    """
    if len(data) > max_bytes:
        raise BadInput("csv.too_large", f"The file is larger than {max_bytes} bytes.", "Split it.")
    told = next((name for mark, name in _MARKS if data.startswith(mark)), encoding or "utf-8")
    try:
        text = data.decode(told) if told else None
    except UnicodeDecodeError:
        text = None
    except LookupError:
        raise BadInput("csv.encoding_unknown", "There is no such encoding.", "For example: windows-1252.") from None
    if text is None:
        hint = "Save it as “CSV UTF-8”, or say what it is: --encoding windows-1252, for example."
        raise BadInput("csv.encoding", "The file is neither UTF-8 nor UTF-16 with a byte order mark.", hint)
    if not text.strip():
        raise BadInput("csv.empty", "The file is empty.", "Give it a first line with the names of the columns.")
    return text


def read_records(text: str, delimiter: str) -> Iterator[Record]:
    """The records that are not blank, in order; the last one may be ``broken``."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Record(line, (), broken=True)
            return
        if any(cell.strip() for cell in cells):
            yield Record(line, tuple(cells))


def write_records(rows: Iterable[Iterable[str | None]]) -> bytes:
    """A CSV file that Excel, LibreOffice and RFC 4180 read alike: UTF-8 with its mark, and no cell is a formula."""
    return b"".join(written(rows))


def written(rows: Iterable[Iterable[str | None]]) -> Iterator[bytes]:
    """The same, a record at a time."""
    yield codecs.BOM_UTF8
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([harmless(cell or "") for cell in row])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def harmless(cell: str) -> str:
    """``cell`` so that no spreadsheet takes it for a formula: with an apostrophe before it, where one could."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULAS) or cell.startswith(_BREAKS) else cell
