"""From samples to bad periods: no more precise than the scrapes."""

from __future__ import annotations

import pytest

from alerts.incident import bad_periods
from alerts.incident.bad_periods import NO_SAMPLE, BadPeriod
from alerts.incident.prometheus_api import Samples, Series

STEP = 5.0


def series(*values: float | None, begin: float = 0, step: float = STEP) -> Series:
    samples: Samples = [(begin + step * n, v) for n, v in enumerate(values) if v is not None]
    return Series({"job": "api", "instance": "a"}, samples)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 1, 1), []),
        ((1, 0, 0, 1), [BadPeriod(0, 5, 10, 2)]),
        ((1, 0, 1, 1), [BadPeriod(0, 5, 5, 1)]),
        ((1, 0, 1, 0, 1), [BadPeriod(0, 5, 15, 2)]),  # a single good sample in between
        ((0, 0, 1), [BadPeriod(NO_SAMPLE, 0, 5, 2)]),
        (
            (1, None, None, 0, 0),
            [BadPeriod(0, 15, 20, 2)],
        ),  # a gap makes the onset less precise, never later
    ],
)
def test_a_gauge_has_a_value(values: tuple[float | None, ...], expected: list[BadPeriod]) -> None:
    assert bad_periods.equal(series(*values), 0, STEP) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((3, 3, 3), []),
        ((3, 4, 6, 6, 6), [BadPeriod(0, 5, 10, 2)]),
        ((9, 9, 2, 2), [BadPeriod(5, 10, 10, 1)]),  # restarted, and has counted since
        ((9, 9, 0, 0), []),  # restarted
        ((None, None, 4, 4, 4, 4), [BadPeriod(5, 10, 10, 1)]),  # was not there, then counted
        ((None, None, 0, 0, 1, 2), [BadPeriod(15, 20, 25, 2)]),
    ],
)
def test_a_counter_increases(values: tuple[float | None, ...], expected: list[BadPeriod]) -> None:
    scrapes = [STEP * n for n in range(len(values))]
    assert bad_periods.increases(series(*values), scrapes, STEP) == expected


def test_a_counter_that_was_there_at_the_beginning_has_not_increased() -> None:
    assert bad_periods.increases(series(7, 7, 7), [0, 5, 10], STEP) == []


def test_a_restart_is_as_precise_as_the_start_time() -> None:
    assert bad_periods.restarts(series(100, 100, 100)) == []
    late = Series({}, [(200, 100), (205, 203.5), (210, 203.5)])
    assert bad_periods.restarts(late) == [BadPeriod(200, 203.5, 205, 1, certain=True)]


def test_clock_skew_makes_a_restart_less_precise() -> None:
    assert bad_periods.restarts(Series({}, [(200, 100), (205, 190)])) == [
        BadPeriod(200, 205, 205, 1, certain=True)
    ]


def test_a_rate_surges_over_the_usual() -> None:
    many = series(*(100 * n for n in range(10)), 2900, 3000)
    assert bad_periods.surges(many, 4, 20, STEP) == [BadPeriod(45, 50, 50, 1)]
    assert bad_periods.surges(series(0, 1, 2, 3, 40, 41), 4, 20, STEP) == [], (
        "too few requests for a surge"
    )


def test_a_mean_is_of_what_was_counted_between_two_scrapes() -> None:
    total, count = series(0, 0.1, 3.1, 6.1, 6.1), series(0, 10, 13, 16, 16)
    assert bad_periods.mean_above(total, count, 0.3, STEP) == [BadPeriod(5, 10, 15, 2)]


def test_an_absent_target_is_known_after_the_gap() -> None:
    replicas = [series(1, 1, 1), series(1, 1, 1, 1)]
    assert bad_periods.absent(replicas, 60, STEP) == [
        BadPeriod(15, 15 + bad_periods.GAP * STEP, 60, 2)
    ]
    assert bad_periods.absent([series(1, 1, 1), series(1, 1, begin=15)], 22, STEP) == []


def test_the_scrape_interval_is_the_median() -> None:
    assert bad_periods.scrape_interval([[0, 5, 10, 15], [2, 7, 12, 40]]) == 5
    assert bad_periods.scrape_interval([]) == 0
