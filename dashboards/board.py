"""A dashboard: rows of panels on Grafana's grid, as JSON of the current schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import grafanalib.core as g

from dashboards.colours import BLUE, RED
from dashboards.grafana_json import to_json
from dashboards.layout import Row, lay_out
from dashboards.panels import Panel, text
from dashboards.queries import PROMETHEUS, VARIABLES, Json
from observability.catalog import BUILD_INFO, SERVICE, Label
from observability.conventions import PRODUCT
from observability.dashboard_uids import Board
from observability.exporters import ALERTS
from observability.generated import mark
from observability.promql.builders import aggregate, select
from observability.promql.expr import Expr

SCHEMA_VERSION = 41


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard that answers one ``question``; ``source`` is the module that declares it.

    ``hint`` tells in a sentence or two how to read the answer from it.
    """

    board: Board
    title: str
    question: str
    source: str
    rows: tuple[Row, ...]
    variables: tuple[Json, ...] = tuple(VARIABLES)
    hint: str = ""
    quiet: bool = False  # no line of text: what it says is in the description alone

    def panels(self) -> Iterator[Panel]:
        """Yield every panel, also those of collapsed rows."""
        return (panel for row in self.rows for panel in row.panels)

    def _head(self) -> tuple[Row, ...]:
        """Return the question as a text panel without a title."""
        words = f"**{self.question}** {self.hint}".strip()
        return () if self.quiet else (Row("", (text("", words),)),)

    def render(self) -> str:
        """Return the JSON for Grafana."""
        core = g.Dashboard(
            title=self.title,
            uid=self.board.value,
            description=" ".join(filter(None, (self.question, self.hint, mark(self.source)))),
            tags=[PRODUCT],
            editable=False,
            graphTooltip=g.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
            schemaVersion=SCHEMA_VERSION,
            refresh="30s",
            time=g.Time("now-1h", "now"),
            timezone="browser",
            links=[DRILL_DOWN],
            templating=g.Templating(list(self.variables)),
            annotations=g.Annotations(list(ANNOTATIONS)),
            panels=lay_out([*self._head(), *self.rows]),
        )
        return to_json(core)


def _annotation(name: str, began: Expr, title: str, color: str) -> Json:
    """Return an annotation for a series that ``began`` within the last step.

    Grafana draws an area for points that are at most a step apart; each series here has one point.
    """
    return {
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": began.text,
        "hide": False,
        "iconColor": color,
        "name": name,
        "step": ANNOTATION_STEP,
        "titleFormat": title,
    }


ANNOTATION_STEP = "1m"
ANNOTATIONS: tuple[Json, ...] = (
    _annotation(
        "Deploys",
        aggregate("max", select(BUILD_INFO).appeared(ANNOTATION_STEP), SERVICE, Label("version")),
        "{{service}} {{version}} started",
        BLUE,
    ),
    _annotation(
        "Critical alerts",
        aggregate(
            "max",
            select(ALERTS, alertstate="firing", severity="critical").appeared(ANNOTATION_STEP),
            Label("alertname"),
            SERVICE,
        ),
        "{{alertname}} {{service}}",
        RED,
    ),
)
DRILL_DOWN = g.DashboardLink(
    title="MiniTwit dashboards",
    tags=[PRODUCT],
    type="dashboards",
    icon="external link",
    asDropdown=True,
    includeVars=True,
    keepTime=True,
)
