"""Which dashboards exist, and which metrics are on none of them on purpose."""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.business import BUSINESS
from dashboards.database import DATABASE_BOARD
from dashboards.hosts import HOSTS
from dashboards.http import HTTP
from dashboards.logs import LOGS
from dashboards.monitoring import MONITORING
from dashboards.outside import OUTSIDE
from dashboards.overview import OVERVIEW
from dashboards.simulator import SIMULATOR
from observability.catalog import Metric

DASHBOARDS: tuple[Dashboard, ...] = (
    OVERVIEW, HTTP, BUSINESS, SIMULATOR, DATABASE_BOARD, LOGS, OUTSIDE, HOSTS, MONITORING,
)  # fmt: skip

# Metrics that are on no dashboard and in no rule, each with a reason that a reader would accept.
INTERNAL: dict[Metric, str] = {}


def render() -> dict[str, str]:
    """Every generated file: its name and its text."""
    return {f"{dashboard.board.value}.json": dashboard.render() for dashboard in DASHBOARDS}
