"""A dashboard: rows of panels laid out on Grafana's grid, as JSON of the present schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import grafanalib.core as g

from dashboards.layout import Row, lay_out
from dashboards.modern import to_json
from dashboards.panels import Panel, text
from dashboards.queries import PROMETHEUS, VARIABLES, Json
from observability.catalog import BUILD_INFO, SERVICE, Label
from observability.conventions import PRODUCT, Board
from observability.exporters import ALERTS
from observability.generated import mark
from observability.promql.builders import differs, select, total
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

    def panels(self) -> Iterator[Panel]:
        """Every panel, those of collapsed rows too."""
        return (panel for row in self.rows for panel in row.panels)

    def _question(self) -> Panel:
        words = f"**{self.question}** {self.hint}".strip()
        return text("Question", words, height=3 if self.hint else 2)

    def render(self) -> str:
        """The JSON that Grafana reads."""
        core = g.Dashboard(
            title=self.title,
            uid=self.board.value,
            description=f"{self.question} {mark(self.source)}",
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
            panels=lay_out([Row("", (self._question(),)), *self.rows]),
        )
        return to_json(core)


def _annotation(name: str, expr: Expr, title: str, color: str) -> Json:
    return {
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": expr.text,
        "hide": False,
        "iconColor": color,
        "name": name,
        "titleFormat": title,
    }


ANNOTATIONS: tuple[Json, ...] = (
    _annotation(
        "Deploys",
        total(select(BUILD_INFO).appeared("1m"), SERVICE, Label("version")),
        "{{service}} {{version}} started",
        "blue",
    ),
    _annotation(
        "Firing alerts",
        select(ALERTS, alertstate="firing", severity=differs("none")),
        "{{alertname}} {{service}}",
        "red",
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
