"""Where a click on a panel leads, with the time and the variables kept."""

from __future__ import annotations

from dataclasses import replace

import attr

from dashboards.panels import Panel
from dashboards.queries import Json, Prom
from observability.catalog import SERVICE
from observability.conventions import RUNBOOK_BASE, Board

TIME, VARIABLES = "${__url_time_range}", "${__all_variables}"
CLICKED = "var-service=${__field.labels.service}"  # of the line that was clicked
IN_ROW = "var-service=${__data.fields.%s}"  # of the row of a table, by the title of its column


def link(board: Board, choice: str = VARIABLES) -> Json:
    """A data link to ``board``."""
    name = board.value.partition("-")[2]
    return {"title": f"Open board: {name}", "url": f"{board.path}?{TIME}&{choice}"}


def from_row(board: Board, column: str = "Service") -> Json:
    """A link from a table to ``board``, about the service of the row."""
    return link(board, IN_ROW % column)


def to_trace() -> Json:
    """A link from a cell with the id of a trace to that trace."""
    return link(Board.TRACE, "var-trace=${__value.raw}")


def to_runbook() -> Json:
    """A link from a cell with the name of a runbook to it."""
    return {"title": "Runbook", "url": f"{RUNBOOK_BASE}/${{__value.raw}}.md", "targetBlank": True}


def with_links(panel: Panel, board: Board | None) -> Panel:
    """``panel`` with a way to ``board``, and from what Prometheus says to the lines about it.

    A table has links on its columns, so that not every cell of it is one.
    """
    if panel.core.to_json_data()["type"] in ("table", "traces"):
        return panel
    board = panel.leads or board
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
