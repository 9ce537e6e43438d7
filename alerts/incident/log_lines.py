"""The log lines of an incident: from Loki, or else from the files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from alerts.incident.prometheus_api import Get, NoAnswer
from alerts.incident.time_window import Window
from observability.promql.builders import matches
from observability.promql.logql import lines

MOST = 5000  # lines in one answer of Loki
SHOWN = 3
BAD = ("warning", "error", "critical")
TURNS = ("shutdown", "startup", "ready")  # what tells most where nobody complains
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """Lines in order of time, and in words where they are from."""

    source: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A line that stands for ``count`` alike."""

    line: Line
    count: int


def gather(window: Window, loki: str, get: Get, files: Path | None) -> Found:
    """The lines of the window that complain or tell of a start or an end."""
    try:
        if loki:
            found = [*_ask(loki, get, window, BAD, ()), *_ask(loki, get, window, (), TURNS)]
            return Found("Loki", tuple(sorted(found, key=lambda line: str(line["ts"]))))
    except NoAnswer:
        pass
    if files and files.is_dir():
        read = [line for file in sorted(files.glob("*.log*")) for line in _read(file, window)]
        name = "the services' log files" + (", since Loki does not answer" if loki else "")
        return Found(name, tuple(sorted(read, key=lambda line: str(line["ts"]))))
    return Found("nowhere: neither Loki nor log files are at hand", ())


def _ask(
    loki: str, get: Get, window: Window, levels: tuple[str, ...], events: tuple[str, ...]
) -> Iterator[Line]:
    labels = (
        {"level": matches("|".join(levels))} if levels else {"event": matches("|".join(events))}
    )
    query = urlencode({
        "query": lines(**labels), "start": f"{window.since:.3f}", "end": f"{window.until:.3f}",
        "direction": "forward", "limit": MOST,
    })  # fmt: skip
    answer = get(f"{loki}/loki/api/v1/query_range?{query}")
    for stream in answer["data"]["result"]:
        for _, text in stream["values"]:
            yield from _parsed(text)


def _read(file: Path, window: Window) -> Iterator[Line]:
    with file.open(errors="replace") as lines_of_file:
        for text in lines_of_file:
            for line in _parsed(text):
                wanted = line.get("level") in BAD or line.get("event") in TURNS
                if wanted and window.since <= moment(line) <= window.until:
                    yield line


def _parsed(text: str) -> Iterator[Line]:
    """The line, if it is one of ours."""
    try:
        line = json.loads(text)
        moment(line)
    except (ValueError, KeyError, TypeError):
        return
    yield line


def moment(line: Line) -> float:
    """When it was written, in seconds of the epoch; errors if it does not say."""
    return datetime.fromisoformat(line["ts"][:26].rstrip("Z") + "+00:00").timestamp()


def telling(found: Iterable[Line]) -> list[Shown]:
    """Three lines of different kinds, the worst and most frequent; in order of time."""
    kinds: dict[tuple[str, ...], list[Line]] = {}
    for line in found:
        keys = ("level", "service", "event", "route", "reason", "error")
        kinds.setdefault(tuple(str(line.get(key, "")) for key in keys), []).append(line)

    def rank(same: list[Line]) -> tuple[int, int]:
        level = str(same[0].get("level"))
        return (-BAD.index(level) if level in BAD else 1, -len(same))

    ranked = sorted(kinds.values(), key=rank)
    events: dict[tuple[object, object], list[Line]] = {}
    for same in ranked:
        events.setdefault((same[0].get("service"), same[0].get("event")), same)
    chosen = [*events.values(), *(one for one in ranked if one not in events.values())][:SHOWN]
    return [
        Shown(same[0], len(same)) for same in sorted(chosen, key=lambda same: str(same[0]["ts"]))
    ]
