"""Puts a SELECT together from the conditions that apply, with paging by key.

Every piece of SQL is a literal of the calling module; what comes from outside travels as a parameter only.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from protocols.errors import BadInput
from storage.engine import Parameter
from storage.values import to_micros

__all__ = ["MAX_PAGE", "Query", "bounded", "check_needle", "placeholders"]

MAX_PAGE = 1000
_MAX_NEEDLE = 200
_LAST_CHARACTER = chr(0x10FFFF)


class Query:
    """A SELECT under construction; :meth:`end` and :meth:`newest_first` give the text and its parameters."""

    def __init__(self, select: str) -> None:
        self._select = select
        self._conditions: list[str] = []
        self._params: list[Parameter] = []

    def where(self, condition: str, *params: Parameter) -> Self:
        """Add a condition."""
        self._conditions.append(condition)
        self._params.extend(params)
        return self

    def equal(self, column: str, value: Parameter) -> Self:
        """Add ``column = value``, unless the value is None: no such filter was asked for."""
        return self if value is None else self.where(f"{column} = ?", value)

    def due(self, column: str, now: datetime, longest: timedelta | None) -> Self:
        """Add that the time in ``column`` has come, or is further away than anything waits.

        Args:
            longest: what the writer of these times ever adds to the time that it is; a later one is of a clock that was
                ahead and was set back, and would be waited for in vain. None where there is no such bound.
        """
        if longest is None:
            return self.where(f"{column} <= ?", to_micros(now))
        return self.where(f"({column} <= ? OR {column} > ?)", to_micros(now), to_micros(now + longest))

    def end(self, tail: str = "", *params: Parameter) -> tuple[str, tuple[Parameter, ...]]:
        """The whole statement with ``tail`` (ORDER BY, LIMIT) at its end."""
        where = " AND ".join(self._conditions)
        parts = [self._select, f"WHERE {where}" if where else "", tail]
        return " ".join(part for part in parts if part), (*self._params, *params)

    def newest_first(self, table: str, time: str, after: str | None, limit: int) -> tuple[str, tuple[Parameter, ...]]:
        """The page that follows the row whose id is ``after``: by time and id, the latest first.

        Rows that arrive meanwhile neither repeat nor hide others, which counting an offset would do.
        """
        if after is not None:
            key = " ".join(["SELECT", time, ", id FROM", table, "WHERE id = ?"])
            self.where(f"({time}, id) < ({key})", after)
        return self.end(f"ORDER BY {time} DESC, id DESC LIMIT ?", bounded(limit))

    def id_starting_with(self, prefix: str, limit: int) -> tuple[str, tuple[Parameter, ...]]:
        """The rows whose id starts so, in the order of their ids: a range, which the primary key finds.

        Raises:
            BadInput: ``store.search_too_long``.
        """
        check_needle(prefix)
        return self.where("id >= ? AND id < ?", prefix, prefix + _LAST_CHARACTER).end(
            "ORDER BY id LIMIT ?", bounded(limit)
        )


def bounded(limit: int) -> int:
    """The number of rows that a page may have: at least 1, at most :data:`MAX_PAGE`."""
    return max(1, min(limit, MAX_PAGE))


def placeholders(count: int) -> str:
    """``count`` placeholders for an IN list; where there is none, what nothing is equal to."""
    return ", ".join("?" * count) or "NULL"


def check_needle(needle: str) -> None:
    """Refuse to search for too much.

    Raises:
        BadInput: ``store.search_too_long``.
    """
    if len(needle) > _MAX_NEEDLE:
        raise BadInput("store.search_too_long", f"A search has at most {_MAX_NEEDLE} characters.", "Search for less.")
