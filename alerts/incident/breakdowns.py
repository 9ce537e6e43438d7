"""Which routes failed, which statements and upstream calls took the time, and their shares."""

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

STEP = 2.0  # seconds; no scrape comes more often
SHOWN = 5  # rows of a table


@dataclass(frozen=True, slots=True)
class Row:
    """A table row: what, how many of how many, and ``seconds`` if measured."""

    what: str
    count: float
    of: float = 0
    seconds: float = 0
    usual: float = 0  # seconds on average in a window of the same length before


def growth(samples: Samples, since: float) -> float:
    """What a counter grew by, over resets; one that appears after ``since`` grew from 0."""
    if not samples:
        return 0
    grown = sum(v - before if v >= before else v for (_, before), (_, v) in pairwise(samples))
    return grown + (samples[0][1] if samples[0][0] > since + 2 * STEP else 0)


def counted(
    prometheus: Prometheus, metric: Metric, part: Part, window: Window, *by: str, **wanted: str
) -> dict[str, float]:
    """Return the increase of a counter within the window, by its labels ``by``."""
    found: dict[str, float] = {}
    selected = select(metric, part, **wanted)
    for one in prometheus.course(selected, window.since, window.until, STEP):
        key = " ".join(one.label(name) for name in by)
        found[key] = found.get(key, 0) + growth(one.samples, window.since)
    return found


def routes(prometheus: Prometheus, window: Window) -> list[Row]:
    """Routes with answers of 5xx, the most first: failed ones, and of how many."""
    found: dict[str, list[float]] = {}
    labels = (STATUS.name, SERVICE.name, METHOD.name, ROUTE.name)
    for key, value in counted(prometheus, HTTP_REQUESTS, "", window, *labels).items():
        status, _, route = key.partition(" ")
        row = found.setdefault(route, [0, 0])
        row[0] += value if status.startswith("5") else 0
        row[1] += value
    rows = [Row(route, failed, of) for route, (failed, of) in found.items() if failed >= 1]
    return sorted(rows, key=lambda row: -row.count)


def timed(prometheus: Prometheus, window: Window, metric: Metric, label: Label) -> list[Row]:
    """Statements or calls of a histogram by ``label``, those that took most time first."""
    earlier = Window(window.since - window.seconds, window.since)

    def measured(part: Part, when: Window) -> dict[str, float]:
        return counted(prometheus, metric, part, when, label.name)

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
    """Errors by their kind, the most first."""
    found = counted(prometheus, metric, "", window, label)
    rows = [Row(name, value) for name, value in found.items() if value >= 1]
    return sorted(rows, key=lambda row: -row.count)


@dataclass(frozen=True, slots=True)
class Shares:
    """All the tables; ``actions`` are the simulator's, by outcome."""

    routes: list[Row]
    statements: list[Row]
    statement_errors: list[Row]
    calls: list[Row]
    call_errors: list[Row]
    actions: list[Row]


def gather(prometheus: Prometheus, window: Window) -> Shares:
    """Ask for all of them."""
    return Shares(
        routes(prometheus, window),
        timed(prometheus, window, DB_QUERY_DURATION, QUERY),
        reasons(prometheus, window, DB_ERRORS, "kind"),
        timed(prometheus, window, UPSTREAM_DURATION, OPERATION),
        reasons(prometheus, window, UPSTREAM_ERRORS, "reason"),
        reasons(prometheus, window, SIMULATOR_ACTIONS, "outcome"),
    )
