"""Records of other models, read in the terms of Open Badges 3.0: what they award, with skills and results.

A view says what the record says, in fewer words; it is derived, never signed, never kept. A new model is one file, and
one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from protocols.credentials import elm
from protocols.credentials.model import types_of

__all__ = ["viewed"]

_VIEWS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    elm.EUROPEAN_DIGITAL_CREDENTIAL: elm.as_open_badge,
}
"""Type of credential -> how it is read."""


def viewed(document: dict[str, Any]) -> dict[str, Any]:
    """The record in the terms of Open Badges; the record itself where it is of no other model. Never raises."""
    view = next((_VIEWS[name] for name in types_of(document) if name in _VIEWS), None)
    return document if view is None else view(document)
