"""Ours beside services that others would build, and PostgreSQL alone.

All on one database of 100,000 messages, the same SQL, 16 connections, in turns; the measured one
has a core of its own. The simulator's mix has both cores, as the simulator takes its share.
"""

from __future__ import annotations

from typing import Any

from app.database import messages
from app.database.pool import Statement
from app.limits import LIST_BYTES
from tests.bench import mix
from tests.bench.environment import Environment
from tests.bench.load import Work
from tests.bench.pairs import alternate, ratios, spread
from tests.bench.reads import pgbench
from tests.bench.seed import name

MESSAGES, CONNECTIONS = 100_000, 16
OURS, STOCK = "observed", "fastapi, instrumented"
# variant → what the table and the picture call it
PEERS = {
    OURS: "MiniTwit, as in production",
    STOCK: "FastAPI, stock instrumentation",
    "fastapi": "FastAPI, not instrumented",
    "starlette": "plain Starlette and psycopg",
}
LIMIT = "pgbench, the same SQL"
WORKS = {
    "read": Work(200, ("/msgs?no=30",)),
    "read of a user": Work(200, tuple(f"/msgs/{name(n)}?no=30" for n in range(100))),
    "write": Work(204, tuple(f"/msgs/{name(n)}" for n in range(100)), "POST", '{"content": "hi"}'),
}
STATEMENTS: dict[str, tuple[Statement, dict[str, Any]]] = {
    "read": (messages.NEWEST, {"no": 30, "most": LIST_BYTES, "latest": None}),
    "read of a user": (
        messages.NEWEST_BY,
        {"username": name(3), "no": 30, "most": LIST_BYTES, "latest": None},
    ),
    "write": (messages.ADD, {"username": name(3), "text": "hi", "latest": None}),
}
BARS = {"read": 3.0, "read of a user": 3.0, "write": 2.0}
# How much gets done is asked here, not whether each answer is in time: `make bench SUITE=mix`.
PATIENCE = "10"
MIX, MIX_ROUNDS, MIX_CLIENTS, MIX_ACTIONS = "simulator's mix", 3, 8, 8_000


def measure(env: Environment) -> dict[str, Any]:
    """Return requests a second, p99 and ratios by kind of work and peer."""
    url = env.database(MESSAGES)
    found: dict[str, Any] = {}
    with env.servers(tuple(PEERS), url) as servers:
        for kind, work in WORKS.items():
            series = alternate(servers, work, env.rounds, env.seconds, CONNECTIONS)
            found[kind] = {
                "figures": {peer: one.medians() for peer, one in series.items()},
                "rate": {peer: one.rates() for peer, one in series.items()},
                "ratio": {
                    peer: ratios(series[OURS], series[peer])["rate"]
                    for peer in PEERS
                    if peer != OURS
                },
            }
            env.say(f"{kind}: {found[kind]['ratio'][STOCK]['median']:.1f} times {PEERS[STOCK]}")
    for kind, (statement, parameters) in STATEMENTS.items():
        alone = [pgbench(url, env, statement, parameters, CONNECTIONS) for _ in range(env.rounds)]
        found[kind]["rate"][LIMIT] = spread(alone)
    found[MIX] = {"rate": mixed(env)}
    return found


def mixed(env: Environment) -> dict[str, dict[str, float]]:
    """Actions a second of the simulator's own mix, each time on an empty database."""
    rates: dict[str, list[float]] = {peer: [] for peer in PEERS}
    how = (
        "--max", "--clients", str(MIX_CLIENTS), "--actions", str(MIX_ACTIONS), "--keep-alive",
        "--timeout", PATIENCE,
    )  # fmt: skip
    for number in range(MIX_ROUNDS):
        for count, peer in enumerate(PEERS):
            database = env.empty(f"mix{number}_{count}")
            with env.server(peer, database, pinned=False) as server:
                run = mix.simulate(env, server.url, *how)
            assert run["failed"] == 0, (peer, run)
            rates[peer].append(run["rate"])
        env.say(f"{MIX}: round {number + 1} of {MIX_ROUNDS}")
    return {peer: spread(values) for peer, values in rates.items()}


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    table = []
    for kind, part in found.items():
        for peer, rate in part["rate"].items():
            said = f"{rate['median']:.0f}/s ({rate['least']:.0f} to {rate['most']:.0f})"
            if figures := part.get("figures", {}).get(peer):
                said += f"; p99 {figures['p99_ms']:.1f} ms"
            table.append((f"{kind}, {PEERS.get(peer, peer)}", "", said, True))
        for peer, ratio in part.get("ratio", {}).items():
            bar = BARS[kind] if peer == STOCK else 0.0
            said = f"{ratio['median']:.1f} times ({ratio['least']:.1f} to {ratio['most']:.1f})"
            what = f"{kind}: ours over {PEERS[peer]}"
            table.append((what, f"≥ {bar:g} times" if bar else "", said, ratio["median"] >= bar))
    return table
