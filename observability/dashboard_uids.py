"""The uid of each dashboard, for links from panels, alerts and the chat."""

from __future__ import annotations

from enum import StrEnum

from observability.conventions import PRODUCT


class Board(StrEnum):
    """The uids of the dashboards; they never change, because links contain them."""

    OVERVIEW = f"{PRODUCT}-overview"
    HTTP = f"{PRODUCT}-http"
    BUSINESS = f"{PRODUCT}-business"
    SIMULATOR = f"{PRODUCT}-simulator"
    DATABASE = f"{PRODUCT}-database"
    OUTSIDE = f"{PRODUCT}-outside"
    HOSTS = f"{PRODUCT}-hosts"
    LOGS = f"{PRODUCT}-logs"
    MONITORING = f"{PRODUCT}-monitoring"
    SERVICE = f"{PRODUCT}-service"
    DEPLOYS = f"{PRODUCT}-deploys"
    TRACE = f"{PRODUCT}-trace"

    @property
    def path(self) -> str:
        """The path of the dashboard in Grafana."""
        return f"/d/{self.value}"
