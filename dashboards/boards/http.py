"""The two services as HTTP: rate, errors and duration, route by route and replica by replica."""

from __future__ import annotations

from alerts.objectives import ERROR_RATIO_LIMIT, LATENCY_OBJECTIVE
from dashboards.board import Dashboard
from dashboards.layout import Row
from dashboards.panels import RED, heatmap, limits, timeseries
from dashboards.queries import CHOSEN, ROUTE_VARIABLE, VARIABLES, Prom, held
from observability import catalog as c
from observability.catalog import INSTANCE, METHOD, ROUTE, SERVICE, STATUS, Label
from observability.conventions import Board
from observability.promql.builders import (
    LE,
    RATE_INTERVAL,
    Matcher,
    aggregate,
    matches,
    quantile,
    rate,
    ratio,
    top,
    total,
)
from observability.promql.expr import Expr

HERE: dict[str, str | Matcher] = {**CHOSEN, "route": matches("$route")}
SLOWEST = 5


def _requests(*by: Label, **wanted: str | Matcher) -> Expr:
    return total(rate(c.HTTP_REQUESTS, **HERE, **wanted), *by)


def _share(status: str, *by: Label) -> Expr:
    return ratio(_requests(*by, status=matches(status)), _requests(*by))


def _mean(*by: Label) -> Expr:
    spent = total(rate(c.HTTP_DURATION, RATE_INTERVAL, "sum", **HERE), *by)
    return spent / total(rate(c.HTTP_DURATION, RATE_INTERVAL, "count", **HERE), *by)


RATE_ROW = Row(
    "Rate and errors",
    (
        timeseries(
            "Requests by route",
            "Requests answered, by method and route template; what nobody serves is 'unmatched'.",
            Prom(_requests(METHOD, ROUTE), "{{method}} {{route}}"),
            unit="reqps",
        ),
        timeseries(
            "Requests by status",
            "Requests answered, by status.",
            Prom(_requests(STATUS), "{{status}}"),
            unit="reqps",
        ),
        timeseries(
            "Requests by replica",
            "Requests answered by each replica: uneven lines mean an uneven load.",
            Prom(_requests(SERVICE, INSTANCE), "{{service}} {{instance}}"),
            unit="reqps",
        ),
        timeseries(
            "Errors by route",
            "Share of a route's requests that ended in a 5xx; the line is where someone is called.",
            Prom(_share("5..", ROUTE), "{{route}}"),
            unit="percentunit",
            limit=limits((RED, ERROR_RATIO_LIMIT)),
        ),
        timeseries(
            "Refused by route",
            "Share of a route's requests that ended in a 4xx: clients that are wrong, or attacks.",
            Prom(_share("4..", ROUTE), "{{route}}"),
            unit="percentunit",
        ),
        timeseries(
            "Most failing routes",
            "The routes with the most 5xx answers of all at each moment.",
            Prom(top(SLOWEST, _share("5..", SERVICE, ROUTE)), "{{service}} {{route}}"),
            unit="percentunit",
        ),
    ),
)
DURATION_ROW = Row(
    "Duration",
    (
        timeseries(
            "Duration by route",
            "95 % of a route's requests were answered within this; the line is where the simulator "
            "gives up. A dot is a request with a trace: click it.",
            Prom(quantile(0.95, c.HTTP_DURATION, ROUTE, **HERE), "{{route}}"),
            unit="s",
            limit=limits((RED, LATENCY_OBJECTIVE)),
        ),
        timeseries(
            "Duration by replica",
            "99 % of a replica's requests were answered within this.",
            Prom(
                quantile(0.99, c.HTTP_DURATION, SERVICE, INSTANCE, **HERE),
                "{{service}} {{instance}}",
            ),
            unit="s",
            limit=limits((RED, LATENCY_OBJECTIVE)),
        ),
        heatmap(
            "Durations",
            "How many requests a second took how long: two bands are two kinds of requests.",
            Prom(
                total(rate(c.HTTP_DURATION, RATE_INTERVAL, "bucket", **HERE), LE),
                "{{le}}",
                heatmap=True,
            ),
        ),
        timeseries(
            "Slowest routes",
            "The routes with the highest mean duration at each moment.",
            Prom(top(SLOWEST, _mean(SERVICE, ROUTE)), "{{service}} {{route}}"),
            unit="s",
            limit=limits((RED, LATENCY_OBJECTIVE)),
            width=12,
        ),
        timeseries(
            "In progress",
            "Requests being served at this moment: it climbs when answers stall.",
            Prom(held(c.HTTP_IN_PROGRESS, SERVICE, INSTANCE), "{{service}} {{instance}}"),
            unit="short",
            width=12,
        ),
    ),
)
LAG_ROW = Row(
    "What every request waits for",
    (
        timeseries(
            "Event-loop lag",
            "99 % of timers came no later than this: what every request waits at least.",
            Prom(
                quantile(0.99, c.EVENT_LOOP_LAG, SERVICE, INSTANCE, **CHOSEN),
                "{{service}} {{instance}}",
            ),
            unit="s",
            width=12,
        ),
        timeseries(
            "Replicas ready",
            "Replicas that say they can serve, by service.",
            Prom(aggregate("sum", held(c.READY, SERVICE), SERVICE), "{{service}}"),
            unit="short",
            width=12,
        ),
    ),
)
HTTP = Dashboard(
    Board.HTTP,
    "MiniTwit · HTTP",
    "Which route or replica is slow or failing?",
    "dashboards/boards/http.py",
    (RATE_ROW, DURATION_ROW, LAG_ROW),
    (*VARIABLES, ROUTE_VARIABLE),
)
