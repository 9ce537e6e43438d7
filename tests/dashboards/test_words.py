"""A panel says in its own words what it asks for."""

from __future__ import annotations

import re

import pytest

from dashboards.panels import Panel
from dashboards.queries import Prom
from dashboards.registry import DASHBOARDS
from tests.dashboards.expressions import metrics

# Parts of names that say nothing about what is measured.
EMPTY = {
    "minitwit", "total", "seconds", "bytes", "ratio", "rate", "rate1h", "rate5m", "rate30d", "node",
    "pg", "stat", "database", "objective", "prometheus", "slo", "tsdb", "duration", "http",
    "action", "info", "process", "timestamp", "head", "count", "max", "last",
}  # fmt: skip
# What a panel about a metric says, where the parts of its name are no plain words.
SAID = {
    "ALERTS": "alert",
    "ALERTS_FOR_STATE": "since when",
    "up": "target|reach|replicas|ready",
    "pg_up": "reaches postgresql",
    "objective:slo_burn:ratio_rate1h": "burn.* hour",
    "objective:slo_burn:ratio_rate5m": "burn.* 5 minutes",
    "objective:slo_burn:ratio_rate30d": "30 days",
    "minitwit_registrations_total": "registration|new users",
    "minitwit_logins_total": "log-in|login|session",
    "process_cpu_seconds_total": "cpu|processor",
    "node_cpu_seconds_total": "cores",
    "node_pressure_cpu_waiting_seconds_total": "wait",
    "node_pressure_io_waiting_seconds_total": "wait",
    "minitwit_http_request_duration_seconds": "request.*(answer|late|quick|time|took)|how long",
    "minitwit_http_requests_total": "request|route",
    "minitwit_build_info": "version",
    "minitwit_db_query_duration_seconds": "statements",
    "minitwit_db_errors_total": "statements that failed",
    "minitwit_db_pool_connections": "pool",
    "minitwit_db_pool_max_connections": "limit",
    "minitwit_simulator_action_duration_seconds": "actions.*(took|done)",
    "pg_stat_activity_count": "connections",
    "pg_stat_database_xact_commit": "transactions",
    "pg_stat_database_xact_rollback": "rolled back",
    "node_load1": "load",
    "node_filesystem_avail_bytes": "left",
    "node_filesystem_size_bytes": "share",
    "scrape_samples_scraped": "series",
    "prometheus_notifications_errors_total": "failed",
}
# Metrics that help to ask for others.
HELPERS = {"prometheus_tsdb_lowest_timestamp_seconds"}


def asked() -> list[tuple[str, str, str]]:
    """Board and title, the panel's words, a metric that it asks for."""
    return [
        (f"{board.board}: {panel.core.title}", words, metric)
        for board in DASHBOARDS
        for panel in board.panels()
        for words in [_words(panel)]
        for metric in sorted(_metrics(panel))
    ]


def _metrics(panel: Panel) -> set[str]:
    queries = [query for query in panel.queries if isinstance(query, Prom)]
    found = {name for query in queries for name in metrics(query.expr.text)}
    return found - HELPERS or found


def _words(panel: Panel) -> str:
    core = panel.core
    legends = [query.legend for query in panel.queries if isinstance(query, Prom)]
    return " ".join([core.title, core.description, *legends]).lower()


def said(metric: str) -> str:
    """Return the pattern of what a panel about ``metric`` says."""
    parts = [part.rstrip("s") for part in metric.split("_") if part not in EMPTY]  # in the singular
    return SAID.get(metric) or "|".join(parts) or metric


@pytest.mark.parametrize(("panel", "words", "metric"), asked())
def test_a_panel_names_what_it_asks_for(panel: str, words: str, metric: str) -> None:
    assert re.search(said(metric), words), f"{panel} says nothing of {metric} ({said(metric)})"


@pytest.mark.parametrize(
    "panel", [p for board in DASHBOARDS for p in board.panels()], ids=lambda p: p.core.title
)
def test_no_panel_asks_the_same_twice(panel: Panel) -> None:
    texts = [str(query.expr) for query in panel.queries if isinstance(query, Prom)]
    assert len(set(texts)) == len(texts), texts
