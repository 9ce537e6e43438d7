"""Detectors: they find the periods in which the series of a signal were bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from alerts.incident import bad_periods
from alerts.incident.bad_periods import BadPeriod
from alerts.incident.prometheus_api import Prometheus, Series
from observability.catalog import Metric
from observability.promql.builders import select

SURGE = 4.0  # times as many requests as usual, ...
SURGE_LEAST = 20.0  # ... and so many a second more


@dataclass(frozen=True, slots=True)
class Scrapes:
    """What a detector may need besides the series: which scrapes there were.

    ``since`` and ``until`` are seconds of the epoch, ``times`` those of each (job, instance), and
    ``interval`` the seconds between two scrapes.
    """

    prometheus: Prometheus
    since: float
    until: float
    times: dict[tuple[str, str], list[float]]
    interval: float


Detector = Callable[[Sequence[Series], Scrapes], list[BadPeriod]]


def down(series: Sequence[Series], scrapes: Scrapes) -> list[BadPeriod]:
    """``up`` is 0, or there is no such target any more."""
    found = [p for one in series for p in bad_periods.equal(one, 0, scrapes.interval)]
    gone = bad_periods.absent(series, scrapes.until, scrapes.interval) if series else []
    return found + gone


def equals(value: float) -> Detector:
    """A gauge has this value."""
    return lambda series, scrapes: [
        p for one in series for p in bad_periods.equal(one, value, scrapes.interval)
    ]


def restarted(series: Sequence[Series], _: Scrapes) -> list[BadPeriod]:
    """The start time of a process changed."""
    return [p for one in series for p in bad_periods.restarts(one)]


def sum_above_zero(series: Sequence[Series], scrapes: Scrapes) -> list[BadPeriod]:
    """Any of the gauges of one server is above 0."""
    return bad_periods.above(bad_periods.summed(series), 0, scrapes.interval)


def above(limit: float) -> Detector:
    """A gauge is above the limit."""
    return lambda series, scrapes: [
        p for one in series for p in bad_periods.above(one, limit, scrapes.interval)
    ]


def surges(series: Sequence[Series], scrapes: Scrapes) -> list[BadPeriod]:
    """The counters of a replica increase far faster than usual."""
    found: list[BadPeriod] = []
    for of_instance in _by_instance(series):
        total = bad_periods.summed(of_instance)
        found += bad_periods.surges(total, SURGE, SURGE_LEAST, scrapes.interval)
    return found


def increases(series: Sequence[Series], scrapes: Scrapes) -> list[BadPeriod]:
    """A counter increases."""
    found: list[BadPeriod] = []
    for one in series:
        times = scrapes.times.get((one.label("job"), one.label("instance")), [])
        found += bad_periods.increases(one, times, scrapes.interval)
    return found


def mean_above(metric: Metric, limit: float, **wanted: str) -> Detector:
    """The mean of a histogram is above the limit; the series are its sums."""

    def detect(series: Sequence[Series], scrapes: Scrapes) -> list[BadPeriod]:
        counts = scrapes.prometheus.raw(
            select(metric, "count", **wanted), scrapes.since, scrapes.until
        )
        found: list[BadPeriod] = []
        for instance in {one.label("instance") for one in series}:
            total, count = (
                bad_periods.summed(one for one in several if one.label("instance") == instance)
                for several in (series, counts)
            )
            found += bad_periods.mean_above(total, count, limit, scrapes.interval)
        return found

    return detect


def _by_instance(series: Sequence[Series]) -> Iterator[list[Series]]:
    for instance in {one.label("instance") for one in series}:
        yield [one for one in series if one.label("instance") == instance]
