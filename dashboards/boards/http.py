"""Rate, errors and duration (RED) of both services, by route and replica."""

from __future__ import annotations

from alerts.objectives import ERROR_RATIO_LIMIT, LATENCY_OBJECTIVE
from dashboards.board import Dashboard
from dashboards.boards import common
from dashboards.colours import RED
from dashboards.layout import Row
from dashboards.links import from_row
from dashboards.panels import limits, table, timeseries
from dashboards.queries import (
    CHOSEN,
    ROUTE_VARIABLE,
    VARIABLES,
    Prom,
    quantile_or_gap,
    quantile_over_range,
    scoped_gauge,
    scoped_rate,
    share,
)
from dashboards.tables import Column
from observability import catalog as c
from observability.catalog import METHOD, OPERATION, ROUTE, SERVICE, STATUS, Label
from observability.dashboard_uids import Board
from observability.promql.builders import (
    RANGE,
    Matcher,
    aggregate,
    increase,
    matches,
    rate,
    total,
)
from observability.promql.expr import Expr

CHOSEN_ROUTE: dict[str, str | Matcher] = {**CHOSEN, "route": matches("$route")}


def _requests(*by: Label, **wanted: str | Matcher) -> Expr:
    return total(rate(c.HTTP_REQUESTS, **CHOSEN_ROUTE, **wanted), *by)


def _share(status: str, *by: Label) -> Expr:
    return share(_requests(*by, status=matches(status)), _requests(*by))


def _increase(*by: Label, **wanted: str | Matcher) -> Expr:
    return total(increase(c.HTTP_REQUESTS, RANGE, **CHOSEN_ROUTE, **wanted), *by)


OF_ROUTE = (SERVICE, ROUTE)
ROUTES_ROW = Row(
    "Routes in the time shown",
    (
        table(
            "Routes",
            "Every route that was called: how often, how it ended and how long it took.",
            Prom(_increase(*OF_ROUTE) > 0, "", instant=True, table=True),
            *(
                Prom(
                    share(_increase(*OF_ROUTE, status=matches(status)), _increase(*OF_ROUTE)),
                    "",
                    instant=True,
                    table=True,
                )
                for status in ("5..", "4..")
            ),
            Prom(
                quantile_over_range(0.95, c.HTTP_DURATION, *OF_ROUTE, **CHOSEN_ROUTE),
                "",
                instant=True,
                table=True,
            ),
            columns=(
                Column("service", "Service", width=100, links=(from_row(Board.SERVICE),)),
                Column("route", "Route"),
                Column("Value #A", "Requests", unit="locale", decimals=0, width=120),
                Column(
                    "Value #B",
                    "Server errors",
                    unit="percentunit",
                    width=130,
                    thresholds=tuple(limits((RED, ERROR_RATIO_LIMIT))),
                ),
                Column("Value #C", "Client errors", unit="percentunit", width=130),
                Column(
                    "Value #D",
                    "95 % within",
                    unit="s",
                    width=130,
                    thresholds=tuple(limits((RED, LATENCY_OBJECTIVE))),
                ),
            ),
            sort=(("Server errors", True), ("95 % within", True)),
            width=24,
            height=10,
        ),
    ),
)


RATE_ROW = Row(
    "Rate and errors",
    (
        timeseries(
            "Requests by route",
            "Requests answered, by method and route template; what nobody serves is 'unmatched'.",
            Prom(_requests(METHOD, ROUTE), "{{method}} {{route}}"),
            unit="reqps",
            width=24,
        ),
        timeseries(
            "Requests by status",
            "Requests answered, by status.",
            Prom(_requests(STATUS), "{{status}}"),
            unit="reqps",
            width=12,
        ),
        common.by_replica(
            "Requests by replica",
            "Requests answered by each replica: uneven lines mean an uneven load.",
            _requests(*common.OF_REPLICA),
            unit="reqps",
            width=12,
        ),
        timeseries(
            "Errors by route",
            "Share of a route's requests that ended in a 5xx; the line is where an alert pages.",
            Prom(_share("5..", ROUTE), "{{route}}"),
            unit="percentunit",
            thresholds=limits((RED, ERROR_RATIO_LIMIT)),
            width=12,
        ),
        timeseries(
            "Client errors by route",
            "Share of a route's requests that ended in a 4xx: clients that are wrong, or attacks.",
            Prom(_share("4..", ROUTE), "{{route}}"),
            unit="percentunit",
            width=12,
        ),
    ),
)
DURATION_ROW = Row(
    "Duration",
    (
        timeseries(
            "Duration by route",
            "95 % of a route's requests were answered within this; the line is the simulator's "
            "timeout. A dot is a request with a trace: click it.",
            Prom(quantile_or_gap(0.95, c.HTTP_DURATION, ROUTE, **CHOSEN_ROUTE), "{{route}}"),
            unit="s",
            thresholds=limits((RED, LATENCY_OBJECTIVE)),
            width=12,
        ),
        common.by_replica(
            "Duration by replica",
            "99 % of a replica's requests were answered within this.",
            quantile_or_gap(0.99, c.HTTP_DURATION, *common.OF_REPLICA, **CHOSEN_ROUTE),
            unit="s",
            thresholds=limits((RED, LATENCY_OBJECTIVE)),
            width=12,
        ),
        common.durations(c.HTTP_DURATION, "requests", 12, **CHOSEN_ROUTE),
        common.in_flight(12),
    ),
)
UPSTREAM_ROW = Row(
    "Calls from web to api",
    (
        timeseries(
            "Upstream call duration",
            "95 % of the calls were answered within this, by what they were for.",
            Prom(quantile_or_gap(0.95, c.UPSTREAM_DURATION, OPERATION), "{{operation}}"),
            unit="s",
            thresholds=limits((RED, LATENCY_OBJECTIVE)),
            width=12,
        ),
        timeseries(
            "Failed upstream calls",
            "Calls that brought no usable response, by reason.",
            Prom(scoped_rate(c.UPSTREAM_ERRORS, Label("reason")), "{{reason}}"),
            unit="ops",
            width=12,
        ),
    ),
)
LAG_ROW = Row(
    "Runtime",
    (
        common.event_loop_lag(12),
        timeseries(
            "Replicas ready",
            "Replicas that say they can serve, by service.",
            Prom(aggregate("sum", scoped_gauge(c.READY, SERVICE), SERVICE), "{{service}}"),
            unit="short",
            width=12,
        ),
    ),
)
HTTP = Dashboard(
    Board.HTTP,
    "MiniTwit HTTP",
    "Which route or replica is slow or failing?",
    "dashboards/boards/http.py",
    (ROUTES_ROW, RATE_ROW, DURATION_ROW, UPSTREAM_ROW, LAG_ROW),
    (*VARIABLES, ROUTE_VARIABLE),
)
