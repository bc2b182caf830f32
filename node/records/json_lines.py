"""JSON Lines of a student system -> a table: each line an object, whose members are cells; no line is lost silently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from node.records.csv_text import Record, decode
from protocols import strict_json
from protocols.errors import BadInput

__all__ = ["read_json_lines"]

_MAX_LINE = 1 << 16
_FAULT = "The line is no JSON object of texts and numbers."


def read_json_lines(data: bytes, *, encoding: str | None = None) -> tuple[Record, Iterator[Record]]:
    """The names of all members, in the order in which they first appear, and a record for each line.

    A line that is no object of plain values is ``broken``, and the next one is read all the same.

    Raises:
        BadInput: ``csv.too_large``, ``csv.encoding``, ``csv.empty``; ``csv.json_lines`` where no line is an object.
    """
    lines = [(number, _object(line)) for number, line in enumerate(_lines(data, encoding), 1) if line.strip()]
    names = tuple(dict.fromkeys(name for _number, item in lines if item for name in item))
    if not names:
        raise BadInput(
            "csv.json_lines", "No line of the file is a JSON object.", 'A line is {"name": "…", "email": "…"}.'
        )
    return Record(1, names), (
        Record(number, (), broken=True, fault=_FAULT)
        if item is None
        else Record(number, tuple(item.get(name, "") for name in names))
        for number, item in lines
    )


def _lines(data: bytes, encoding: str | None) -> list[str]:
    return decode(data, encoding=encoding).replace("\r\n", "\n").split("\n")


def _object(line: str) -> dict[str, str] | None:
    try:
        item = strict_json.loads_object(line, max_bytes=_MAX_LINE)
        return {name: _cell(value) for name, value in item.items()}
    except (BadInput, TypeError):
        return None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a cell is a text or a number")
    return str(value)
