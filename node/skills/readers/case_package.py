"""CASE packages (1EdTech Competencies and Academic Standards Exchange 1.0 and 1.1): a CFPackage as JSON.

An item is a CFItem: its URL is ``uri``, its code ``humanCodingScheme``, else ``identifier``. Of a CFAssociation,
``isChildOf`` makes the tree; all others are kept by their own names, those to items of other frameworks among them.
"""

from __future__ import annotations

from typing import Any

from node.skills.parts import CHILD, About, Fault, Item, Label, Parts, Relation, item
from node.skills.readers.json_stream import objects, one, text
from node.skills.source import Source
from protocols.credentials.model import is_url
from protocols.errors import BadInput

__all__ = ["read", "recognises"]


def recognises(source: Source) -> bool:
    """Whether it looks like a CFPackage, whose ``CFDocument`` is its first member in every export seen."""
    start = source.head[:1000].lstrip("\ufeff \t\r\n")
    return start.startswith("{") and '"CFDocument"' in start


def read(source: Source) -> Parts:
    """Read the file.

    Raises:
        BadInput: ``framework.malformed``.
    """
    document = one(source, "CFDocument")
    if not isinstance(document, dict):
        raise BadInput("framework.malformed", "The file has no CFDocument.", "Export the CASE package again.")
    licence = document.get("licenseURI")
    yield About(
        title=text(document, "title"),
        version=text(document, "version"),
        source=text(document, "officialSourceURL") or text(document, "uri") or text(document, "creator"),
        licence=text(licence, "uri") or text(licence, "title"),
    )
    for number, found in objects(source, "CFItems.item"):
        yield _item(f"CFItems[{number}]", found)
    for number, found in objects(source, "CFAssociations.item"):
        yield _relation(f"CFAssociations[{number}]", found)


def _item(place: str, found: Any) -> Item | Fault:
    if not isinstance(found, dict):
        return Fault(place, "It is not an object.")
    uri = text(found, "uri")
    short = text(found, "abbreviatedStatement")
    keywords = found.get("conceptKeywords")
    more = [short] if short else []
    more += [each for each in keywords if isinstance(each, str)] if isinstance(keywords, list) else []
    return item(
        place,
        name=text(found, "fullStatement"),
        code=text(found, "humanCodingScheme") or text(found, "identifier"),
        url=uri if is_url(uri) else None,
        description=text(found, "notes"),
        kind=text(found, "CFItemType"),
        labels=tuple(Label(each, text(found, "language")) for each in more),
    )


def _relation(place: str, found: Any) -> Relation | Fault:
    if not isinstance(found, dict):
        return Fault(place, "It is not an object.")
    ends = [_end(found.get(name)) for name in ("originNodeURI", "destinationNodeURI")]
    kind = text(found, "associationType")
    if not all(ends) or not kind:
        return Fault(place, "It does not say what is associated with what, and how.")
    return Relation(source=ends[0], kind=CHILD if kind == "isChildOf" else kind, target=ends[1])


def _end(node: Any) -> str:
    uri = text(node, "uri")
    return uri if is_url(uri) else text(node, "identifier")
