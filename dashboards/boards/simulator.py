"""The simulator's errors and latencies, beside the services' own metrics."""

from __future__ import annotations

from alerts.objectives import ERROR_RATIO_LIMIT, LATENCY_OBJECTIVE
from dashboards.board import Dashboard
from dashboards.boards import common
from dashboards.colours import RED
from dashboards.layout import Row
from dashboards.panels import limits, logs, stat, timeseries
from dashboards.queries import Loki, Prom, quantile_or_gap, share
from observability import catalog as c
from observability.catalog import COMMAND, INSTANCE, ROUTE, STATUS, Label
from observability.dashboard_uids import Board
from observability.promql.builders import (
    RANGE,
    RATE_INTERVAL,
    aggregate,
    differs,
    increase,
    matches,
    rate,
    select,
    total,
)
from observability.promql.expr import Expr
from observability.promql.logql import lines, readable

OUTCOME = Label("outcome")
ROUTES = matches("/register|/msgs/{username}|/fllws/{username}")


def _late() -> Expr:
    """The share of actions that took longer than the simulator's timeout."""
    counted = total(rate(c.SIMULATOR_DURATION, RATE_INTERVAL, "count"), COMMAND)
    in_time = rate(c.SIMULATOR_DURATION, RATE_INTERVAL, "bucket", le=f"{LATENCY_OBJECTIVE}")
    return (counted - total(in_time, COMMAND)) / (counted > 0)


CLIENT_ROW = Row(
    "Client side",
    (
        timeseries(
            "Actions",
            "Actions a second, by what they were.",
            Prom(total(rate(c.SIMULATOR_ACTIONS), COMMAND), "{{command}}"),
            unit="ops",
        ),
        timeseries(
            "Client errors",
            "Share of the actions that failed; the line is where an alert pages.",
            Prom(
                share(
                    total(rate(c.SIMULATOR_ACTIONS, outcome=differs("ok")), COMMAND),
                    total(rate(c.SIMULATOR_ACTIONS), COMMAND),
                ),
                "{{command}}",
            ),
            unit="percentunit",
            thresholds=limits((RED, ERROR_RATIO_LIMIT)),
        ),
        timeseries(
            "Actions by outcome",
            "Actions a second by outcome: a timeout is an answer after more than 0.3 s.",
            Prom(total(rate(c.SIMULATOR_ACTIONS), OUTCOME), "{{outcome}}"),
            unit="ops",
        ),
        timeseries(
            "Duration",
            "99 % of the actions were done within this; the line is the client's timeout.",
            Prom(quantile_or_gap(0.99, c.SIMULATOR_DURATION, COMMAND), "{{command}}"),
            unit="s",
            thresholds=limits((RED, LATENCY_OBJECTIVE)),
        ),
        timeseries(
            "Timed-out actions",
            "Share of the actions that took longer than the client waits.",
            Prom(_late(), "{{command}}"),
            unit="percentunit",
            thresholds=limits((RED, ERROR_RATIO_LIMIT)),
        ),
        common.durations(c.SIMULATOR_DURATION, "actions", 8),
    ),
)
SERVER_ROW = Row(
    "Server side",
    (
        stat(
            "Latest action",
            "The id of the latest action; -1 before any.",
            Prom(aggregate("max", select(c.SIMULATOR_LATEST)), "latest", instant=True),
            unit="none",
            width=6,
        ),
        common.latest_action("Age of the latest action", 6),
        stat(
            "Actions in range",
            "Actions that the client ended, well or not, within the time shown.",
            Prom(total(increase(c.SIMULATOR_ACTIONS, RANGE)), "actions", instant=True),
            unit="locale",
            decimals=0,
            width=6,
        ),
        stat(
            "Failed in range",
            "Actions that the simulator counts as errors, within the time shown.",
            Prom(
                total(increase(c.SIMULATOR_ACTIONS, RANGE, outcome=differs("ok"))),
                "errors",
                instant=True,
            ),
            unit="locale",
            decimals=0,
            thresholds=limits((RED, 1)),
            width=6,
        ),
        timeseries(
            "Latest id",
            "It climbs by as much as the simulator acts; a flat line is a simulator that stands.",
            Prom(aggregate("max", select(c.SIMULATOR_LATEST)), "latest"),
            unit="none",
            width=6,
        ),
        timeseries(
            "Latest id by replica",
            "What each replica last saw: they differ by what happened between two scrapes.",
            Prom(aggregate("max", select(c.SIMULATOR_LATEST), INSTANCE), "{{instance}}"),
            unit="none",
            width=6,
        ),
        timeseries(
            "Statuses of its routes",
            "Answers to the simulator's requests, by route and status.",
            Prom(
                total(rate(c.HTTP_REQUESTS, service="api", route=ROUTES), ROUTE, STATUS),
                "{{route}} {{status}}",
            ),
            unit="reqps",
            width=12,
        ),
    ),
)
LOG_ROW = Row(
    "Log",
    (
        logs(
            "Log of the simulator",
            "Its start and end, a summary a minute, each action that failed, and when it waits.",
            Loki(readable(lines(service=c.SIMULATOR))),
        ),
    ),
)
SIMULATOR = Dashboard(
    Board.SIMULATOR,
    "MiniTwit simulator",
    "What does the simulator count as an error, and is it still running?",
    "dashboards/boards/simulator.py",
    (CLIENT_ROW, SERVER_ROW, LOG_ROW),
)
