"""One service by the four golden signals: traffic, errors, latency, saturation."""

from __future__ import annotations

from alerts.objectives import ERROR_RATIO_LIMIT, LAG_LIMIT, LATENCY_OBJECTIVE, MEMORY_LIMIT
from dashboards.board import Dashboard
from dashboards.colours import RED
from dashboards.layout import Row
from dashboards.panels import heatmap, limits, timeseries
from dashboards.queries import (
    CHOSEN,
    DATASOURCE_VARIABLE,
    ONE_SERVICE_VARIABLE,
    REPLICA_VARIABLE,
    Prom,
    held,
    share,
    summed,
    within,
)
from observability import catalog as c
from observability import exporters as e
from observability.catalog import INSTANCE, METHOD, ROUTE, SERVICE, STATUS
from observability.conventions import Board
from observability.promql.builders import LE, RATE_INTERVAL, matches, rate, select, total
from observability.promql.expr import Expr

QUANTILES = (0.5, 0.95, 0.99)


def _share(status: str) -> Expr:
    part = total(rate(c.HTTP_REQUESTS, status=matches(status), **CHOSEN), SERVICE)
    return share(part, summed(c.HTTP_REQUESTS, SERVICE))


TRAFFIC_ROW = Row(
    "Traffic and errors",
    (
        timeseries(
            "Requests by route",
            "Requests answered, by method and route template.",
            Prom(summed(c.HTTP_REQUESTS, METHOD, ROUTE), "{{method}} {{route}}"),
            unit="reqps",
            width=12,
        ),
        timeseries(
            "Requests by status",
            "Requests answered, by status.",
            Prom(summed(c.HTTP_REQUESTS, STATUS), "{{status}}"),
            unit="reqps",
            width=12,
        ),
        timeseries(
            "Errors",
            "Share of requests that ended in a 5xx; the line is the limit of a page.",
            Prom(_share("5.."), "{{service}}"),
            unit="percentunit",
            limit=limits((RED, ERROR_RATIO_LIMIT)),
            width=12,
        ),
        timeseries(
            "Client errors",
            "Share of requests that ended in a 4xx: clients that are wrong, or attacks.",
            Prom(_share("4.."), "{{service}}"),
            unit="percentunit",
            width=12,
        ),
    ),
    leads=Board.HTTP,
)
LATENCY_ROW = Row(
    "Latency",
    (
        timeseries(
            "Duration",
            "Half, 95 % and 99 % of the requests were answered within this; the line is the "
            "simulator's timeout. A dot is a request with a trace: click it.",
            *(
                Prom(within(q, c.HTTP_DURATION, SERVICE, **CHOSEN), f"{{{{service}}}} p{q * 100:g}")
                for q in QUANTILES
            ),
            unit="s",
            limit=limits((RED, LATENCY_OBJECTIVE)),
            width=12,
        ),
        heatmap(
            "Durations",
            "How many requests a second took how long: two bands are two kinds of requests.",
            Prom(
                total(rate(c.HTTP_DURATION, RATE_INTERVAL, "bucket", **CHOSEN), LE),
                "{{le}}",
                heatmap=True,
            ),
            width=12,
        ),
    ),
    leads=Board.HTTP,
)
OF_REPLICA = (SERVICE, INSTANCE)
SATURATION_ROW = Row(
    "Saturation",
    (
        timeseries(
            "Requests in flight",
            "Requests being served at this moment, by replica: it climbs when answers stall.",
            Prom(held(c.HTTP_IN_PROGRESS, *OF_REPLICA), "{{service}} {{instance}}"),
            unit="short",
            width=6,
        ),
        timeseries(
            "Event-loop lag",
            "99 % of timers came no later than this: what every request waits at least.",
            Prom(within(0.99, c.EVENT_LOOP_LAG, *OF_REPLICA, **CHOSEN), "{{service}} {{instance}}"),
            unit="s",
            limit=limits((RED, LAG_LIMIT)),
            width=6,
        ),
        timeseries(
            "Processor",
            "Cores that each replica keeps busy: a Python process cannot use more than one.",
            Prom(total(rate(e.PROCESS_CPU, **CHOSEN), *OF_REPLICA), "{{service}} {{instance}}"),
            unit="short",
            limit=limits((RED, 1)),
            width=6,
        ),
        timeseries(
            "Memory",
            "Memory that each replica holds; the line is where an alert fires.",
            Prom(
                total(select(e.PROCESS_MEMORY, **CHOSEN), *OF_REPLICA), "{{service}} {{instance}}"
            ),
            unit="bytes",
            limit=limits((RED, MEMORY_LIMIT)),
            width=6,
        ),
    ),
    leads=Board.HOSTS,
)
ONE_SERVICE = Dashboard(
    Board.SERVICE,
    "MiniTwit one service",
    "How does this service do, by the four golden signals?",
    "dashboards/boards/service.py",
    (TRAFFIC_ROW, LATENCY_ROW, SATURATION_ROW),
    (DATASOURCE_VARIABLE, ONE_SERVICE_VARIABLE, REPLICA_VARIABLE),
)
