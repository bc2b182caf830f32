"""A list of learners: who gets an achievement, when, with what result; as CSV, as JSON Lines, or any other table.

Columns, by their names: ``name``; ``email`` and/or ``did`` (or one column ``email or did``); ``date``
and ``result`` as wanted. Each row becomes a :class:`LearnerRow` or one or more :class:`RowProblem`, never both, so that
whoever issues can issue the good rows only, or none while there are problems. No message repeats what a cell holds.
Names are kept as they are written, in any script: only what is no text is refused, and spaces are made single.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from node.records.csv_text import Record, decode, read_records
from node.records.open_badges import check_email
from node.records.results import ResultDescription, make_result
from protocols.credentials.times import parse_time
from protocols.did.syntax import check_did
from protocols.errors import BadInput

__all__ = ["MAX_ROWS", "Column", "Columns", "LearnerList", "LearnerRow", "RowProblem", "parse_learners", "read_table"]

MAX_ROWS = 10_000
MAX_NAME = 200


class Column(StrEnum):
    """The columns that are read."""

    NAME = "name"
    EMAIL = "email"
    DID = "did"
    CONTACT = "email or did"
    DATE = "date"
    RESULT = "result"


_SYNONYMS: dict[Column, tuple[str, ...]] = {
    Column.NAME: ("name", "full name", "learner", "learner name", "student", "student name", "recipient",
                  "recipient name"),
    Column.EMAIL: ("email", "mail", "email address", "learner email", "student email", "recipient email"),
    Column.DID: ("did", "learner did", "student did", "recipient did", "decentralized identifier"),
    Column.CONTACT: ("email or did", "email/did", "did or email", "did/email", "contact"),
    Column.DATE: ("date", "awarded", "award date", "date awarded", "awarded date", "issue date", "issued",
                  "completion date", "completed"),
    Column.RESULT: ("result", "grade", "score", "mark", "value"),
}  # fmt: skip
_COLUMN_OF = {name: column for column, names in _SYNONYMS.items() for name in names}
_DELIMITERS = (",", ";", "\t")
_IDENTIFYING = (Column.EMAIL, Column.DID, Column.CONTACT)
_T = TypeVar("_T")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class LearnerRow:
    """One learner.

    Attributes:
        line: the line of the file on which the row begins, from 1.
        email: ``None`` where a DID is all that is known; one of the two is always there.
        date: when it was earned, in UTC; ``None`` where the file does not say.
        result: a value that the achievement allows; ``None`` where the file does not say.
    """

    line: int
    name: str
    email: str | None
    did: str | None
    date: datetime | None
    result: str | None


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row.

    Attributes:
        column: the column's name (:class:`Column`), empty where it is the row as a whole.
        code: stable, e.g. ``date.malformed``.
    """

    line: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class LearnerList:
    """What a file holds.

    Attributes:
        rows: the learners whose rows are faultless.
        problems: in the order of the lines.
        ignored_columns: how many columns have a name that is not read.
    """

    rows: tuple[LearnerRow, ...]
    problems: tuple[RowProblem, ...]
    ignored_columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How the columns of a student system are to be read, where their names do not say it.

    Attributes:
        names: column -> the name that it has in the file; several joined by ``+`` are put together with a space.
        date_format: how dates are written, as of ``strptime``, e.g. ``%d.%m.%Y``; ISO 8601 where empty.
        encoding: of the file, where it is neither UTF-8 nor UTF-16 with a mark.
    """

    names: Mapping[Column, str] = field(default_factory=dict)
    date_format: str = ""
    encoding: str | None = None


_USUAL = Columns()


@dataclass(frozen=True, slots=True)
class _Header:
    places: dict[Column, tuple[int, ...]]
    width: int
    date_format: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """One row while it is read: the cells that count, and what was found wrong with them."""

    line: int
    cells: dict[Column, str]
    problems: list[RowProblem]

    def note(self, column: str, code: str, message: str) -> None:
        self.problems.append(RowProblem(self.line, column, code, message))

    def read(self, column: Column, reader: Callable[[str], _T]) -> _T | None:
        """What ``reader`` makes of the cell; ``None`` where it is empty or wrong."""
        text = self.cells.get(column, "")
        try:
            return reader(text) if text else None
        except BadInput as error:
            self.note(column, error.code, str(error))
            return None


def parse_learners(data: bytes, *, result: ResultDescription | None = None, columns: Columns = _USUAL) -> LearnerList:
    """Read a CSV file of learners.

    Args:
        data: UTF-8, or UTF-16 with a byte order mark; separated by comma, semicolon or tab.
        result: what the achievement says of results; where ``None``, a row with a result has a problem.

    Raises:
        BadInput: ``csv.too_large``, ``csv.encoding``, ``csv.encoding_unknown``, ``csv.empty``, ``csv.header``,
            ``csv.header_twice``, ``csv.no_rows`` or ``csv.too_many_rows``, where nothing of the file can be used.
    """
    text = decode(data, encoding=columns.encoding)
    first = {delimiter: next(read_records(text, delimiter), Record(1, ())) for delimiter in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda one: _fitness(first[one], columns))
    return read_table(first[delimiter], islice(read_records(text, delimiter), 1, None), result=result, columns=columns)


def read_table(
    first: Record, records: Iterable[Record], *, result: ResultDescription | None = None, columns: Columns = _USUAL
) -> LearnerList:
    """Read the learners of a table.

    Args:
        first: the names of the columns.

    Raises:
        BadInput: ``csv.header``, ``csv.header_twice``, ``csv.no_rows`` or ``csv.too_many_rows``.
    """
    header = _header(first, columns)
    first_lines: dict[str, int] = {}
    rows: list[LearnerRow] = []
    problems: list[RowProblem] = []
    for count, record in enumerate(records, 1):
        if count > MAX_ROWS:
            raise BadInput("csv.too_many_rows", f"The file has more than {MAX_ROWS} rows.", "Split it.")
        learner, found = _read_row(record, header, result, first_lines)
        problems += found
        if learner is not None:
            rows.append(learner)
    if not rows and not problems:
        raise BadInput("csv.no_rows", "The file has no learners.", "Add one line for each learner below the first.")
    read = {place for places in header.places.values() for place in places}
    return LearnerList(tuple(rows), tuple(problems), header.width - len(read))


def _fitness(record: Record, columns: Columns) -> int:
    """How many names of a first line are known, under one separator."""
    wanted = {_plain(part) for name in columns.names.values() for part in name.split("+")}
    return sum(_plain(cell) in wanted or _plain(cell) in _COLUMN_OF for cell in record.cells)


def _plain(name: str) -> str:
    words = re.sub(r"[\s_]+", " ", unicodedata.normalize("NFKC", name[:100]).casefold()).strip(" *:")
    return re.sub(r"\be[- ]mail\b", "email", words).replace(" / ", "/").replace("-", " ")


def _header(record: Record, columns: Columns) -> _Header:
    places: dict[Column, tuple[int, ...]] = {}
    plain = [_plain(cell) for cell in record.cells]
    for column, name in columns.names.items():
        places[column] = tuple(_place_of(part, plain) for part in name.split("+"))
    mapped = {place for found in places.values() for place in found}
    for place, name in enumerate(plain):
        known = _COLUMN_OF.get(name)
        if known is None or place in mapped or known in columns.names:
            continue
        if known in places:
            raise BadInput("csv.header_twice", "The first line names a column twice.", "Remove or rename one of them.")
        places[known] = (place,)
    if Column.NAME not in places or not any(column in places for column in _IDENTIFYING):
        hint = "Name the columns: name, email or did (at least one of them), date, result; or use --map name=Student."
        raise BadInput("csv.header", "The first line does not name the columns that are needed.", hint)
    return _Header(places, len(plain), columns.date_format)


def _place_of(name: str, header: list[str]) -> int:
    if header.count(_plain(name)) != 1:
        message = "A column that is mapped is not in the first line, or is there twice."
        raise BadInput("csv.column_unknown", message, "Compare the mapping with the first line of the file.")
    return header.index(_plain(name))


def _read_row(
    record: Record, header: _Header, result: ResultDescription | None, first_lines: dict[str, int]
) -> tuple[LearnerRow | None, list[RowProblem]]:
    row = _Row(record.line, {}, [])
    _check_shape(row, record, header)
    if row.problems:
        return None, row.problems
    for column, places in header.places.items():
        row.cells[column] = " ".join(filter(None, (record.cells[place].strip() for place in places)))
    email, did = _identity(row, first_lines)
    learner = LearnerRow(
        line=row.line,
        name=_name(row),
        email=email,
        did=did,
        date=row.read(Column.DATE, lambda text: _moment(text, header.date_format)),
        result=row.read(Column.RESULT, lambda value: _allowed_result(result, value)),
    )
    return (None if row.problems else learner), row.problems


def _check_shape(row: _Row, record: Record, header: _Header) -> None:
    if record.broken:
        fault = "A quote is not closed, or has text after it. Nothing from here on was read."
        row.note("", "row.unreadable" if record.fault else "row.quotes", record.fault or fault)
    elif len(record.cells) > header.width:
        row.note("", "row.extra_cells", "The row has more cells than the first line. Put quotes round separators.")
    elif len(record.cells) < header.width:
        row.note("", "row.missing_cells", "The row has fewer cells than the first line.")
    elif any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\r\n\t" for c in record.cells for char in c):
        row.note("", "row.control_characters", "A cell holds characters that are not text, such as NUL.")


def _name(row: _Row) -> str:
    name = " ".join(row.cells[Column.NAME].split())
    if not name:
        row.note(Column.NAME, "name.missing", "The name is missing.")
    elif len(name) > MAX_NAME:
        row.note(Column.NAME, "name.too_long", f"The name is longer than {MAX_NAME} characters.")
    return name


def _identity(row: _Row, first_lines: dict[str, int]) -> tuple[str | None, str | None]:
    """E-mail address and DID, from their own columns or from the one for both."""
    contact_is_did = row.cells.get(Column.CONTACT, "").startswith("did:")
    email = row.read(Column.EMAIL, check_email)
    did = row.read(Column.DID, check_did)
    if contact_is_did:
        did = row.read(Column.CONTACT, check_did) or did
    else:
        email = row.read(Column.CONTACT, check_email) or email
    if not any(row.cells.get(column) for column in _IDENTIFYING):
        row.note("", "row.nobody", "The row has neither an e-mail address nor a DID.")
    for column, key in ((Column.EMAIL, email and email.casefold()), (Column.DID, did)):
        if key is not None and first_lines.setdefault(key, row.line) != row.line:
            row.note(column, "row.duplicate", f"The learner stands on line {first_lines[key]} too.")
    return email, did


def _moment(text: str, written: str) -> datetime:
    if written:
        try:
            return datetime.strptime(text, written).replace(tzinfo=UTC)
        except ValueError:
            message = "The date is not written as the mapping says."
            raise BadInput("date.malformed", message, "Write all dates alike, or map them otherwise.") from None
    moment = parse_time(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text, zone_required=True)
    if moment is None:
        hint = "Write it as ISO 8601: 2026-05-31, or 2026-05-31T14:00:00Z."
        raise BadInput("date.malformed", "The date is not one that can be read in one way only.", hint)
    return moment


def _allowed_result(description: ResultDescription | None, value: str) -> str:
    if description is None:
        hint = "Leave the column empty, or give the achievement a resultDescription."
        raise BadInput("result.not_described", "The achievement describes no result.", hint)
    make_result(description, value)
    return value
