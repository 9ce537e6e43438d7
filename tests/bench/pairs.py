"""Interleaved rounds: a change of the machine's pace hits all variants."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass, field
from typing import Any

from tests.bench.load import CONNECTIONS, Load, Work, drive
from tests.bench.servers import Server


@dataclass
class Series:
    """What one variant did in each round."""

    loads: list[Load] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # microseconds of processor time a request

    def medians(self) -> dict[str, float]:
        """The middle of each figure."""
        return {
            "rate": round(statistics.median(load.rate for load in self.loads)),
            "p50_ms": round(statistics.median(load.p50 for load in self.loads), 2),
            "p99_ms": round(statistics.median(load.p99 for load in self.loads), 2),
            "cpu_us": round(statistics.median(self.cpu), 1),
        }

    def rates(self) -> dict[str, float]:
        """Requests a second."""
        return spread([load.rate for load in self.loads])


def alternate(
    servers: dict[str, Server],
    work: Work,
    rounds: int,
    seconds: float,
    connections: int = CONNECTIONS,
) -> dict[str, Series]:
    """Measure each server in turn, ``rounds`` times, in random order.

    The order is random, so that no server always runs after the same other.
    """
    for server in servers.values():
        work.check(server.url)
        drive(server.url, work, 1, connections)  # plans, caches, children of metrics
    series = {name: Series() for name in servers}
    for number in range(rounds):
        for name in random.Random(number).sample(list(servers), len(servers)):
            before = servers[name].cpu()
            load = drive(servers[name].url, work, seconds, connections)
            spent = servers[name].cpu() - before
            series[name].loads.append(load)
            series[name].cpu.append(spent / (load.rate * seconds) * 1e6)
    return series


def ratios(one: Series, other: Series) -> dict[str, Any]:
    """``one`` over ``other``: throughput, p99 and processor time, round by round."""
    pairs = list(zip(one.loads, other.loads, strict=True))
    return {
        "rate": spread([a.rate / b.rate for a, b in pairs]),
        "p99": spread([a.p99 / b.p99 for a, b in pairs]),
        "cpu": spread([a / b for a, b in zip(one.cpu, other.cpu, strict=True)]),
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }
