"""CASE packages (1EdTech Competencies and Academic Standards Exchange 1.0 and 1.1): a CFPackage as JSON.

An entry is a CFItem: its code is ``humanCodingScheme``, else ``identifier``; its URL is ``uri``.
"""

from __future__ import annotations

from typing import Any

from node.skills.framework import Framework, Skill
from node.skills.readers.json_text import parse
from protocols.credentials.model import is_url
from protocols.errors import BadInput

__all__ = ["read", "recognises"]


def recognises(text: str) -> bool:
    """Whether the text looks like a CFPackage, whose ``CFDocument`` is its first member in every export seen."""
    start = text[:400].lstrip()
    return start.startswith("{") and '"CFDocument"' in start


def read(text: str, name: str) -> Framework:
    """Read the file.

    Raises:
        BadInput: ``framework.*`` or ``json.*``.
    """
    package = parse(text)
    document, items = package.get("CFDocument"), package.get("CFItems")
    if not isinstance(document, dict) or not isinstance(items, list):
        raise _malformed("It has no CFDocument with a list of CFItems.")
    title = _text(document, "title") or name
    licence = document.get("licenseURI")
    return Framework(
        name=title,
        version=_text(document, "version"),
        source=_text(document, "officialSourceURL") or _text(document, "creator"),
        licence=_text(licence, "title") if isinstance(licence, dict) else "",
        entries=tuple(_entry(index, item, title) for index, item in enumerate(items)),
    )


def _entry(index: int, item: Any, framework: str) -> Skill:
    if not isinstance(item, dict):
        raise _malformed(f"CFItems[{index}] is not an object.")
    identifier, statement = _text(item, "identifier"), _text(item, "fullStatement")
    if not identifier or not statement:
        raise _malformed(f"CFItems[{index}] has no identifier or no fullStatement.")
    uri = item.get("uri")
    return Skill(
        code=_text(item, "humanCodingScheme") or identifier,
        name=statement,
        framework=framework,
        url=uri if is_url(uri) else None,
    )


def _text(thing: dict[str, Any], name: str) -> str:
    value = thing.get(name)
    return value.strip() if isinstance(value, str) else ""


def _malformed(what: str) -> BadInput:
    return BadInput("framework.malformed", f"The file is not a CASE package. {what}", "Export it again.")
