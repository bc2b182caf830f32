"""Rich Skill Descriptors of the Open Skills Network as CSV, as OSMT exports a collection."""

from __future__ import annotations

from node.skills.parts import About, Fault, Item, Label, Parts, Relation, item
from node.skills.readers.tables import Row, header, rows
from node.skills.source import Source

__all__ = ["read", "recognises"]

_COLUMNS = {"rsd name", "skill statement"}


def recognises(source: Source) -> bool:
    """Whether it begins as such a file does."""
    return header(source) >= _COLUMNS


def read(source: Source) -> Parts:
    """Read the file; the framework bears the file's name.

    Raises:
        BadInput: ``framework.malformed``.
    """
    yield About(title=source.name)
    for row in rows(source, needed=_COLUMNS):
        if isinstance(row, Fault):
            yield row
            continue
        found = _item(row)
        yield found
        if isinstance(found, Item):
            for target in filter(None, (each.strip() for each in row["alignment url"].split(";"))):
                yield Relation(source=found.key, kind="relatedMatch", target=target)


def _item(row: Row) -> Item | Fault:
    url = row["canonical url"]
    return item(
        row.place,
        url=url,
        code=url.rpartition("/")[2] if url else row["rsd name"],
        name=row["rsd name"],
        description=row["skill statement"],
        kind=row["categories"] or row["category"],
        labels=tuple(Label(word.strip()) for word in row["keywords"].split(";") if word.strip()),
    )
