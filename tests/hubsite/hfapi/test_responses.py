"""Spellings that all answers share."""

from datetime import UTC, datetime, timedelta, timezone

from hubsite.hfapi.responses import timestamp


def test_dates_end_in_z() -> None:
    assert timestamp(datetime(2026, 11, 23, 14, 39, 13, 89_999, UTC)) == "2026-11-23T14:39:13.089Z"
    east = timezone(timedelta(hours=2))
    assert timestamp(datetime(2026, 1, 1, 1, 0, tzinfo=east)) == "2025-12-31T23:00:00.000Z"
