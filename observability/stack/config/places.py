"""Where the platform runs, as the templates of its configuration see it.

The same templates serve three places: this machine without Docker, compose, and Swarm. In the
latter two everything is found by the same names, so both mount the files in ``deploy/generated``:
``tasks.NAME`` is what Swarm's DNS calls all replicas of a service; compose is told to as well.
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
from observability.clock import Clock, duration
from observability.stack import targets
from observability.stack.components import COMPONENTS
from observability.stack.settings import ROOT

# Ports of what runs in containers only. nginx's "status" is for the exporter and the probes.
# What Tempo listens on besides, to take traces.
OTLP, OTLP_PORT = "otlp", 4318
PROXY_PORTS = {"http": 8080, "https": 8443, "web": 5000, "api": 5001, "status": 8081}
CONTAINER_PORTS = {"nginx-exporter": 9113, "nginx": PROXY_PORTS["https"]}
ABSENT = {
    "load",
    "chatlog",
    "migrate",
    "postgres",
    "preview",
}  # in containers: nobody asks them anything
REPLICATED = frozenset({"api", "web", "node", "promtail"})  # each of them is found one by one
CLOUDFLARE = ROOT / "deploy/nginx/cloudflare.txt"

# What Loki's ruler evaluates; it looks in a folder named after the tenant, of which there is one.
LOKI_RULES = ROOT / "alerts/generated/loki"
TENANT = "fake"

# template → where in the configuration folder
_OWN = "observability/stack/config/templates"
TEMPLATES = {
    f"{_OWN}/prometheus.yml.j2": "prometheus.yml",
    "alerts/alertmanager.yml.j2": "alertmanager.yml",
    f"{_OWN}/relay.yml.j2": "relay.yml",
    f"{_OWN}/ngircd.conf.j2": "ngircd.conf",
    f"{_OWN}/loki.yml.j2": "loki.yml",
    "promtail/promtail.yml.j2": "promtail.yml",
    f"{_OWN}/tempo.yml.j2": "tempo.yml",
    f"{_OWN}/grafana-datasources.yml.j2": "grafana/datasources/minitwit.yml",
    f"{_OWN}/grafana-dashboards.yml.j2": "grafana/dashboards/minitwit.yml",
}
PRODUCTION = Clock()
PROXY = "deploy/nginx/nginx.conf.j2"


@dataclass(frozen=True, slots=True)
class Place:
    """``runs`` are the components there are; ``address`` is host:port of each for the others,
    ``listen`` for itself.

    ``jobs`` are pairs of a component and the Prometheus job that scrapes it. ``folder`` says
    where a component finds things: ``rules``, ``dashboards``, ``logs`` and ``rotated`` (patterns
    of files), secrets, and what it may write itself, by its name. ``replicated`` components are
    found by DNS. ``clock`` is the pace of the monitoring. Messages link to dashboards under
    ``grafana_url`` and to runbooks under ``runbook_base``.
    """

    runs: frozenset[str]
    address: Mapping[str, str]
    listen: Mapping[str, str]
    jobs: tuple[tuple[str, str], ...]
    folder: Mapping[str, str]
    grafana_url: str
    runbook_base: str
    replicated: frozenset[str] = frozenset()
    clock: Clock = PRODUCTION


def containers() -> Place:
    """Compose and Swarm."""
    known = {c.name: c.port for c in COMPONENTS.values() if c.port and c.name not in ABSENT}
    ports = known | CONTAINER_PORTS
    jobs = [(name, COMPONENTS[name].job) for name in known if COMPONENTS[name].job]
    return Place(
        runs=frozenset(ports),
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
    """What nginx is told: ``listen`` has host:port per entrance of ``PROXY_PORTS``.

    ``active`` is the file that says which api and web are served; ``resolver`` the DNS server
    that knows their names, or '' where they are addresses. ``header_seconds`` is how long the
    head of a request may take to arrive.
    """

    listen: Mapping[str, str]
    grafana: str
    active: str
    certificate: str
    key: str
    log: str
    scratch: str
    resolver: str = ""
    header_seconds: int = 10


CONTAINER_PROXY = Proxy(
    listen={name: str(port) for name, port in PROXY_PORTS.items()},
    grafana="grafana:3000",
    active="/etc/nginx/active/*.conf",
    certificate="/run/secrets/tls_certificate",
    key="/run/secrets/tls_key",
    log="/var/log/minitwit/nginx/nginx.log",
    scratch="/tmp",  # noqa: S108  # the container's own
    resolver="127.0.0.11",
)


def cloudflare() -> list[str]:
    """The networks from which Cloudflare connects; ValueError if one is none."""
    lines = [line.partition("#")[0].strip() for line in CLOUDFLARE.read_text().splitlines()]
    return [str(ip_network(line)) for line in lines if line]


def render(template: str, **values: Any) -> str:
    """The text of a template of this repository; an unknown name in it is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # YAML and INI, no HTML
    )
    environment.filters.update(q=lambda value: json.dumps(str(value)), ini=_ini, d=duration)
    return environment.get_template(template).render(targets=targets, names=conventions, **values)


def render_all(place: Place) -> dict[str, str]:
    """The text of every file of ``TEMPLATES``, by its name."""
    return {name: render(template, place=place) for template, name in TEMPLATES.items()}


def render_proxy(proxy: Proxy) -> str:
    """nginx's configuration."""
    return render(PROXY, proxy=proxy, cloudflare=cloudflare())


def flat(name: str) -> str:
    """A file of ``TEMPLATES`` as it is called where there are no folders."""
    path = Path(name)
    return f"{path.parts[0]}-{path.parts[1]}.yml" if len(path.parts) > 1 else name


def _ini(value: str) -> str:
    """Escape for supervisord.conf, where % starts an expansion."""
    return value.replace("%", "%%")
