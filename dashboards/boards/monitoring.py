"""The monitoring itself: whether scrapes, rules, notifications and logs work."""

from __future__ import annotations

from dashboards.board import Dashboard
from dashboards.colours import RED
from dashboards.layout import Row
from dashboards.panels import DOWN_UP, limits, stat, timeseries
from dashboards.queries import Prom
from observability import catalog as c
from observability import exporters as e
from observability.catalog import INSTANCE, JOB, SERVICE, Label
from observability.conventions import (
    DEADMAN_SECONDS,
    PROBE_JOB,
    RETENTION_DAYS,
    RETENTION_GIGABYTES,
    SAMPLES_A_SECOND,
)
from observability.dashboard_uids import Board
from observability.promql.builders import aggregate, differs, matches, rate, select, total
from observability.promql.expr import Expr
from observability.promql.joins import relabel

RULES_OF, GROUP = Label("rule_group"), Label("group")
RECEIVER, SINK = Label("integration"), Label("sink")
REASON = Label("reason")


def by_group(expr: Expr) -> Prom:
    """Label ``expr`` by rule group, without the path of the rule file."""
    return Prom(relabel(expr, GROUP, RULES_OF, ".*;(.*)"), "{{group}}")


SCRAPES_ROW = Row(
    "Scrapes",
    (
        stat(
            "Targets",
            "Whether Prometheus reaches every part; of several replicas the worst.",
            Prom(
                aggregate("min", select(e.UP, job=differs(PROBE_JOB)), JOB), "{{job}}", instant=True
            ),
            unit="none",
            mappings=DOWN_UP,
            width=24,
            height=7,  # at 1280 px the tiles come in two rows, wide enough for their names
        ),
        stat(
            "Watchdog",
            "How long ago the dead man's switch heard that alerts arrive.",
            Prom(aggregate("max", select(e.DEADMAN_AGE)), "age", instant=True),
            unit="s",
            decimals=0,
            thresholds=limits((RED, DEADMAN_SECONDS)),
            width=4,
            height=8,
        ),
        stat(
            "Configuration",
            "Whether the configuration on disk is the one in force.",
            Prom(aggregate("min", select(e.CONFIG_LOADED)), "Prometheus", instant=True),
            unit="none",
            mappings=DOWN_UP,
            width=4,
            height=8,
        ),
        stat(
            "Series",
            "Series that Prometheus holds.",
            Prom(aggregate("max", select(e.SERIES)), "series", instant=True),
            unit="short",
            width=4,
            height=8,
        ),
        timeseries(
            "Series by replica",
            "Series that each replica of our services exports; the line is its budget.",
            Prom(
                aggregate("max", select(e.SAMPLES_SCRAPED, job=matches("api|web")), JOB, INSTANCE),
                "{{job}} {{instance}}",
            ),
            unit="short",
            thresholds=limits((RED, c.SERIES_BUDGET)),
            width=12,
        ),
        timeseries(
            "Scrape duration",
            "How long each target took to answer.",
            Prom(aggregate("max", select(e.SCRAPE_DURATION), JOB), "{{job}}"),
            unit="s",
            width=12,
            height=11,
        ),
        timeseries(
            "Series by target",
            "Samples of the last scrape that are stored, by what was scraped.",
            Prom(aggregate("max", select(e.SAMPLES_KEPT), JOB), "{{job}}"),
            unit="short",
            width=12,
            height=11,
        ),
        timeseries(
            "Samples stored",
            f"Samples that Prometheus stores a second; above the line its {RETENTION_GIGABYTES} GB "
            f"hold less than {RETENTION_DAYS} days.",
            Prom(total(rate(e.SAMPLES_STORED)), "samples"),
            unit="ops",
            thresholds=limits((RED, SAMPLES_A_SECOND)),
            width=24,
        ),
    ),
)
RULES_ROW = Row(
    "Rules and notifications",
    (
        timeseries(
            "Rule evaluation duration",
            "How long each group of rules took: more than the interval and iterations are missed.",
            by_group(aggregate("max", select(e.RULE_SECONDS), RULES_OF)),
            unit="s",
            width=24,
            height=10,
        ),
        timeseries(
            "Failed rule evaluations",
            "Rules that could not be evaluated, a second.",
            by_group(total(rate(e.RULE_FAILURES), RULES_OF)),
            unit="ops",
            width=12,
        ),
        timeseries(
            "Missed rule group iterations",
            "Evaluations that were missed because the one before took too long.",
            by_group(total(rate(e.RULES_MISSED), RULES_OF)),
            unit="ops",
            width=12,
        ),
        timeseries(
            "Alerts sent to Alertmanager",
            "Alerts that Prometheus sent to Alertmanager, and those that failed.",
            Prom(total(rate(e.HANDED_OVER)), "sent"),
            Prom(total(rate(e.NOTIFICATION_ERRORS)), "failed"),
            unit="ops",
        ),
        timeseries(
            "Alert queue",
            "Alerts in Prometheus' queue to Alertmanager.",
            Prom(aggregate("max", select(e.QUEUED)), "waiting"),
            unit="short",
        ),
        timeseries(
            "Notifications",
            "Notifications that Alertmanager sent to the chat, and those that failed.",
            Prom(total(rate(e.MESSAGES_SENT, integration="webhook"), RECEIVER), "{{integration}}"),
            Prom(
                total(rate(e.NOTIFICATION_FAILURES, integration="webhook"), RECEIVER),
                "{{integration}} failed",
            ),
            unit="ops",
        ),
    ),
)
LOGS_ROW = Row(
    "Log pipeline",
    (
        timeseries(
            "Lines",
            "Lines that Promtail read and delivered, and Loki received: the three are equal.",
            Prom(total(rate(e.PROMTAIL_READ)), "read"),
            Prom(total(rate(e.PROMTAIL_SENT)), "delivered"),
            Prom(total(rate(e.LOKI_RECEIVED)), "received by Loki"),
            unit="ops",
            width=6,
        ),
        timeseries(
            "Dropped log lines",
            "Lines that Promtail could not deliver, by reason.",
            Prom(total(rate(e.PROMTAIL_DROPPED), REASON), "{{reason}}"),
            unit="ops",
            width=12,
        ),
        timeseries(
            "Streams",
            "Combinations of labels that Loki holds: thousands mean a label that is none.",
            Prom(aggregate("max", select(e.LOKI_STREAMS)), "streams"),
            unit="short",
            width=6,
        ),
    ),
)
LOSSES_ROW = Row(
    "Telemetry of the services",
    (
        timeseries(
            "Log records",
            "Records written, by service and level.",
            Prom(total(rate(c.LOG_RECORDS), SERVICE, Label("level")), "{{service}} {{level}}"),
            unit="ops",
            width=12,
        ),
        timeseries(
            "Dropped log records",
            "Records dropped because a sink was full or failing.",
            Prom(total(rate(c.LOG_DROPPED), SERVICE, SINK), "{{service}} {{sink}}"),
            unit="ops",
            width=12,
        ),
        timeseries(
            "Spans",
            "Spans delivered, and spans lost because the receiver was slow, away or refusing.",
            Prom(total(rate(c.TRACE_SPANS), SERVICE, Label("outcome")), "{{service}} {{outcome}}"),
            unit="ops",
            width=24,
            height=6,
        ),
    ),
)
MONITORING = Dashboard(
    Board.MONITORING,
    "MiniTwit monitoring itself",
    "Can the other dashboards and the alerts be trusted?",
    "dashboards/boards/monitoring.py",
    (SCRAPES_ROW, RULES_ROW, LOGS_ROW, LOSSES_ROW),
)
