"""Durations shrink together, but never below what can be judged."""

from __future__ import annotations

import pytest

from observability.time_scale import TimeScale, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.25, "250ms"), (5, "5s"), (90, "1m30s"), (3600, "1h"), (259_200, "3d")],
)
def test_spelling(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("scale", "window", "wait", "scrape"),
    [(1, "5m", "2m", 5), (2, "2m30s", "1m", 2.5), (60, "8s", "12s", 2), (1000, "8s", "12s", 2)],
)
def test_pace(scale: float, window: str, wait: str, scrape: float) -> None:
    time_scale = TimeScale(scale)
    assert (time_scale.window(300), time_scale.for_duration(120)) == (window, wait)
    assert time_scale.scrape_interval == scrape
    assert time_scale.evaluation_interval == max(5 / scale, 1)


def test_the_watchdog_is_not_missed_between_two_of_its_messages() -> None:
    assert (TimeScale().deadman_timeout(120), TimeScale(360).deadman_timeout(120)) == (120, 8)


def test_a_range_holds_four_scrapes_in_production_too() -> None:
    assert TimeScale().window(5) == "20s"
    assert TimeScale().for_duration(5) == "10s"


@pytest.mark.parametrize("scale", [0, -1, 0.99, float("nan")])
def test_time_cannot_be_stretched(scale: float) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        TimeScale(scale)
