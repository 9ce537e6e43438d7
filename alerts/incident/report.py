"""Gathers all that the monitoring recorded of an incident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alerts.incident import (
    breakdowns,
    budget,
    changes,
    fired_alerts,
    graphs,
    log_lines,
    traces,
)
from alerts.incident.breakdowns import Breakdowns
from alerts.incident.budget import BudgetUse
from alerts.incident.changes import Change
from alerts.incident.collect_signals import first_mover
from alerts.incident.fired_alerts import FiredAlerts
from alerts.incident.first_mover import Verdict
from alerts.incident.prometheus_api import Prometheus
from alerts.incident.sources import Sources
from alerts.incident.time_window import Window
from observability.exporters import UP
from observability.promql.builders import aggregate, select
from observability.stack.settings import StackError
from observability.time_scale import SCRAPE_SECONDS

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What the page shows; if ``picture`` is None, ``no_picture`` says why."""

    window: Window
    fired: FiredAlerts
    verdict: Verdict
    changes: list[Change]
    running: list[str]
    budget: list[BudgetUse]
    breakdowns: Breakdowns
    lines: log_lines.LogLines
    traces: traces.Traces
    grafana: str
    picture: Path | None
    no_picture: str


def gather(sources: Sources, window: Window, picture: Path, say: Say) -> Report:
    """Query all sources; ``StackError`` if Prometheus does not answer or has no samples."""
    prometheus = Prometheus(sources.prometheus, sources.get)
    if not prometheus.range(
        aggregate("count", select(UP)), window.since, window.until, SCRAPE_SECONDS
    ):
        raise StackError("Prometheus has no sample of that time: did the platform run then?")
    say("alerts and notifications")
    fired = fired_alerts.gather(prometheus, window, sources.chat)
    say("the first mover")
    verdict = first_mover(prometheus, window, fired.first_active)
    say("deploys and restarts")
    changed = changes.gather(prometheus, window, sources.annotations, sources.get)
    say("error budgets, routes, statements and calls")
    spent, broken_down = budget.gather(prometheus, window), breakdowns.gather(prometheus, window)
    say("log lines and traces")
    found = log_lines.gather(window, sources.loki, sources.get, sources.logs)
    traced = traces.gather(window, sources.tempo, sources.get, found.lines)
    say("the picture")
    missing = graphs.draw(prometheus, window, SCRAPE_SECONDS / 2, fired.alerts, picture)
    return Report(
        window, fired, verdict, changed, changes.running(prometheus, window), spent, broken_down,
        found, traced, sources.grafana, None if missing else picture, missing,
    )  # fmt: skip
