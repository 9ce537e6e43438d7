"""Renders the evidence: picture, routes, statements, calls, log lines, traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alerts.incident.breakdowns import SHOWN, Row
from alerts.incident.log_lines import Example, examples, timestamp
from alerts.incident.markdown import code, ms, number, share, table
from alerts.incident.time_window import clock
from observability.dashboard_uids import Board

if TYPE_CHECKING:
    from alerts.incident.report import Report

NONE = "None."
LINE_LENGTH = 160


def render(report: Report) -> str:
    """All sub-sections."""
    tables = report.breakdowns
    parts = {
        "Rate, errors and duration": _picture(report),
        "Failing routes": _routes(tables.routes),
        "Statements by time": _timed(tables.statements, "statement")
        + _errors("Statements that failed", tables.statement_errors),
        "Calls from web to api by time": _timed(tables.calls, "call")
        + _errors("Calls that failed", tables.call_errors),
        f"Log lines, from {report.lines.source}": _lines(report),
        f"Traces, from {report.traces.source}": _traces(report),
        "Dashboards": _boards(report),
    }
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in parts.items())


def _picture(report: Report) -> str:
    if report.picture is None:
        return f"No picture: {report.no_picture}."
    text = "Requests a second, share of them that failed, and p99 of the duration, by service"
    return f"![{text}]({report.picture.name})\n\nCritical alerts are shaded; dashes are limits."


def _routes(rows: Sequence[Row]) -> str:
    if not rows:
        return NONE
    all_failed = sum(row.count for row in rows)
    return table(
        ["route", "failed", "of", "share of the route", "share of all failures"],
        [
            [
                code(row.name), number(row.count), number(row.total), share(row.count / row.total),
                share(row.count / all_failed),
            ]
            for row in rows[:SHOWN]
        ],
    )  # fmt: skip


def _timed(rows: Sequence[Row], what: str) -> str:
    if not rows:
        return NONE
    took = sum(row.seconds for row in rows)
    return table(
        [what, "count", "mean", "mean in the same time before", "share of the time"],
        [
            [
                code(row.name), number(row.count), ms(row.seconds / row.count),
                ms(row.usual) if row.usual else "-", share(row.seconds / took if took else 0),
            ]
            for row in rows[:SHOWN]
        ],
    )  # fmt: skip


def _errors(title: str, rows: Sequence[Row]) -> str:
    found = ", ".join(f"{row.name} {number(row.count)}" for row in rows) or "none"
    return f"\n\n{title}, by reason: {found}."


def _lines(report: Report) -> str:
    rows = [_line(shown, report) for shown in examples(report.lines.lines)]
    return table(["time", "alike", "line", "request"], rows) if rows else NONE


def _line(shown: Example, report: Report) -> list[str]:
    line = shown.line
    words = [str(line.get(key, "")) for key in ("level", "service", "event", "message", "error")]
    request = f"{line.get('method', '')} {line.get('route', '')} {line.get('status', '')}".strip()
    text = " ".join(word for word in [*words, request] if word)[:LINE_LENGTH]
    ident = str(line.get("request_id", "")) or "-"
    link = f"{report.grafana}{Board.LOGS.path}?var-find={ident}&{report.window.milliseconds}"
    cell = f"[{ident}]({link})" if report.grafana and ident != "-" else ident
    return [clock(timestamp(line)), number(shown.count), code(text), cell]


def _traces(report: Report) -> str:
    rows = []
    for trace in report.traces.traces:
        path = f"{Board.TRACE.path}?var-trace={trace.trace_id}&{report.window.milliseconds}"
        cell = f"[{trace.trace_id}]({report.grafana}{path})" if report.grafana else trace.trace_id
        rows.append([clock(trace.time), code(trace.request), cell])
    return table(["time", "request", "trace"], rows) if rows else NONE


def _boards(report: Report) -> str:
    if not report.grafana:
        return "No Grafana was named: no links."
    boards = (Board.OVERVIEW, Board.HTTP, Board.DATABASE, Board.LOGS, Board.DEPLOYS)
    return ", ".join(
        f"[{board.name.lower()}]({report.grafana}{board.path}?{report.window.milliseconds})"
        for board in boards
    )
