"""One trace with its log lines, and the latest traces to choose from.

Grafana's Explore is not needed.
"""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.layout import Row
from dashboards.links import to_trace
from dashboards.panels import logs, table, traces
from dashboards.queries import DATASOURCE_VARIABLE, TRACE_VARIABLE, Loki, Tempo
from dashboards.tables import Column
from observability.catalog import SIMULATOR_TIMEOUT
from observability.dashboard_uids import Board
from observability.promql.logql import lines, readable

# Fields by the names that Tempo shows; those of its answer do not match.
COLUMNS = (
    Column("Trace ID", "Trace", hidden=True),
    Column("Start time", "Started", width=180),
    Column("Service", "Service", width=90),
    Column("Name", "Request", links=(to_trace(),)),
    Column("Duration", "Took", unit="ms", width=90),
)

TRACE_ROW = Row(
    "The trace",
    (
        traces(
            "Spans",
            "The spans of this request.",
            Tempo("$trace"),
        ),
        logs(
            "Lines of this trace",
            "Log lines of this request, of both services.",
            Loki(readable(lines("$trace"))),
            height=8,
        ),
    ),
)
FIND_ROW = Row(
    "Latest traces: a click on a request opens its trace above",
    (
        table(
            "Failed",
            "Traces of requests that ended in a server error.",
            Tempo("{ status = error }"),
            columns=COLUMNS,
            hide=("nested",),
            empty="no request fails while all is well",
        ),
        table(
            "Slow",
            f"Traces of requests that took longer than {SIMULATOR_TIMEOUT:g} s.",
            Tempo(f"{{ trace:duration > {SIMULATOR_TIMEOUT * 1000:g}ms }}"),
            columns=COLUMNS,
            hide=("nested",),
            empty="no request is slow while all is well",
        ),
        table(
            "All",
            "The latest traces that were sampled.",
            Tempo("{ }"),
            columns=COLUMNS,
            hide=("nested",),
            width=24,
        ),
    ),
)
TRACE = Dashboard(
    Board.TRACE,
    "MiniTwit trace",
    "Where did the time of this request go, and what was written meanwhile?",
    "dashboards/boards/trace.py",
    (TRACE_ROW, FIND_ROW),
    (DATASOURCE_VARIABLE, TRACE_VARIABLE),
    hint="Dots on durations, log lines and the tables below lead here.",
)
