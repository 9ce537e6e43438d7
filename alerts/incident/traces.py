"""Traces of failed or slow requests: from Tempo, else ids of the log lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from alerts.incident.log_lines import Line, timestamp
from alerts.incident.prometheus_api import Get, NoAnswer, reading
from alerts.incident.time_window import Window
from observability.catalog import SIMULATOR_TIMEOUT

SHOWN = 3  # traces on the page
MAX_TRACES = 50  # in one response of Tempo
# TraceQL, the most significant first.
QUERIES = (
    "{ status = error }",
    f"{{ trace:duration > {SIMULATOR_TIMEOUT * 1000:g}ms }}",
)


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace; ``stored`` says whether Tempo has its spans."""

    trace_id: str
    time: float
    request: str
    stored: bool


@dataclass(frozen=True, slots=True)
class Traces:
    """At most three traces; ``source`` says in words where they are from."""

    source: str
    traces: tuple[Trace, ...]


def gather(window: Window, tempo: str, get: Get, lines: Iterable[Line]) -> Traces:
    """Return up to three traces, each of a different request."""
    try:
        if tempo:
            with reading(tempo):
                return Traces("Tempo", tuple(_from_tempo(window, tempo, get)))
    except NoAnswer:
        tempo = "Tempo does not answer"
    source = f"the log lines: {tempo or 'no Tempo runs'}, so no spans are stored"
    return Traces(source, tuple(_from_log_lines(lines)))


def _from_tempo(window: Window, tempo: str, get: Get) -> list[Trace]:
    found: dict[str, Trace] = {}
    for query in QUERIES:
        parameters = urlencode({
            "q": query, "start": int(window.since), "end": int(window.until) + 1,
            "limit": MAX_TRACES,
        })  # fmt: skip
        traces = get(f"{tempo}/api/search?{parameters}").get("traces") or []
        for one in sorted(traces, key=lambda trace: int(trace["startTimeUnixNano"])):
            name = f"{one.get('rootServiceName', '?')} {one.get('rootTraceName', '?')}"
            time = int(one["startTimeUnixNano"]) / 1e9
            what = f"{name}, {one.get('durationMs', 0)} ms"
            if window.since <= time <= window.until:
                found.setdefault(name, Trace(one["traceID"].zfill(32), time, what, True))
    return sorted(list(found.values())[:SHOWN], key=lambda trace: trace.time)


def _from_log_lines(lines: Iterable[Line]) -> list[Trace]:
    found: dict[str, Trace] = {}
    for line in lines:
        if line.get("trace_id"):
            what = f"{line['service']} {line.get('method', '')} {line.get('route', line['event'])}"
            trace = Trace(str(line["trace_id"]), timestamp(line), " ".join(what.split()), False)
            found.setdefault(what, trace)
    return list(found.values())[:SHOWN]
