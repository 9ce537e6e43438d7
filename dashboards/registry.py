"""All dashboards, and the metrics that are deliberately on none of them."""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.boards.business import BUSINESS
from dashboards.boards.database import DATABASE_BOARD
from dashboards.boards.deploys import DEPLOYS
from dashboards.boards.hosts import HOSTS
from dashboards.boards.http import HTTP
from dashboards.boards.logs import LOGS
from dashboards.boards.monitoring import MONITORING
from dashboards.boards.outside import OUTSIDE
from dashboards.boards.overview import OVERVIEW
from dashboards.boards.service import ONE_SERVICE
from dashboards.boards.simulator import SIMULATOR
from dashboards.boards.trace import TRACE
from observability.catalog import Metric

DASHBOARDS: tuple[Dashboard, ...] = (
    OVERVIEW, ONE_SERVICE, HTTP, LOGS, TRACE, DEPLOYS, DATABASE_BOARD, BUSINESS, SIMULATOR,
    OUTSIDE, HOSTS, MONITORING,
)  # fmt: skip

# Metrics that are on no dashboard and in no rule, each with a reason that a reader would accept.
INTERNAL: dict[Metric, str] = {}


def render() -> dict[str, str]:
    """Return every generated file: its name and its text."""
    return {f"{dashboard.board.value}.json": dashboard.render() for dashboard in DASHBOARDS}
