"""The final report: a table, and the same as JSON.

The JSON of ``--report`` (all durations in milliseconds unless the name says seconds):

    schema        1
    settings      url, speed ("nominal", "rate", "max"), rate, clients, keep_alive,
                  timeout_seconds, file, seed, actions, even, resume, forever
    started, finished  UTC, ISO 8601
    seconds, actions, actions_per_second, errors
    first_id, last_id  of the actions sent; null if there were none
    interrupted   true if it was stopped by a signal
    cpu_seconds   what the simulator itself used
    commands      register, tweet, follow, unfollow, each a row
    totals        the row of all together
    schedule      null without a rate; else lateness and since_due, two latencies: how late
                  actions went out, and how long after they were due they were answered
    first_errors  up to five lines
    differences   null without --verify; else one line per difference

A row has count, errors, statuses {"204": n}, timeouts, refused, reset, other, and latency:
{p50, p95, p99, max} of answers and timeouts, each null if there were none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator.results import Latency, Row
from simulator.run import Run

SCHEMA = 1
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_FAILURES = {"timeouts": "timeout", "refused": "refused", "reset": "reset", "other": "other"}


@dataclass
class Frame:
    """The fields of a report besides a run's results."""

    settings: dict[str, Any]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    interrupted: bool = False
    differences: list[str] | None = None


def report(run: Run, frame: Frame) -> dict[str, Any]:
    """Return the report of a finished run, as in this module's docstring."""
    run.roll()
    results = run.results
    scheduled = {"lateness": results.lateness, "since_due": results.since_due}
    return {
        "schema": SCHEMA,
        "settings": frame.settings,
        "started": frame.started.isoformat(timespec="milliseconds"),
        "finished": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "seconds": round(frame.seconds, 3),
        "actions": run.done,
        "actions_per_second": round(run.done / frame.seconds, 1) if frame.seconds else 0.0,
        "errors": run.errors,
        "first_id": run.first_id,
        "last_id": run.last_id,
        "interrupted": frame.interrupted,
        "cpu_seconds": round(frame.cpu_seconds, 3),
        "commands": {command: _row(row) for command, row in results.rows.items()},
        "totals": _row(results.total()),
        "schedule": {name: _latency(times) for name, times in scheduled.items()}
        if results.lateness.count
        else None,
        "first_errors": run.first_errors,
        "differences": frame.differences,
    }


def table(data: dict[str, Any]) -> str:
    """Return the report for people: a row per command, then the rest."""
    rows = {**data["commands"], "all": data["totals"]}
    lines = [("command", "count", "errors", *_FAILURES, *_QUANTILES, "max", "statuses")]
    for name, row in rows.items():
        statuses = " ".join(f"{status}:{n}" for status, n in row["statuses"].items())
        times = ("-" if ms is None else f"{ms:.1f}" for ms in row["latency"].values())
        numbers = (str(row[key]) for key in ("count", "errors", *_FAILURES))
        lines.append((name, *numbers, *times, statuses or "-"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [_align(line, widths) for line in lines]
    text.append(
        f"{data['actions']} actions in {data['seconds']:.1f} s,"
        f" {data['actions_per_second']}/s, {data['errors']} errors; times in milliseconds"
    )
    if data["schedule"]:
        late, since = data["schedule"]["lateness"], data["schedule"]["since_due"]
        text.append(f"sent late: p99 {late['p99']}, max {late['max']}")
        text.append(f"answered after due: p99 {since['p99']}, max {since['max']}")
    text += [f"error: {line}" for line in data["first_errors"]]
    return "\n".join(text)


def milliseconds(seconds: float | None) -> float | None:
    """Round to microseconds, for people and JSON."""
    return None if seconds is None else round(seconds * 1000, 3)


def _row(row: Row) -> dict[str, Any]:
    failures = {str(kind): count for kind, count in row.failures.items()}
    return {
        "count": row.count,
        "errors": row.errors,
        "statuses": {str(status): row.statuses[status] for status in sorted(row.statuses)},
        **{name: failures.get(kind, 0) for name, kind in _FAILURES.items()},
        "latency": _latency(row.latency),
    }


def _latency(times: Latency) -> dict[str, float | None]:
    figures = {name: milliseconds(times.quantile(q)) for name, q in _QUANTILES.items()}
    return {**figures, "max": milliseconds(times.longest) if times.count else None}


def _align(cells: tuple[str, ...], widths: list[int]) -> str:
    """Align the first and the last column left, numbers right."""
    numbers = [cell.rjust(w) for cell, w in zip(cells[1:-1], widths[1:-1], strict=True)]
    return "  ".join([cells[0].ljust(widths[0]), *numbers, cells[-1]])
