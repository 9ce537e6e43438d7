"""Kinds of panel that grafanalib lacks, or writes as Grafana read them before version 9."""

from __future__ import annotations

from typing import Any

import grafanalib.core as g

from dashboards.queries import Json

NO_DATA = "No data"


def defaults(unit: str, no_value: str = NO_DATA) -> Json:
    """The field configuration of a panel without limits."""
    thresholds = {"mode": "absolute", "steps": [{"color": "green", "value": None}]}
    return {
        "defaults": {"unit": unit, "noValue": no_value, "thresholds": thresholds},
        "overrides": [],
    }


def _panel(core: Any, kind: str, unit: str, options: Json, no_value: str = NO_DATA) -> Json:
    config = {"type": kind, "fieldConfig": defaults(unit, no_value), "options": options}
    panel: Json = core.panel_json(config)
    return panel


class Logs(g.Panel):  # type: ignore[misc]
    """grafanalib's own lacks half of the options."""

    def to_json_data(self) -> Json:
        """As Grafana stores it."""
        options = {
            "dedupStrategy": "none",
            "enableLogDetails": True,
            "prettifyLogMessage": False,
            "showCommonLabels": False,
            "showLabels": False,
            "showTime": True,
            "sortOrder": "Descending",
            "wrapLogMessage": False,
        }
        return _panel(self, "logs", "none", options)


class Heatmap(g.Panel):  # type: ignore[misc]
    """Rows are seconds, cells are events a second."""

    def to_json_data(self) -> Json:
        """As Grafana stores it."""
        options = {
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": "reqps"},
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "filterValues": {"le": 1e-09},
            "legend": {"show": True},
            "tooltip": {"mode": "single", "show": True, "yHistogram": False},
            "yAxis": {"axisPlacement": "left", "unit": "s"},
        }
        return _panel(self, "heatmap", "s", options)


class Traces(g.Panel):  # type: ignore[misc]
    """One trace: its spans over time."""

    def to_json_data(self) -> Json:
        """As Grafana stores it."""
        return _panel(self, "traces", "none", {}, "No trace chosen")
