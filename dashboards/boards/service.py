"""One service by the four golden signals: traffic, errors, latency, saturation."""

from __future__ import annotations

from alerts.objectives import ERROR_RATIO_LIMIT, LATENCY_OBJECTIVE
from dashboards.board import Dashboard
from dashboards.boards import common
from dashboards.colours import RED
from dashboards.layout import Row
from dashboards.panels import limits, timeseries
from dashboards.queries import (
    CHOSEN,
    DATASOURCE_VARIABLE,
    ONE_SERVICE_VARIABLE,
    REPLICA_VARIABLE,
    Prom,
    quantile_or_gap,
    scoped_rate,
    share,
)
from observability import catalog as c
from observability.catalog import METHOD, ROUTE, SERVICE, STATUS
from observability.dashboard_uids import Board
from observability.promql.builders import matches, rate, total
from observability.promql.expr import Expr

QUANTILES = (0.5, 0.95, 0.99)


def _share(status: str) -> Expr:
    part = total(rate(c.HTTP_REQUESTS, status=matches(status), **CHOSEN), SERVICE)
    return share(part, scoped_rate(c.HTTP_REQUESTS, SERVICE))


TRAFFIC_ROW = Row(
    "Traffic and errors",
    (
        timeseries(
            "Requests by route",
            "Requests answered, by method and route template.",
            Prom(scoped_rate(c.HTTP_REQUESTS, METHOD, ROUTE), "{{method}} {{route}}"),
            unit="reqps",
            width=24,
            height=10,
        ),
        timeseries(
            "Requests by status",
            "Requests answered, by status.",
            Prom(scoped_rate(c.HTTP_REQUESTS, STATUS), "{{status}}"),
            unit="reqps",
        ),
        timeseries(
            "Errors",
            "Share of requests that ended in a 5xx; the line is where an alert pages.",
            Prom(_share("5.."), "{{service}}"),
            unit="percentunit",
            thresholds=limits((RED, ERROR_RATIO_LIMIT)),
        ),
        timeseries(
            "Client errors",
            "Share of requests that ended in a 4xx: clients that are wrong, or attacks.",
            Prom(_share("4.."), "{{service}}"),
            unit="percentunit",
        ),
    ),
    details=Board.HTTP,
)
LATENCY_ROW = Row(
    "Latency",
    (
        timeseries(
            "Duration",
            "Half, 95 % and 99 % of the requests were answered within this; the line is the "
            "simulator's timeout. A dot is a request with a trace: click it.",
            *(
                Prom(
                    quantile_or_gap(q, c.HTTP_DURATION, SERVICE, **CHOSEN),
                    f"{{{{service}}}} p{q * 100:g}",
                )
                for q in QUANTILES
            ),
            unit="s",
            thresholds=limits((RED, LATENCY_OBJECTIVE)),
            width=12,
        ),
        common.durations(c.HTTP_DURATION, "requests", 12, **CHOSEN),
    ),
    details=Board.HTTP,
)
SATURATION_ROW = Row(
    "Saturation",
    (
        common.in_flight(6),
        common.event_loop_lag(6),
        common.processor("Processor", 6),
        common.memory("Memory", 6),
    ),
    details=Board.HOSTS,
)
ONE_SERVICE = Dashboard(
    Board.SERVICE,
    "MiniTwit one service",
    "How does this service do, by the four golden signals?",
    "dashboards/boards/service.py",
    (TRAFFIC_ROW, LATENCY_ROW, SATURATION_ROW),
    (DATASOURCE_VARIABLE, ONE_SERVICE_VARIABLE, REPLICA_VARIABLE),
)
