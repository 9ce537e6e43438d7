"""The logs of the services: volume, errors, and the lines themselves."""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.layout import Row
from dashboards.panels import logs, timeseries
from dashboards.queries import (
    DATASOURCE_VARIABLE,
    FIND_VARIABLE,
    LINES_ROUTE_VARIABLE,
    SERVICE_VARIABLE,
    Loki,
)
from observability.dashboard_uids import Board
from observability.promql.builders import Matcher, matches
from observability.promql.logql import lines, rate_of, readable

CHOSEN: dict[str, str | Matcher] = {"service": matches("$service")}
ERRORS = lines(level=matches("error|critical"), **CHOSEN)

VOLUME_ROW = Row(
    "Volume",
    (
        timeseries(
            "Log lines by level",
            "Lines a second, by level.",
            Loki(rate_of(lines(**CHOSEN), "level"), "{{level}}"),
            unit="ops",
            width=6,
            height=6,
        ),
        timeseries(
            "Errors",
            "Error lines a second, by service and event.",
            Loki(rate_of(ERRORS, "service", "event"), "{{service}} {{event}}"),
            unit="ops",
            width=6,
            height=6,
            empty="nothing goes wrong while all is well",
        ),
        timeseries(
            "Invalid requests",
            "Requests a second that were refused with a 4xx, by service.",
            Loki(rate_of(lines(event="invalid_request", **CHOSEN), "service"), "{{service}}"),
            unit="ops",
            width=6,
            height=6,
            no_value="✓ No request was refused",
        ),
        timeseries(
            "Database errors",
            "Statements a second that failed.",
            Loki(rate_of(lines(event="db_error", **CHOSEN), "service"), "{{service}}"),
            unit="ops",
            width=6,
            height=6,
            empty="no statement fails while the database is well",
        ),
    ),
)
LINES_ROW = Row(
    "The lines: open one for its fields and its trace",
    (
        logs(
            "Lines",
            "Lines of the chosen services and routes that contain the text in 'Find': a trace "
            "id, a request id, any text.",
            Loki(readable(lines("$find", {"route": matches("$route")}, **CHOSEN))),
            height=16,
        ),
        logs(
            "Error lines",
            "The latest lines of level error or critical.",
            Loki(readable(ERRORS)),
            height=12,
            empty="nothing goes wrong while all is well",
        ),
    ),
)
MORE_ROW = Row(
    "Services and events",
    (
        timeseries(
            "Log lines by service",
            "Lines a second, by service.",
            Loki(rate_of(lines(**CHOSEN), "service"), "{{service}}"),
            unit="ops",
            width=12,
        ),
        timeseries(
            "Log lines by event",
            "Lines a second, by event.",
            Loki(rate_of(lines(**CHOSEN), "event"), "{{event}}"),
            unit="ops",
            width=12,
        ),
    ),
)
LOGS = Dashboard(
    Board.LOGS,
    "MiniTwit logs",
    "What did the services say about it?",
    "dashboards/boards/logs.py",
    (VOLUME_ROW, LINES_ROW, MORE_ROW),
    # No variable for replicas: a line does not say which one wrote it.
    (DATASOURCE_VARIABLE, SERVICE_VARIABLE, LINES_ROUTE_VARIABLE, FIND_VARIABLE),
)
