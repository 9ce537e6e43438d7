"""What telemetry costs: ours and stock instrumentation, over the same service with neither."""

from __future__ import annotations

import os
from typing import Any

from tests.bench.environment import Environment
from tests.bench.load import Work
from tests.bench.pairs import Series, alternate, spread
from tests.bench.seed import name

BAR = 0.5  # of the processor time that stock instrumentation adds
OURS, STOCK, NEITHER, BARE = "observed", "stock", "unobserved", "bare"
VARIANTS = (OURS, STOCK, NEITHER, BARE)
WORKS = {
    "read": Work(200, ("/msgs?no=30",)),
    "write": Work(204, tuple(f"/msgs/{name(n)}" for n in range(100)), "POST", '{"content": "hi"}'),
}
# A few microseconds in some hundred: many short rounds tell more than a few long ones.
ROUNDS = int(os.environ.get("ROUNDS", "12"))
SECONDS = 1.0  # wrk takes whole seconds


def measure(env: Environment) -> dict[str, Any]:
    """Return the figures of each variant, and our overhead relative to stock's."""
    found: dict[str, Any] = {"load_before": round(os.getloadavg()[0], 1)}
    with env.servers(VARIANTS, env.database(10_000)) as servers:
        for kind, work in WORKS.items():
            series = alternate(servers, work, ROUNDS, SECONDS)
            found[kind] = {
                "figures": {variant: series[variant].medians() for variant in VARIANTS},
                "added_us": {variant: added(series, variant) for variant in (OURS, STOCK)},
            }
            env.say(f"{kind}: {found[kind]['added_us']}")
    return found


def added(series: dict[str, Series], variant: str) -> dict[str, float]:
    """Microseconds of processor time a request over the service with neither, round by round."""
    pairs = zip(series[variant].cpu, series[NEITHER].cpu, strict=True)
    return spread([one - other for one, other in pairs])


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    table = []
    for kind in WORKS:
        part = found[kind]
        for variant, figures in part["figures"].items():
            said = (
                f"{figures['rate']:.0f} a second, p99 {figures['p99_ms']:.2f} ms, "
                f"{figures['cpu_us']:.1f} µs of processor time a request"
            )
            table.append((f"{kind} requests, {variant}", "", said, True))
        ours, stock = (part["added_us"][variant]["median"] for variant in (OURS, STOCK))
        table.append(
            (
                f"{kind} requests: what our telemetry adds, of what stock instrumentation adds",
                f"≤ {BAR:.0%}",
                f"{ours / stock:.0%} ({ours:.0f} of {stock:.0f} µs a request)",
                ours <= BAR * stock,
            )
        )
    return table
