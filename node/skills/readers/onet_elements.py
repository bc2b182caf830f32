"""Names of O*NET's elements as JSON: an object of lists of names, ``skills``, ``knowledge``, ``abilities`` and more.

Such files have no element ids, so an entry's code is made of its list and its name: ``skills/Programming``.
"""

from __future__ import annotations

from node.skills.framework import Framework, Skill
from node.skills.readers.json_text import parse
from protocols.errors import BadInput

__all__ = ["read", "recognises"]

_NAME = "O*NET Content Model"


def recognises(text: str) -> bool:
    """Whether the text looks like such a file."""
    start = text[:200].lstrip()
    return start.startswith("{") and '"skills"' in start


def read(text: str, name: str) -> Framework:
    """Read the file.

    Raises:
        BadInput: ``framework.*`` or ``json.*``.
    """
    lists = parse(text)
    if not all(isinstance(names, list) and all(isinstance(one, str) for one in names) for names in lists.values()):
        raise BadInput("framework.malformed", "The file is not an object of lists of names.", "Check the file.")
    entries = tuple(_entry(kind, one) for kind, names in lists.items() for one in names if one.strip())
    source = "https://www.onetcenter.org/database.html"
    return Framework(name=_NAME, version="", source=source, licence="CC-BY-4.0", entries=entries)


def _entry(kind: str, name: str) -> Skill:
    return Skill(code=f"{kind}/{name}", name=name, framework=_NAME)
