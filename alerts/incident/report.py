"""All that is known of an incident, asked part by part."""

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
from alerts.incident.breakdowns import Shares
from alerts.incident.budget import Burnt
from alerts.incident.changes import Change
from alerts.incident.collect_signals import first_mover
from alerts.incident.fired_alerts import Alerted
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
    """What goes on the page; ``picture`` is None where ``no_picture`` says why."""

    window: Window
    alerted: Alerted
    verdict: Verdict
    changes: list[Change]
    running: list[str]
    budget: list[Burnt]
    shares: Shares
    lines: log_lines.Found
    traces: traces.Found
    grafana: str
    picture: Path | None
    no_picture: str


def gather(sources: Sources, window: Window, picture: Path, say: Say) -> Report:
    """Ask for all of it; ``StackError`` if Prometheus does not answer or knows nothing."""
    prometheus = Prometheus(sources.prometheus, sources.get)
    if not prometheus.course(
        aggregate("count", select(UP)), window.since, window.until, SCRAPE_SECONDS
    ):
        raise StackError("Prometheus has no sample of that time: did the platform run then?")
    say("what fired, and who was told")
    fired = fired_alerts.gather(prometheus, window, sources.chat)
    say("which component moved first")
    verdict = first_mover(prometheus, window, fired.first)
    say("deploys and restarts")
    changed = changes.gather(prometheus, window, sources.notes, sources.get)
    say("budgets, routes, statements and calls")
    burnt, shared = budget.gather(prometheus, window), breakdowns.gather(prometheus, window)
    say("log lines and traces")
    found = log_lines.gather(window, sources.loki, sources.get, sources.lines)
    traced = traces.gather(window, sources.tempo, sources.get, found.lines)
    say("the picture")
    missing = graphs.draw(prometheus, window, SCRAPE_SECONDS / 2, fired.alerts, picture)
    return Report(
        window, fired, verdict, changed, changes.running(prometheus, window), burnt, shared,
        found, traced, sources.grafana, None if missing else picture, missing,
    )  # fmt: skip
