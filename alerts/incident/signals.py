"""The signals that tell which component moved first: a table over the catalogue.

``OWN`` signals can only come from the component itself. A ``FELT`` signal may as well be caused
by what the component depends on: it tells when, never who.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from alerts.incident import spans
from alerts.incident.ask import Prometheus, Series
from alerts.incident.spans import Span
from alerts.objectives import LAG_LIMIT, LATENCY_OBJECTIVE, QUERY_LIMIT
from observability.catalog import (
    API,
    DB_ERRORS,
    DB_QUERY_DURATION,
    EVENT_LOOP_LAG,
    HTTP_DURATION,
    HTTP_REQUESTS,
    SIMULATOR,
    SIMULATOR_ACTIONS,
    UPSTREAM_DURATION,
    UPSTREAM_ERRORS,
    WEB,
    Metric,
)
from observability.exporters import NGINX_UP, PG_UP, PROBE_SUCCESS, PROCESS_START, UP
from observability.external import PG_LOCKS, PG_READ_ONLY
from observability.promql.builders import Matcher, matches, select
from observability.promql.expr import Expr

DATABASE, OUTSIDE, MONITORING = "database", "outside", "monitoring"
# A fault goes from a component to those that come after it, never the other way.
ORDER = (DATABASE, API, WEB, OUTSIDE)
WATCHERS = "prometheus|alertmanager|blackbox|node|loki|promtail|tempo|deadman"
EXCLUSIVE = "accessexclusivelock"
Kind = Literal["own", "felt"]


@dataclass(frozen=True, slots=True)
class Signal:
    """``words`` say what it is about; ``judge`` makes spans of its series and the scrapes."""

    component: str
    kind: Kind
    words: str
    series: Expr
    judge: Callable[[Sequence[Series], Looked], list[Span]]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a judgement may need besides: when targets were scraped, how often, until when."""

    prometheus: Prometheus
    since: float
    until: float
    scrapes: dict[tuple[str, str], list[float]]
    step: float


def _away(series: Sequence[Series], looked: Looked) -> list[Span]:
    down = [span for one in series for span in spans.equal(one, 0, looked.step)]
    return down + (spans.vanished(series, looked.until, looked.step) if series else [])


def _is(value: float) -> Callable[[Sequence[Series], Looked], list[Span]]:
    return lambda series, looked: [
        span for one in series for span in spans.equal(one, value, looked.step)
    ]


def _anew(series: Sequence[Series], _: Looked) -> list[Span]:
    return [span for one in series for span in spans.changed(one)]


def _locked(series: Sequence[Series], looked: Looked) -> list[Span]:
    return spans.above(spans.summed(series), 0, looked.step)


def _grows(series: Sequence[Series], looked: Looked) -> list[Span]:
    found: list[Span] = []
    for one in series:
        scrapes = looked.scrapes.get((one.label("job"), one.label("instance")), [])
        found += spans.grown(one, scrapes, looked.step)
    return found


def _slower(
    metric: Metric, limit: float, **wanted: str
) -> Callable[[Sequence[Series], Looked], list[Span]]:
    """The mean of a histogram, whose sums are the series that were asked for."""

    def judge(series: Sequence[Series], looked: Looked) -> list[Span]:
        counts = looked.prometheus.raw(
            select(metric, "count", **wanted), looked.since, looked.until
        )
        found: list[Span] = []
        for instance in {one.label("instance") for one in series}:
            total, count = (
                spans.summed(one for one in several if one.label("instance") == instance)
                for several in (series, counts)
            )
            found += spans.slow(total, count, limit, looked.step)
        return found

    return judge


def _service(name: str) -> tuple[Signal, ...]:
    """What is looked at in api and in web alike."""
    lag = _slower(EVENT_LOOP_LAG, LAG_LIMIT, service=name)
    late = _slower(HTTP_DURATION, LATENCY_OBJECTIVE, service=name)
    return (
        Signal(name, "own", f"{name} does not answer Prometheus", select(UP, job=name), _away),
        Signal(name, "own", f"{name} began anew", select(PROCESS_START, job=name), _anew),
        Signal(
            name, "felt", f"{name} answers with a 5xx",
            select(HTTP_REQUESTS, service=name, status=matches("5..")), _grows,
        ),
        Signal(
            name, "felt", f"{name} answers slowly",
            select(HTTP_DURATION, "sum", service=name), late,
        ),
        Signal(
            name, "felt", f"the event loop of {name} is late",
            select(EVENT_LOOP_LAG, "sum", service=name), lag,
        ),
    )  # fmt: skip


def _not_ok(outcome: str = "status_5xx|timeout|refused|reset|other") -> Matcher:
    return matches(outcome)


SIGNALS = (
    Signal(DATABASE, "own", "PostgreSQL does not answer its exporter", select(PG_UP), _is(0)),
    Signal(
        DATABASE, "own", "a session holds an exclusive lock",
        select(PG_LOCKS, mode=EXCLUSIVE), _locked,
    ),
    Signal(DATABASE, "own", "PostgreSQL takes no more writes", select(PG_READ_ONLY), _is(1)),
    Signal(DATABASE, "felt", "statements fail", select(DB_ERRORS), _grows),
    Signal(
        DATABASE, "felt", "statements are slow",
        select(DB_QUERY_DURATION, "sum"), _slower(DB_QUERY_DURATION, QUERY_LIMIT),
    ),
    *_service(API),
    Signal(API, "felt", "calls from web to api fail", select(UPSTREAM_ERRORS), _grows),
    Signal(
        API, "felt", "calls from web to api are slow",
        select(UPSTREAM_DURATION, "sum"), _slower(UPSTREAM_DURATION, LATENCY_OBJECTIVE),
    ),
    *_service(WEB),
    Signal(OUTSIDE, "own", "the reverse proxy does not answer", select(NGINX_UP), _is(0)),
    Signal(
        OUTSIDE, "own", "the simulator does not answer Prometheus",
        select(UP, job=SIMULATOR), _away,
    ),
    Signal(
        OUTSIDE, "felt", "probes from outside fail",
        select(PROBE_SUCCESS, service=matches(f"{API}|{WEB}")), _is(0),
    ),
    Signal(
        OUTSIDE, "felt", "the simulator gets no usable response",
        select(SIMULATOR_ACTIONS, outcome=_not_ok()), _grows,
    ),
    Signal(
        MONITORING, "own", "a part of the monitoring does not answer",
        select(UP, job=matches(WATCHERS)), _away,
    ),
)  # fmt: skip
# That there is news of a component at all: without it, that nothing moved says nothing.
NEWS = {
    DATABASE: select(PG_UP),
    API: select(UP, job=API),
    WEB: select(UP, job=WEB),
    OUTSIDE: select(PROBE_SUCCESS),
}
