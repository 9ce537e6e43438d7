"""One stack on this machine: components, addresses, files and rendered configuration."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from observability.conventions import DEADMAN_SECONDS, RESEND_SECONDS
from observability.stack.components import COMPONENTS, TABLE, Component
from observability.stack.config import deployments
from observability.stack.config.deployments import Deployment
from observability.stack.local import address, checksum, control, passwords, postgres, roles
from observability.stack.local.address import Address, Chosen
from observability.stack.local.env_variables import passed
from observability.stack.programs.tools import Program
from observability.stack.settings import HOST, ROOT, Settings, StackError
from observability.stack.targets import RELAY_NICK
from observability.time_scale import TimeScale

RULES = ROOT / "alerts/generated"
DASHBOARDS = ROOT / "dashboards/generated"
# Components that read the services' settings.
SERVICES = ("migrate", "api", "web", "load")
# Grafana logs an error for each of these that is missing.
GRAFANA_FOLDERS = ("alerting", "plugins")
SUPERVISOR = "observability/stack/config/templates/supervisord.conf.j2"


@dataclass(frozen=True, slots=True)
class Layout:
    """The chosen components with their settings and programs.

    ``unreached`` tells why an archive could not be downloaded, if so.
    """

    settings: Settings
    components: tuple[Component, ...]
    programs: Mapping[str, Program]
    unreached: str = ""

    def database_url(self, password: str = "") -> str:
        """The address of PostgreSQL: the given one, or our own with this password."""
        return self.settings.database_url or postgres.url(password, self.port("postgres"))

    @property
    def roles(self) -> bool:
        """Whether each service has its own role: only in our own database."""
        return not self.settings.database_url

    @property
    def postgres_home(self) -> Path:
        """The folder of our own PostgreSQL."""
        return self.settings.data / "postgres"

    def port(self, name: str) -> int:
        """Return the port of a component in this stack; 0 if it has none."""
        port = COMPONENTS[name].port
        return port + self.settings.offset if port else 0

    def address(self, name: str) -> str:
        """Return ``host:port`` of a component; '' if it has none."""
        return f"{HOST}:{self.port(name)}" if COMPONENTS[name].port else ""

    @property
    def rules(self) -> Path:
        """The folder of the rules at this stack's time scale: the committed ones in production."""
        return RULES if self.settings.scale == 1 else self.settings.config / "rules"

    @property
    def deployment(self) -> Deployment:
        """This machine as the templates see it."""
        settings = self.settings
        address = {c.name: self.address(c.name) for c in TABLE if c.port}
        address[deployments.OTLP] = f"{HOST}:{deployments.OTLP_PORT + settings.offset}"
        return Deployment(
            components=frozenset(c.name for c in self.components),
            address=address,
            listen=address,
            jobs=tuple((c.name, c.job) for c in self.components if c.job),
            folder={
                "rules": _escape_glob(self.rules),
                "secrets": str(settings.secrets),
                "receivers": str(settings.secrets),
                "alertmanager": str(settings.secrets),
                "chat": f"{settings.secrets}/chat",
                "messages": str(ROOT / "alerts/messages.tmpl"),
                "dashboards": str(DASHBOARDS),
                "logs": f"{_escape_glob(settings.logs)}/json/*.log",
                "loki": f"{settings.data}/loki",
                "loki-rules": f"{settings.data}/loki-rules",
                "tempo": f"{settings.data}/tempo",
                "promtail": f"{settings.data}/promtail",
                "rotated": f"{_escape_glob(settings.data)}/promtail/*.rotated.log",
            },
            grafana_url=self.grafana_url,
            runbook_base=settings.runbook_base,
            time_scale=self.time_scale,
        )

    @property
    def grafana_url(self) -> str:
        """The base URL of dashboard links: Grafana's, or the preview's where there is none."""
        shown = any(component.name == "grafana" for component in self.components)
        own = self.address("grafana" if shown else "preview")
        return self.settings.grafana_url or f"http://{own}"

    @property
    def otlp(self) -> str:
        """The URL of the OTLP collector; '' where no Tempo runs."""
        deployment = self.deployment
        return (
            f"http://{deployment.address[deployments.OTLP]}"
            if "tempo" in deployment.components
            else ""
        )

    @property
    def loki(self) -> str:
        """The URL of Loki; '' where none runs."""
        return f"http://{self.address('loki')}" if "loki" in self.deployment.components else ""

    def command(self, component: Component) -> list[str]:
        """Return the command line of a component."""
        if component.name == "postgres":
            return postgres.command(self.postgres_home, self.port("postgres"))
        program = self.programs.get(component.tool)
        extra = program.flags if program else ()
        return [*(self.fill(component, part) for part in component.command), *extra]

    def directory(self, component: Component) -> Path | None:
        """Return the working directory of a component, if it is not the project's root."""
        program = self.programs.get(component.tool)
        return program.directory if program else None

    def environment(self, component: Component) -> dict[str, str]:
        """Return a component's environment variables besides the inherited ones."""
        program = self.programs.get(component.tool)
        own = {key: self.fill(component, value) for key, value in component.env.items()}
        # Empty values here do not override passed ones.
        given = passed(os.environ) if component.name in SERVICES else {}
        return given | {k: v for k, v in own.items() if v} | (program.env if program else {})

    def checksum(self, component: Component) -> str:
        """Return a digest of a component's code, program and configuration on disk."""
        program = self.programs.get(component.tool)
        settings = self.settings
        return checksum.checksum(
            component.name, program.path if program else None, settings.config, settings.secrets
        )

    def _path(self, database: Address) -> str:
        """The PATH of PostgreSQL's tools; the wheel's come last, as they lack TLS."""
        own, others = str(postgres.BIN), os.environ.get("PATH", os.defpath)
        tls = "sslmode=disable" not in database.exporter(self._chosen)
        return ":".join((others, own) if tls else (own, others))

    @property
    def _chosen(self) -> Chosen | None:
        """What libpq chooses for a given database; not needed for our own."""
        given = self.settings.database_url
        return address.choose(given) if given else None

    @property
    def time_scale(self) -> TimeScale:
        """The intervals of this stack."""
        return TimeScale(self.settings.scale)

    def fill(self, component: Component, text: str) -> str:
        """Replace the names in a template of the table of components."""
        settings, program = self.settings, self.programs.get(component.tool)
        database = address.parse(self.database_url())
        runs = {c.name for c in self.components}
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
            home=program.path.parents[1] if program else "",
            otlp=self.otlp,
            loki=self.loki,
            resend=self.time_scale.interval(RESEND_SECONDS),
            silence=f"{self.time_scale.deadman_timeout(DEADMAN_SECONDS):g}",
            chat=self.address("ngircd") if "ngircd" in runs else "",
            runbooks=settings.runbook_base,
            relay=RELAY_NICK if "relay" in runs else "",
            roles=settings.secrets / "database_roles" if self.roles else "",
            exporter_uri=database.exporter(self._chosen),
            database_service=address.SERVICE,
            path=self._path(database),
            **database.libpq,
        )


def prepare(layout: Layout) -> list[Path]:
    """Create folders and secrets, and render all configuration; return the files written."""
    settings = layout.settings
    positions = settings.data / "promtail"
    grafana = [settings.config / "grafana" / name for name in GRAFANA_FOLDERS]
    for folder in (
        *(settings.config, settings.logs / "json", settings.textfile, positions),
        *grafana,
    ):
        folder.mkdir(parents=True, exist_ok=True)
    settings.secrets.mkdir(mode=0o700, exist_ok=True)
    for folder in (settings.run_dir, settings.data):
        folder.chmod(0o711)  # the database's user may enter, but not list it
    for folder in (settings.config, settings.logs):
        folder.chmod(0o700)
    if layout.rules != RULES:
        _generate_scaled_rules(settings.scale, layout.rules)
    _copy_log_rules(layout.rules / "loki", settings.data / "loki-rules" / deployments.TENANT)
    roles.write(settings.secrets, _database(layout), layout.roles)
    passwords.write(settings.secrets)
    written = render(layout, settings.config)
    passwords.fill(settings.config, settings.secrets)
    return written


def render(layout: Layout, folder: Path) -> list[Path]:
    """Render every template into ``folder``; return the files written."""
    # The supervisor's last: it contains the digests of the others.
    written = [
        _write(folder, name, text)
        for name, text in deployments.render_all(layout.deployment).items()
    ]
    text = deployments.render(
        SUPERVISOR,
        layout=layout,
        settings=layout.settings,
        socket=control.bound_path(layout.settings.run_dir),
        root=ROOT,
        python=sys.executable,
        as_root=os.geteuid() == 0,
        join=shlex.join,
    )
    return [*written, _write(folder, "supervisord.conf", text)]


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.chmod(0o600)
    path.write_text(text)
    return path


def _generate_scaled_rules(scale: float, folder: Path) -> None:
    """Generate the rules for this time scale, in a process: imports forbid it here."""
    command = [sys.executable, "-m", "alerts", "--time-scale", f"{scale:g}", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"The rules cannot be generated: {done.stderr.strip()}")


def _copy_log_rules(rules: Path, folder: Path) -> None:
    """Copy the ruler's files to its folder, and remove all others."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted(rules.glob("*.yml")):
        shutil.copyfile(path, folder / path.name)


def _database(layout: Layout) -> str:
    """Return the database's address for its owner; create our own database if needed."""
    own = any(component.name == "postgres" for component in layout.components)
    return layout.database_url(postgres.prepare(layout.postgres_home) if own else "")


def _escape_glob(path: Path) -> str:
    """Escape a path for the glob patterns of Prometheus and Promtail."""
    # Prometheus allows a star only in the last part, even if it is escaped.
    return re.sub(r"([][?\\{}])", r"\\\1", str(path)).replace("*", "?")
