"""Reading the fields of a message body at the door: each is there, of its type and within bounds, or refused.

Every ``messages.py`` reads with these, so that a hostile body ends in one kind of error whatever it holds.
``null`` means absent. Fields that nobody reads are ignored (RFC 0003). What a field means is left to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.errors import PeerFault

__all__ = ["MAX_TEXT", "Fields", "is_id"]

MAX_ID = 128
MAX_TEXT = 4096
MAX_ITEMS = 64


def is_id(value: object, *, max_chars: int = MAX_ID) -> bool:
    """Whether ``value`` can be an identifier: opaque (RFC 0008), but printable ASCII without spaces and bounded."""
    if not isinstance(value, str) or not 0 < len(value) <= max_chars:
        return False
    return value.isascii() and value.isprintable() and " " not in value


class Fields:
    """Typed access to one JSON object of a message.

    Every method raises :class:`PeerFault` with ``code``; it names the field, never its value.
    """

    def __init__(self, body: Mapping[str, Any], *, where: str = "message", code: str = "message.malformed") -> None:
        self._body = body
        self._where = where
        self._code = code

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        return self._body.get(name) is not None

    def text(self, name: str, *, max_chars: int = MAX_TEXT) -> str:
        """A string that must be there; may be empty."""
        value = self.optional_text(name, max_chars=max_chars)
        if value is None:
            raise self.fault(name, "is missing")
        return value

    def optional_text(self, name: str, *, max_chars: int = MAX_TEXT) -> str | None:
        """A string of at most ``max_chars`` characters, or None."""
        value = self._body.get(name)
        if value is not None and not isinstance(value, str):
            raise self.fault(name, "is not a string")
        if value is not None and len(value) > max_chars:
            raise self.fault(name, f"is longer than {max_chars} characters")
        return value

    def optional_integer(self, name: str) -> int | None:
        """An integer that is not negative and fits 63 bits, or None."""
        value = self._body.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63):
            raise self.fault(name, "is not a whole number")
        return value

    def boolean(self, name: str, *, default: bool) -> bool:
        """A boolean, or ``default`` where there is none."""
        value = self._body.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fault(name, "is not true or false")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """A JSON object that must be there."""
        value = self.optional_mapping(name)
        if value is None:
            raise self.fault(name, "is missing")
        return value

    def optional_mapping(self, name: str) -> dict[str, Any] | None:
        """A JSON object, or None."""
        value = self._body.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.fault(name, "is not an object")
        return value

    def items(self, name: str, *, max_items: int = MAX_ITEMS) -> list[Any]:
        """A list of at most ``max_items``; empty where there is none."""
        value = self._body.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fault(name, "is not a list")
        if len(value) > max_items:
            raise self.fault(name, f"has more than {max_items} items")
        return value

    def texts(self, name: str, *, max_items: int = MAX_ITEMS, max_chars: int = MAX_TEXT) -> tuple[str, ...]:
        """A list of strings; empty where there is none."""
        if self._body.get(name) is None:
            return ()
        values = self.items(name, max_items=max_items)
        if not all(isinstance(value, str) and len(value) <= max_chars for value in values):
            raise self.fault(name, "has an item that is not a short string")
        return tuple(values)

    def mappings(self, name: str, *, max_items: int = MAX_ITEMS) -> tuple[dict[str, Any], ...]:
        """A list of JSON objects; empty where there is none."""
        if self._body.get(name) is None:
            return ()
        values = self.items(name, max_items=max_items)
        if not all(isinstance(value, dict) for value in values):
            raise self.fault(name, "has an item that is not an object")
        return tuple(values)

    def required_mappings(self, name: str, *, max_items: int = MAX_ITEMS) -> tuple[dict[str, Any], ...]:
        """A list of JSON objects that must be there; may be empty."""
        if not self.has(name):
            raise self.fault(name, "is missing")
        return self.mappings(name, max_items=max_items)

    def fault(self, name: str, what: str) -> PeerFault:
        """The error to raise for a field, e.g. ``fault("did", "is missing")``."""
        return PeerFault(self._code, f"In the {self._where}, {name} {what}.", "See the protocol's RFC.")
