"""When a signal was bad, from its samples: no more precise than scrapes.

A span begins after the last good sample and is known at its first bad one. It never says more
than the scrapes saw.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from alerts.incident.prometheus_api import Series

UNKNOWN = -math.inf  # there is no good sample before it
GAP = 2.5  # scrape intervals without a sample: then nothing is known in between


@dataclass(frozen=True, slots=True)
class Span:
    """Bad from some moment after ``begin``, seen at ``seen``; ``count`` samples were bad.

    ``sure``: one sample is enough, as of a start time.
    """

    begin: float
    seen: float
    last: float
    count: int
    sure: bool = False

    @property
    def brief(self) -> bool:
        """Whether a single sample says so, which may be a mistake."""
        return self.count < 2 and not self.sure


def times(series: Iterable[Series]) -> dict[tuple[str, str], list[float]]:
    """When each target was scraped: by job and instance, from the samples of ``up``."""
    return {
        (one.label("job"), one.label("instance")): [t for t, _ in one.samples] for one in series
    }


def interval(scrapes: Iterable[Sequence[float]]) -> float:
    """Seconds between two scrapes: the median over all targets; 0 if there are too few."""
    steps = sorted(b - a for one in scrapes for a, b in pairwise(one))
    return steps[len(steps) // 2] if steps else 0


def spans(judged: Sequence[tuple[float, bool]], step: float) -> list[Span]:
    """Return the bad spans in order of time; a single good sample ends none."""
    found: list[Span] = []
    good = UNKNOWN
    for t, bad in judged:
        if bad and found and t - found[-1].last <= 2.2 * step:
            found[-1] = Span(found[-1].begin, found[-1].seen, t, found[-1].count + 1)
        elif bad:
            found.append(Span(good, t, t, 1))
        else:
            good = t
    return found


def equal(series: Series, value: float, step: float) -> list[Span]:
    """While a gauge has this value."""
    return spans([(t, v == value) for t, v in series.samples], step)


def above(series: Series, limit: float, step: float) -> list[Span]:
    """While a gauge is above the limit."""
    return spans([(t, v > limit) for t, v in series.samples], step)


def changed(series: Series) -> list[Span]:
    """Each change of a start time: the process began anew at that very moment."""
    return [
        Span(t, value if t < value <= now else now, now, 1, sure=True)  # its clock may differ
        for (t, before), (now, value) in pairwise(series.samples)
        if value > before + 1
    ]


def grown(series: Series, scrapes: Sequence[float], step: float) -> list[Span]:
    """Return spans in which a counter grew; a new one has grown from 0."""
    judged = [
        (now, v > before if v >= before else v > 0)
        for (_, before), (now, v) in pairwise(series.samples)
    ]
    if series.samples:
        first, value = series.samples[0]
        place = bisect_left(scrapes, first - 0.001)
        judged.insert(0, (first, value > 0 and place > 0))
        if place > 0 and value > 0:
            judged.insert(0, (scrapes[place - 1], False))
    return spans(judged, step)


def jumped(series: Series, times: float, least: float, step: float) -> list[Span]:
    """While a counter grows ``times`` as fast as usual, and by ``least`` a second more."""
    rates = [
        (now, (v - before) / (now - t))
        for (t, before), (now, v) in pairwise(series.samples)
        if v >= before
    ]
    usual = sorted(rate for _, rate in rates)[len(rates) // 2] if rates else 0
    return spans([(t, rate > times * usual and rate > usual + least) for t, rate in rates], step)


def slow(total: Series, count: Series, limit: float, step: float) -> list[Span]:
    """Return spans in which the mean of a histogram exceeded the limit."""
    counts = dict(count.samples)
    judged: list[tuple[float, bool]] = []
    for (t, before), (now, value) in pairwise(total.samples):
        number = counts.get(now, 0) - counts.get(t, 0)
        judged.append((now, number > 0 and (value - before) / number > limit))
    return spans(judged, step)


def summed(series: Iterable[Series]) -> Series:
    """One series for several of the same target, whose samples are of the same scrapes."""
    values: dict[float, float] = {}
    for one in series:
        for t, v in one.samples:
            values[t] = values.get(t, 0) + v
    return Series({}, sorted(values.items()))


def vanished(replicas: Iterable[Series], until: float, step: float) -> list[Span]:
    """While no replica is a target any more, as of a container that was stopped."""
    known = sorted(t for one in replicas for t, _ in one.samples)
    return [
        Span(begin, begin + GAP * step, end, 2)
        for begin, end in pairwise([*known, until])
        if end - begin > GAP * step
    ]
