"""Names of O*NET's elements as JSON: an object of lists of names, ``skills``, ``knowledge``, ``abilities`` and more.

Such files have no element ids, so an item's code is made of its list and its name: ``skills/Programming``.
"""

from __future__ import annotations

from node.skills.parts import About, Fault, Parts, item
from node.skills.readers.json_stream import one
from node.skills.readers.onet_database import LICENCE, SOURCE
from node.skills.source import Source
from protocols.errors import BadInput

__all__ = ["read", "recognises"]


def recognises(source: Source) -> bool:
    """Whether it looks like such a file."""
    start = source.head[:200].lstrip("\ufeff \t\r\n")
    return start.startswith("{") and '"skills"' in start and '"name"' not in start


def read(source: Source) -> Parts:
    """Read the file.

    Raises:
        BadInput: ``framework.malformed``.
    """
    lists = one(source, "")
    if not isinstance(lists, dict) or not all(isinstance(names, list) for names in lists.values()):
        raise BadInput("framework.malformed", "The file is not an object of lists of names.", "Check the file.")
    yield About(title="O*NET Content Model", source=SOURCE, licence=LICENCE)
    for kind, names in lists.items():
        for number, name in enumerate(names):
            place = f"{kind}[{number}]"
            good = isinstance(name, str)
            yield item(place, code=f"{kind}/{name}", name=name, kind=kind) if good else Fault(place, "It is no text.")
