"""The service overview: the first page an operator opens."""

from __future__ import annotations

from dataclasses import replace

from alerts.objectives import ERROR_RATIO_LIMIT, LATENCY_OBJECTIVE
from dashboards.board import Dashboard
from dashboards.boards.details import BUSINESS_ROW, DEPENDENCIES_ROW, RUNTIME_ROW, SIMULATOR_ROW
from dashboards.boards.objectives import OBJECTIVES_ROW
from dashboards.layout import Row
from dashboards.panels import DOWN_UP, GREEN, RED, limits, stat, table, timeseries
from dashboards.queries import CHOSEN, Prom, held, summed
from observability import catalog as c
from observability import exporters as e
from observability.catalog import INSTANCE, JOB, SERVICE, STATUS
from observability.conventions import PROBE_JOB, Board
from observability.promql.builders import (
    RATE_INTERVAL,
    aggregate,
    differs,
    matches,
    quantile,
    rate,
    ratio,
    select,
    total,
)
from observability.promql.expr import Expr


def _within_objective() -> Expr:
    fast = rate(c.HTTP_DURATION, RATE_INTERVAL, "bucket", le=f"{LATENCY_OBJECTIVE}", **CHOSEN)
    return ratio(
        total(fast, SERVICE),
        total(rate(c.HTTP_DURATION, RATE_INTERVAL, "count", **CHOSEN), SERVICE),
    )


def _errors() -> Expr:
    failed = rate(c.HTTP_REQUESTS, status=matches("5.."), **CHOSEN)
    return ratio(total(failed, SERVICE), summed(c.HTTP_REQUESTS, SERVICE))


NOW_ROW = Row(
    "Now",
    (
        table(
            "Firing alerts",
            "What fires now by what Prometheus knows; the message in the chat names the runbook.",
            Prom(
                select(e.ALERTS, alertstate="firing", severity=differs("none")),
                "",
                instant=True,
                table=True,
            ),
            hide=("Time", "Value", "__name__", "alertstate", "job"),
            width=8,
            empty="no alert fires while all is well",
        ),
        stat(
            "Probes",
            "Whether users can read, log in and post, seen from outside.",
            Prom(aggregate("min", select(e.PROBE_SUCCESS), e.PROBE), "{{probe}}", instant=True),
            unit="none",
            mappings=DOWN_UP,
            width=11,
        ),
        stat(
            "Replicas ready",
            "Replicas that say they can serve.",
            Prom(held(c.READY, SERVICE), "{{service}}", instant=True),
            unit="none",
            limit=limits((GREEN, 1), ok=RED),
            width=5,
        ),
        replace(
            stat(
                "Targets",
                "Whether Prometheus reaches every part; of several replicas the worst.",
                Prom(
                    aggregate("min", select(e.UP, job=differs(PROBE_JOB)), JOB),
                    "{{job}}",
                    instant=True,
                ),
                unit="none",
                mappings=DOWN_UP,
                width=24,
            ),
            leads=Board.MONITORING,
        ),
    ),
    leads=Board.OUTSIDE,
)
REQUESTS_ROW = Row(
    "Requests",
    (
        timeseries(
            "Requests",
            "Requests answered, by service and status.",
            Prom(summed(c.HTTP_REQUESTS, SERVICE, STATUS), "{{service}} {{status}}"),
            unit="reqps",
        ),
        timeseries(
            "Errors",
            "Share of requests that ended in a 5xx; the line is where someone is called.",
            Prom(_errors(), "{{service}}"),
            unit="percentunit",
            limit=limits((RED, ERROR_RATIO_LIMIT)),
        ),
        timeseries(
            "Duration",
            "Half, 95 % and 99 % of the requests were answered within this; the line is where the "
            "simulator gives up.",
            *(
                Prom(
                    quantile(q, c.HTTP_DURATION, SERVICE, **CHOSEN), f"{{{{service}}}} p{q * 100:g}"
                )
                for q in (0.5, 0.95, 0.99)
            ),
            unit="s",
            limit=limits((RED, LATENCY_OBJECTIVE)),
        ),
        timeseries(
            "In progress",
            "Requests being served at this moment: it climbs when answers stall.",
            Prom(held(c.HTTP_IN_PROGRESS, SERVICE, INSTANCE), "{{service}} {{instance}}"),
            unit="short",
        ),
        timeseries(
            "Within the objective",
            "Share of requests answered before the simulator gives up.",
            Prom(_within_objective(), "{{service}}"),
            unit="percentunit",
            top=1,
        ),
        timeseries(
            "Seen from outside",
            "How long each probe took, from connecting to the last byte.",
            Prom(aggregate("max", select(e.PROBE_DURATION), e.PROBE), "{{probe}}"),
            unit="s",
            limit=limits((RED, LATENCY_OBJECTIVE)),
        ),
    ),
    leads=Board.HTTP,
)
OVERVIEW = Dashboard(
    Board.OVERVIEW,
    "MiniTwit · Overview",
    "Is MiniTwit serving its users, and if not, which part is in trouble?",
    "dashboards/boards/overview.py",
    (
        NOW_ROW,
        OBJECTIVES_ROW,
        REQUESTS_ROW,
        DEPENDENCIES_ROW,
        BUSINESS_ROW,
        SIMULATOR_ROW,
        RUNTIME_ROW,
    ),
    hint="It is while nothing fires and all of *Now* is green. What is red: click on it, it leads "
    "to the dashboard with more on it and to the logs. *Objectives* say whether it was bad for "
    "long enough to matter.",
)
