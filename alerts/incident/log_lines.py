"""The log lines of an incident: from Loki, or else from the log files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from alerts.incident.prometheus_api import Get, NoAnswer, reading
from alerts.incident.time_window import Window
from observability.promql.builders import matches
from observability.promql.logql import lines

MAX_LINES = 5000  # in one response of Loki
SHOWN = 3
PROBLEM_LEVELS = ("warning", "error", "critical")
LIFECYCLE = ("shutdown", "startup", "ready")  # the most telling events without an error
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogLines:
    """Lines in order of time; ``source`` says in words where they are from."""

    source: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A line that stands for ``count`` similar ones."""

    line: Line
    count: int


def gather(window: Window, loki: str, get: Get, files: Path | None) -> LogLines:
    """Return the window's lines with a warning, an error, a start or a shutdown."""
    try:
        if loki:
            found = [
                *_query_loki(loki, get, window, PROBLEM_LEVELS, ()),
                *_query_loki(loki, get, window, (), LIFECYCLE),
            ]
            return LogLines("Loki", tuple(sorted(found, key=lambda line: str(line["ts"]))))
    except NoAnswer:
        pass
    if files and files.is_dir():
        read = [line for file in sorted(files.glob("*.log*")) for line in _read_file(file, window)]
        name = "the services' log files" + (", since Loki does not answer" if loki else "")
        return LogLines(name, tuple(sorted(read, key=lambda line: str(line["ts"]))))
    return LogLines("nowhere: neither Loki nor log files are available", ())


def _query_loki(
    loki: str, get: Get, window: Window, levels: tuple[str, ...], events: tuple[str, ...]
) -> Iterator[Line]:
    labels = (
        {"level": matches("|".join(levels))} if levels else {"event": matches("|".join(events))}
    )
    query = urlencode({
        "query": lines(**labels), "start": f"{window.since:.3f}", "end": f"{window.until:.3f}",
        "direction": "forward", "limit": MAX_LINES,
    })  # fmt: skip
    answer = get(f"{loki}/loki/api/v1/query_range?{query}")
    with reading(loki):
        texts = [text for stream in answer["data"]["result"] for _, text in stream["values"]]
    for text in texts:
        yield from _parse(text)


def _read_file(file: Path, window: Window) -> Iterator[Line]:
    with file.open(errors="replace") as lines_of_file:
        for text in lines_of_file:
            for line in _parse(text):
                wanted = line.get("level") in PROBLEM_LEVELS or line.get("event") in LIFECYCLE
                if wanted and window.since <= timestamp(line) <= window.until:
                    yield line


def _parse(text: str) -> Iterator[Line]:
    """Yield the line, if a service of MiniTwit wrote it."""
    try:
        line = json.loads(text)
        timestamp(line)
    except (ValueError, KeyError, TypeError):
        return
    yield line


def timestamp(line: Line) -> float:
    """Return its timestamp in seconds of the epoch; KeyError or ValueError without one."""
    return datetime.fromisoformat(line["ts"][:26].rstrip("Z") + "+00:00").timestamp()


def examples(found: Iterable[Line]) -> list[Example]:
    """Choose a line of each of the three worst kinds, in order of time."""
    kinds: dict[tuple[str, ...], list[Line]] = {}
    for line in found:
        keys = ("level", "service", "event", "route", "reason", "error")
        kinds.setdefault(tuple(str(line.get(key, "")) for key in keys), []).append(line)

    def rank(same: list[Line]) -> tuple[int, int]:
        level = str(same[0].get("level"))
        return (-PROBLEM_LEVELS.index(level) if level in PROBLEM_LEVELS else 1, -len(same))

    ranked = sorted(kinds.values(), key=rank)
    events: dict[tuple[object, object], list[Line]] = {}
    for same in ranked:
        events.setdefault((same[0].get("service"), same[0].get("event")), same)
    chosen = [*events.values(), *(one for one in ranked if one not in events.values())][:SHOWN]
    return [
        Example(same[0], len(same)) for same in sorted(chosen, key=lambda same: str(same[0]["ts"]))
    ]
