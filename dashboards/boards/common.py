"""Panels that are on more than one board, with the same texts and limits."""

from __future__ import annotations

from typing import Any

from alerts.objectives import LAG_LIMIT, MEMORY_LIMIT, STALL_SECONDS
from dashboards.colours import RED
from dashboards.panels import DOWN_UP, Panel, heatmap, limits, stat, timeseries
from dashboards.queries import CHOSEN, Prom, quantile_or_gap, scoped_gauge
from observability import catalog as c
from observability import exporters as e
from observability.catalog import INSTANCE, SERVICE, Metric
from observability.promql.builders import (
    LE,
    NOW,
    RATE_INTERVAL,
    Matcher,
    aggregate,
    rate,
    select,
    total,
)
from observability.promql.expr import Expr

OF_REPLICA = (SERVICE, INSTANCE)


def by_replica(title: str, description: str, expr: Expr, **options: Any) -> Panel:
    """Return lines of ``expr``, one for each replica."""
    return timeseries(title, description, Prom(expr, "{{service}} {{instance}}"), **options)


def in_flight(width: int) -> Panel:
    """Return the requests being served."""
    return by_replica(
        "Requests in flight",
        "Requests being served at this moment, by replica: it climbs when answers stall.",
        scoped_gauge(c.HTTP_IN_PROGRESS, *OF_REPLICA),
        unit="short",
        width=width,
    )


def event_loop_lag(width: int) -> Panel:
    """Return the lag of each replica's event loop."""
    return by_replica(
        "Event-loop lag",
        "99 % of timers came no later than this: what every request waits at least.",
        quantile_or_gap(0.99, c.EVENT_LOOP_LAG, *OF_REPLICA, **CHOSEN),
        unit="s",
        thresholds=limits((RED, LAG_LIMIT)),
        width=width,
    )


def processor(title: str, width: int) -> Panel:
    """Return the cores that each replica keeps busy."""
    return by_replica(
        title,
        "Cores that each replica keeps busy: a Python process cannot use more than one.",
        total(rate(e.PROCESS_CPU, **CHOSEN), *OF_REPLICA),
        unit="short",
        thresholds=limits((RED, 1)),
        width=width,
    )


def memory(title: str, width: int) -> Panel:
    """Return the memory of each replica."""
    return by_replica(
        title,
        "Memory that each replica holds; the line is where an alert fires.",
        total(select(e.PROCESS_MEMORY, **CHOSEN), *OF_REPLICA),
        unit="bytes",
        thresholds=limits((RED, MEMORY_LIMIT)),
        width=width,
    )


def durations(metric: Metric, what: str, width: int, **wanted: str | Matcher) -> Panel:
    """Return the heatmap of a histogram of ``what``, such as requests."""
    buckets = total(rate(metric, RATE_INTERVAL, "bucket", **wanted), LE)
    return heatmap(
        "Durations",
        f"How many {what} a second took how long: two bands are two kinds of {what}.",
        Prom(buckets, "{{le}}", heatmap=True),
        width=width,
    )


def database_reachable(title: str, width: int) -> Panel:
    """Return whether the exporter reaches PostgreSQL."""
    return stat(
        title,
        "Whether the exporter reaches PostgreSQL.",
        Prom(aggregate("min", select(e.PG_UP)), "PostgreSQL", instant=True),
        unit="none",
        mappings=DOWN_UP,
        width=width,
    )


def latest_action(title: str, width: int) -> Panel:
    """Return how long ago the simulator acted."""
    return stat(
        title,
        "Time since any replica took an action of the simulator; nothing before the first.",
        Prom(
            NOW - aggregate("max", select(c.SIMULATOR_LATEST_TIME) > 0),
            "latest action",
            instant=True,
        ),
        unit="s",
        decimals=0,
        thresholds=limits((RED, STALL_SECONDS)),
        width=width,
        no_value="unknown",
    )
