"""JSON Pointers (RFC 6901), bounded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from protocols.errors import BadInput

__all__ = ["parse_pointer", "step_into", "to_pointer"]

_MAX_POINTER = 4_000
_POINTER = re.compile(r"(/([^~]|~[01])*)?")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """The steps of a pointer, from the root; none for the whole document.

    Raises:
        BadInput: ``pointer.malformed``.
    """
    if len(pointer) > _MAX_POINTER or not _POINTER.fullmatch(pointer):
        raise BadInput("pointer.malformed", "A pointer is not a JSON Pointer.", "Write it as /name/0/name (RFC 6901).")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def to_pointer(steps: Iterable[str]) -> str:
    """The pointer of these steps."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def step_into(value: Any, step: str) -> Any:
    """What is one step inside ``value``.

    Raises:
        BadInput: ``pointer.nothing_there``.
    """
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
        return value[int(step)]
    raise BadInput(
        "pointer.nothing_there", "A pointer leads to nothing in the document.", "Choose what the document has."
    )
