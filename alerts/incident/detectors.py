"""How the series of a signal become the spans in which it was bad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerts.incident import bad_periods
from alerts.incident.bad_periods import Span
from alerts.incident.prometheus_api import Prometheus, Series
from observability.catalog import Metric
from observability.promql.builders import select

JUMP = 4.0  # times as many requests as usual, ...
JUMP_LEAST = 20.0  # ... and so many a second more


@dataclass(frozen=True, slots=True)
class Looked:
    """What a judgement may need besides: when targets were scraped, how often, until when."""

    prometheus: Prometheus
    since: float
    until: float
    scrapes: dict[tuple[str, str], list[float]]
    step: float


Judgement = Callable[[Sequence[Series], Looked], list[Span]]


def away(series: Sequence[Series], looked: Looked) -> list[Span]:
    """It does not answer, or is no target any more."""
    down = [span for one in series for span in bad_periods.equal(one, 0, looked.step)]
    return down + (bad_periods.vanished(series, looked.until, looked.step) if series else [])


def equals(value: float) -> Judgement:
    """A gauge has this value."""
    return lambda series, looked: [
        span for one in series for span in bad_periods.equal(one, value, looked.step)
    ]


def anew(series: Sequence[Series], _: Looked) -> list[Span]:
    """Its process started anew."""
    return [span for one in series for span in bad_periods.changed(one)]


def locked(series: Sequence[Series], looked: Looked) -> list[Span]:
    """Any of them, of one server, is above 0."""
    return bad_periods.above(bad_periods.summed(series), 0, looked.step)


def above(limit: float) -> Judgement:
    """A gauge is above the limit."""
    return lambda series, looked: [
        span for one in series for span in bad_periods.above(one, limit, looked.step)
    ]


def jumps(series: Sequence[Series], looked: Looked) -> list[Span]:
    """Far more is counted than usual, by replica."""
    found: list[Span] = []
    for instance in {one.label("instance") for one in series}:
        total = bad_periods.summed(one for one in series if one.label("instance") == instance)
        found += bad_periods.jumped(total, JUMP, JUMP_LEAST, looked.step)
    return found


def grows(series: Sequence[Series], looked: Looked) -> list[Span]:
    """A counter grows."""
    found: list[Span] = []
    for one in series:
        scrapes = looked.scrapes.get((one.label("job"), one.label("instance")), [])
        found += bad_periods.grown(one, scrapes, looked.step)
    return found


def slower(metric: Metric, limit: float, **wanted: str) -> Judgement:
    """The mean of a histogram, whose sums are the series that were asked for."""

    def judge(series: Sequence[Series], looked: Looked) -> list[Span]:
        counts = looked.prometheus.raw(
            select(metric, "count", **wanted), looked.since, looked.until
        )
        found: list[Span] = []
        for instance in {one.label("instance") for one in series}:
            total, count = (
                bad_periods.summed(one for one in several if one.label("instance") == instance)
                for several in (series, counts)
            )
            found += bad_periods.slow(total, count, limit, looked.step)
        return found

    return judge
