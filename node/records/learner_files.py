"""A file with learners, in whichever form a student system gives it: CSV, JSON Lines or a OneRoster package."""

from __future__ import annotations

from collections.abc import Sequence

from node.records.csv_input import Columns, LearnerList, parse_learners, read_table
from node.records.csv_text import Record
from node.records.json_lines import read_json_lines
from node.records.oneroster import HEADER, Choice, Roster
from node.records.results import ResultDescription
from protocols.errors import BadInput

__all__ = ["read_learners"]

_ZIP = b"PK\x03\x04"
_SHOWN = 10


def read_learners(
    data: bytes,
    *,
    result: ResultDescription | None,
    columns: Columns,
    class_id: str | None = None,
    line_item_id: str | None = None,
) -> LearnerList:
    """Read a file of learners; what form it has, it says itself.

    Args:
        class_id, line_item_id: which learners of a OneRoster package, by sourcedId; not needed where there is one only.

    Raises:
        BadInput: as :func:`parse_learners`; ``csv.json_lines``, ``oneroster.*``.
    """
    if data.startswith(_ZIP):
        return read_table(Record(1, HEADER), _chosen(Roster(data), class_id, line_item_id), result=result)
    if class_id or line_item_id:
        raise BadInput("oneroster.not_one", "Only a OneRoster package has classes and line items.", "Leave it out.")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        first, records = read_json_lines(data, encoding=columns.encoding)
        return read_table(first, records, result=result, columns=columns)
    return parse_learners(data, result=result, columns=columns)


def _chosen(roster: Roster, class_id: str | None, line_item_id: str | None) -> Sequence[Record]:
    if class_id and line_item_id:
        raise BadInput("oneroster.ambiguous", "Both a class and a line item are named.", "Name one of them.")
    if class_id:
        _require(class_id, roster.classes, "class")
        return list(roster.of_class(class_id))
    items = roster.line_items
    if line_item_id:
        _require(line_item_id, items, "line item")
        return list(roster.of_line_item(line_item_id))
    classes = roster.classes
    if len(items) == 1:
        return list(roster.of_line_item(items[0].id))
    if not items and len(classes) == 1:
        return list(roster.of_class(classes[0].id))
    there = [*(f"line item {each.id} ({each.title})" for each in items), *(f"class {each.id}" for each in classes)]
    raise BadInput(
        "oneroster.ambiguous",
        "The package has several classes or line items.",
        f"Name one: {'; '.join(there[:_SHOWN])}.",
    )


def _require(name: str, there: Sequence[Choice], what: str) -> None:
    if name not in [each.id for each in there]:
        hint = f"There are: {', '.join(each.id for each in there[:_SHOWN]) or 'none'}."
        raise BadInput("oneroster.unknown", f"The package has no such {what}.", hint)
