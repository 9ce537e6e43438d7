"""Where a click on a panel leads, with the time and the variables kept."""

from __future__ import annotations

from dataclasses import replace

import attr

from dashboards.panels import Panel
from dashboards.queries import Json, Prom
from observability.catalog import SERVICE
from observability.conventions import Board

TIME, VARIABLES = "${__url_time_range}", "${__all_variables}"
CLICKED = "var-service=${__field.labels.service}"  # of the line that was clicked


def link(board: Board, choice: str = VARIABLES) -> Json:
    """A data link to ``board``."""
    name = board.value.partition("-")[2]
    return {"title": f"Open: {name}", "url": f"{board.path}?{TIME}&{choice}"}


def with_links(panel: Panel, board: Board | None) -> Panel:
    """``panel`` with a way to ``board``, and from what Prometheus says to the lines about it."""
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
