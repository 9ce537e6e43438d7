"""Every component of the platform as one row of a table.

Commands and environments are templates: see ``Layout.fill`` for the names they may use.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from observability.conventions import RETENTION_DAYS, RETENTION_GIGABYTES
from observability.dashboard_uids import Board
from observability.stack.settings import StackError
from observability.stack.targets import PROBE_USER

# A component gets only its own database role.
OWNER = {"DATABASE_URL_FILE": "{secrets}/owner_url", "DATABASE_ROLES_FILE": "{roles}"}
APP = {"DATABASE_URL_FILE": "{secrets}/app_url"}
TRACES = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "{otlp}",
    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    "OTEL_TRACES_SAMPLER_ARG": "0.05",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
}

CHAT = {
    "CHAT_PASSWORD_FILE": "{secrets}/chat_password",
    "RELAY_KEY_FILE": "{secrets}/relay_key",
}
PUSHED = {"LOKI_URL": "{loki}"}  # for logs that Promtail does not follow


def _json_log(name: str) -> dict[str, str]:
    return {"LOG_FILE": f"{{logs}}/json/{name}.log", "LOG_STDOUT": "0"}


@dataclass(frozen=True, slots=True)
class Component:
    """One component: command, port, readiness check and dependencies.

    ``ready`` is an HTTP path, ``tcp``, ``database``, or '' if a running process counts as ready.
    ``tool`` names the program in ``tools.TOOLS``; ``job`` the Prometheus job that scrapes it;
    ``after`` the components that must be ready first, ``needs`` the one without which it has
    nothing to do. A component that runs ``once`` is ready when it has exited with 0.
    """

    name: str
    command: tuple[str, ...]
    port: int = 0
    ready: str = ""
    tool: str = ""
    job: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    needs: str = ""
    once: bool = False
    stop_signal: str = "TERM"


# In the order in which they start; they stop in the reverse.
TABLE = (
    Component(
        "postgres", ("{postgres}",), 5432, ready="database",
        stop_signal="INT",  # TERM would wait for the last client to disconnect
    ),
    # Before the first component that pushes logs to it; no component depends on it.
    Component(
        "loki", ("{tool}", "-config.file={config}/loki.yml"),
        3100, ready="/ready", tool="loki", job="loki", env={"GOMEMLIMIT": "200MiB"},
    ),
    Component(
        "migrate", ("{python}", "-m", "app", "migrate"), env=OWNER | PUSHED,
        after=("postgres",), once=True,
    ),
    Component(
        "backup", ("sh", "{root}/deploy/backup/backup.sh", "--every", "86400"),
        env={
            "PATH": "{path}",
            "DATABASE_ADDRESS": "{database_address}",
            "PGDATABASE": "{database_name}",
            "PGSERVICEFILE": "{secrets}/pg_service.conf",
            "PGSERVICE": "{database_service}",
            "PGUSER_FILE": "{secrets}/backup_user",
            "PGPASSWORD_FILE": "{secrets}/backup_password",
            "BACKUPS": "{data}/backups",
        },
        after=("migrate",),
    ),
    Component(
        "node",
        (
            "{tool}", "--web.listen-address={address[node]}", "--collector.disable-defaults",
            "--collector.textfile", "--collector.textfile.directory={textfile}",
            "--collector.cpu", "--collector.diskstats", "--collector.filesystem",
            "--collector.loadavg", "--collector.meminfo", "--collector.netdev",
            "--collector.pressure", "--collector.stat", "--collector.time",
            "--collector.uname", "--collector.vmstat",
        ),
        9100, ready="/metrics", tool="node", job="node",
    ),
    Component(
        "postgres-exporter", ("{tool}", "--web.listen-address={address[postgres-exporter]}"),
        9187, ready="/metrics", tool="postgres-exporter", job="postgres",
        env={
            "DATA_SOURCE_URI": "{exporter_uri}",
            "DATA_SOURCE_USER_FILE": "{secrets}/monitor_user",
            "DATA_SOURCE_PASS_FILE": "{secrets}/monitor_password",
        },
        after=("migrate",),
    ),
    Component(
        "ngircd", ("{tool}", "--nodaemon", "--config", "{config}/ngircd.conf"),
        6667, ready="tcp", tool="ngircd",
    ),
    Component(
        "relay", ("{tool}", "-config", "{secrets}/relay.yml"),
        8667, ready="tcp", tool="relay", after=("ngircd",), needs="ngircd",
    ),
    Component(
        "chatlog",
        (
            "{python}", "-m", "observability.stack.irc.chatlog",
            "{address[ngircd]}", "{logs}/chat.log",
        ),
        env=CHAT,
        after=("ngircd",), needs="ngircd",
    ),
    Component(
        "deadman", ("{python}", "-m", "observability.stack.deadman"), 9095,
        ready="/healthz", job="deadman",
        env={
            "HOST": "{host}", "PORT": "{port}", "CHAT": "{chat}",
            "SILENCE": "{silence}", "RELAY": "{relay}", "ALERTMANAGER": "{address[alertmanager]}",
            "ALERTMANAGER_LOGIN_FILE": "{secrets}/monitoring_basic",
            "DEADMAN_SECRET_FILE": "{secrets}/deadman_secret",
            "DEADMAN_URL_FILE": "{secrets}/deadman_url", "RUNBOOK_BASE": "{runbooks}",
            "HEARTBEAT_FILE": "{data}/heartbeat", **CHAT,
        },
        after=("ngircd",),
    ),
    Component(
        "alertmanager",
        (
            "{tool}", "--config.file={config}/alertmanager-kept.yml",
            "--web.config.file={secrets}/web_config",
            "--storage.path={data}/alertmanager", "--data.retention=120h",
            "--web.listen-address={address[alertmanager]}",
            "--web.external-url=http://{address[alertmanager]}", "--cluster.listen-address=",
        ),
        9093, ready="/-/ready", tool="alertmanager", job="alertmanager",
    ),
    Component(
        "blackbox",
        (
            "{tool}", "--config.file={secrets}/blackbox.yml",
            "--web.config.file={secrets}/web_config",
            "--web.listen-address={address[blackbox]}",
        ),
        9115, ready="/-/healthy", tool="blackbox", job="blackbox",
    ),
    Component(
        "prometheus",
        (
            "{tool}", "--config.file={config}/prometheus.yml",
            "--storage.tsdb.path={data}/prometheus",
            f"--storage.tsdb.retention.time={RETENTION_DAYS}d",
            f"--storage.tsdb.retention.size={RETENTION_GIGABYTES}GB",
            "--enable-feature=exemplar-storage",
            "--web.listen-address={address[prometheus]}",
            "--web.external-url=http://{address[prometheus]}",
            # No page has this origin; the default would allow every origin (CORS).
            "--web.cors.origin=nobody",
            # The resend interval of firing alerts; Alertmanager resolves them after four of them.
            "--rules.alert.resend-delay={resend}",
        ),
        9090, ready="/-/ready", tool="prometheus", job="prometheus",
    ),
    Component(
        "grafana", ("{tool}", "server", "--homepath", "{home}"),
        3000, ready="/api/health", tool="grafana", job="grafana",
        env={
            "GF_SERVER_HTTP_ADDR": "{host}",
            "GF_SERVER_HTTP_PORT": "{port}",
            "GF_PATHS_DATA": "{data}/grafana",
            "GF_PATHS_LOGS": "{logs}/grafana",
            "GF_PATHS_PROVISIONING": "{config}/grafana",
            "GF_LOG_MODE": "console",
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
            "GF_SECURITY_ADMIN_PASSWORD__FILE": "{secrets}/grafana_password",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": (
                f"{{root}}/dashboards/generated/{Board.OVERVIEW.value}.json"
            ),
            "GF_NEWS_NEWS_FEED_ENABLED": "false",
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        },
    ),
    Component(
        "preview", ("{python}", "-m", "dashboards.preview", "--port", "{port}"),
        3001, ready="/boards",
        env={"PREVIEW_PROMETHEUS": "http://{address[prometheus]}", "PREVIEW_LOKI": "{loki}"},
    ),
    Component(
        "promtail",
        (
            "sh", "{root}/promtail/start.sh", "{data}/promtail/positions.yml",
            "{tool}", "-config.file={config}/promtail.yml",
        ),
        9080, ready="/ready", tool="promtail", job="promtail", env={"GOMEMLIMIT": "80MiB"},
        needs="loki",
    ),
    Component(
        "tempo", ("{tool}", "-config.file={config}/tempo.yml"),
        3200, ready="/ready", tool="tempo", job="tempo", env={"GOMEMLIMIT": "180MiB"},
    ),
    Component(
        "api", ("{python}", "-m", "app", "api"), 5001, ready="/readyz", job="api",
        env={
            "HOST": "{host}", "PORT": "{port}", "PROBE_USER": PROBE_USER,
            "PROBE_PASSWORD_FILE": "{secrets}/probe_password",
            **APP, **_json_log("api"), **TRACES,
        },
        after=("postgres", "migrate"),
    ),
    Component(
        "web", ("{python}", "-m", "app", "web"), 5000, ready="/readyz", job="web",
        env={
            "HOST": "{host}", "PORT": "{port}", "API_URL": "http://{address[api]}",
            "SECRET_KEY_FILE": "{secrets}/secret_key", **_json_log("web"), **TRACES,
        },
    ),
    Component(
        "load",
        (
            "{python}", "-m", "simulator", "--url", "http://{address[api]}",
            "--rate", "5", "--clients", "1", "--forever", "--new-people",
            "--metrics", "{port}", "--metrics-host", "{host}",
        ),
        9101, ready="/metrics", job="simulator", env=PUSHED,
        after=("api",),
    ),
)  # fmt: skip

COMPONENTS = {component.name: component for component in TABLE}


# What does not work without an optional component.
OPTIONAL = {
    "grafana": "Grafana",
    "loki": "log search",
    "promtail": "log search",
    "tempo": "trace search",
    "ngircd": "chat",
    "relay": "chat",
}


def choose(
    only: Collection[str], database_url: str, absent: Collection[str] = ()
) -> list[Component]:
    """Return the components to run: all or ``only`` those, without external or absent ones."""
    if unknown := sorted(set(only) - COMPONENTS.keys()):
        raise StackError(f"No component is called {', '.join(unknown)}. See: status, or --help")
    without = {*absent, *(["postgres"] if database_url else [])}
    if "grafana" not in absent and "preview" not in only:
        without.add("preview")
    chosen = [c for c in TABLE if c.name not in without and (not only or c.name in only)]
    return [c for c in chosen if c.needs not in without]
