"""What a reader says of a framework file, piece by piece, so that no framework has to fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from protocols.credentials.model import is_url
from storage.frameworks import CHILD, Item, Label, Relation

__all__ = ["CHILD", "About", "Fault", "Item", "Label", "Part", "Parts", "PlacedItem", "Relation", "item"]

_MAX_NAME = 4_000
_MAX_TEXT = 32_000


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the file says of the framework as a whole; what it does not say is empty, and later ones add to it."""

    title: str = ""
    version: str = ""
    source: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row, or another piece, that cannot be read.

    Attributes:
        place: ``line 7``, ``occupations_en.csv line 7`` or ``CFItems[6]``.
    """

    place: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedItem(Item):
    """An item, and where it stands in the file, as a fault says it."""

    place: str = field(compare=False)


Part = About | Item | Relation | Fault
Parts = Iterator[Part]


def item(
    place: str,
    *,
    name: str,
    code: str | None = None,
    url: str | None = None,
    description: str = "",
    kind: str = "",
    labels: tuple[Label, ...] = (),
) -> PlacedItem | Fault:
    """An item with what its row gives, or what is wrong with the row."""
    name, code, url = " ".join(name.split()), (code or "").strip() or None, (url or "").strip() or None
    if not name:
        return Fault(place, "It has no name.")
    if url is not None and not is_url(url):
        return Fault(place, "Its URL is not a whole URL.")
    key = url or code
    if key is None:
        return Fault(place, "It has neither a code nor a URL.")
    if len(key) > _MAX_NAME or len(name) > _MAX_NAME or len(description) > _MAX_TEXT:
        return Fault(place, "It is too long.")
    if "\0" in f"{key}{name}{description}{kind}":
        return Fault(place, "It has a NUL character.")
    return PlacedItem(
        key=key,
        name=name,
        code=code,
        url=url,
        description=description.strip(),
        kind=kind.strip(),
        labels=labels,
        place=place,
    )
