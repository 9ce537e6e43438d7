"""Scrape and probe targets, and the chat channel: data for the templates."""

from __future__ import annotations

from dataclasses import dataclass

CHANNEL = "#minitwit"
# A channel with a key that only programs have: its members may post alerts.
VOICES_CHANNEL = "#minitwit-voices"
RELAY_NICK = "minitwit"
CHATLOG_NICK = "chatlog"
DEADMAN_NICK = "deadman"
MONITOR = "monitoring"  # the user name that components authenticate with
# These can silence alerts, or show passwords in their configuration: they require authentication.
GUARDED = frozenset({"alertmanager", "blackbox"})
PROBE_USER = "minitwit-probe"  # blackbox.yml and compose name it as well


@dataclass(frozen=True, slots=True)
class Probe:
    """A synthetic probe of ``path`` of ``service``, by a module of blackbox.yml.

    ``through`` is the component that is probed in its place: the reverse proxy.
    """

    name: str
    service: str
    path: str
    module: str = "http_ok"
    through: str = ""

    @property
    def asked(self) -> str:
        """The component that is probed."""
        return self.through or self.service

    @property
    def scheme(self) -> str:
        """``https`` only where TLS terminates: at the reverse proxy."""
        return "https" if self.through else "http"


PROBES = (
    Probe("api-ready", "api", "/readyz"),
    Probe("web-public", "web", "/public"),
    Probe("user-login", "web", "/login", "user_login"),
    Probe("user-timeline", "web", f"/{PROBE_USER}", "user_timeline"),
    # What the pages read of api is probed there too, so that the page names api.
    Probe("user-follows", "api", f"/fllws/{PROBE_USER}", "user_follows"),
    Probe("user-post", "api", f"/msgs/{PROBE_USER}", "user_post"),
    Probe("tls", "web", "/public", "https_ok", through="nginx"),
    Probe("prometheus-ready", "prometheus", "/-/ready"),
    Probe("alertmanager-ready", "alertmanager", "/-/ready", "monitoring_ok"),
)
