"""The ways to deploy the platform, as the templates of its configuration see them.

The same templates serve all three: this machine without Docker, compose, and Swarm. In the last
two each component has the same name, so both mount the files in ``deploy/generated``. Swarm's DNS
resolves ``tasks.NAME`` to every replica of a service; compose gets the same names as aliases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import jinja2

from observability import conventions
from observability.dashboard_uids import Board
from observability.exporters import kept
from observability.stack import targets
from observability.stack.components import COMPONENTS
from observability.stack.config.receivers import RECEIVERS
from observability.stack.settings import ROOT
from observability.time_scale import TimeScale, duration

# Tempo's OTLP endpoint, besides its HTTP API.
OTLP, OTLP_PORT = "otlp", 4318
# Ports that exist in containers only. nginx's "status" is for the exporter and the probes.
PROXY_PORTS = {"http": 8080, "https": 8443, "web": 5000, "api": 5001, "status": 8081}
CONTAINER_PORTS = {"nginx-exporter": 9113, "nginx": PROXY_PORTS["https"]}
# Without an address in containers: no other component connects to them by `Deployment.address`.
UNADDRESSED = {"load", "chatlog", "migrate", "postgres", "preview"}
REPLICATED = frozenset({"api", "web", "node", "promtail"})  # every replica is scraped by itself
CLOUDFLARE = ROOT / "deploy/nginx/cloudflare.txt"

# Loki's ruler reads rules from a folder named after the tenant; there is one tenant.
LOKI_RULES = ROOT / "alerts/generated/loki"
TENANT = "fake"  # Loki's fixed name where it asks nobody who they are

# template → path in the configuration folder
_TEMPLATES = "observability/stack/config/templates"
TEMPLATES = {
    f"{_TEMPLATES}/prometheus.yml.j2": "prometheus.yml",
    "alerts/alertmanager.yml.j2": "alertmanager.yml",
    f"{_TEMPLATES}/relay.yml.j2": "relay.yml",
    f"{_TEMPLATES}/ngircd.conf.j2": "ngircd.conf",
    f"{_TEMPLATES}/loki.yml.j2": "loki.yml",
    "promtail/promtail.yml.j2": "promtail.yml",
    f"{_TEMPLATES}/tempo.yml.j2": "tempo.yml",
    f"{_TEMPLATES}/grafana-datasources.yml.j2": "grafana/datasources/minitwit.yml",
    f"{_TEMPLATES}/grafana-dashboards.yml.j2": "grafana/dashboards/minitwit.yml",
}
PRODUCTION = TimeScale()
PROXY = "deploy/nginx/nginx.conf.j2"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One way to deploy the platform: its components, their addresses and folders.

    ``address`` is the host:port at which others reach a component, ``listen`` the one it binds.
    ``jobs`` are pairs of a component and the Prometheus job that scrapes it. ``folder`` maps a name
    that the templates use to a path: a component's name to its data folder, ``logs`` and
    ``rotated`` to glob patterns of log files, ``messages`` to a file, the other names to folders.
    ``replicated`` components are discovered by DNS. ``time_scale`` sets the monitoring's
    intervals. Notifications link to dashboards under ``grafana_url`` and to runbooks under
    ``runbook_base``.
    """

    components: frozenset[str]
    address: Mapping[str, str]
    listen: Mapping[str, str]
    jobs: tuple[tuple[str, str], ...]
    folder: Mapping[str, str]
    grafana_url: str
    runbook_base: str
    replicated: frozenset[str] = frozenset()
    time_scale: TimeScale = PRODUCTION


def containers() -> Deployment:
    """Return the deployment in containers: compose and Swarm."""
    known = {c.name: c.port for c in COMPONENTS.values() if c.port and c.name not in UNADDRESSED}
    ports = known | CONTAINER_PORTS
    jobs = [(name, COMPONENTS[name].job) for name in known if COMPONENTS[name].job]
    return Deployment(
        components=frozenset(ports),
        address={
            name: f"tasks.{name}:{port}" if name in REPLICATED else f"{name}:{port}"
            for name, port in ports.items()
        }
        | {OTLP: f"tempo:{OTLP_PORT}"},
        listen={name: f"0.0.0.0:{port}" for name, port in (ports | {OTLP: OTLP_PORT}).items()},
        jobs=(*jobs, ("nginx-exporter", "nginx")),
        folder={
            "rules": "/etc/prometheus/rules",
            "secrets": "/run/secrets",
            "receivers": "/run/secrets",
            "alertmanager": "/run/alertmanager",
            "chat": "/run/chat",
            "messages": "/etc/alertmanager/messages.tmpl",
            "dashboards": "/etc/grafana/dashboards",
            "logs": "/var/log/minitwit/*/*.log",
            "loki": "/loki",
            "tempo": "/var/tempo",
            "promtail": "/var/lib/promtail",
            "rotated": "/var/lib/promtail/*.rotated.log",
        }
        | ({"loki-rules": "/etc/loki/rules"} if LOKI_RULES.is_dir() else {}),
        # Prometheus and Loki read these from their environment.
        grafana_url="${GRAFANA_URL}",
        runbook_base="${RUNBOOK_BASE}",
        replicated=REPLICATED,
    )


@dataclass(frozen=True, slots=True)
class Proxy:
    """nginx's settings: ``listen`` has host:port for each listener of ``PROXY_PORTS``.

    ``active`` are the files (a glob pattern) that name the upstream api and web; ``resolver`` the
    DNS server that resolves them, or '' where they are addresses. ``header_seconds`` limits the
    time in which the headers of a request must arrive; ``temporary_folder`` gets buffered bodies.
    """

    listen: Mapping[str, str]
    grafana: str
    active: str
    certificate: str
    key: str
    log: str
    temporary_folder: str
    resolver: str = ""
    header_seconds: int = 10


CONTAINER_PROXY = Proxy(
    listen={name: str(port) for name, port in PROXY_PORTS.items()},
    grafana="grafana:3000",
    active="/etc/nginx/active/*.conf",
    certificate="/run/secrets/tls_certificate",
    key="/run/secrets/tls_key",
    log="/var/log/minitwit/nginx/nginx.log",
    temporary_folder="/tmp",  # noqa: S108  # the container's own
    resolver="127.0.0.11",
)


def cloudflare() -> list[str]:
    """Return the networks from which Cloudflare connects; ValueError if one is malformed."""
    lines = [line.partition("#")[0].strip() for line in CLOUDFLARE.read_text().splitlines()]
    return [str(ip_network(line)) for line in lines if line]


def render(template: str, **values: Any) -> str:
    """Render a template of this repository; an unknown variable in it is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # configuration files, no HTML
    )
    environment.filters.update(quoted=_quoted, ini_escaped=_ini_escaped, duration=duration)
    return environment.get_template(template).render(
        targets=targets, names=conventions, kept=kept, boards=Board, receivers=RECEIVERS, **values
    )


def render_all(deployment: Deployment) -> dict[str, str]:
    """Render every file of ``TEMPLATES``, by its name."""
    return {name: render(template, deployment=deployment) for template, name in TEMPLATES.items()}


def render_proxy(proxy: Proxy) -> str:
    """Render nginx's configuration."""
    return render(PROXY, proxy=proxy, cloudflare=cloudflare())


def flat_name(path_in_folder: str) -> str:
    """Return the file name of a path of ``TEMPLATES`` in a folder without subfolders."""
    path = Path(path_in_folder)
    return f"{path.parts[0]}-{path.parts[1]}.yml" if len(path.parts) > 1 else path_in_folder


def _quoted(value: object) -> str:
    """Return the text of a value as a string of JSON, which YAML reads too."""
    return json.dumps(str(value))


def _ini_escaped(value: str) -> str:
    """Escape for supervisord.conf, where % starts an expansion."""
    return value.replace("%", "%%")
