"""O*NET occupations: the tab-separated ``Occupation Data`` of the O*NET database (code, title, description)."""

from __future__ import annotations

from node.skills.framework import Framework, Skill
from node.skills.readers.tables import header, rows

__all__ = ["OCCUPATION_URL", "read", "recognises"]

OCCUPATION_URL = "https://www.onetonline.org/link/summary/"
"""Where O*NET OnLine describes an occupation; its code follows."""

_NAME = "O*NET-SOC"
_COLUMNS = {"o*net-soc code", "title"}


def recognises(text: str) -> bool:
    """Whether the text begins as such a file does."""
    return set(header(text, "\t")) >= _COLUMNS


def read(text: str, name: str) -> Framework:
    """Read the file.

    Raises:
        BadInput: ``framework.*``.
    """
    entries = tuple(
        Skill(code=code, name=row["title"], framework=_NAME, url=OCCUPATION_URL + code)
        for row in rows(text, "\t", needed=_COLUMNS)
        if (code := row["o*net-soc code"]) and row["title"]
    )
    source = "https://www.onetcenter.org/database.html"
    return Framework(name=_NAME, version="", source=source, licence="CC-BY-4.0", entries=entries)
