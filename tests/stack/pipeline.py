"""What the log pipeline holds: the files, Promtail's positions, and Loki's answers."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
import urllib.parse
from collections import Counter
from datetime import datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.parts import get, request, wait_for
from tests.stack.platform import Platform

SLICE = 4000  # lines asked for at once; Loki gives at most 5,000


def ask(stack: Platform, selector: str, start: int, end: int) -> list[tuple[str, str]]:
    """(time in nanoseconds, line) of all that Loki has from ``start`` until before ``end``."""
    query = {"query": selector, "start": start, "end": end, "limit": 5000, "direction": "forward"}
    path = f"/loki/api/v1/query_range?{urllib.parse.urlencode(query)}"
    answer = get(stack.url("loki") + path)
    assert answer.status == 200, answer
    streams = answer.json()["data"]["result"]
    return [(stamp, line) for stream in streams for stamp, line, *_ in stream["values"]]


def lines_since(stack: Platform, selector: str, begin: int) -> list[tuple[str, str]]:
    """(time in nanoseconds, line) of all that Loki has from ``begin`` until now."""
    return ask(stack, selector, begin, time.time_ns() + 10**9)


def push(stack: Platform, labels: dict[str, str], lines: list[tuple[str, str]]) -> bool:
    """Send (time in nanoseconds, line) of one stream to Loki; whether it took them."""
    body = json.dumps({"streams": [{"stream": labels, "values": lines}]}).encode()
    headers = {"Content-Type": "application/json"}
    return request("POST", stack.url("loki") + "/loki/api/v1/push", body, headers).status == 204


def nanoseconds(line: str) -> int:
    stamp = json.loads(line)["ts"]
    whole = datetime.fromisoformat(stamp[:19] + "+00:00")
    return int(whole.timestamp()) * 10**9 + int(stamp[20:29])


def written(stack: Platform, service: str) -> list[str]:
    lines = (stack.run_dir / f"logs/json/{service}.log").read_text().splitlines()
    return sorted(lines, key=nanoseconds)


def stored(stack: Platform, service: str, lines: list[str], size: int = SLICE) -> Counter[str]:
    """What Loki has in the time of ``lines``, asked for piece by piece."""
    times = [nanoseconds(line) for line in lines]
    bounds = [times[0], *times[size::size], times[-1] + 1]
    found: Counter[str] = Counter()
    for start, end in itertools.pairwise(bounds):
        found.update(line for _, line in ask(stack, f'{{service="{service}"}}', start, end))
    return found


def difference(stack: Platform, service: str, lines: list[str]) -> str:
    """Say which lines Loki lacks or has twice, asked by many and by few."""
    said = []
    for size in (SLICE, SLICE // 20):
        found, expected = stored(stack, service, lines, size), Counter(lines)
        missing, more = expected - found, found - expected
        where = [number for number, line in enumerate(lines) if line in missing]
        said.append(
            f"by {size}: {missing.total()} of {len(lines)} missing, from number {where[:1]} to"
            f" {where[-1:]}; {more.total()} too many, such as {list(more)[:1]}"
        )
    metrics = get(stack.url("promtail") + "/metrics").body.decode().splitlines()
    counts = [m for m in metrics if m.startswith(("promtail_read_lines", "promtail_sent_entries"))]
    return "\n".join([*said, *counts])


def undelivered(stack: Platform) -> int:
    """How many lines Promtail has read, and Loki has not accepted."""
    text = request("GET", stack.url("promtail") + "/metrics").body.decode()
    found: Counter[str] = Counter()
    for sample in (s for family in text_string_to_metric_families(text) for s in family.samples):
        found[sample.name] += round(sample.value)
    return found["promtail_read_lines_total"] - found["promtail_sent_entries_total"]


def kill(stack: Platform) -> None:
    """End Promtail without a warning; the supervisor starts it again."""
    old = stack.process("promtail").pid
    os.kill(old, signal.SIGKILL)
    wait_for("Promtail again", lambda: stack.process("promtail").pid not in (0, old))


def resident(stack: Platform, component: str) -> int:
    """The most memory that a component has held (KiB)."""
    status = Path(f"/proc/{stack.process(component).pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def labels_of(stack: Platform, query: str, begin: int) -> dict[str, str]:
    """The labels, structured metadata among them, of what a query finds since ``begin``."""
    path = f"/loki/api/v1/query_range?{urllib.parse.urlencode({'query': query, 'start': begin})}"
    found = get(stack.url("loki") + path).json()["data"]["result"]
    labels: dict[str, str] = found[0]["stream"] if found else {}
    return labels
