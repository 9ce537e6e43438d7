"""One, two and four replicas of api on the same machine and the same database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from tests.bench.environment import Environment
from tests.bench.load import Load, drive
from tests.bench.observed import WORKS

REPLICAS = (1, 2, 4)
KINDS = ("read", "write")


def measure(env: Environment) -> dict[str, Any]:
    """Requests a second of all replicas together, and of each one's processor time."""
    found: dict[str, Any] = {kind: {} for kind in KINDS}
    url = env.database(10_000)
    for count in REPLICAS:
        with ExitStack() as stack:
            servers = [
                stack.enter_context(env.server("observed", url, pinned=False)) for _ in range(count)
            ]
            for kind in KINDS:

                def load(number: int, kind: str = kind, servers: Any = servers) -> Load:
                    return drive(servers[number].url, WORKS[kind], 2 * env.seconds, 4)

                before = sum(server.cpu() for server in servers)
                with ThreadPoolExecutor(count) as pool:
                    loads = list(pool.map(load, range(count)))
                spent = sum(server.cpu() for server in servers) - before
                rate = sum(one.rate for one in loads)
                found[kind][str(count)] = {
                    "rate": round(rate),
                    "p99_ms": max(one.p99 for one in loads),
                    "cores": round(spent / (2 * env.seconds), 2),
                }
                env.say(f"{count} replicas, {kind}: {rate:.0f}/s")
    return found


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    return [
        (
            f"{kind} requests, {count} replica{'s' * (count != '1')}",
            "",
            f"{part['rate']}/s; p99 {part['p99_ms']:.1f} ms; {part['cores']} cores in api",
            True,
        )
        for kind, counts in found.items()
        for count, part in counts.items()
    ]
