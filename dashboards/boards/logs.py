"""What the services wrote: how much, what went wrong, and the lines themselves."""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.layout import Row
from dashboards.panels import logs, timeseries
from dashboards.queries import FIND_VARIABLE, ROUTE_VARIABLE, VARIABLES, Loki
from observability.conventions import Board
from observability.promql.builders import Matcher, matches
from observability.promql.logql import lines, rate_of

CHOSEN: dict[str, str | Matcher] = {"service": matches("$service")}
ERRORS = lines(level=matches("error|critical"), **CHOSEN)

VOLUME_ROW = Row(
    "How much",
    (
        timeseries(
            "Lines by level",
            "Lines a second, by level.",
            Loki(rate_of(lines(**CHOSEN), "level"), "{{level}}"),
            unit="ops",
        ),
        timeseries(
            "Lines by service",
            "Lines a second, by service.",
            Loki(rate_of(lines(**CHOSEN), "service"), "{{service}}"),
            unit="ops",
        ),
        timeseries(
            "Lines by event",
            "Lines a second, by what they are about.",
            Loki(rate_of(lines(**CHOSEN), "event"), "{{event}}"),
            unit="ops",
        ),
    ),
)
TROUBLE_ROW = Row(
    "What went wrong",
    (
        timeseries(
            "Errors",
            "Error lines a second, by service and event.",
            Loki(rate_of(ERRORS, "service", "event"), "{{service}} {{event}}"),
            unit="ops",
            empty="nothing goes wrong while all is well",
        ),
        timeseries(
            "Invalid requests",
            "Requests a second that were refused with a 4xx, by service.",
            Loki(rate_of(lines(event="invalid_request", **CHOSEN), "service"), "{{service}}"),
            unit="ops",
            empty="the simulated load asks for nothing that is refused",
        ),
        timeseries(
            "Database errors",
            "Statements a second that failed.",
            Loki(rate_of(lines(event="db_error", **CHOSEN), "service"), "{{service}}"),
            unit="ops",
            empty="no statement fails while the database is well",
        ),
        logs(
            "Lines of errors",
            "The latest lines about what went wrong. Open one: its trace and its code are a click "
            "away.",
            Loki(ERRORS),
            empty="nothing goes wrong while all is well",
        ),
    ),
)
LINES_ROW = Row(
    "The lines",
    (
        logs(
            "Lines",
            "All lines that contain what 'Find' says: a trace id, a request id, any text.",
            Loki(lines("$find", **CHOSEN)),
        ),
        logs(
            "Lines of requests",
            "Lines of requests to the chosen routes that contain what 'Find' says.",
            Loki(lines("$find", {"route": matches("$route")}, **CHOSEN)),
        ),
    ),
)
LOGS = Dashboard(
    Board.LOGS,
    "MiniTwit · Logs",
    "What did the services say about it?",
    "dashboards/boards/logs.py",
    (VOLUME_ROW, TROUBLE_ROW, LINES_ROW),
    (*VARIABLES, ROUTE_VARIABLE, FIND_VARIABLE),
)
