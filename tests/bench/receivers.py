"""Reads beside an OTLP collector that responds, and beside bad ones."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from tests.bench import servers
from tests.bench.environment import Environment
from tests.bench.load import Work
from tests.bench.pairs import alternate, ratios
from tests.collector import receiver
from tests.parts import free_port

ROUNDS, SECONDS = 8, 2.0
BAR = 1.2  # times the p99 beside one that answers: what rounds of a shared machine scatter
WORK = Work(200, ("/msgs?no=30",))
GOOD = "answers"
# What the receiver does: the status it answers with, or "hang".
BAD: dict[str, int | str] = {"hangs": "hang", "refuses": 503}
DEAD = "is dead"


def measure(env: Environment) -> dict[str, Any]:
    """Figures beside each receiver, and their ratio to those beside one that answers."""
    url = env.database(10_000)
    with ExitStack() as stack:
        addresses = {GOOD: env.collector, DEAD: f"http://127.0.0.1:{free_port()}"}
        for name, mode in BAD.items():
            bad = stack.enter_context(receiver(look=False))
            bad.mode = mode
            addresses[name] = bad.url
        running = {
            name: stack.enter_context(servers.running("observed", url, env.folder, address))
            for name, address in addresses.items()
        }
        series = alternate(running, WORK, ROUNDS, SECONDS)
    return {
        name: {"figures": one.medians(), "ratio": ratios(one, series[GOOD])}
        for name, one in series.items()
    }


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    table = []
    for name, part in found.items():
        p99, rate = part["ratio"]["p99"], part["ratio"]["rate"]["median"]
        said = f"p99 {part['figures']['p99_ms']:.2f} ms"
        if name != GOOD:
            said += (
                f", {p99['median']:.2f} times ({p99['least']:.2f} to {p99['most']:.2f});"
                f" throughput {rate:.2f} times"
            )
        bar = "" if name == GOOD else f"p99 ≤ {BAR:g} times"
        table.append((f"reads, the OTLP collector {name}", bar, said, p99["median"] <= BAR))
    return table
