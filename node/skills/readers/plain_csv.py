"""A framework of one's own as CSV: columns ``code`` and ``name``, and ``url`` where there are addresses."""

from __future__ import annotations

from node.skills.framework import Framework, Skill
from node.skills.readers.tables import header, rows
from protocols.credentials.model import is_url
from protocols.errors import BadInput

__all__ = ["read", "recognises"]

_COLUMNS = {"code", "name"}


def recognises(text: str) -> bool:
    """Whether the text begins as such a file does."""
    return set(header(text, ",")) >= _COLUMNS


def read(text: str, name: str) -> Framework:
    """Read the file; the framework bears the file's name.

    Raises:
        BadInput: ``framework.*``.
    """
    entries = tuple(_entry(row, name) for row in rows(text, ",", needed=_COLUMNS))
    return Framework(name=name, version="", source="", licence="", entries=entries)


def _entry(row: dict[str, str], framework: str) -> Skill:
    url = row.get("url") or None
    if not row["code"] or not row["name"] or (url is not None and not is_url(url)):
        message = "A row has no code or no name, or its url is none."
        raise BadInput("framework.malformed", message, "Fill in code and name; leave url empty or make it whole.")
    return Skill(code=row["code"], name=row["name"], framework=framework, url=url)
