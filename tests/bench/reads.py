"""Reads against bare handlers of the same SQL, against PostgreSQL alone, and as data grows."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import psycopg
from psycopg import sql

from app.database import messages
from app.database.pool import PLANNING, Statement
from app.limits import LIST_BYTES
from app.services.accounts import digest
from observability.stack.local import postgres
from tests.bench.environment import Environment
from tests.bench.load import CONNECTIONS, Work
from tests.bench.pairs import alternate, ratios, spread
from tests.bench.seed import TOKEN, name

BAR, GROWTH_BAR = 0.9, 1.2
SMALL = 10_000
BEARER = f"Bearer {TOKEN}"
_PAGE = {
    "pub_date": messages.FIRST[0], "id": messages.FIRST[1], "limit": messages.PAGE + 1,
    "token_hash": digest(TOKEN), "username": None,
}  # fmt: skip
# What each of them asks PostgreSQL.
STATEMENTS: dict[str, tuple[Statement, dict[str, Any]]] = {
    "/msgs": (messages.NEWEST, {"no": 30, "most": LIST_BYTES, "latest": None}),
    "/msgs/{username}": (
        messages.NEWEST_BY,
        {"username": name(3), "no": 30, "most": LIST_BYTES, "latest": None},
    ),
    "public timeline": (messages.TIMELINES["public"], _PAGE),
    "personal timeline": (messages.TIMELINES["home"], _PAGE),
}
WORKS = {
    "/msgs": Work(200, ("/msgs?no=30",)),
    "/msgs/{username}": Work(200, tuple(f"/msgs/{name(n)}?no=30" for n in range(100))),
    "public timeline": Work(200, ("/api/timelines/public",), authorization=BEARER),
    "personal timeline": Work(200, ("/api/timelines/home",), authorization=BEARER),
}


def measure(env: Environment) -> dict[str, Any]:
    """Each read against the bare handler, and against PostgreSQL alone."""
    found: dict[str, Any] = {}
    url = env.database(SMALL)
    with env.servers(("observed", "bare"), url) as servers:
        for path, work in WORKS.items():
            series = alternate(servers, work, env.rounds, env.seconds)
            found[path] = {
                "figures": {variant: one.medians() for variant, one in series.items()},
                "ratio": ratios(series["observed"], series["bare"]),
            }
            env.say(f"{path}: {found[path]['ratio']['rate']['median']:.2f} of the bare handler")
    for path, (statement, parameters) in STATEMENTS.items():
        alone = [pgbench(url, env, statement, parameters) for _ in range(env.rounds)]
        found[path]["pgbench"] = spread(alone)
    return {"paths": found}


def pgbench(
    url: str,
    env: Environment,
    statement: Statement,
    parameters: dict[str, Any],
    connections: int = CONNECTIONS,
) -> float:
    """Times a second of a statement alone, prepared, on as many connections as wrk uses."""
    literals = {name: sql.Literal(value).as_string() for name, value in parameters.items()}
    script = env.folder / "statement.sql"
    script.write_text((statement.sql % literals).replace("\n", " ") + ";\n")
    command = [
        f"{postgres.BIN}/pgbench", "--no-vacuum", "--protocol=prepared", f"--file={script}",
        f"--client={connections}", "--jobs=1", f"--time={max(1, round(env.seconds / 2))}", url,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PGOPTIONS": PLANNING}
    )
    match = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert match, done.stdout
    return float(match[1])


def grow(env: Environment) -> dict[str, Any]:
    """The same reads on few and on many messages, at the same time."""
    small, large = env.database(SMALL), env.database(env.large)
    found: dict[str, Any] = {"messages": [SMALL, env.large], "paths": {}}
    with env.server("observed", small) as few, env.server("observed", large) as many:
        for path, work in WORKS.items():
            series = alternate({"few": few, "many": many}, work, env.rounds, env.seconds)
            found["paths"][path] = {
                "figures": {variant: one.medians() for variant, one in series.items()},
                "ratio": ratios(series["many"], series["few"]),
            }
            env.say(f"{path}: p99 {found['paths'][path]['ratio']['p99']['median']:.2f} times")
    with psycopg.connect(large) as connection:
        size = connection.execute("SELECT pg_total_relation_size('messages')").fetchone()
    assert size
    found["bytes_per_message"] = round(size[0] / env.large)
    return found


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    table = []
    for path, part in found["paths"].items():
        ratio, rate = part["ratio"]["rate"], part["figures"]["observed"]["rate"]
        table.append(
            (
                f"{path}: throughput of a bare handler's",
                f"≥ {BAR:.0%}",
                f"{ratio['median']:.0%} ({ratio['least']:.0%} to {ratio['most']:.0%}); {rate}/s",
                ratio["median"] >= BAR,
            )
        )
        alone = f"{part['pgbench']['median']:.0f}/s"
        table.append((f"{path}: the same SQL, pgbench alone", "", alone, True))
    return table


def growth_rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    few, many = found["messages"]
    table = []
    for path, part in found["paths"].items():
        p99, rate = part["ratio"]["p99"], part["ratio"]["rate"]
        table.append(
            (
                f"{path}: p99 at {many:,} messages over that at {few:,}",
                f"≤ {GROWTH_BAR:g}",
                f"{p99['median']:.2f} ({p99['least']:.2f} to {p99['most']:.2f});"
                f" throughput {rate['median']:.2f} times",
                p99["median"] <= GROWTH_BAR,
            )
        )
    disk = found["bytes_per_message"]
    table.append(("disk for a million messages, three indexes included", "", f"{disk} MB", True))
    return table
