"""A framework of one's own as CSV: columns ``code`` and ``name``; or others, by a mapping.

``url``, ``description``, ``kind``, ``parent`` (a code or URL of another row) and ``labels`` (apart by bars) are read
where there are such columns. A mapping says which column is what; it is kept for the next version.
"""

from __future__ import annotations

from node.skills.parts import CHILD, About, Fault, Item, Label, Parts, Relation, item
from node.skills.readers.tables import header, rows
from node.skills.source import Source
from protocols.errors import BadInput

__all__ = ["FIELDS", "read", "recognises"]

FIELDS = ("code", "name", "url", "description", "kind", "parent", "labels")


def recognises(source: Source) -> bool:
    """Whether it begins as such a file does, by the mapping if there is one."""
    return bool(source.mapping) or header(source) >= {"code", "name"} or header(source) >= {"url", "name"}


def read(source: Source) -> Parts:
    """Read the file; the framework bears the file's name.

    Raises:
        BadInput: ``framework.malformed``, ``framework.mapping``.
    """
    unknown = set(source.mapping) - set(FIELDS)
    if unknown:
        message = f"A framework has no “{min(unknown)}” that a column could be mapped to."
        raise BadInput("framework.mapping", message, f"There are: {', '.join(FIELDS)}.")
    columns = {field: source.mapping.get(field, field).strip().lower() for field in FIELDS}
    yield About(title=source.name)
    keys: dict[str, str] = {}
    parents: list[tuple[str, str, str]] = []
    for row in rows(source, needed={columns["name"], *(columns[field] for field in source.mapping)}):
        if isinstance(row, Fault):
            yield row
            continue
        found = item(
            row.place,
            name=row[columns["name"]],
            code=row[columns["code"]],
            url=row[columns["url"]],
            description=row[columns["description"]],
            kind=row[columns["kind"]],
            labels=tuple(Label(each.strip()) for each in row[columns["labels"]].split("|") if each.strip()),
        )
        yield found
        if isinstance(found, Item):
            keys.setdefault(found.key, found.key)
            keys.setdefault(found.code or found.key, found.key)
            if row[columns["parent"]]:
                parents.append((row.place, found.key, row[columns["parent"]]))
    for place, key, parent in parents:
        if parent in keys:
            yield Relation(source=key, kind=CHILD, target=keys[parent])
        else:
            yield Fault(place, "Its parent is no row of the file.")
