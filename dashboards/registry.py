"""Which dashboards exist, and which metrics are on none of them on purpose."""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.overview import OVERVIEW
from observability.catalog import ACTIVE_USERS, SIMULATOR_ACTIONS, SIMULATOR_DURATION, Metric

DASHBOARDS: tuple[Dashboard, ...] = (OVERVIEW,)

# Metrics that are on no dashboard and in no rule, each with a reason that a reader would accept.
INTERNAL: dict[Metric, str] = {
    ACTIVE_USERS: "its panel comes with the dashboard of the business",
    SIMULATOR_ACTIONS: "its panel comes with the simulator's dashboard",
    SIMULATOR_DURATION: "its panel comes with the simulator's dashboard",
}


def render() -> dict[str, str]:
    """Every generated file: its name and its text."""
    return {f"{dashboard.board.value}.json": dashboard.render() for dashboard in DASHBOARDS}
