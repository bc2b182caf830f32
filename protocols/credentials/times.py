"""Points in time as credentials and proofs write them: XML Schema 1.1 ``dateTimeStamp`` and ``dateTime``.

Python's own reader takes other forms too, and two readers that disagree about a validity period are a hole.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

__all__ = ["format_time", "parse_time"]

_MAX_CHARS = 58
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,32}))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?", re.ASCII
)


def parse_time(value: Any, *, zone_required: bool) -> datetime | None:
    """The time that ``value`` writes, in UTC; ``None`` where it is not of the form or lies outside years 1 to 9999.

    Args:
        zone_required: whether it has to be a ``dateTimeStamp``; without a zone a ``dateTime`` is read as UTC
            (VC Data Integrity 1.0 §2.1).
    """
    if not isinstance(value, str) or len(value) > _MAX_CHARS:
        return None
    return _read(value, zone_required)


@lru_cache(maxsize=1024)
def _read(value: str, zone_required: bool) -> datetime | None:
    match = _FORM.fullmatch(value)
    if match is None or (zone_required and match[8] is None):
        return None
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    midnight = hour == 24
    if midnight and (minute or second or (match[7] or "").strip("0")):
        return None
    micro = int((match[7] or "").ljust(6, "0")[:6])
    try:
        local = datetime(year, month, day, 0 if midnight else hour, minute, second, micro, _zone(match[8]))
        return (local + timedelta(days=1) if midnight else local).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_time(moment: datetime) -> str:
    """``moment`` as a ``dateTimeStamp`` in UTC, to the second.

    Args:
        moment: timezone-aware.
    """
    return moment.astimezone(UTC).isoformat()[:19] + "Z"


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    if offset > timedelta(hours=14):
        raise ValueError(text)
    return timezone(-offset if text[0] == "-" else offset)
