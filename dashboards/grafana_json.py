"""Turns grafanalib's objects into JSON of the current schema.

Keys of grafanalib that are not below have no effect, or are undone by Grafana's migrations.
"""

from __future__ import annotations

import json
from typing import Any

from grafanalib._gen import DashboardEncoder

from dashboards.queries import Json

BOARD_KEYS = frozenset((
    "annotations", "description", "editable", "graphTooltip", "links", "panels", "refresh",
    "schemaVersion", "tags", "templating", "time", "timezone", "title", "uid",
))  # fmt: skip
ROW_KEYS = frozenset(("collapsed", "gridPos", "id", "title", "type"))
TEXT_KEYS = frozenset(("description", "gridPos", "id", "options", "title", "transparent", "type"))
PANEL_KEYS = TEXT_KEYS | {"datasource", "fieldConfig", "links", "targets", "transformations"}


def to_json(core: Any) -> str:
    """Return the JSON of a grafanalib dashboard, with sorted keys."""
    data = _without_nulls(json.loads(json.dumps(core, cls=DashboardEncoder)))
    board = {key: value for key, value in data.items() if key in BOARD_KEYS}
    board["panels"] = [_panel(panel) for panel in data["panels"]]
    return json.dumps(board, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _panel(panel: Json) -> Json:
    keys = {"row": ROW_KEYS, "text": TEXT_KEYS}.get(panel["type"], PANEL_KEYS)
    kept = {key: value for key, value in panel.items() if key in keys}
    if panel["type"] == "row":
        kept["panels"] = [_panel(nested) for nested in panel["panels"]]
    return kept


def _without_nulls(value: Any) -> Any:
    """Remove keys that are null, except the value of a threshold's base."""
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    keep_null = set(value) == {"color", "value"}
    return {k: _without_nulls(v) for k, v in value.items() if v is not None or keep_null}
