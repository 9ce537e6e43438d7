"""The first page for operators: what fires, since when, who is affected, where to look.

It fits on one screen of 1600 x 1000 without scrolling; other boards have the details.
"""

from __future__ import annotations

from dataclasses import replace

from alerts.objectives import ERROR_RATIO_LIMIT, LATENCY_OBJECTIVE
from dashboards.board import Dashboard
from dashboards.boards import common
from dashboards.boards.objectives import BUDGET, BURN, OBJECTIVES_ROW
from dashboards.colours import BLUE, ORANGE, RED
from dashboards.layout import Row
from dashboards.links import from_row, to_runbook
from dashboards.panels import DOWN_UP, NO_REPLICA, floors, limits, stat, table, timeseries
from dashboards.queries import CHOSEN, Prom, quantile_or_gap, scoped_gauge, scoped_rate, share
from dashboards.tables import Column
from observability import catalog as c
from observability import exporters as e
from observability.catalog import SERVICE, Label
from observability.conventions import PROBE_JOB, PROBED_SERVICES, RUNBOOKS
from observability.dashboard_uids import Board
from observability.promql.builders import (
    RATE_INTERVAL,
    aggregate,
    differs,
    matches,
    rate,
    select,
    total,
)
from observability.promql.expr import Expr
from observability.promql.joins import addressed, firing_since, relabel

ALERT, SEVERITY, PAGE = Label("alertname"), Label("severity"), Label("page")
OURS = matches("|".join(PROBED_SERVICES))
MILLISECONDS = 1000
SEVERITIES = (("critical", RED), ("warning", ORANGE), ("info", BLUE))
# An alert is called after its runbook; those of one family have a window behind the name.
RUNBOOK = "(.*?)([0-9]+[dhm])?"


def firing() -> Expr:
    """Each firing alert with its runbook; the value is its start in milliseconds."""
    since = aggregate("max", firing_since(severity=differs("none")), SEVERITY, ALERT, SERVICE)
    return addressed(relabel(since * MILLISECONDS, PAGE, ALERT, RUNBOOK), PAGE)


def ready() -> Expr:
    """Ready replicas; 0 rather than no data for a target that is down.

    Its own metric disappears with it.
    """
    targets = total(select(e.UP, job=OURS, service=matches("$service")), SERVICE)
    return scoped_gauge(c.READY, SERVICE) | Expr(f"0 * {targets}", targets.labels, "*")


def good() -> Expr:
    """The lowest share of requests that were answered in time and without a 5xx.

    A 5xx that was also late is subtracted twice: durations have no status label.
    """
    answered = total(rate(c.HTTP_DURATION, RATE_INTERVAL, "count", **CHOSEN), SERVICE)
    in_time = rate(c.HTTP_DURATION, RATE_INTERVAL, "bucket", le=f"{LATENCY_OBJECTIVE}", **CHOSEN)
    failed = total(rate(c.HTTP_REQUESTS, status=matches("5.."), **CHOSEN), SERVICE)
    none = Expr(f"0 * {answered}", answered.labels, "*")
    return (total(in_time, SERVICE) - (failed | none)) / (answered > 0)


def _failed() -> Expr:
    failed = rate(c.HTTP_REQUESTS, status=matches("5.."), **CHOSEN)
    return share(total(failed, SERVICE), scoped_rate(c.HTTP_REQUESTS, SERVICE))


def _up() -> Expr:
    return select(e.UP, job=differs(PROBE_JOB))


WRONG = table(
    "Firing alerts",
    "Alerts that fire, the worst first, and since when. The runbook says what to do; the service "
    "leads to its board and to its lines.",
    Prom(firing(), "", instant=True, table=True),
    columns=(
        Column("severity", "Severity", width=110, value_colours=SEVERITIES),
        Column("alertname", "Alert"),
        Column(
            "service", "Service", width=110, links=(from_row(Board.SERVICE), from_row(Board.LOGS))
        ),
        Column("Value", "Since", unit="dateTimeFromNow", width=140),
        Column("page", "Runbook", links=(to_runbook(),), regex=r".*/(.+)\.md"),
    ),
    sort=(("Severity", False), ("Since", False)),
    hide=("Time", "__name__", RUNBOOKS),
    width=14,
    height=6,
    empty="no alert fires while all is well",
    no_value="✓ Nothing: no alert fires",
)
USERS = replace(
    stat(
        "User journeys (probes)",
        "Whether users can read, log in and post, as probes from outside see it.",
        Prom(
            aggregate("min", select(e.PROBE_SUCCESS, service=OURS), e.PROBE),
            "{{probe}}",
            instant=True,
        ),
        unit="none",
        mappings=DOWN_UP,
        width=10,
        height=6,
    ),
    details=Board.OUTSIDE,
)
PARTS = tuple(
    replace(panel, height=3)
    for panel in (
        stat(
            "Replicas ready",
            "Replicas that say they can serve, by service.",
            Prom(ready(), "{{service}}", instant=True),
            unit="none",
            thresholds=floors(1),
            mappings=NO_REPLICA,
            width=4,
        ),
        replace(
            common.database_reachable("Database", 3),
            details=Board.DATABASE,
        ),
        replace(
            stat(
                "Targets down",
                "Targets, also of the monitoring, that Prometheus cannot scrape.",
                Prom(aggregate("count", _up()) - aggregate("sum", _up()), "of all", instant=True),
                unit="none",
                thresholds=limits((RED, 1)),
                width=4,
            ),
            details=Board.MONITORING,
        ),
        replace(
            common.latest_action("Simulator", 3),
            details=Board.SIMULATOR,
        ),
        replace(BUDGET, width=10),
    )
)
RED_METHOD = (
    timeseries(
        "Requests",
        "Requests answered, by service.",
        Prom(scoped_rate(c.HTTP_REQUESTS, SERVICE), "{{service}}"),
        unit="reqps",
        height=6,
    ),
    timeseries(
        "Errors",
        "Share of requests that ended in a 5xx; the line is where an alert pages.",
        Prom(_failed(), "{{service}}"),
        unit="percentunit",
        thresholds=limits((RED, ERROR_RATIO_LIMIT)),
        height=6,
    ),
    timeseries(
        "Duration",
        "Half and 99 % of the requests were answered within this; the line is the simulator's "
        "timeout. A dot is a request with a trace.",
        *(
            Prom(
                quantile_or_gap(q, c.HTTP_DURATION, SERVICE, **CHOSEN),
                f"{{{{service}}}} p{q * 100:g}",
            )
            for q in (0.5, 0.99)
        ),
        unit="s",
        thresholds=limits((RED, LATENCY_OBJECTIVE)),
        height=6,
    ),
)
EFFECT = (
    timeseries(
        "Good requests",
        "Lower bound of the share of requests without a 5xx, within the simulator's timeout.",
        Prom(good(), "{{service}}"),
        unit="percentunit",
        maximum=1,
        height=6,
    ),
    BURN,
    replace(
        timeseries(
            "Successful user actions",
            "Registrations, log-ins, messages and follows a second that succeeded.",
            Prom(total(rate(c.REGISTRATIONS, outcome="ok")), "register"),
            Prom(total(rate(c.LOGINS, outcome="ok")), "log in"),
            Prom(total(rate(c.MESSAGES, outcome="ok")), "post"),
            Prom(total(rate(c.FOLLOWS, outcome="changed")), "follow"),
            unit="ops",
            height=6,
        ),
        details=Board.BUSINESS,
    ),
)
OVERVIEW = Dashboard(
    Board.OVERVIEW,
    "MiniTwit overview",
    "Is MiniTwit serving its users, and if not, which part is in trouble?",
    "dashboards/boards/overview.py",
    (
        Row("", (WRONG, USERS, *PARTS, *RED_METHOD, *EFFECT), details=Board.SERVICE),
        OBJECTIVES_ROW,
    ),
    hint="It is while nothing is wrong now and every probe is up. A click leads to the board with "
    "more on it, and to the logs.",
    quiet=True,
)
