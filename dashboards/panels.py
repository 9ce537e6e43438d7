"""The panels of our dashboards: grafanalib's, without its pitfalls.

A panel without title, description or known unit is a ``ValueError``. The rules of reading that
these functions follow are in docs/dashboards.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import grafanalib.core as g

from dashboards import axes, panel_types, tables
from dashboards.colours import GREEN, GREY, ORANGE, RED, YELLOW, colours
from dashboards.panel_types import NO_DATA
from dashboards.queries import Json, Loki, Prom, Tempo
from dashboards.tables import Column
from observability.dashboard_uids import Board

Unit = Literal[
    "none", "short", "locale", "percentunit", "s", "bytes", "binBps", "reqps", "ops", "cps",
    "dateTimeFromNow",
]  # fmt: skip
UNITS = frozenset(get_args(Unit))
Query = Prom | Loki | Tempo
BELOW_ALL = -1e12
WELL = "✓"  # begins what a panel says that is empty because all is well
# Pixels. Left to itself Grafana shrinks a name to 5 px so that a number can be huge.
NAME_SIZE, VALUE_SIZE = 14, 22


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel and its size; ``empty`` explains why it may have no data.

    ``details`` is the dashboard with more details, if it is not that of its row.
    """

    core: Any
    queries: tuple[Query, ...]
    width: int
    height: int
    empty: str = ""
    details: Board | None = None


def limits(*steps: tuple[str, float], ok: str = GREEN) -> list[Json]:
    """Return threshold steps: ``ok`` at the bottom, then each colour from its value up."""
    return [
        {"color": ok, "value": None},
        *({"color": color, "value": value} for color, value in steps),
    ]


def floors(good: float, tolerable: float | None = None) -> list[Json]:
    """Return steps where more is better: red below; missing data is grey, not red."""
    middle = () if tolerable is None else ((YELLOW, tolerable),)
    return limits((RED, BELOW_ALL), *middle, (GREEN, good), ok=GREY)


def _grey_if_no_value(steps: Sequence[Json]) -> list[Json]:
    """Return ``steps`` above a base of grey, the colour of missing data."""
    base, *others = steps or limits()
    kept = [] if base["color"] == GREY else [{"color": base["color"], "value": BELOW_ALL}]
    return [{"color": GREY, "value": None}, *kept, *others]


def explained(empty: str) -> str:
    """Return the text of a panel without data, if there is one."""
    return f"{WELL} {empty[0].upper()}{empty[1:]}" if empty else NO_DATA


def _words(*rows: tuple[str, str, str]) -> list[Any]:
    items = [g.StatValueMappingItem(text, at, color, n) for n, (text, at, color) in enumerate(rows)]
    return [g.StatValueMappings(*items)]


DOWN_UP = _words(("✗ DOWN", "0", RED), ("✓ up", "1", GREEN))
NO_REPLICA = _words(("✗ none", "0", RED))
AGREE = _words(
    ("✓ agree", "0", GREEN),
    ("✗ fails outside", "1", RED),
    ("✗ fails inside", "-1", ORANGE),
)


def timeseries(
    title: str,
    description: str,
    *queries: Query,
    unit: Unit,
    thresholds: Sequence[Json] = (),
    maximum: int | None = None,
    stacked: bool = False,
    width: int = 8,
    height: int = 8,
    empty: str = "",
    no_value: str = "",
) -> Panel:
    """Return a time-series panel; ``thresholds`` are dashed lines within the axis.

    ``maximum`` fixes the upper end of the axis; ``no_value`` is the text without data.
    """
    core = g.TimeSeries(
        **_common(title, description, queries, unit, thresholds),
        unit=unit,
        fillOpacity=30 if stacked else 8,
        lineWidth=2,
        overrides=colours(query.legend for query in queries),
        showPoints="never",
        spanNulls=False,
        stacking={"group": "A", "mode": "normal" if stacked else "none"},
        thresholdsStyleMode="dashed" if thresholds else "off",
        tooltipMode="multi",
        tooltipSort="desc",
        valueMin=0,
        valueMax=maximum,
        extraJson={
            "fieldConfig": {
                "defaults": {
                    "custom": {
                        "axisSoftMin": 0,
                        # grafanalib takes whole numbers only.
                        "axisSoftMax": None if maximum else axes.soft_max(unit, thresholds),
                        "scaleDistribution": {"type": "linear", "log": None},
                    },
                    "noValue": no_value or explained(empty),
                }
            },
            "options": {"legend": axes.legend(width, len(queries))},
        },
    )
    return Panel(core, queries, width, height, empty)


def stat(
    title: str,
    description: str,
    *queries: Query,
    unit: Unit,
    thresholds: Sequence[Json] = (),
    mappings: Sequence[Any] = (),
    decimals: int | None = None,
    width: int = 4,
    height: int = 4,
    empty: str = "",
    no_value: str = NO_DATA,
) -> Panel:
    """Return a stat panel of the current value, coloured by ``thresholds`` or ``mappings``.

    ``no_value`` is its text without data.
    """
    steps = list(thresholds) if no_value.startswith(WELL) else _grey_if_no_value(thresholds)
    core = g.Stat(
        **_common(title, description, queries, unit, steps),
        format=unit,
        color={"mode": "thresholds"},
        colorMode="background_solid" if thresholds or mappings else "none",
        decimals=decimals,
        graphMode="none",
        mappings=list(mappings),
        noValue=no_value,
        reduceCalc="lastNotNull",
        textMode="value_and_name",
        extraJson={
            "options": {
                "text": {"titleSize": NAME_SIZE, "valueSize": VALUE_SIZE},
                "wideLayout": False,
            }
        },
    )
    return Panel(core, queries, width, height, empty)


def heatmap(title: str, description: str, query: Prom, width: int = 8, height: int = 8) -> Panel:
    """Return a heatmap of requests per second in each bucket of a histogram."""
    return Panel(
        panel_types.Heatmap(**_plain(title, description, query, "s")), (query,), width, height
    )


def logs(
    title: str, description: str, query: Loki, width: int = 24, height: int = 10, empty: str = ""
) -> Panel:
    """Return a panel of log lines, newest first."""
    explanation = {"fieldConfig": {"defaults": {"noValue": explained(empty)}}}
    core = panel_types.Logs(**_plain(title, description, query, "none"), extraJson=explanation)
    return Panel(core, (query,), width, height, empty)


def traces(title: str, description: str, query: Tempo, height: int = 16) -> Panel:
    """Return a panel of the spans of one trace."""
    core = panel_types.Traces(**_plain(title, description, query, "none"))
    return Panel(core, (query,), 24, height)


def table(
    title: str,
    description: str,
    *queries: Query,
    columns: Sequence[Column],
    sort: Sequence[tuple[str, bool]] = (),
    hide: Sequence[str] = ("Time", "__name__"),
    width: int = 12,
    height: int = 8,
    empty: str = "",
    no_value: str = "",
) -> Panel:
    """Return a table of one line per series, sorted by (title, descending)."""
    common = _common(title, description, queries, "none", ())
    common["transformations"] = tables.transformations(columns, hide, len(queries) > 1)
    common["no_value"] = no_value or explained(empty)
    return Panel(tables.table(common, columns, sort), queries, width, height, empty)


def text(title: str, markdown: str, width: int = 24, height: int = 2) -> Panel:
    """Return a panel of Markdown, without a heading if it has no title."""
    core = g.Text(
        title=title,
        description="What this dashboard is for.",
        content=markdown,
        transparent=True,
        maxDataPoints=None,
    )
    return Panel(core, (), width, height)


def _plain(title: str, description: str, query: Query, unit: Unit) -> Json:
    common = _common(title, description, (query,), unit, ())
    return {key: common[key] for key in ("title", "description", "dataSource", "targets")}


def _common(
    title: str, description: str, queries: Sequence[Query], unit: Unit, thresholds: Sequence[Json]
) -> Json:
    if not (title and description.endswith(".") and queries and unit in UNITS):
        raise ValueError(f"panel {title!r}: title, description, queries and a known unit, please")
    return {
        "title": title,
        "description": description,
        "dataSource": queries[0].datasource,
        "targets": [q.to_json(chr(ord("A") + at)) for at, q in enumerate(queries)],
        "thresholds": list(thresholds) or limits(),
        "maxDataPoints": None,
    }
