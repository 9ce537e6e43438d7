"""Metrics of other components that dashboards and rules use: data only.

Exporters, Prometheus, Alertmanager, Loki and Promtail expose them, not the services: see
``observability.catalog`` for those. Of what others expose, Prometheus stores these alone.
``services=()`` means that any target may expose the metric. The scrape adds job, service and
instance. The names are the same in Debian's versions and in those that compose pins.
"""

from __future__ import annotations

from typing import Literal

from observability.catalog import Label, Metric
from observability.conventions import PRODUCT, RUNBOOKS


def _metric(kind: Literal["counter", "gauge"], name: str, help_: str, *labels: str) -> Metric:
    return Metric(name, kind, help_, tuple(map(Label, labels)), services=())


PROBE = Label("probe")
COMPONENT = Label("component")
UP = Metric("up", "gauge", "1 if the last scrape of this target worked.", (PROBE,), services=())
ALERTS = Metric(
    "ALERTS",
    "gauge",
    "1 for each alert that is pending or firing, with the labels of the alert.",
    (
        Label("alertname"),
        Label(RUNBOOKS),  # the Watchdog alone has it: where the runbooks are
        Label("alertstate", ("pending", "firing")),
        Label("severity", ("critical", "warning", "info", "none")),
    ),
    services=(),
)
ALERTS_SINCE = Metric(
    "ALERTS_FOR_STATE",
    "gauge",
    "Unix time at which each pending or firing alert became active.",
    (Label("alertname"), Label("severity", ("critical", "warning", "info", "none"))),
    unit="seconds",
    services=(),
)

# ---- blackbox exporter -----------------------------------------------------------------
PROBE_SUCCESS = Metric(
    "probe_success", "gauge", "1 if the probe got what it expects.", (PROBE,), services=()
)
PROBE_DURATION = Metric(
    "probe_duration_seconds",
    "gauge",
    "Duration of the probe.",
    (PROBE,),
    unit="seconds",
    services=(),
)
PHASE = Label("phase")
PROBE_PHASE = Metric(
    "probe_http_duration_seconds",
    "gauge",
    "Duration of each phase of a probe.",
    (PROBE, PHASE),
    services=(),
)
PROBE_STATUS = Metric(
    "probe_http_status_code", "gauge", "HTTP status of the probe.", (PROBE,), services=()
)
CERTIFICATE_END = Metric(
    "probe_ssl_earliest_cert_expiry",
    "gauge",
    "Unix time at which the first certificate of the chain expires.",
    (PROBE,),
    unit="seconds",
    services=(),
)

# ---- every process with a Prometheus client --------------------------------------------
PROCESS_MEMORY = Metric(
    "process_resident_memory_bytes",
    "gauge",
    "Resident memory.",
    unit="bytes",
    services=(),
)
PROCESS_START = Metric(
    "process_start_time_seconds",
    "gauge",
    "Unix time at which the process started.",
    unit="seconds",
    services=(),
)
PROCESS_CPU = Metric(
    "process_cpu_seconds_total",
    "counter",
    "CPU time used.",
    unit="seconds",
    services=(),
)
FILES = _metric("gauge", "process_open_fds", "Open file descriptors.")
COLLECTIONS = _metric("counter", "python_gc_collections_total", "GC collections.", "generation")

# ---- PostgreSQL exporter (in 0.11.1 and 0.19.1) ----------------------------------------
PG_UP = Metric("pg_up", "gauge", "1 if the exporter reaches the database.", services=())
PG_CONNECTIONS = _metric("gauge", "pg_stat_activity_count", "Connections.", "datname", "state")
PG_CONNECTIONS_MAX = _metric("gauge", "pg_settings_max_connections", "Connection limit.")
PG_LOCKS = _metric("gauge", "pg_locks_count", "Locks held or awaited.", "datname", "mode")
PG_READ_ONLY = _metric(
    "gauge", "pg_settings_default_transaction_read_only", "1 if writes are refused by default."
)
PG_SIZE = _metric("gauge", "pg_database_size_bytes", "Bytes on disk.", "datname")
PG_COMMITS = _metric("counter", "pg_stat_database_xact_commit", "Commits.", "datname")
PG_ROLLBACKS = _metric("counter", "pg_stat_database_xact_rollback", "Rollbacks.", "datname")
PG_HITS = _metric("counter", "pg_stat_database_blks_hit", "Cache hits.", "datname")
PG_READS = _metric("counter", "pg_stat_database_blks_read", "Blocks from disk.", "datname")
PG_DEADLOCKS = _metric("counter", "pg_stat_database_deadlocks", "Deadlocks.", "datname")
PG_TEMPORARY = _metric("counter", "pg_stat_database_temp_bytes", "Temporary files.", "datname")

# ---- node exporter ---------------------------------------------------------------------
CPU = _metric("counter", "node_cpu_seconds_total", "CPU time.", "cpu", "mode")
LOAD = _metric("gauge", "node_load1", "Runnable tasks, over a minute.")
MEMORY_FREE = _metric("gauge", "node_memory_MemAvailable_bytes", "Available memory.")
MEMORY = _metric("gauge", "node_memory_MemTotal_bytes", "Memory of the host.")
DISK_FREE = _metric("gauge", "node_filesystem_avail_bytes", "Available bytes.", "mountpoint")
DISK = _metric("gauge", "node_filesystem_size_bytes", "Size in bytes.", "mountpoint")
DISK_READ_ONLY = _metric("gauge", "node_filesystem_readonly", "1 if read-only.", "mountpoint")
DISK_BUSY = _metric("counter", "node_disk_io_time_seconds_total", "Time spent on I/O.", "device")
RECEIVED = _metric("counter", "node_network_receive_bytes_total", "Bytes in.", "device")
SENT = _metric("counter", "node_network_transmit_bytes_total", "Bytes out.", "device")
PRESSURE_CPU = _metric("counter", "node_pressure_cpu_waiting_seconds_total", "CPU pressure (PSI).")
PRESSURE_DISK = _metric("counter", "node_pressure_io_waiting_seconds_total", "I/O pressure (PSI).")

# ---- nginx exporter: in containers only ------------------------------------------------
NGINX_UP = Metric("nginx_up", "gauge", "1 if the exporter reaches nginx.", services=())

# ---- Prometheus ------------------------------------------------------------------------
RULE_FAILURES = Metric(
    "prometheus_rule_evaluation_failures_total",
    "counter",
    "Failed rule evaluations.",
    (Label("rule_group"),),
    services=(),
)
NOTIFICATION_ERRORS = Metric(
    "prometheus_notifications_errors_total",
    "counter",
    "Alerts that Prometheus failed to send to Alertmanager.",
    (Label("alertmanager"),),
    services=(),
)
SCRAPE_DURATION = _metric("gauge", "scrape_duration_seconds", "Duration of a scrape.")
SAMPLES_SCRAPED = _metric("gauge", "scrape_samples_scraped", "Samples in a scrape.")
SAMPLES_KEPT = _metric(
    "gauge", "scrape_samples_post_metric_relabeling", "Samples in a scrape that are stored."
)
SAMPLES_STORED = _metric(
    "counter", "prometheus_tsdb_head_samples_appended_total", "Samples stored.", "type"
)
OLDEST_SAMPLE = _metric(
    "gauge", "prometheus_tsdb_lowest_timestamp_seconds", "Time of the oldest stored sample."
)
SERIES = _metric("gauge", "prometheus_tsdb_head_series", "Series held in memory.")
RULE_SECONDS = _metric(
    "gauge",
    "prometheus_rule_group_last_duration_seconds",
    "Duration of the last evaluation.",
    "rule_group",
)
RULES_MISSED = _metric(
    "counter", "prometheus_rule_group_iterations_missed_total", "Missed iterations.", "rule_group"
)
HANDED_OVER = _metric(
    "counter", "prometheus_notifications_sent_total", "Notifications sent.", "alertmanager"
)
QUEUED = _metric("gauge", "prometheus_notifications_queue_length", "Notifications queued.")
CONFIG_LOADED = _metric(
    "gauge", "prometheus_config_last_reload_successful", "1 if the last reload succeeded."
)

# ---- Alertmanager ----------------------------------------------------------------------
NOTIFICATION_FAILURES = Metric(
    "alertmanager_notifications_failed_total",
    "counter",
    "Failed notifications of Alertmanager.",
    (Label("integration"),),
    services=(),
)
MESSAGES_SENT = _metric(
    "counter", "alertmanager_notifications_total", "Notifications sent.", "integration"
)
ALERTMANAGER_LOADED = _metric(
    "gauge", "alertmanager_config_last_reload_successful", "1 if the last reload succeeded."
)

# ---- Promtail and Loki -----------------------------------------------------------------
PROMTAIL_DROPPED = _metric("counter", "promtail_dropped_entries_total", "Lines dropped.", "reason")
PROMTAIL_READ = _metric("counter", "promtail_read_lines_total", "Lines read.", "path")
PROMTAIL_SENT = _metric("counter", "promtail_sent_entries_total", "Lines delivered.", "host")
LOKI_RECEIVED = _metric(
    "counter", "loki_distributor_lines_received_total", "Lines received.", "tenant"
)
LOKI_STREAMS = _metric("gauge", "loki_ingester_memory_streams", "Streams in memory.", "tenant")

# ---- the dead man's switch -------------------------------------------------------------
DEADMAN_AGE = Metric(
    "minitwit_deadman_watchdog_age_seconds",
    "gauge",
    "Seconds since the Watchdog's value advanced.",
    unit="seconds",
    services=(),
)

# ---- the runner's file for the node exporter (without Docker) --------------------------
COMPONENT_RESTARTS = Metric(
    "minitwit_component_restarts_total",
    "counter",
    "Restarts of a component that exited by itself.",
    (COMPONENT,),
    services=(),
)

RESTARTS_FILE = "minitwit_restarts.prom"  # written every five seconds while the supervisor lives
TEXTFILE_TIME = Metric(
    "node_textfile_mtime_seconds",
    "gauge",
    "When a file for the node exporter was written.",
    (Label("file"),),
    unit="seconds",
    services=(),
)

METRICS: tuple[Metric, ...] = tuple(v for v in list(globals().values()) if isinstance(v, Metric))

# Of every target: its process, and metrics of our own; of a job, what begins with its name.
EVERYWHERE = ("process_", "python_")
PREFIX = {"postgres": "pg"}


def kept(job: str) -> str:
    """Return a regex of the metrics that Prometheus stores of a scrape of this job."""
    prefixes = (*EVERYWHERE, f"{PREFIX.get(job, job)}_")
    names = [metric.name for metric in METRICS if metric.name.startswith(prefixes)]
    return "|".join((f"{PRODUCT}_.*", *names))
