"""A crosswalk as CSV: columns ``source``, ``target`` and ``type`` (``exactMatch`` where it is empty or missing).

It has no items of its own, only relations between codes or URLs of frameworks.
"""

from __future__ import annotations

from node.skills.matching import THROUGH
from node.skills.parts import About, Fault, Parts, Relation
from node.skills.readers.tables import header, rows
from node.skills.source import Source

__all__ = ["read", "recognises"]

_COLUMNS = {"source", "target"}


def recognises(source: Source) -> bool:
    """Whether it begins as such a file does."""
    return header(source) >= _COLUMNS and not source.mapping


def read(source: Source) -> Parts:
    """Read the file; the crosswalk bears the file's name.

    Raises:
        BadInput: ``framework.malformed``.
    """
    yield About(title=source.name)
    for row in rows(source, needed=_COLUMNS):
        if isinstance(row, Fault):
            yield row
        elif not row["source"] or not row["target"]:
            yield Fault(row.place, "It does not say what is matched with what.")
        elif row["type"] and row["type"] not in THROUGH:
            yield Fault(row.place, f"Its type is none of {', '.join(THROUGH)}.")
        else:
            yield Relation(source=row["source"], kind=row["type"] or "exactMatch", target=row["target"])
