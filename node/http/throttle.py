"""Limits how many requests one address may make in a minute; in the memory of this process."""

from __future__ import annotations

from datetime import datetime

__all__ = ["Throttle"]

_MAX_ADDRESSES = 10_000


class Throttle:
    """Counts requests by address and minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._minute = 0
        self._counts: dict[str, int] = {}

    def lets_in(self, address: str, now: datetime) -> bool:
        """Count a request; whether there were not too many."""
        minute = int(now.timestamp()) // 60
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        if address not in self._counts and len(self._counts) >= _MAX_ADDRESSES:
            return False
        self._counts[address] = count = self._counts.get(address, 0) + 1
        return count <= self._per_minute
