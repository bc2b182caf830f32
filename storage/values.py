"""How Python values stand in the tables, the same for every aggregate and engine.

A time is a whole number of microseconds since 1970 in UTC, JSON is compact UTF-8, an id is text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, overload

from protocols import strict_json
from protocols.errors import BadInput

__all__ = ["fold", "from_json", "from_micros", "to_json", "to_micros"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@overload
def to_micros(moment: datetime) -> int: ...
@overload
def to_micros(moment: None) -> None: ...
@overload
def to_micros(moment: datetime | None) -> int | None: ...
def to_micros(moment: datetime | None) -> int | None:
    """A time as it is stored; None stays None.

    Raises:
        BadInput: ``store.value_refused`` for a time without a zone, which would name no moment.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise BadInput("store.value_refused", "A time without a zone cannot be stored.", "Give its offset to UTC.")
    return (moment - _EPOCH) // _MICROSECOND


@overload
def from_micros(value: int) -> datetime: ...
@overload
def from_micros(value: None) -> None: ...
@overload
def from_micros(value: int | None) -> datetime | None: ...
def from_micros(value: int | None) -> datetime | None:
    """A stored time, in UTC; None stays None."""
    return None if value is None else _EPOCH + timedelta(microseconds=value)


def to_json(value: Mapping[str, Any] | list[Any] | tuple[Any, ...]) -> str:
    """JSON text for a column that this project writes and reads itself.

    Raises:
        BadInput: ``store.value_refused`` for what JSON cannot say.
    """
    try:
        return strict_json.dumps(list(value) if isinstance(value, tuple) else value).decode()
    except (TypeError, ValueError, RecursionError):
        raise BadInput("store.value_refused", "A value cannot be written as JSON.", "Check the input.") from None


def from_json(text: str) -> Any:
    """What :func:`to_json` wrote."""
    return json.loads(text)


def fold(text: str) -> str:
    """Text as searches compare it: letter case does not count in any script."""
    return text.casefold()
