"""Traces of failed or slow requests: from Tempo, else ids of the log lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from alerts.incident.log_lines import Line, moment
from alerts.incident.prometheus_api import Get, NoAnswer
from alerts.incident.time_window import Window
from observability.catalog import SIMULATOR_TIMEOUT

SHOWN = 3
MOST = 50
# What a trace must be, the most telling first.
QUERIES = (
    "{ status = error }",
    f"{{ trace:duration > {SIMULATOR_TIMEOUT * 1000:g}ms }}",
)


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace; ``kept`` says whether Tempo has its spans."""

    trace_id: str
    time: float
    what: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Found:
    """At most three, and in words where they are from."""

    source: str
    traces: tuple[Trace, ...]


def gather(window: Window, tempo: str, get: Get, lines: Iterable[Line]) -> Found:
    """Three traces of different requests, if there are so many."""
    try:
        if tempo:
            return Found("Tempo", tuple(_searched(window, tempo, get)))
    except NoAnswer:
        tempo = "Tempo does not answer"
    source = f"the log lines: {tempo or 'no Tempo runs'}, so no spans are kept"
    return Found(source, tuple(_written(lines)))


def _searched(window: Window, tempo: str, get: Get) -> list[Trace]:
    found: dict[str, Trace] = {}
    for query in QUERIES:
        asked = urlencode({
            "q": query, "start": int(window.since), "end": int(window.until) + 1, "limit": MOST,
        })  # fmt: skip
        traces = get(f"{tempo}/api/search?{asked}").get("traces") or []
        for one in sorted(traces, key=lambda trace: int(trace["startTimeUnixNano"])):
            name = f"{one.get('rootServiceName', '?')} {one.get('rootTraceName', '?')}"
            time = int(one["startTimeUnixNano"]) / 1e9
            what = f"{name}, {one.get('durationMs', 0)} ms"
            if window.since <= time <= window.until:
                found.setdefault(name, Trace(one["traceID"].zfill(32), time, what, True))
    return sorted(list(found.values())[:SHOWN], key=lambda trace: trace.time)


def _written(lines: Iterable[Line]) -> list[Trace]:
    found: dict[str, Trace] = {}
    for line in lines:
        if line.get("trace_id"):
            what = f"{line['service']} {line.get('method', '')} {line.get('route', line['event'])}"
            trace = Trace(str(line["trace_id"]), moment(line), " ".join(what.split()), False)
            found.setdefault(what, trace)
    return list(found.values())[:SHOWN]
