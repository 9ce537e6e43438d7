"""Axes that include the limit, and legends that leave space for the lines."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.queries import Json

# How far an axis goes at least where nothing is measured and no limit is set, by unit. Without
# it a line of zeros gets an axis up to 10,000 %.
LEAST = {
    "percentunit": 0.05, "s": 0.05, "reqps": 1.0, "ops": 1.0, "cps": 1.0, "short": 1.0,
    "none": 1.0, "bytes": 1e6, "binBps": 1024.0,
}  # fmt: skip
ABOVE = 1.25  # of the limit: it lies below the upper edge, and can be seen
WIDE = 12  # columns from which there is room for a legend on the right


def soft_max(unit: str, steps: Sequence[Json]) -> float:
    """Return the soft maximum of an axis: above the highest threshold, or by unit."""
    limits = [float(step["value"]) for step in steps if step["value"] is not None]
    return round(ABOVE * max(limits), 6) if limits else LEAST[unit]


def legend(width: int, lines: int) -> Json:
    """Return a legend: on the right of a wide panel, sorted by maximum, else below.

    A panel of a single line that its title names has none.
    """
    if width >= WIDE:
        return {
            "displayMode": "table",
            "placement": "right",
            "calcs": ["lastNotNull", "max"],
            "sortBy": "Max",
            "sortDesc": True,
            "showLegend": True,
        }
    shown = lines > 0
    return {"displayMode": "list", "placement": "bottom", "calcs": [], "showLegend": shown}
