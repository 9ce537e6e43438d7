"""A dashboard: rows of panels laid out on Grafana's grid, as JSON of the present schema."""

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
from observability.conventions import PRODUCT, Board
from observability.exporters import ALERTS
from observability.generated import mark
from observability.promql.builders import aggregate, select
from observability.promql.expr import Expr

SCHEMA_VERSION = 41


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Answers one ``question``; ``source`` is the module that declares it.

    ``hint`` says in a sentence or two how to read the answer from it.
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
        """Every panel, those of collapsed rows too."""
        return (panel for row in self.rows for panel in row.panels)

    def _head(self) -> tuple[Row, ...]:
        """The question, in a line without a title."""
        words = f"**{self.question}** {self.hint}".strip()
        return () if self.quiet else (Row("", (text("", words),)),)

    def render(self) -> str:
        """The JSON that Grafana reads."""
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
    """A line where something ``began`` within the last step; never an area.

    Grafana makes an area of points that are at most a step apart; each series here has one.
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
