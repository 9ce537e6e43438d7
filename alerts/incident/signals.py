"""The signals that tell in which component an incident began: a table over the catalogue.

A *cause* can only come from the component itself. A *symptom* may also be caused by a dependency:
it tells when, never which component. *Load* says that a service may be overloaded by its clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from alerts.incident.detectors import (
    Detector,
    above,
    down,
    equals,
    increases,
    mean_above,
    restarted,
    sum_above_zero,
    surges,
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
from observability.promql.builders import matches, select
from observability.promql.expr import Expr

DATABASE, OUTSIDE, MONITORING = "database", "outside", "monitoring"
# A fault spreads from a component to those after it, never the other way.
DEPENDENCY_ORDER = (DATABASE, API, WEB, OUTSIDE)
SERVICES = (API, WEB)
MONITORING_JOBS = "prometheus|alertmanager|blackbox|node|loki|promtail|tempo|deadman"
EXCLUSIVE = "accessexclusivelock"
FAILED_OUTCOMES = "status_5xx|timeout|refused|reset|other"
IN_FLIGHT_LIMIT = (
    50.0  # requests at once in one replica; it is measured to serve ten of them in 50 ms
)
Kind = Literal["cause", "symptom", "load"]


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal of a component; ``detect`` finds the periods in which its series were bad."""

    component: str
    kind: Kind
    description: str
    series: Expr
    detect: Detector


def _service(name: str) -> tuple[Signal, ...]:
    """The signals that api and web both have."""
    lag = mean_above(EVENT_LOOP_LAG, LAG_LIMIT, service=name)
    late = mean_above(HTTP_DURATION, LATENCY_OBJECTIVE, service=name)
    return (
        Signal(name, "cause", f"{name} does not answer Prometheus", select(UP, job=name), down),
        Signal(name, "cause", f"{name} restarted", select(PROCESS_START, job=name), restarted),
        Signal(
            name, "symptom", f"{name} answers with a 5xx",
            select(HTTP_REQUESTS, service=name, status=matches("5..")), increases,
        ),
        Signal(
            name, "symptom", f"{name} answers slowly",
            select(HTTP_DURATION, "sum", service=name), late,
        ),
        Signal(
            name, "symptom", f"the event loop of {name} lags",
            select(EVENT_LOOP_LAG, "sum", service=name), lag,
        ),
    )  # fmt: skip


SIGNALS = (
    Signal(DATABASE, "cause", "PostgreSQL does not answer its exporter", select(PG_UP), equals(0)),
    Signal(
        DATABASE, "cause", "a session holds an exclusive lock",
        select(PG_LOCKS, mode=EXCLUSIVE), sum_above_zero,
    ),
    Signal(DATABASE, "cause", "PostgreSQL takes no more writes", select(PG_READ_ONLY), equals(1)),
    Signal(DATABASE, "symptom", "statements fail", select(DB_ERRORS), increases),
    Signal(
        DATABASE, "symptom", "statements are slow",
        select(DB_QUERY_DURATION, "sum"), mean_above(DB_QUERY_DURATION, QUERY_LIMIT),
    ),
    *_service(API),
    Signal(API, "symptom", "calls from web to api fail", select(UPSTREAM_ERRORS), increases),
    Signal(
        API, "symptom", "calls from web to api are slow",
        select(UPSTREAM_DURATION, "sum"), mean_above(UPSTREAM_DURATION, LATENCY_OBJECTIVE),
    ),
    *_service(WEB),
    Signal(OUTSIDE, "cause", "the reverse proxy does not answer", select(NGINX_UP), equals(0)),
    Signal(
        OUTSIDE, "cause", "the simulator does not answer Prometheus",
        select(UP, job=SIMULATOR), down,
    ),
    Signal(
        OUTSIDE, "symptom", "probes from outside fail",
        select(PROBE_SUCCESS, service=matches(f"{API}|{WEB}")), equals(0),
    ),
    Signal(
        OUTSIDE, "symptom", "the simulator gets no usable response",
        select(SIMULATOR_ACTIONS, outcome=matches(FAILED_OUTCOMES)), increases,
    ),
    Signal(
        OUTSIDE, "load", "many requests are served at once",
        select(HTTP_IN_PROGRESS), above(IN_FLIGHT_LIMIT),
    ),
    Signal(
        OUTSIDE, "load", "far more requests come than usual",
        select(HTTP_DURATION, "count"), surges,
    ),
    Signal(
        OUTSIDE, "load", "many passwords wait to be hashed",
        select(HASHES_WAITING), above(HASHES_LIMIT),
    ),
    Signal(
        MONITORING, "cause", "a part of the monitoring does not answer",
        select(UP, job=matches(MONITORING_JOBS)), down,
    ),
)  # fmt: skip
# Series that tell whether a component was observed: without them,
# the absence of anomalies proves nothing.
COVERAGE = {
    DATABASE: select(PG_UP),
    API: select(UP, job=API),
    WEB: select(UP, job=WEB),
    OUTSIDE: select(PROBE_SUCCESS),
}
