"""The signals that tell which component moved first: a table over the catalogue.

An *own* signal can only come from the component itself. A *felt* signal may as well be caused by
what the component depends on: it tells when, never who. A *load* signal says that a service may be
in trouble because of what it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from alerts.incident.detectors import (
    Judgement,
    above,
    anew,
    away,
    equals,
    grows,
    jumps,
    locked,
    slower,
)
from alerts.objectives import HASHES_LIMIT, LAG_LIMIT, LATENCY_OBJECTIVE, QUERY_LIMIT
from observability.catalog import (
    API,
    DB_ERRORS,
    DB_QUERY_DURATION,
    EVENT_LOOP_LAG,
    HASHES_WAITING,
    HTTP_DURATION,
    HTTP_IN_PROGRESS,
    HTTP_REQUESTS,
    SIMULATOR,
    SIMULATOR_ACTIONS,
    UPSTREAM_DURATION,
    UPSTREAM_ERRORS,
    WEB,
)
from observability.exporters import (
    NGINX_UP,
    PG_LOCKS,
    PG_READ_ONLY,
    PG_UP,
    PROBE_SUCCESS,
    PROCESS_START,
    UP,
)
from observability.promql.builders import Matcher, matches, select
from observability.promql.expr import Expr

DATABASE, OUTSIDE, MONITORING = "database", "outside", "monitoring"
# A fault goes from a component to those that come after it, never the other way.
ORDER = (DATABASE, API, WEB, OUTSIDE)
SERVICES = (API, WEB)
WATCHERS = "prometheus|alertmanager|blackbox|node|loki|promtail|tempo|deadman"
EXCLUSIVE = "accessexclusivelock"
CROWD = 50.0  # requests at once in one replica; it is measured to serve ten of them in 50 ms
Kind = Literal["own", "felt", "load"]


@dataclass(frozen=True, slots=True)
class Signal:
    """``words`` say what it is about; ``judge`` makes spans of its series and the scrapes."""

    component: str
    kind: Kind
    words: str
    series: Expr
    judge: Judgement


def _service(name: str) -> tuple[Signal, ...]:
    """What is looked at in api and in web alike."""
    lag = slower(EVENT_LOOP_LAG, LAG_LIMIT, service=name)
    late = slower(HTTP_DURATION, LATENCY_OBJECTIVE, service=name)
    return (
        Signal(name, "own", f"{name} does not answer Prometheus", select(UP, job=name), away),
        Signal(name, "own", f"{name} began anew", select(PROCESS_START, job=name), anew),
        Signal(
            name, "felt", f"{name} answers with a 5xx",
            select(HTTP_REQUESTS, service=name, status=matches("5..")), grows,
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
    Signal(DATABASE, "own", "PostgreSQL does not answer its exporter", select(PG_UP), equals(0)),
    Signal(
        DATABASE, "own", "a session holds an exclusive lock",
        select(PG_LOCKS, mode=EXCLUSIVE), locked,
    ),
    Signal(DATABASE, "own", "PostgreSQL takes no more writes", select(PG_READ_ONLY), equals(1)),
    Signal(DATABASE, "felt", "statements fail", select(DB_ERRORS), grows),
    Signal(
        DATABASE, "felt", "statements are slow",
        select(DB_QUERY_DURATION, "sum"), slower(DB_QUERY_DURATION, QUERY_LIMIT),
    ),
    *_service(API),
    Signal(API, "felt", "calls from web to api fail", select(UPSTREAM_ERRORS), grows),
    Signal(
        API, "felt", "calls from web to api are slow",
        select(UPSTREAM_DURATION, "sum"), slower(UPSTREAM_DURATION, LATENCY_OBJECTIVE),
    ),
    *_service(WEB),
    Signal(OUTSIDE, "own", "the reverse proxy does not answer", select(NGINX_UP), equals(0)),
    Signal(
        OUTSIDE, "own", "the simulator does not answer Prometheus",
        select(UP, job=SIMULATOR), away,
    ),
    Signal(
        OUTSIDE, "felt", "probes from outside fail",
        select(PROBE_SUCCESS, service=matches(f"{API}|{WEB}")), equals(0),
    ),
    Signal(
        OUTSIDE, "felt", "the simulator gets no usable response",
        select(SIMULATOR_ACTIONS, outcome=_not_ok()), grows,
    ),
    Signal(
        OUTSIDE, "load", "many requests are served at once",
        select(HTTP_IN_PROGRESS), above(CROWD),
    ),
    Signal(
        OUTSIDE, "load", "far more requests come than usual",
        select(HTTP_DURATION, "count"), jumps,
    ),
    Signal(
        OUTSIDE, "load", "many passwords wait to be hashed",
        select(HASHES_WAITING), above(HASHES_LIMIT),
    ),
    Signal(
        MONITORING, "own", "a part of the monitoring does not answer",
        select(UP, job=matches(WATCHERS)), away,
    ),
)  # fmt: skip
# That there is news of a component at all: without it, that nothing moved says nothing.
NEWS = {
    DATABASE: select(PG_UP),
    API: select(UP, job=API),
    WEB: select(UP, job=WEB),
    OUTSIDE: select(PROBE_SUCCESS),
}
