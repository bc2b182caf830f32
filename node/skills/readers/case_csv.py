"""CASE items as CSV, as OpenSALT and others export them: ``identifier``, ``fullStatement``, ``humanCodingScheme`` ….

The file names neither its framework nor URLs. An item without ``humanCodingScheme`` has ``identifier`` as its code; the
tree is that of ``smartLevel`` (1, 1.1, 1.1.1) where there is one.
"""

from __future__ import annotations

from node.skills.parts import CHILD, About, Fault, Item, Label, Parts, Relation, item
from node.skills.readers.tables import header, rows
from node.skills.source import Source

__all__ = ["read", "recognises"]

_COLUMNS = {"identifier", "fullstatement"}


def recognises(source: Source) -> bool:
    """Whether it begins as such a file does."""
    return header(source) >= _COLUMNS


def read(source: Source) -> Parts:
    """Read the file.

    Raises:
        BadInput: ``framework.malformed``.
    """
    yield About(title=source.name)
    by_level: dict[str, str] = {}
    for row in rows(source, needed=_COLUMNS):
        if isinstance(row, Fault):
            yield row
            continue
        found = item(
            row.place,
            name=row["fullstatement"],
            code=row["humancodingscheme"] or row["identifier"],
            description=row["notes"],
            kind=row["cfitemtype"],
            labels=(Label(row["abbreviatedstatement"], row["language"]),) if row["abbreviatedstatement"] else (),
        )
        yield found
        if isinstance(found, Item) and row["smartlevel"]:
            by_level.setdefault(row["smartlevel"], found.key)
    for level, key in by_level.items():
        above = by_level.get(level.rpartition(".")[0])
        if above is not None and above != key:
            yield Relation(source=key, kind=CHILD, target=above)
