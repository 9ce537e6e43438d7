"""Breakdowns: failures by route, time by SQL statement and by call from web to api."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from alerts.incident.prometheus_api import Prometheus, Samples
from alerts.incident.time_window import Window
from observability.catalog import (
    DB_ERRORS,
    DB_QUERY_DURATION,
    HTTP_REQUESTS,
    METHOD,
    OPERATION,
    QUERY,
    ROUTE,
    SERVICE,
    SIMULATOR_ACTIONS,
    STATUS,
    UPSTREAM_DURATION,
    UPSTREAM_ERRORS,
    Label,
    Metric,
)
from observability.promql.builders import Part, select

STEP = 2.0  # seconds; the shortest scrape interval
SHOWN = 5  # rows of a table


@dataclass(frozen=True, slots=True)
class Row:
    """A table row: ``count`` of ``total`` with this ``name``, and their ``seconds`` if measured.

    ``usual`` is the mean in seconds in the window of the same length before.
    """

    name: str
    count: float
    total: float = 0
    seconds: float = 0
    usual: float = 0


def increase(samples: Samples, since: float) -> float:
    """Return the increase of a counter over resets; from 0 if it appears after ``since``."""
    if not samples:
        return 0
    total = sum(v - before if v >= before else v for (_, before), (_, v) in pairwise(samples))
    return total + (samples[0][1] if samples[0][0] > since + 2 * STEP else 0)


def increases(
    prometheus: Prometheus, metric: Metric, part: Part, window: Window, *by: str, **wanted: str
) -> dict[str, float]:
    """Return the increase of a counter within the window, by its labels ``by``."""
    found: dict[str, float] = {}
    selected = select(metric, part, **wanted)
    for one in prometheus.range(selected, window.since, window.until, STEP):
        key = " ".join(one.label(name) for name in by)
        found[key] = found.get(key, 0) + increase(one.samples, window.since)
    return found


def routes(prometheus: Prometheus, window: Window) -> list[Row]:
    """Return routes with 5xx responses, the most first: failed of all requests."""
    found: dict[str, list[float]] = {}
    labels = (STATUS.name, SERVICE.name, METHOD.name, ROUTE.name)
    for key, value in increases(prometheus, HTTP_REQUESTS, "", window, *labels).items():
        status, _, route = key.partition(" ")
        row = found.setdefault(route, [0, 0])
        row[0] += value if status.startswith("5") else 0
        row[1] += value
    rows = [Row(route, failed, total) for route, (failed, total) in found.items() if failed >= 1]
    return sorted(rows, key=lambda row: -row.count)


def timed(prometheus: Prometheus, window: Window, metric: Metric, label: Label) -> list[Row]:
    """Return statements or calls of a histogram by ``label``, the most total time first."""
    earlier = Window(window.since - window.seconds, window.since)

    def measured(part: Part, when: Window) -> dict[str, float]:
        return increases(prometheus, metric, part, when, label.name)

    seconds, counts = measured("sum", window), measured("count", window)
    before, counts_before = measured("sum", earlier), measured("count", earlier)
    rows = [
        Row(
            name, counts.get(name, 0), 0, took,
            before.get(name, 0) / (counts_before.get(name, 0) or 1),
        )
        for name, took in seconds.items()
        if counts.get(name, 0) >= 1
    ]  # fmt: skip
    return sorted(rows, key=lambda row: -row.seconds)


def reasons(prometheus: Prometheus, window: Window, metric: Metric, label: str) -> list[Row]:
    """Return errors by ``label``, the most first."""
    found = increases(prometheus, metric, "", window, label)
    rows = [Row(name, value) for name, value in found.items() if value >= 1]
    return sorted(rows, key=lambda row: -row.count)


@dataclass(frozen=True, slots=True)
class Breakdowns:
    """All tables; ``actions`` are the simulator's, by outcome."""

    routes: list[Row]
    statements: list[Row]
    statement_errors: list[Row]
    calls: list[Row]
    call_errors: list[Row]
    actions: list[Row]


def gather(prometheus: Prometheus, window: Window) -> Breakdowns:
    """Query all tables."""
    return Breakdowns(
        routes(prometheus, window),
        timed(prometheus, window, DB_QUERY_DURATION, QUERY),
        reasons(prometheus, window, DB_ERRORS, "kind"),
        timed(prometheus, window, UPSTREAM_DURATION, OPERATION),
        reasons(prometheus, window, UPSTREAM_ERRORS, "reason"),
        reasons(prometheus, window, SIMULATOR_ACTIONS, "outcome"),
    )
