"""SINCE and UNTIL as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.incident.time_window import TimeError, Window, clock, moment, span, stamp, window

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("30m", "2026-03-01T11:30:00Z"),
        ("2h", "2026-03-01T10:00:00Z"),
        ("1h30m", "2026-03-01T10:30:00Z"),
        ("1d", "2026-02-28T12:00:00Z"),
        ("now", "2026-03-01T12:00:00Z"),
        ("2026-03-01T11:59:30Z", "2026-03-01T11:59:30Z"),
        ("2026-03-01T12:59:30+01:00", "2026-03-01T11:59:30Z"),
        ("2026-03-01 11:59:30.5Z", "2026-03-01T11:59:30Z"),
    ],
)
def test_a_time_is_read(text: str, meant: str) -> None:
    assert stamp(moment(text, NOW).timestamp()) == meant


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("yesterday", "is not a time"),
        ("", "is not a time"),
        ("30", "is not a time"),
        ("-5m", "is not a time"),
        ("2026-03-01", "is a day"),
        ("2026-03-01T11:00:00", "no time zone"),
        ("2026-13-01T11:00:00Z", "is not a time"),
        ("99999999999d", "too long ago"),
    ],
)
def test_what_is_no_time_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(TimeError, match=complaint):
        moment(text, NOW)


def test_a_window_ends_now_at_the_latest() -> None:
    assert window("30m", "", NOW) == window("30m", "2026-03-01T13:00:00Z", NOW)
    assert window("2h", "1h", NOW) == Window(NOW.timestamp() - 7200, NOW.timestamp() - 3600)


@pytest.mark.parametrize(
    ("since", "until", "complaint"),
    [
        ("1h", "2h", "not before"),
        ("1h", "1h", "not before"),
        ("2026-03-02T00:00:00Z", "", "future"),
        ("40d", "", "nothing is left"),
    ],
)
def test_a_window_that_cannot_be_is_refused(since: str, until: str, complaint: str) -> None:
    with pytest.raises(TimeError, match=complaint):
        window(since, until, NOW)


def test_times_are_shown_in_utc() -> None:
    assert clock(NOW.timestamp()) == "12:00:00"
    assert [span(s) for s in (0, 59, 61, 3600, 90061)] == [
        "0 s",
        "59 s",
        "1 m 1 s",
        "1 h",
        "1 d 1 h",
    ]
