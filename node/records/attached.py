"""What an issuer attaches to a record: terms of use, evidence, and where to get a new one (VCDM 2.0 §5.4 to §5.6).

It is kept with the record and shown as the record says it, plainly: nothing is fetched, and no policy is enforced,
for what such an object means is defined by its type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from node.records.shown import shown, shown_text
from protocols.credentials import model

__all__ = ["MAX_ATTACHED", "Attached", "attached"]

MAX_ATTACHED = 50

_PROPERTIES = ("refreshService", "termsOfUse", "evidence")
_TEXTS = ("name", "description", "narrative", "genre", "audience", "profile", "policyId")
_SCHEMES = ("https://", "http://", "did:", "urn:")


@dataclass(frozen=True, slots=True)
class Attached:
    """One such object.

    Attributes:
        property: ``termsOfUse``, ``evidence`` or ``refreshService``.
        types: what kind of one it is.
        id: where it is or what it is called; ``None`` where it has none, or one that is no address or name.
        texts: what it says in words, e.g. ``("narrative", "...")``; what only programs understand is left out.
    """

    property: str
    types: tuple[str, ...]
    id: str | None
    texts: tuple[tuple[str, str], ...]


def attached(document: dict[str, Any]) -> tuple[Attached, ...]:
    """What is attached to a record, in the order of the specification's sections on it; never raises."""
    return tuple(islice(_found(document), MAX_ATTACHED))


def _found(document: dict[str, Any]) -> Iterator[Attached]:
    for name in _PROPERTIES:
        for item in model.as_list(document.get(name)):
            if isinstance(item, dict):
                yield Attached(name, tuple(map(shown, model.types_of(item)[:10])), _id(item), tuple(_texts(item)))


def _id(item: dict[str, Any]) -> str | None:
    identifier = model.id_of(item)
    return shown(identifier) if identifier is not None and identifier.startswith(_SCHEMES) else None


def _texts(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _TEXTS:
        text = shown_text(item.get(name))
        if text is not None:
            yield name, text
