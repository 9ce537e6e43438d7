"""Running versions, when they were deployed, and whether the new one is worse."""

from __future__ import annotations

from alerts.objectives import ERROR_RATIO_LIMIT, LATENCY_OBJECTIVE, RESTARTS_TOLERATED
from dashboards.board import Dashboard
from dashboards.colours import RED, YELLOW
from dashboards.layout import Row
from dashboards.panels import limits, stat, timeseries
from dashboards.queries import CHOSEN, Prom, share
from observability import catalog as c
from observability import exporters as e
from observability.catalog import SERVICE
from observability.dashboard_uids import Board
from observability.promql.builders import (
    LE,
    RANGE,
    RATE_INTERVAL,
    Matcher,
    aggregate,
    increase,
    matches,
    rate,
    select,
    total,
)
from observability.promql.expr import Expr
from observability.promql.joins import VERSION, with_version

OF_VERSION = (SERVICE, VERSION)
LEGEND = "{{service}} {{version}}"


def _requests(**wanted: str | Matcher) -> Expr:
    return total(with_version(rate(c.HTTP_REQUESTS, **CHOSEN, **wanted)), *OF_VERSION)


def _p99() -> Expr:
    buckets = with_version(rate(c.HTTP_DURATION, RATE_INTERVAL, "bucket", **CHOSEN))
    summed = total(buckets, LE, *OF_VERSION)
    inner = Expr(
        f"histogram_quantile(0.99, {summed})", frozenset(("service", "version")), exemplars=True
    )
    return inner > 0


VERSIONS_ROW = Row(
    "What runs",
    (
        stat(
            "Replicas now",
            "Replicas that answer, by service and version.",
            Prom(
                aggregate("count", select(c.BUILD_INFO, **CHOSEN), *OF_VERSION),
                LEGEND,
                instant=True,
            ),
            unit="none",
            width=6,
            height=8,
        ),
        timeseries(
            "Rollout",
            "Replicas by service and version: in a rollout one falls as the other climbs.",
            Prom(aggregate("count", select(c.BUILD_INFO, **CHOSEN), *OF_VERSION), LEGEND),
            unit="short",
            stacked=True,
            width=12,
        ),
        stat(
            "Component restarts",
            "How often each component ended by itself and was started again.",
            Prom(
                total(increase(e.COMPONENT_RESTARTS, RANGE), e.COMPONENT) > 0,
                "{{component}}",
                instant=True,
            ),
            unit="locale",
            decimals=0,
            thresholds=limits((YELLOW, 1), (RED, RESTARTS_TOLERATED + 1)),
            width=6,
            height=8,
            empty="no component ends by itself while all is well",
            no_value="✓ None",
        ),
    ),
)
COMPARED_ROW = Row(
    "Old and new",
    (
        timeseries(
            "Requests by version",
            "Requests answered, by service and version.",
            Prom(_requests(), LEGEND),
            unit="reqps",
        ),
        timeseries(
            "Errors by version",
            "Share of requests that ended in a 5xx; the line is where an alert pages.",
            Prom(share(_requests(status=matches("5..")), _requests()), LEGEND),
            unit="percentunit",
            thresholds=limits((RED, ERROR_RATIO_LIMIT)),
        ),
        timeseries(
            "Duration by version",
            "99 % of the requests were answered within this; the line is the simulator's timeout.",
            Prom(_p99(), LEGEND),
            unit="s",
            thresholds=limits((RED, LATENCY_OBJECTIVE)),
        ),
    ),
    details=Board.SERVICE,
)
DEPLOYS = Dashboard(
    Board.DEPLOYS,
    "MiniTwit deploys",
    "Which version runs where, and is the new one worse?",
    "dashboards/boards/deploys.py",
    (VERSIONS_ROW, COMPARED_ROW),
)
