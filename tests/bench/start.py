"""The duration of a warm start, five times, without and with Grafana."""

from __future__ import annotations

import time
from typing import Any

from observability.stack.local.up import absent
from tests.bench.environment import Environment
from tests.bench.pairs import spread
from tests.stack.platform import Platform

TIMES = 5
BAR, GRAFANA_BAR = 6.0, 30.0  # seconds, of the median


def measure(env: Environment) -> dict[str, Any]:
    """Seconds from the command to all healthy, and what does not run here."""
    platform = Platform(env.folder / "start")
    without = absent(platform.settings)
    found: dict[str, Any] = {"without": sorted(without), "seconds": {}}
    for name, left_out in {"without Grafana": {"grafana"}, "with Grafana": set()}.items():
        if name == "with Grafana" and "grafana" in without:
            continue
        chosen = platform.here("preview", *left_out)
        found["seconds"][name] = [timed(platform, chosen) for _ in range(TIMES + 1)][1:]
        env.say(f"{name}: {found['seconds'][name]}")
    return found


def timed(platform: Platform, chosen: list[str]) -> float:
    """One start, and the end of what was started."""
    began = time.monotonic()
    try:
        platform.up(*chosen)
        return round(time.monotonic() - began, 2)
    finally:
        platform.down()


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    table = []
    for name, values in found["seconds"].items():
        bar, some = BAR if name == "without Grafana" else GRAFANA_BAR, spread(values)
        said = f"{some['median']:.1f} s ({some['least']:.1f} to {some['most']:.1f})"
        if found["without"]:
            said += f"; not here: {', '.join(found['without'])}"
        what = f"warm start to all healthy, {name}, of {len(values)}"
        table.append((what, f"≤ {bar:g} s", said, some["median"] <= bar))
    return table
