"""Times are read as XML Schema writes them and in no other way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.credentials.times import format_time, parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05+05:30", datetime(2026, 1, 1, 21, 34, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05-14:00", datetime(2026, 1, 2, 17, 4, 5, tzinfo=UTC)),
        ("2026-01-31T24:00:00Z", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_date_time_stamp_is_read(text: str, expected: datetime) -> None:
    assert parse_time(text, zone_required=True) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02", "2026-01-02 03:04:05Z", "2026-01-02T03:04Z", "2026-01-02T03:04:05z", "20260102T030405Z",
        "2026-02-29T00:00:00Z", "2026-01-02T25:00:00Z", "2026-01-02T24:00:01Z", "2026-01-02T24:00:00.1Z",
        "2026-01-02T03:04:60Z", "2026-01-02T03:04:05+15:00", "2026-01-02T03:04:05+14:30", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T24:00:00Z", "٢٠٢٦-01-02T03:04:05Z", "2026-01-02T03:04:05Z\n", "",
        None, 5, ["2026-01-02T03:04:05Z"],
    ],
)  # fmt: skip
def test_anything_else_is_not_a_time(text: object) -> None:
    assert parse_time(text, zone_required=False) is None


def test_a_time_without_zone_is_utc_where_allowed() -> None:
    assert parse_time("2026-01-02T03:04:05", zone_required=True) is None
    assert parse_time("2026-01-02T03:04:05", zone_required=False) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1000, 1, 1)))  # noqa: DTZ001
def test_what_is_written_is_read_back(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC, microsecond=0)
    assert parse_time(format_time(aware), zone_required=True) == aware
