"""Shows since when samples exist, in a panel that looks further back than they do."""

from __future__ import annotations

from dataclasses import replace

import attr

from dashboards.colours import GREY
from dashboards.panels import Panel
from dashboards.queries import Json, Prom
from observability.external import OLDEST_SAMPLE
from observability.promql.builders import NOW, aggregate, select

LEGEND = "measured only since"
MILLISECONDS = 1000


def query(seconds: float) -> Prom:
    """Query the time (ms) of the oldest sample; empty if older than ``seconds``."""
    oldest = aggregate("min", select(OLDEST_SAMPLE))
    return Prom((oldest * MILLISECONDS) & (NOW - oldest < seconds), LEGEND, instant=True)


def dated(panel: Panel) -> Panel:
    """Return ``panel`` with the value of ``query``, its last one, formatted as a time."""
    properties = {
        "unit": "dateTimeFromNow",
        "color": {"mode": "fixed", "fixedColor": GREY},
    }
    override: Json = {
        "matcher": {"id": "byName", "options": LEGEND},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }
    return replace(panel, core=attr.evolve(panel.core, overrides=[override]))
