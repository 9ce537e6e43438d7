"""Shows for how long there are samples, in a panel that looks further back."""

from __future__ import annotations

from dataclasses import replace

import attr

from dashboards.colours import GREY
from dashboards.panels import Panel
from dashboards.queries import Json, Prom
from observability.exporters import OLDEST_SAMPLE
from observability.promql.builders import NOW, aggregate, select

LEGEND = "measured only for"


def query(seconds: float) -> Prom:
    """Query the age (s) of the oldest sample; empty if it is ``seconds`` or more."""
    return Prom(NOW - aggregate("min", select(OLDEST_SAMPLE)) < seconds, LEGEND, instant=True)


def dated(panel: Panel) -> Panel:
    """Return ``panel`` with the value of ``query``, its last one, formatted as a duration."""
    properties = {
        "unit": "s",
        "decimals": 0,
        "color": {"mode": "fixed", "fixedColor": GREY},
    }
    override: Json = {
        "matcher": {"id": "byName", "options": LEGEND},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }
    return replace(panel, core=attr.evolve(panel.core, overrides=[override]))
