"""Deploys and restarts: starts with their versions, and Grafana's annotations of deploys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alerts.incident.prometheus_api import Get, NoAnswer, Prometheus, reading
from alerts.incident.time_window import Window
from observability.catalog import BUILD_INFO, SERVICE
from observability.conventions import DEPLOYED_TARGETS, MONITORING_TARGETS, OPTIONAL_TARGETS
from observability.exporters import COMPONENT, COMPONENT_RESTARTS, PROCESS_START
from observability.promql.builders import aggregate, increase, matches, select, total
from observability.promql.joins import VERSION
from observability.time_scale import duration

JOBS = "|".join((*DEPLOYED_TARGETS, *MONITORING_TARGETS, *OPTIONAL_TARGETS, "simulator"))
CLOCK_SKEW = 2.0  # seconds by which a process's clock and Prometheus's may differ


@dataclass(frozen=True, slots=True)
class Change:
    """A deploy, a start or a restart at ``time`` (seconds of the epoch)."""

    time: float
    text: str


def gather(prometheus: Prometheus, window: Window, grafana: str, get: Get) -> list[Change]:
    """Return starts, restarts by a supervisor and Grafana's annotations, in order of time."""
    found = [*_starts(prometheus, window), *_restarts(prometheus, window)]
    return sorted([*found, *_annotations(window, grafana, get)], key=lambda change: change.time)


def _starts(prometheus: Prometheus, window: Window) -> list[Change]:
    """Processes that started within the window; a service's with its version."""
    versions = {
        (one.label("job"), one.label("instance")): one.label("version")
        for one in prometheus.raw(select(BUILD_INFO), window.since, window.until)
    }
    found: dict[tuple[str, str, float], Change] = {}
    for one in prometheus.raw(select(PROCESS_START, job=matches(JOBS)), window.since, window.until):
        job, instance = one.label("job"), one.label("instance")
        version = versions.get((job, instance), "")
        what = f"{job} ({instance}) started" + (f", version {version}" if version else "")
        for _, begun in one.samples:
            if window.since - CLOCK_SKEW <= begun <= window.until:
                found[(job, instance, round(begun))] = Change(begun, what)
    return list(found.values())


def _restarts(prometheus: Prometheus, window: Window) -> list[Change]:
    """Return how often a supervisor restarted a component within the window."""
    counted = total(increase(COMPONENT_RESTARTS, duration(window.seconds)), COMPONENT)
    return [
        Change(window.until, f"{labels['component']} exited and was restarted "
                             f"{round(value)} times within the window")
        for labels, value in prometheus.instant(counted, window.until)
        if round(value)
    ]  # fmt: skip


def _annotations(window: Window, grafana: str, get: Get) -> list[Change]:
    """Grafana's annotations of deploys; empty without Grafana."""
    if not grafana:
        return []
    try:
        answer: Any = get(f"{grafana}/api/annotations?tags=deploy&{window.milliseconds}")
        with reading(grafana):
            return [Change(one["time"] / 1000, str(one["text"])) for one in answer]
    except NoAnswer:
        return []


def running(prometheus: Prometheus, window: Window) -> list[str]:
    """Return the versions that ran at the end of the window, by service."""
    found = prometheus.instant(
        aggregate("count", select(BUILD_INFO), SERVICE, VERSION), window.until
    )
    return [f"{labels['service']} {labels['version']} x {count:.0f}" for labels, count in found]
