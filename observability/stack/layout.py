"""One stack on this machine: its components, addresses, files, and the configuration rendered."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jinja2

from observability.stack import postgres, targets
from observability.stack.components import COMPONENTS, TABLE, Component, grafana_home
from observability.stack.settings import HOST, ROOT, Settings
from observability.stack.tools import Program

MARK = "MINITWIT_RUN"  # in the environment of every process of a stack: whose it is

# template → where in the configuration folder
TEMPLATES = {
    "observability/stack/templates/prometheus.yml.j2": "prometheus.yml",
    "alerts/alertmanager.yml.j2": "alertmanager.yml",
    "observability/stack/templates/relay.yml.j2": "relay.yml",
    "observability/stack/templates/ngircd.conf.j2": "ngircd.conf",
    "observability/stack/templates/loki.yml.j2": "loki.yml",
    "promtail/promtail.yml.j2": "promtail.yml",
    "observability/stack/templates/grafana-datasources.yml.j2": "grafana/datasources/minitwit.yml",
    "observability/stack/templates/grafana-dashboards.yml.j2": "grafana/dashboards/minitwit.yml",
    "observability/stack/templates/supervisord.conf.j2": "supervisord.conf",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The chosen components under these settings, run by these programs."""

    settings: Settings
    components: tuple[Component, ...]
    programs: Mapping[str, Program]

    def database_url(self, password: str = "") -> str:
        """Where PostgreSQL is: the one that was given, or our own with this password."""
        return self.settings.database_url or postgres.url(password, self.port("postgres"))

    @property
    def postgres_home(self) -> Path:
        """The folder of our own database."""
        return self.settings.data / "postgres"

    def port(self, name: str) -> int:
        """The port of a component in this stack; 0 if it has none."""
        port = COMPONENTS[name].port
        return port + self.settings.offset if port else 0

    def address(self, name: str) -> str:
        """``host:port`` of a component; '' if it has none."""
        return f"{HOST}:{self.port(name)}" if COMPONENTS[name].port else ""

    @property
    def place(self) -> targets.Place:
        """This machine, as the templates see it."""
        return targets.Place(
            name="local",
            address={c.name: self.address(c.name) for c in TABLE if c.port},
            runs=frozenset(c.name for c in self.components),
            rules=ROOT / "alerts/generated",
            dashboards=ROOT / "dashboards/generated",
        )

    def command(self, component: Component) -> list[str]:
        """The command line of a component."""
        if component.name == "postgres":
            return postgres.command(self.postgres_home, self.port("postgres"))
        program = self.programs.get(component.tool)
        extra = program.flags if program else ()
        return [*(self.fill(component, part) for part in component.command), *extra]

    def directory(self, component: Component) -> Path | None:
        """Where a component must be started, if not in the project's root."""
        program = self.programs.get(component.tool)
        return program.directory if program else None

    def environment(self, component: Component) -> dict[str, str]:
        """What a component finds in its environment besides what all inherit."""
        program = self.programs.get(component.tool)
        own = {key: self.fill(component, value) for key, value in component.env.items()}
        return own | (program.env if program else {})

    def fill(self, component: Component, text: str) -> str:
        """Replace the names in a template of the table of components."""
        settings, program = self.settings, self.programs.get(component.tool)
        return text.format(
            python=sys.executable,
            tool=program.path if program else "",
            root=ROOT,
            config=settings.config,
            data=settings.data,
            logs=settings.logs,
            secrets=settings.secrets,
            textfile=settings.textfile,
            host=HOST,
            port=self.port(component.name),
            address={c.name: self.address(c.name) for c in TABLE},
            grafana=grafana_home(),
            exporter_uri=_exporter_uri(self.database_url()),
        )


def prepare(layout: Layout, socket: Path) -> list[Path]:
    """Make the folders, write the secrets and render all configuration; the files written."""
    settings = layout.settings
    positions = settings.data / "promtail"
    for folder in (settings.config, settings.logs / "json", settings.textfile, positions):
        folder.mkdir(parents=True, exist_ok=True)
    settings.secrets.mkdir(mode=0o700, exist_ok=True)
    _write_secrets(layout)
    return render(layout, settings.config, socket)


def render(layout: Layout, folder: Path, socket: Path) -> list[Path]:
    """Render every template into ``folder``; the files written."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # YAML and INI, no HTML
    )
    environment.filters |= {"q": lambda value: json.dumps(str(value)), "ini": _ini}
    values = {
        "place": layout.place,
        "targets": targets,
        "layout": layout,
        "settings": layout.settings,
        "socket": socket,
        "root": ROOT,
        "python": sys.executable,
        "as_root": os.geteuid() == 0,
        "join": shlex.join,
    }
    written = []
    for template, name in TEMPLATES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(environment.get_template(template).render(values))
        written.append(path)
    return written


def socket_path(run_dir: Path) -> Path:
    """Supervisor's socket. A short path of its own: a socket's may have 107 bytes at most."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108  # 0700, owner checked
    key = hashlib.sha256(str(run_dir).encode()).hexdigest()[:12]
    return base / f"minitwit-{os.geteuid()}-{key}" / "supervisor.sock"


def _write_secrets(layout: Layout) -> None:
    own = any(component.name == "postgres" for component in layout.components)
    address = layout.database_url(postgres.prepare(layout.postgres_home) if own else "")
    url = urlsplit(address)
    _secret(layout, "database_url", address)
    _secret(layout, "database_user", unquote(url.username or ""))
    _secret(layout, "database_password", unquote(url.password or ""))
    key = layout.settings.secrets / "secret_key"
    known = key.read_text() if key.exists() else ""
    _secret(layout, key.name, os.environ.get("SECRET_KEY") or known or secrets.token_urlsafe(32))


def _secret(layout: Layout, name: str, text: str) -> None:
    path = layout.settings.secrets / name
    path.touch(mode=0o600)
    path.write_text(text)


def _exporter_uri(database_url: str) -> str:
    """What the PostgreSQL exporter takes: no scheme, no user, and TLS decided."""
    url = urlsplit(database_url)
    query = url.query or "sslmode=prefer"
    if "sslmode" not in query or "sslmode=prefer" in query:  # its driver knows no ``prefer``
        query = "sslmode=disable"
    return f"{url.netloc.rpartition('@')[2]}{url.path}?{query}"


def _ini(value: str) -> str:
    """Escape for supervisord.conf, where % starts an expansion."""
    return value.replace("%", "%%")
