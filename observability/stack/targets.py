"""What Prometheus watches, and where people talk: data for the templates."""

from __future__ import annotations

from dataclasses import dataclass

ROOM = "#minitwit"
RELAY_NICK = "minitwit"
CHATLOG_NICK = "chatlog"


@dataclass(frozen=True, slots=True)
class Probe:
    """A look from outside at ``path`` of ``service``."""

    name: str
    service: str
    path: str


PROBES = (
    Probe("api-ready", "api", "/readyz"),
    Probe("web-public", "web", "/public"),
    Probe("prometheus-ready", "prometheus", "/-/ready"),
    Probe("alertmanager-ready", "alertmanager", "/-/ready"),
)
