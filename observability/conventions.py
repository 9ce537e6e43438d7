"""Names and addresses shared by dashboards, rules and the stack's configuration."""

from __future__ import annotations

PRODUCT = "minitwit"
DEPLOYED_TARGETS = ("api", "web")
# "postgres" is the exporter; whether PostgreSQL itself answers is an alert of its own.
MONITORING_TARGETS = ("prometheus", "alertmanager", "blackbox", "node", "postgres")
# The first two are absent where their programs could not be had.
OPTIONAL_TARGETS = ("loki", "promtail", "deadman")
# The heartbeat's timings; docs/alerting.md, "Heartbeat", has the arithmetic.
# Prometheus sends a firing alert again at this interval; Alertmanager keeps it for four of them.
RESEND_SECONDS = 39.0
DEADMAN_SECONDS = 95.0  # from the last advance of the Watchdog's value to the message
HEARTBEAT = "heartbeat"  # the Watchdog's annotation with its value
MONITORING_BLIND = "MonitoringBlind"  # the alert that the dead man's switch posts
PROBE_JOB = "probe"
PROBED_SERVICES = ("api", "web")

# Prometheus's retention: two days more than the longest window of rules and panels.
# Its size: samples a second times bytes a sample, and a reserve for the head block. On one machine
# the whole platform stores 296 a second; a replica of api and one of web add 190.
RETENTION_DAYS = 32
RETENTION_GIGABYTES = 6
SAMPLES_A_SECOND = 900  # at most
BYTES_A_SAMPLE = 2  # Prometheus's documentation: one to two

# Datasources as Grafana's provisioning declares them.
PROMETHEUS_UID = "prometheus"
LOKI_UID = "loki"
TEMPO_UID = "tempo"
ALERTMANAGER_UID = "alertmanager"

# Base URLs of an alert's links: external labels of Prometheus and Loki that annotations use, and
# that are dropped from alerts before they are sent.
GRAFANA, RUNBOOKS = "grafana_url", "runbook_base"
RUNBOOK_BASE = "alerts/runbooks"  # paths in this repository, until a setting gives an address
