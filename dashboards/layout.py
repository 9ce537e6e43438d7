"""Rows of panels, placed on Grafana's grid without overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import attr
import grafanalib.core as g

from dashboards.links import with_links
from dashboards.panels import Panel
from observability.dashboard_uids import Board

COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading; a collapsed row holds details.

    A click on a point of a panel leads to the dashboard ``details``, and to the logs.
    """

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False
    details: Board | None = None


def lay_out(rows: Sequence[Row]) -> list[Any]:
    """Give every panel its position and an id; a row without title has no heading."""
    ids = count(1)
    placed: list[Any] = []
    y = 0
    for row in rows:
        heading = None
        if row.title:
            position = g.GridPos(h=1, w=COLUMNS, x=0, y=y)
            heading = g.RowPanel(
                title=row.title, id=next(ids), gridPos=position, collapsed=row.collapsed
            )
            placed.append(heading)
            y += 1
        linked = [with_links(panel, row.details) for panel in row.panels]
        inside, below = _flow(linked, ids, y)
        if row.collapsed and heading is not None:
            heading.panels = inside
        else:
            placed += inside
            y = below
    return placed


def _flow(panels: Sequence[Panel], ids: Iterator[int], y: int) -> tuple[list[Any], int]:
    """Place panels left to right, line by line; return them and the first free line."""
    placed, x, height = [], 0, 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, height = 0, y + height, 0
        position = g.GridPos(h=panel.height, w=panel.width, x=x, y=y)
        placed.append(attr.evolve(panel.core, id=next(ids), gridPos=position))
        x += panel.width
        height = max(height, panel.height)
    return placed, y + height
