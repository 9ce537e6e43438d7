"""Links from panels, which keep the time range and the variables."""

from __future__ import annotations

from dataclasses import replace

import attr

from dashboards.panels import Panel
from dashboards.queries import Json, Prom
from observability.catalog import SERVICE
from observability.dashboard_uids import Board

TIME, VARIABLES = "${__url_time_range}", "${__all_variables}"
CLICKED = "var-service=${__field.labels.service}"  # of the line that was clicked
IN_ROW = "var-service=${__data.fields.%s}"  # of the row of a table, by the title of its column


def link(board: Board, choice: str = VARIABLES) -> Json:
    """Return a data link to ``board``."""
    name = board.value.partition("-")[2]
    return {"title": f"Open board: {name}", "url": f"{board.path}?{TIME}&{choice}"}


def from_row(board: Board, column: str = "Service") -> Json:
    """Return a link from a table row to ``board``, for the service of the row."""
    return link(board, IN_ROW % column)


def to_trace() -> Json:
    """Return a link from a row, by its column Trace, to that trace.

    Not from the id itself: there Tempo's own link comes first, to Explore, which viewers lack.
    """
    return link(Board.TRACE, "var-trace=${__data.fields.Trace}")


def to_runbook() -> Json:
    """Return a link from a cell with a runbook's address to it."""
    return {"title": "Runbook", "url": "${__value.raw}", "targetBlank": True}


def with_links(panel: Panel, board: Board | None) -> Panel:
    """Return ``panel`` with links to ``board`` and to the related log lines.

    A table has links on its columns, so that not every cell of it is one.
    """
    if panel.core.to_json_data()["type"] in ("table", "traces"):
        return panel
    board = panel.details or board
    links = [link(board)] if board else []
    asked = [query for query in panel.queries if isinstance(query, Prom)]
    if asked:
        named = all(SERVICE.name in query.expr.labels for query in asked)
        links.append(link(Board.LOGS, CLICKED if named else VARIABLES))
    if not links:
        return panel
    extra = panel.core.extraJson or {}
    config = extra.get("fieldConfig", {})
    defaults = {**config.get("defaults", {}), "links": links}
    extra = {**extra, "fieldConfig": {**config, "defaults": defaults}}
    return replace(panel, core=attr.evolve(panel.core, extraJson=extra))
