"""From samples to spans: nothing is said to be sharper than the scrapes are."""

from __future__ import annotations

import pytest

from alerts.incident import bad_periods
from alerts.incident.bad_periods import UNKNOWN, Span
from alerts.incident.prometheus_api import Samples, Series

STEP = 5.0


def series(*values: float | None, begin: float = 0, step: float = STEP) -> Series:
    samples: Samples = [(begin + step * n, v) for n, v in enumerate(values) if v is not None]
    return Series({"job": "api", "instance": "a"}, samples)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 1, 1), []),
        ((1, 0, 0, 1), [Span(0, 5, 10, 2)]),
        ((1, 0, 1, 1), [Span(0, 5, 5, 1)]),
        ((1, 0, 1, 0, 1), [Span(0, 5, 15, 2)]),  # a single good sample in between
        ((0, 0, 1), [Span(UNKNOWN, 0, 5, 2)]),
        ((1, None, None, 0, 0), [Span(0, 15, 20, 2)]),  # a gap makes the span wider, never later
    ],
)
def test_a_gauge_has_a_value(values: tuple[float | None, ...], expected: list[Span]) -> None:
    assert bad_periods.equal(series(*values), 0, STEP) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((3, 3, 3), []),
        ((3, 4, 6, 6, 6), [Span(0, 5, 10, 2)]),
        ((9, 9, 2, 2), [Span(5, 10, 10, 1)]),  # began anew, and has counted since
        ((9, 9, 0, 0), []),  # began anew
        ((None, None, 4, 4, 4, 4), [Span(5, 10, 10, 1)]),  # was not there, then counted
        ((None, None, 0, 0, 1, 2), [Span(15, 20, 25, 2)]),
    ],
)
def test_a_counter_grows(values: tuple[float | None, ...], expected: list[Span]) -> None:
    scrapes = [STEP * n for n in range(len(values))]
    assert bad_periods.grown(series(*values), scrapes, STEP) == expected


def test_a_counter_that_was_there_when_the_look_began_has_not_grown() -> None:
    assert bad_periods.grown(series(7, 7, 7), [0, 5, 10], STEP) == []


def test_a_start_is_as_sharp_as_the_process_says() -> None:
    assert bad_periods.changed(series(100, 100, 100)) == []
    late = Series({}, [(200, 100), (205, 203.5), (210, 203.5)])
    assert bad_periods.changed(late) == [Span(200, 203.5, 205, 1, sure=True)]


def test_a_clock_that_differs_makes_a_start_less_sharp() -> None:
    assert bad_periods.changed(Series({}, [(200, 100), (205, 190)])) == [
        Span(200, 205, 205, 1, sure=True)
    ]


def test_a_rate_jumps_over_the_usual() -> None:
    many = series(*(100 * n for n in range(10)), 2900, 3000)
    assert bad_periods.jumped(many, 4, 20, STEP) == [Span(45, 50, 50, 1)]
    assert bad_periods.jumped(series(0, 1, 2, 3, 40, 41), 4, 20, STEP) == [], (
        "too few to be a crowd"
    )


def test_a_mean_is_of_what_was_counted_between_two_scrapes() -> None:
    total, count = series(0, 0.1, 3.1, 6.1, 6.1), series(0, 10, 13, 16, 16)
    assert bad_periods.slow(total, count, 0.3, STEP) == [Span(5, 10, 15, 2)]


def test_a_target_that_is_gone_is_known_after_the_gap() -> None:
    replicas = [series(1, 1, 1), series(1, 1, 1, 1)]
    assert bad_periods.vanished(replicas, 60, STEP) == [
        Span(15, 15 + bad_periods.GAP * STEP, 60, 2)
    ]
    assert bad_periods.vanished([series(1, 1, 1), series(1, 1, begin=15)], 22, STEP) == []


def test_the_interval_is_the_median() -> None:
    assert bad_periods.interval([[0, 5, 10, 15], [2, 7, 12, 40]]) == 5
    assert bad_periods.interval([]) == 0
