"""Names and addresses that dashboards, rules and the stack's configuration must agree on."""

from __future__ import annotations

from enum import StrEnum

PRODUCT = "minitwit"
DEPLOYED_TARGETS = ("api", "web", "postgres")
MONITORING_TARGETS = ("prometheus", "alertmanager", "blackbox", "node")
# The first two are absent where they could not be built.
OPTIONAL_TARGETS = ("loki", "promtail", "deadman")
# The heartbeat's budget; docs/alerting.md, "Heartbeat", has the arithmetic.
# Prometheus sends a firing alert again; Alertmanager keeps it for four times that.
RESEND_SECONDS = 39.0
DEADMAN_SECONDS = 95.0  # since the Watchdog's value advanced, until someone is told
HEARTBEAT = "heartbeat"  # the Watchdog's annotation with its value
MONITORING_BLIND = "MonitoringBlind"  # what the dead man's switch posts to Alertmanager
PROBE_JOB = "probe"
PROBED_SERVICES = ("api", "web")

# How long Prometheus keeps samples: two days more than the longest window of rules and panels.
# Its size is what that takes: samples a second times bytes a sample, with room for the head.
RETENTION_DAYS = 32
RETENTION_GIGABYTES = 6
SAMPLES_A_SECOND = 793  # measured on the whole platform
BYTES_A_SAMPLE = 2  # Prometheus's own advice: one to two

# Datasources as Grafana's provisioning declares them.
PROMETHEUS_UID = "prometheus"
LOKI_UID = "loki"
TEMPO_UID = "tempo"
ALERTMANAGER_UID = "alertmanager"

# What Promtail makes of a line's fields: streams, and what it keeps beside each line.
LOG_LABELS = ("job", "service", "level", "event")
LOG_METADATA = ("trace_id", "request_id", "route")

# Where an alert sends its reader: external labels of Prometheus and Loki that annotations refer
# to, and that are dropped from alerts before they are sent.
GRAFANA, RUNBOOKS = "grafana_url", "runbook_base"
RUNBOOK_BASE = "alerts/runbooks"  # paths in this repository, until a setting gives an address


class Board(StrEnum):
    """The uids of the dashboards: they stay for ever, links point at them."""

    OVERVIEW = f"{PRODUCT}-overview"
    HTTP = f"{PRODUCT}-http"
    BUSINESS = f"{PRODUCT}-business"
    SIMULATOR = f"{PRODUCT}-simulator"
    DATABASE = f"{PRODUCT}-database"
    OUTSIDE = f"{PRODUCT}-outside"
    HOSTS = f"{PRODUCT}-hosts"
    LOGS = f"{PRODUCT}-logs"
    MONITORING = f"{PRODUCT}-monitoring"
    SERVICE = f"{PRODUCT}-service"
    DEPLOYS = f"{PRODUCT}-deploys"
    TRACE = f"{PRODUCT}-trace"

    @property
    def path(self) -> str:
        """Where Grafana has it."""
        return f"/d/{self.value}"
