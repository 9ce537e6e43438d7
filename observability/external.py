"""More metrics of other components, for dashboards only.

Boards of the database, hosts, probes and the monitoring use them. The names are the same in
Debian's versions and in those that compose pins; the exporters' own help says more.
"""

from __future__ import annotations

from typing import Literal

from observability.catalog import Label, Metric
from observability.exporters import PROBE


def _metric(kind: Literal["counter", "gauge"], name: str, help_: str, *labels: str) -> Metric:
    return Metric(name, kind, help_, tuple(map(Label, labels)), services=())


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
FILES = _metric("gauge", "process_open_fds", "Open file descriptors.")
COLLECTIONS = _metric("counter", "python_gc_collections_total", "GC collections.", "generation")

SCRAPE_SECONDS = _metric("gauge", "scrape_duration_seconds", "Duration of a scrape.")
SCRAPED = _metric("gauge", "scrape_samples_scraped", "Samples in a scrape.")
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
MESSAGES_SENT = _metric(
    "counter", "alertmanager_notifications_total", "Notifications sent.", "integration"
)
CONFIG_LOADED = _metric(
    "gauge", "prometheus_config_last_reload_successful", "1 if the last reload succeeded."
)

ALERTMANAGER_LOADED = _metric(
    "gauge", "alertmanager_config_last_reload_successful", "1 if the last reload succeeded."
)
PROMTAIL_DROPPED = _metric("counter", "promtail_dropped_entries_total", "Lines dropped.", "reason")
PROMTAIL_READ = _metric("counter", "promtail_read_lines_total", "Lines read.", "path")
PROMTAIL_SENT = _metric("counter", "promtail_sent_entries_total", "Lines delivered.", "host")
LOKI_RECEIVED = _metric(
    "counter", "loki_distributor_lines_received_total", "Lines received.", "tenant"
)
LOKI_STREAMS = _metric("gauge", "loki_ingester_memory_streams", "Streams in memory.", "tenant")
CERTIFICATE_END = Metric(
    "probe_ssl_earliest_cert_expiry",
    "gauge",
    "Unix time at which the first certificate of the chain expires.",
    (PROBE,),
    unit="seconds",
    services=(),
)

METRICS: tuple[Metric, ...] = tuple(v for v in list(globals().values()) if isinstance(v, Metric))
