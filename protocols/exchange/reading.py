"""Reading the members of a JSON object that a stranger wrote, each checked for its type and size."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from protocols.errors import BadInput

__all__ = ["MAX_TEXT_CHARS", "Member", "malformed"]

MAX_TEXT_CHARS = 4096
_MAX_ID_CHARS = 512

T = TypeVar("T")


class Member:
    """A value at a named place of a presentation definition."""

    __slots__ = ("place", "value")

    def __init__(self, value: Any, place: str) -> None:
        self.value = value
        self.place = place

    def __getitem__(self, name: str) -> Member:
        """The member ``name`` of an object; its value is None where the object has none."""
        return Member(self.value.get(name), f"{self.place}.{name}")

    @property
    def given(self) -> bool:
        """Whether there is a value; JSON null counts as none."""
        return self.value is not None

    def mapping(self) -> Member:
        """This member, which must be an object."""
        if not isinstance(self.value, dict):
            raise malformed(self.place, "is not an object")
        return self

    def items(self, limit: int, *, at_least: int = 0) -> list[Member]:
        """The elements of an array; none where there is no value and none is needed."""
        value = [] if self.value is None else self.value
        if not isinstance(value, list) or not at_least <= len(value) <= limit:
            raise malformed(self.place, f"is not an array of {at_least} to {limit} elements")
        return [Member(element, f"{self.place}[{index}]") for index, element in enumerate(value)]

    def text(self, default: str | None = None) -> str:
        """A string to show to people; ``default`` where there is none."""
        return self._text(MAX_TEXT_CHARS, default)

    def identifier(self) -> str:
        """A non-empty string that names something."""
        value = self._text(_MAX_ID_CHARS, None)
        if not value:
            raise malformed(self.place, "is empty")
        return value

    def flag(self) -> bool:
        """A boolean; false where there is none."""
        if self.value is not None and not isinstance(self.value, bool):
            raise malformed(self.place, "is not true or false")
        return bool(self.value)

    def count(self, at_least: int) -> int | None:
        """A whole number, or None where there is none."""
        if self.value is not None and (type(self.value) is not int or not at_least <= self.value <= 1 << 16):
            raise malformed(self.place, f"is not a whole number from {at_least}")
        return self.value

    def choice(self, read: Callable[[str], T]) -> T:
        """A string that ``read`` knows, such as the member of an enumeration."""
        try:
            return read(self.identifier())
        except ValueError:
            raise malformed(self.place, "has a value that the specification does not know") from None

    def only(self, names: Collection[str]) -> None:
        """Refuse members that are not among ``names``."""
        if not all(name in names for name in self.value):
            raise BadInput(
                "pex.feature_unsupported",
                f"{self.place} has a property that this node does not understand.",
                "Ask with the properties of Presentation Exchange 2.1.",
            )

    def _text(self, limit: int, default: str | None) -> str:
        value = default if self.value is None else self.value
        if not isinstance(value, str) or len(value) > limit or not _is_unicode(value):
            raise malformed(self.place, f"is not a string of up to {limit} characters")
        return value


def malformed(place: str, what: str) -> BadInput:
    """The error for a definition that breaks the specification."""
    return BadInput(
        "pex.definition_malformed", f"{place} {what}.", "Correct the definition by DIF Presentation Exchange 2.1."
    )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
