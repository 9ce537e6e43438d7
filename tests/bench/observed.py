"""The cost of telemetry: api instrumented in parts, in full, and not at all.

Variants: as it is, every trace sampled, metrics (and ids) only, with either log or traces besides,
and without any telemetry.
"""

from __future__ import annotations

from typing import Any

from tests.bench.environment import Environment
from tests.bench.load import Work
from tests.bench.pairs import alternate, ratios
from tests.bench.seed import name

BAR, P99_BAR = 0.95, 1.05  # of the throughput, and of the p99, without telemetry
WORKS = {
    "read": Work(200, ("/msgs?no=30",)),
    "write": Work(204, tuple(f"/msgs/{name(n)}" for n in range(100)), "POST", '{"content": "hi"}'),
    "error": Work(404, ("/msgs/nobody?no=30",)),
}
VARIANTS = (
    "observed", "all traced", "metrics only", "metrics and log", "metrics and traces", "unobserved",
)  # fmt: skip
# A few microseconds in 160 are looked for, on machines whose pace changes from second to second:
# many short rounds tell more than a few long ones.
ROUNDS, SECONDS = 12, 1.0  # wrk takes whole seconds


def measure(env: Environment) -> dict[str, Any]:
    """Return the figures of each variant by kind of request, and their ratios."""
    found: dict[str, Any] = {}
    with env.servers(VARIANTS, env.database(10_000)) as servers:
        for kind, work in WORKS.items():
            series = alternate(servers, work, ROUNDS, SECONDS)
            found[kind] = {
                "figures": {variant: series[variant].medians() for variant in VARIANTS},
                "ratios": {v: ratios(series[v], series["unobserved"]) for v in VARIANTS[:-1]},
            }
            env.say(f"{kind}: {found[kind]['ratios']['observed']['rate']['median']:.2f}")
    return found


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    table = []
    for kind, part in found.items():
        for variant, ratio in part["ratios"].items():
            rate, p99 = ratio["rate"], ratio["p99"]
            bar = f"≥ {BAR:.0%}, p99 ≤ {P99_BAR}" if (variant, kind) in BARRED else ""
            good = rate["median"] >= BAR and p99["median"] <= P99_BAR
            table.append(
                (
                    f"{kind} requests, {variant}: throughput of what it is without telemetry",
                    bar,
                    f"{rate['median']:.0%} ({rate['least']:.0%} to {rate['most']:.0%});"
                    f" p99 {p99['median']:.2f}, processor time {ratio['cpu']['median']:.2f} times",
                    not bar or good,
                )
            )
    return table


BARRED = {("observed", "read"), ("observed", "write")}
