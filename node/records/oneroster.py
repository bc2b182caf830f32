"""OneRoster 1.2 CSV (1EdTech): the learners of a class, or those with a result in a line item, as a table.

The files come as the specification packs them: ``manifest.csv`` and its files at the root of a ZIP. Read are ``users``
(names, address), and for a class ``enrollments`` (role ``student``), for a line item ``results`` (``fully graded``:
``textScore`` or ``score``, and its date). Rows whose status is ``tobedeleted`` are left out, and users who are not
enabled. In a delta a file has only what changed, and nobody could be sure who is in a class: only ``bulk`` is read.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from node.records.csv_text import Record, decode, read_records
from protocols.errors import BadInput

__all__ = ["HEADER", "Choice", "Roster"]

HEADER = ("name", "email", "date", "result")
_MAX_MEMBER = 64 << 20
_MANIFEST, _USERS, _CLASSES = "manifest", "users", "classes"
_ENROLLMENTS, _LINE_ITEMS, _RESULTS = "enrollments", "lineItems", "results"
_VERSIONS = ("1.1", "1.2")
_GONE, _NOT_ENABLED = "tobedeleted", "false"
_GRADED = "fully graded"


@dataclass(frozen=True, slots=True)
class Choice:
    """A class or line item that there is: its sourcedId, and what it is called."""

    id: str
    title: str


class Roster:
    """A OneRoster package.

    Raises:
        BadInput: ``oneroster.unreadable``, ``oneroster.incomplete`` or ``oneroster.not_bulk``.
    """

    def __init__(self, packed: bytes) -> None:
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(packed))
        except (zipfile.BadZipFile, OSError, NotImplementedError):
            raise BadInput("oneroster.unreadable", "The file is no ZIP archive.", "Pack the files anew.") from None
        self._manifest = {row["propertyName"]: row["value"] for _line, row in self._rows(_MANIFEST, "propertyName")}
        if self._manifest.get("oneroster.version") not in _VERSIONS:
            raise BadInput(
                "oneroster.version", "The manifest does not say that this is OneRoster 1.1 or 1.2.", "Export it as 1.2."
            )

    @property
    def classes(self) -> list[Choice]:
        """The classes that there are."""
        return self._choices(_CLASSES)

    @property
    def line_items(self) -> list[Choice]:
        """The line items that there are."""
        return self._choices(_LINE_ITEMS)

    def of_class(self, class_id: str) -> Iterator[Record]:
        """The students of a class; lines are those of ``enrollments.csv``.

        Raises:
            BadInput: ``oneroster.*``.
        """
        users = self._users()
        for line, row in self._rows(_ENROLLMENTS, "userSourcedId", "classSourcedId", "role"):
            if row["classSourcedId"] == class_id and row["role"].lower() == "student":
                yield from _record(line, users.get(row["userSourcedId"]), "", "")

    def of_line_item(self, line_item_id: str) -> Iterator[Record]:
        """The students with a result in a line item; lines are those of ``results.csv``.

        Raises:
            BadInput: ``oneroster.*``.
        """
        users = self._users()
        for line, row in self._rows(_RESULTS, "studentSourcedId", "lineItemSourcedId", "scoreStatus"):
            if row["lineItemSourcedId"] == line_item_id and row["scoreStatus"].lower() == _GRADED:
                reached = row.get("textScore") or row.get("score", "")
                yield from _record(line, users.get(row["studentSourcedId"]), row.get("scoreDate", ""), reached)

    def _choices(self, name: str) -> list[Choice]:
        if f"{name}.csv" not in self._archive.namelist():
            return []
        return [Choice(row["sourcedId"], row["title"]) for _line, row in self._rows(name, "sourcedId", "title")]

    def _users(self) -> Mapping[str, tuple[str, str] | None]:
        """By sourcedId, name and address; None for who is not enabled."""
        return {
            row["sourcedId"]: None if row.get("enabledUser", "").lower() == _NOT_ENABLED else _person(row)
            for _line, row in self._rows(_USERS, "sourcedId", "givenName", "familyName")
        }

    def _rows(self, name: str, *needed: str) -> Iterator[tuple[int, dict[str, str]]]:
        if name != _MANIFEST and self._manifest.get(f"file.{name}", "bulk").lower() == "delta":
            raise BadInput(
                "oneroster.not_bulk", f"The package has only what changed in {name}.csv.", "Export it as bulk."
            )
        records = read_records(decode(self._content(f"{name}.csv"), max_bytes=_MAX_MEMBER), ",")
        header = next(records, Record(1, ())).cells
        if not set(needed) <= set(header):
            raise BadInput(
                "oneroster.incomplete", f"The file {name}.csv has not all its columns.", f"Needed: {', '.join(needed)}."
            )
        for record in records:
            if record.broken or len(record.cells) != len(header):
                raise BadInput(
                    "oneroster.row",
                    f"Line {record.line} of {name}.csv has other cells than its first line.",
                    "Mend it.",
                )
            row = dict(zip(header, (cell.strip() for cell in record.cells), strict=True))
            if row.get("status", "").lower() != _GONE:
                yield record.line, row

    def _content(self, name: str) -> bytes:
        try:
            with self._archive.open(name) as file:
                content = file.read(_MAX_MEMBER + 1)
        except KeyError:
            raise BadInput("oneroster.incomplete", f"The package has no {name}.", "Export it too.") from None
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError):
            raise BadInput("oneroster.unreadable", f"{name} cannot be unpacked.", "Pack the files anew.") from None
        return content


def _person(row: Mapping[str, str]) -> tuple[str, str]:
    given = row.get("preferredGivenName") or row["givenName"]
    family = row.get("preferredFamilyName") or row["familyName"]
    return f"{given} {family}".strip(), row.get("email", "")


def _record(line: int, person: tuple[str, str] | None, date: str, reached: str) -> Iterator[Record]:
    if person is not None:
        yield Record(line, (*person, date, reached))
