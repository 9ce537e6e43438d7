"""Metrics of other components that dashboards and rules use: data only.

``services=()`` means that any target may expose the metric. The scrape adds job, service and
instance.
"""

from __future__ import annotations

from observability.catalog import Label, Metric
from observability.conventions import RUNBOOKS

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

# ---- blackbox exporter ------------------------------------------------------------------
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

# ---- every process with a Prometheus client ---------------------------------------------
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

# ---- PostgreSQL exporter (in 0.11.1 and 0.19.1) ------------------------------------------
PG_UP = Metric("pg_up", "gauge", "1 if the exporter reaches the database.", services=())

# ---- nginx exporter: in containers only ---------------------------------------------------
NGINX_UP = Metric("nginx_up", "gauge", "1 if the exporter reaches nginx.", services=())

# ---- Prometheus and Alertmanager --------------------------------------------------------
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
NOTIFICATION_FAILURES = Metric(
    "alertmanager_notifications_failed_total",
    "counter",
    "Failed notifications of Alertmanager.",
    (Label("integration"),),
    services=(),
)

# ---- the dead man's switch --------------------------------------------------------------
DEADMAN_AGE = Metric(
    "minitwit_deadman_watchdog_age_seconds",
    "gauge",
    "Seconds since the Watchdog's value advanced.",
    unit="seconds",
    services=(),
)

# ---- the runner's file for the node exporter (without Docker) ----------------------------
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
