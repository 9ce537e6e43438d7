"""Panel types that grafanalib lacks, or writes in the format before Grafana 9."""

from __future__ import annotations

from typing import Any

import grafanalib.core as g

from dashboards.queries import Json

NO_DATA = "No data"


def defaults(unit: str, no_value: str = NO_DATA) -> Json:
    """Return the field configuration of a panel without limits."""
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
    """A logs panel with all options; grafanalib's lacks half of them."""

    def to_json_data(self) -> Json:
        """Return the panel's JSON."""
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
    """A heatmap panel: rows are seconds, cells are events per second."""

    def to_json_data(self) -> Json:
        """Return the panel's JSON."""
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
    """A traces panel: the spans of one trace over time."""

    def to_json_data(self) -> Json:
        """Return the panel's JSON."""
        return _panel(self, "traces", "none", {}, "No trace chosen")
