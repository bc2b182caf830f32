"""CASE items as CSV, as OpenSALT and others export them: ``identifier``, ``fullStatement``, ``humanCodingScheme`` ….

The file does not name its framework, so it bears the file's name; nor does it give URLs. An item without a
``humanCodingScheme`` has its ``identifier`` as its code.
"""

from __future__ import annotations

from node.skills.framework import Framework, Skill
from node.skills.readers.tables import header, rows
from protocols.errors import BadInput

__all__ = ["read", "recognises"]

_COLUMNS = {"identifier", "fullstatement"}


def recognises(text: str) -> bool:
    """Whether the text begins as such a file does."""
    return set(header(text, ",")) >= _COLUMNS


def read(text: str, name: str) -> Framework:
    """Read the file.

    Raises:
        BadInput: ``framework.*``.
    """
    entries = tuple(_entry(row, name) for row in rows(text, ",", needed=_COLUMNS))
    return Framework(name=name, version="", source="", licence="", entries=entries)


def _entry(row: dict[str, str], framework: str) -> Skill:
    code = row.get("humancodingscheme") or row["identifier"]
    if not code or not row["fullstatement"]:
        raise BadInput("framework.malformed", "An item has no identifier or no fullStatement.", "Export it again.")
    return Skill(code=code, name=row["fullstatement"], framework=framework)
