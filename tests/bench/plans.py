"""Plan and buffers of the personal timeline, as the table of messages grows.

Buffers are what PostgreSQL asks of its cache, 8 KiB each: a count, which no busy machine changes.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from app.database.pool import PLANNING
from tests.bench.environment import Environment
from tests.bench.reads import SMALL, STATEMENTS

PATH = "personal timeline"
SIZES = (SMALL, 1_000_000, 5_000_000)
BAR = 1.2  # times the buffers of the smallest


def measure(env: Environment) -> dict[str, Any]:
    """Return buffers and plan of a request, for each number of messages."""
    found = {}
    for size in SIZES:
        found[str(size)] = explain(env.database(size))
        env.say(f"{size:,} messages: {found[str(size)]['buffers']} buffers")
    return found


def explain(url: str) -> dict[str, Any]:
    """Explain the statement as api runs it: prepared, generic plan, warm cache."""
    statement, parameters = STATEMENTS[PATH]
    used = [name for name in parameters if f"%({name})s" in statement.sql]
    values = sql.SQL(", ").join(sql.Literal(parameters[name]) for name in used)
    numbered = {name: f"${number}" for number, name in enumerate(used, 1)}
    with psycopg.connect(url, autocommit=True, options=PLANNING) as connection:
        connection.execute(("PREPARE asked AS " + statement.sql % numbered).encode())
        ask = sql.SQL("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE asked ({})")
        for _ in range(2):
            row = connection.execute(ask.format(values)).fetchone()
    assert row
    plan = row[0][0]["Plan"]
    return {
        "buffers": plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        "plan": nodes(plan),
    }


def nodes(plan: dict[str, Any], depth: int = 0) -> list[str]:
    """Return each plan node with its relation, rows, loops and buffers."""
    what = plan.get("Index Name") or plan.get("Relation Name") or plan.get("CTE Name") or ""
    buffers = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    line = (
        f"{'  ' * depth}{plan['Node Type']} {what}".rstrip()
        + f": {plan['Actual Rows']:g} rows, {plan['Actual Loops']} times, {buffers} buffers"
    )
    return [line, *(line for part in plan.get("Plans", []) for line in nodes(part, depth + 1))]


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    least = found[str(SMALL)]["buffers"]
    return [
        (
            f"{PATH} at {int(size):,} messages: buffers of a request",
            f"≤ {BAR:g} times those at {SMALL:,}" if int(size) != SMALL else "",
            f"{part['buffers']} ({part['buffers'] / least:.2f} times)",
            part["buffers"] <= BAR * least,
        )
        for size, part in found.items()
    ]
