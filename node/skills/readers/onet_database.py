"""The O*NET database: its text files, tab-separated, one by one or all of a folder as an archive.

Read are ``Occupation Data``, ``Content Model Reference``, ``Alternate Titles``, and ``Skills``, ``Knowledge``,
``Abilities``, ``Work Activities``, ``Work Styles`` with their scales IM (importance, 1 to 5) and LV (level, 0 to 7);
rows that O*NET recommends to suppress are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from node.skills.parts import CHILD, About, Fault, Label, Parts, Relation, item
from node.skills.readers.tables import Row, header, rows
from node.skills.source import Source
from protocols.errors import BadInput

__all__ = ["LICENCE", "OCCUPATION_URL", "SOURCE", "read", "recognises"]

OCCUPATION_URL = "https://www.onetonline.org/link/summary/"
"""Where O*NET OnLine describes an occupation; its code follows."""
ELEMENT_URL = "https://www.onetonline.org/find/descriptor/result/"
"""Where O*NET OnLine describes a skill or another element; its id follows."""
SOURCE = "https://www.onetcenter.org/database.html"
LICENCE = "CC-BY-4.0"

_OCCUPATIONS = "Occupation Data.txt"
_ELEMENTS = "Content Model Reference.txt"
_TITLES = "Alternate Titles.txt"
_RATED = {
    "Skills.txt": "skill",
    "Knowledge.txt": "knowledge",
    "Abilities.txt": "ability",
    "Work Activities.txt": "work activity",
    "Work Styles.txt": "work style",
}
_RATED_COLUMNS = {"o*net-soc code", "element id", "scale id", "data value"}


def recognises(source: Source) -> bool:
    """Whether it is the list of occupations, or an archive with it."""
    return _OCCUPATIONS in source.members or header(source) >= {"o*net-soc code", "title"}


def read(source: Source) -> Parts:
    """Read the file, or the files that are there.

    Raises:
        BadInput: ``framework.malformed``.
    """
    yield About(title="O*NET", source=SOURCE, licence=LICENCE)
    if not source.members:
        yield from _occupations(source, None, {})
        return
    if _OCCUPATIONS not in source.members:
        raise BadInput("framework.malformed", f"The archive has no “{_OCCUPATIONS}”.", "Take all files of O*NET.")
    yield from _occupations(source, _OCCUPATIONS, _titles(source))
    yield from _elements(source)
    for member in _RATED:
        if member in source.members:
            yield from _ratings(source, member)


def _occupations(source: Source, member: str | None, titles: dict[str, list[Label]]) -> Parts:
    for row in rows(source, needed={"o*net-soc code", "title"}, member=member):
        if isinstance(row, Fault):
            yield row
            continue
        code = row["o*net-soc code"]
        yield item(
            row.place,
            code=code,
            url=OCCUPATION_URL + code if code else None,
            name=row["title"],
            description=row["description"],
            kind="occupation",
            labels=tuple(titles.get(code, ())),
        )


def _titles(source: Source) -> dict[str, list[Label]]:
    titles: dict[str, list[Label]] = {}
    if _TITLES in source.members:
        for row in rows(source, needed={"o*net-soc code", "alternate title"}, member=_TITLES):
            if isinstance(row, Row) and row["alternate title"]:
                titles.setdefault(row["o*net-soc code"], []).append(Label(row["alternate title"], "en"))
    return titles


def _elements(source: Source) -> Parts:
    """The content model, of which only what occupations are rated by, and what that stands under, is taken."""
    kinds: dict[str, str] = {}
    names: dict[str, str] = {}
    for member, kind in _RATED.items():
        if member in source.members:
            for row in rows(source, needed=_RATED_COLUMNS, member=member):
                if isinstance(row, Row) and row["element id"]:
                    kinds.setdefault(row["element id"], kind)
                    names.setdefault(row["element id"], row["element name"])
    if _ELEMENTS not in source.members:
        for code, kind in kinds.items():
            yield item(code, code=code, url=ELEMENT_URL + code, name=names[code], kind=kind)
        return
    wanted = {above for code in kinds for above in _above(code)}
    for row in rows(source, needed={"element id", "element name"}, member=_ELEMENTS):
        if isinstance(row, Fault):
            yield row
        elif (code := row["element id"]) in wanted:
            yield item(
                row.place,
                code=code,
                url=ELEMENT_URL + code,
                name=row["element name"],
                description=row["description"],
                kind=kinds.get(code, "group"),
            )
            if "." in code:
                parent = ELEMENT_URL + code.rpartition(".")[0]
                yield Relation(source=ELEMENT_URL + code, kind=CHILD, target=parent)


def _above(code: str) -> Iterator[str]:
    while code:
        yield code
        code = code.rpartition(".")[0]


def _ratings(source: Source, member: str) -> Parts:
    """An occupation's rows for an element follow each other: first IM, then LV."""
    pending: dict[str, int] = {}
    pair: tuple[str, str] | None = None
    for row in rows(source, needed=_RATED_COLUMNS, member=member):
        if isinstance(row, Fault):
            yield row
            continue
        of = (row["o*net-soc code"], row["element id"])
        if of != pair and pair is not None and pending:
            yield _rating(pair, pending)
            pending = {}
        pair = of
        value = _hundredths(row["data value"])
        if value is None or not all(of):
            yield Fault(row.place, "Its Data Value is no number, or it names no occupation or element.")
        elif row["scale id"] in ("IM", "LV") and row["recommend suppress"] != "Y":
            pending[row["scale id"]] = value
    if pair is not None and pending:
        yield _rating(pair, pending)


def _rating(pair: tuple[str, str], values: dict[str, int]) -> Relation:
    return Relation(
        source=OCCUPATION_URL + pair[0],
        kind="requires",
        target=ELEMENT_URL + pair[1],
        importance=values.get("IM"),
        level=values.get("LV"),
    )


def _hundredths(text: str) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value * 100) if 0 <= value <= 1000 else None
