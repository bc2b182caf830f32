"""ESCO as CSV: the files of the download, one by one or all of them as an archive, in one language.

``skills``, ``skillGroups``, ``occupations``, ``ISCOGroups``, the ``broaderRelations…`` of both pillars, and
``occupationSkillRelations`` (essential and optional); ``…_en.csv`` and any other language.
"""

from __future__ import annotations

import re

from node.skills.parts import CHILD, About, Fault, Label, Parts, Relation, item
from node.skills.readers.tables import header, rows
from node.skills.source import Source

__all__ = ["LICENCE", "SOURCE", "read", "recognises"]

SOURCE = "https://esco.ec.europa.eu/"
LICENCE = "https://commission.europa.eu/legal-notice_en"

_CONCEPTS = re.compile(r"(skills|skillgroups|occupations|iscogroups)_[a-z-]+\.csv", re.IGNORECASE)
_BROADER = re.compile(r"broaderrelations\w+\.csv", re.IGNORECASE)
_NEEDS = re.compile(r"occupationskillrelations\w*\.csv", re.IGNORECASE)
_COLUMNS = {"concepturi", "preferredlabel"}


def recognises(source: Source) -> bool:
    """Whether it is a file of concepts, or an archive with one."""
    return header(source) >= _COLUMNS or any(_CONCEPTS.fullmatch(member) for member in source.members)


def read(source: Source) -> Parts:
    """Read the file, or the files that are there.

    Raises:
        BadInput: ``framework.malformed``.
    """
    yield About(title="ESCO", source=SOURCE, licence=LICENCE)
    if not source.members:
        yield from _concepts(source, None)
        return
    for member in sorted(filter(_CONCEPTS.fullmatch, source.members)):
        yield from _concepts(source, member)
    for member in sorted(filter(_BROADER.fullmatch, source.members)):
        yield from _relations(source, member, "concepturi", "broaderuri", None)
    for member in sorted(filter(_NEEDS.fullmatch, source.members)):
        yield from _relations(source, member, "occupationuri", "skilluri", "relationtype")


def _concepts(source: Source, member: str | None) -> Parts:
    found = re.search(r"_([a-z]{2}(?:-[a-z]+)?)\.csv$", member or source.name.lower() + ".csv")
    language = found[1] if found else ""
    for row in rows(source, needed=_COLUMNS, member=member):
        if isinstance(row, Fault):
            yield row
            continue
        names = re.split(r"[\n|]", "\n".join((row["altlabels"], row["hiddenlabels"])))
        yield item(
            row.place,
            url=row["concepturi"],
            code=row["code"],
            name=row["preferredlabel"],
            description=row["description"] or row["definition"],
            kind=row["skilltype"] or row["concepttype"],
            labels=tuple(Label(name.strip(), language) for name in dict.fromkeys(names) if name.strip()),
        )


def _relations(source: Source, member: str, origin: str, target: str, kind: str | None) -> Parts:
    for row in rows(source, needed={origin, target}, member=member):
        if isinstance(row, Fault):
            yield row
        elif not row[origin] or not row[target]:
            yield Fault(row.place, "It does not say what is related to what.")
        else:
            yield Relation(source=row[origin], kind=row[kind] if kind else CHILD, target=row[target])
