"""When a signal was bad, from its samples: no more precise than the scrapes.

A bad period begins at an unknown moment between its last good sample and its first bad one.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from alerts.incident.prometheus_api import Series

NO_SAMPLE = -math.inf  # there is no good sample before it
GAP = 2.5  # scrape intervals without a sample: then nothing is known in between
MERGE = 2.2  # scrape intervals: one good sample between two bad ones does not end a period


@dataclass(frozen=True, slots=True)
class BadPeriod:
    """Bad since some moment between ``last_good`` and ``first_bad``, until ``last_bad``.

    All are seconds of the epoch. ``bad_samples`` counts the samples. ``certain``: one sample is
    enough, for example a start time.
    """

    last_good: float
    first_bad: float
    last_bad: float
    bad_samples: int
    certain: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether it rests on a single sample, which may be a failed scrape."""
        return self.bad_samples < 2 and not self.certain


def scrape_times(series: Iterable[Series]) -> dict[tuple[str, str], list[float]]:
    """When each target was scraped: by job and instance, from the samples of ``up``."""
    return {
        (one.label("job"), one.label("instance")): [t for t, _ in one.samples] for one in series
    }


def scrape_interval(scrapes: Iterable[Sequence[float]]) -> float:
    """Seconds between two scrapes: the median over all targets; 0 if there are too few."""
    steps = sorted(b - a for one in scrapes for a, b in pairwise(one))
    return steps[len(steps) // 2] if steps else 0


def periods(judged: Sequence[tuple[float, bool]], step: float) -> list[BadPeriod]:
    """Join (time, is bad) to periods in order of time; ``step`` is the scrape interval."""
    found: list[BadPeriod] = []
    good = NO_SAMPLE
    for t, bad in judged:
        if bad and found and t - found[-1].last_bad <= MERGE * step:
            one = found[-1]
            found[-1] = BadPeriod(one.last_good, one.first_bad, t, one.bad_samples + 1)
        elif bad:
            found.append(BadPeriod(good, t, t, 1))
        else:
            good = t
    return found


def equal(series: Series, value: float, step: float) -> list[BadPeriod]:
    """While a gauge has this value."""
    return periods([(t, v == value) for t, v in series.samples], step)


def above(series: Series, limit: float, step: float) -> list[BadPeriod]:
    """While a gauge is above the limit."""
    return periods([(t, v > limit) for t, v in series.samples], step)


def restarts(series: Series) -> list[BadPeriod]:
    """Each change of a start time: the process restarted at that moment."""
    return [
        # The process's clock may differ from Prometheus's.
        BadPeriod(t, value if t < value <= now else now, now, 1, certain=True)
        for (t, before), (now, value) in pairwise(series.samples)
        if value > before + 1
    ]


def increases(series: Series, scrapes: Sequence[float], step: float) -> list[BadPeriod]:
    """While a counter increases; one that appears later than its target increased from 0."""
    judged = [
        (now, v > before if v >= before else v > 0)
        for (_, before), (now, v) in pairwise(series.samples)
    ]
    if series.samples:
        first, value = series.samples[0]
        index = bisect_left(scrapes, first - 0.001)
        judged.insert(0, (first, value > 0 and index > 0))
        if index > 0 and value > 0:
            judged.insert(0, (scrapes[index - 1], False))
    return periods(judged, step)


def surges(series: Series, times: float, least: float, step: float) -> list[BadPeriod]:
    """While the rate of a counter exceeds ``times`` its median, and by ``least`` a second."""
    rates = [
        (now, (v - before) / (now - t))
        for (t, before), (now, v) in pairwise(series.samples)
        if v >= before
    ]
    usual = sorted(rate for _, rate in rates)[len(rates) // 2] if rates else 0
    return periods([(t, rate > times * usual and rate > usual + least) for t, rate in rates], step)


def mean_above(total: Series, count: Series, limit: float, step: float) -> list[BadPeriod]:
    """While the mean of a histogram exceeds the limit; ``total`` is its sum."""
    counts = dict(count.samples)
    judged: list[tuple[float, bool]] = []
    for (t, before), (now, value) in pairwise(total.samples):
        number = counts.get(now, 0) - counts.get(t, 0)
        judged.append((now, number > 0 and (value - before) / number > limit))
    return periods(judged, step)


def summed(series: Iterable[Series]) -> Series:
    """Add up several series of the same target, whose samples are of the same scrapes."""
    values: dict[float, float] = {}
    for one in series:
        for t, v in one.samples:
            values[t] = values.get(t, 0) + v
    return Series({}, sorted(values.items()))


def absent(replicas: Iterable[Series], until: float, step: float) -> list[BadPeriod]:
    """While no replica is a target any more, for example because its container was stopped."""
    known = sorted(t for one in replicas for t, _ in one.samples)
    return [
        BadPeriod(begin, begin + GAP * step, end, 2)
        for begin, end in pairwise([*known, until])
        if end - begin > GAP * step
    ]
