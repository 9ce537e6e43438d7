"""The panels that our dashboards are made of: grafanalib's, without its pitfalls.

A panel without title, description or known unit is a ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import grafanalib.core as g

from dashboards.queries import Json, Loki, Prom
from observability.conventions import Board

Unit = Literal[
    "none", "short", "percentunit", "s", "bytes", "reqps", "ops", "cps", "dateTimeFromNow"
]
UNITS = frozenset(get_args(Unit))
Query = Prom | Loki
NO_DATA = "No data"
GREEN, YELLOW, RED = "green", "yellow", "red"


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel and the room it takes; ``empty`` says why it shows nothing when all is well.

    ``leads`` is the dashboard with more on it, if it is not that of its row.
    """

    core: Any
    queries: tuple[Query, ...]
    width: int
    height: int
    empty: str = ""
    leads: Board | None = None


def limits(*steps: tuple[str, float], ok: str = GREEN) -> list[Json]:
    """Threshold steps: ``ok`` from below, then each colour from its value on."""
    return [
        {"color": ok, "value": None},
        *({"color": color, "value": value} for color, value in steps),
    ]


DOWN_UP = [
    g.StatValueMappings(
        g.StatValueMappingItem("DOWN", "0", RED, 0), g.StatValueMappingItem("up", "1", GREEN, 1)
    )
]
AGREE = [
    g.StatValueMappings(
        g.StatValueMappingItem("agree", "0", GREEN, 0),
        g.StatValueMappingItem("only outside it fails", "1", RED, 1),
        g.StatValueMappingItem("only inside it fails", "-1", YELLOW, 2),
    )
]


def timeseries(
    title: str,
    description: str,
    *queries: Query,
    unit: Unit,
    limit: Sequence[Json] = (),
    top: int | None = None,
    width: int = 8,
    empty: str = "",
) -> Panel:
    """Lines over time; a ``limit`` is drawn as a dashed line, ``top`` fixes the axis."""
    core = g.TimeSeries(
        **_common(title, description, queries, unit, limit),
        unit=unit,
        fillOpacity=8,
        legendDisplayMode="table",
        legendCalcs=["lastNotNull", "max"],
        showPoints="never",
        spanNulls=False,
        stacking={"group": "A", "mode": "none"},
        thresholdsStyleMode="dashed" if limit else "off",
        tooltipMode="multi",
        tooltipSort="desc",
        valueMin=0,
        valueMax=top,
        extraJson={
            "fieldConfig": {
                "defaults": {
                    "custom": {"scaleDistribution": {"type": "linear", "log": None}},
                    "noValue": NO_DATA,
                }
            },
            "options": {"legend": {"showLegend": True}},
        },
    )
    return Panel(core, queries, width, 8, empty)


def stat(
    title: str,
    description: str,
    *queries: Query,
    unit: Unit,
    limit: Sequence[Json] = (),
    mappings: Sequence[Any] = (),
    width: int = 4,
    empty: str = "",
) -> Panel:
    """The value of this moment, coloured by ``limit`` or ``mappings``."""
    core = g.Stat(
        **_common(title, description, queries, unit, limit),
        format=unit,
        color={"mode": "thresholds"},
        colorMode="background" if limit or mappings else "none",
        graphMode="none",
        mappings=list(mappings),
        noValue=NO_DATA,
        reduceCalc="lastNotNull",
    )
    return Panel(core, queries, width, 4, empty)


def heatmap(title: str, description: str, query: Prom, width: int = 8) -> Panel:
    """How many requests fell into each bucket of a histogram, over time."""
    common = _common(title, description, (query,), "s", ())
    core = _Heatmap(
        **{key: common[key] for key in ("title", "description", "dataSource", "targets")}
    )
    return Panel(core, (query,), width, 8)


def logs(
    title: str, description: str, query: Loki, width: int = 24, height: int = 10, empty: str = ""
) -> Panel:
    """Log lines, newest first."""
    common = _common(title, description, (query,), "none", ())
    core = _Logs(**{key: common[key] for key in ("title", "description", "dataSource", "targets")})
    return Panel(core, (query,), width, height, empty)


def _defaults(unit: Unit) -> Json:
    thresholds = {"mode": "absolute", "steps": limits()}
    defaults = {"unit": unit, "noValue": NO_DATA, "thresholds": thresholds}
    return {"defaults": defaults, "overrides": []}


class _Logs(g.Panel):  # type: ignore[misc]
    """grafanalib's own lacks half of the options."""

    def to_json_data(self) -> Json:
        options = {
            "dedupStrategy": "none",
            "enableLogDetails": True,
            "prettifyLogMessage": False,
            "showCommonLabels": False,
            "showLabels": False,
            "showTime": True,
            "sortOrder": "Descending",
            "wrapLogMessage": True,
        }
        kind = {"type": "logs", "fieldConfig": _defaults("none"), "options": options}
        panel: Json = self.panel_json(kind)
        return panel


class _Heatmap(g.Panel):  # type: ignore[misc]
    """grafanalib's own writes what Grafana read before version 9."""

    def to_json_data(self) -> Json:
        options = {
            "calculate": False,
            "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "filterValues": {"le": 1e-09},
            "legend": {"show": True},
            "tooltip": {"show": True, "yHistogram": False},
            "yAxis": {"axisPlacement": "left", "unit": "s"},
        }
        kind = {"type": "heatmap", "fieldConfig": _defaults("s"), "options": options}
        panel: Json = self.panel_json(kind)
        return panel


def table(
    title: str,
    description: str,
    *queries: Query,
    unit: Unit = "none",
    hide: Sequence[str] = ("Time", "Value", "__name__"),
    width: int = 8,
    height: int = 4,
    empty: str = "",
) -> Panel:
    """One line a series, its labels as columns but for those in ``hide``."""
    organise = {
        "id": "organize",
        "options": {
            "excludeByName": dict.fromkeys(hide, True),
            "indexByName": {},
            "renameByName": {},
        },
    }
    core = g.Table(
        **_common(title, description, queries, unit, ()),
        unit=unit,
        transformations=[organise],
        extraJson={
            "fieldConfig": {
                "defaults": {
                    "custom": {
                        "cellOptions": {"type": "auto"},
                        "displayMode": None,
                        "inspect": False,
                    },
                    "noValue": NO_DATA,
                }
            },
            "options": {"cellHeight": "sm"},
        },
    )
    return Panel(core, queries, width, height, empty)


def text(title: str, markdown: str, width: int = 24, height: int = 2) -> Panel:
    """A paragraph of Markdown."""
    core = g.Text(
        title=title,
        description="What this dashboard is for.",
        content=markdown,
        transparent=True,
        maxDataPoints=None,
    )
    return Panel(core, (), width, height)


def _common(
    title: str, description: str, queries: Sequence[Query], unit: Unit, limit: Sequence[Json]
) -> Json:
    if not (title and description.endswith(".") and queries and unit in UNITS):
        raise ValueError(f"panel {title!r}: title, description, queries and a known unit, please")
    return {
        "title": title,
        "description": description,
        "dataSource": queries[0].datasource,
        "targets": [q.to_json(chr(ord("A") + at)) for at, q in enumerate(queries)],
        "thresholds": list(limit) or limits(),
        "maxDataPoints": None,
    }
