"""Reads against bare handlers of the same SQL, against PostgreSQL alone, and as data grows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from app.database import messages
from app.database.pool import PLANNING
from observability.stack import postgres
from tests.bench.load import CONNECTIONS, Work
from tests.bench.pairs import alternate, ratios, spread
from tests.bench.place import Place
from tests.bench.seed import TOKEN, name

BAR, GROWTH_BAR = 0.9, 1.2
SMALL = 10_000
BEARER = f"Bearer {TOKEN}"
WORKS = {
    "/msgs": Work(200, ("/msgs?no=30",)),
    "/msgs/{username}": Work(200, tuple(f"/msgs/{name(n)}?no=30" for n in range(100))),
    "public timeline": Work(200, ("/api/timelines/public",), authorization=BEARER),
    "personal timeline": Work(200, ("/api/timelines/home",), authorization=BEARER),
}


def measure(place: Place) -> dict[str, Any]:
    """Each read against the bare handler; the newest messages against pgbench."""
    found: dict[str, Any] = {}
    url = place.database(SMALL)
    with place.servers(("observed", "bare"), url) as servers:
        for path, work in WORKS.items():
            series = alternate(servers, work, place.rounds, place.seconds)
            found[path] = {
                "figures": {variant: one.medians() for variant, one in series.items()},
                "ratio": ratios(series["observed"], series["bare"]),
            }
            place.say(f"{path}: {found[path]['ratio']['rate']['median']:.2f} of the bare handler")
    alone = [pgbench(url, place.folder, place.seconds) for _ in range(place.rounds)]
    return {"paths": found, "pgbench": spread(alone)}


def pgbench(url: str, folder: Path, seconds: float) -> float:
    """Statements a second of ``/msgs`` alone, prepared, on as many connections as wrk uses."""
    script = folder / "newest.sql"
    sql = messages.NEWEST.sql.replace("%(no)s", "30").replace("%(latest)s", "NULL")
    script.write_text(sql.replace("\n", " ") + ";\n")
    command = [
        f"{postgres.BIN}/pgbench", "--no-vacuum", "--protocol=prepared", f"--file={script}",
        f"--client={CONNECTIONS}", "--jobs=1", f"--time={max(1, round(seconds))}", url,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PGOPTIONS": PLANNING}
    )
    match = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert match, done.stdout
    return float(match[1])


def grow(place: Place) -> dict[str, Any]:
    """The same reads on few and on many messages, at the same time."""
    small, large = place.database(SMALL), place.database(place.large)
    found: dict[str, Any] = {"messages": [SMALL, place.large], "paths": {}}
    with place.server("observed", small) as few, place.server("observed", large) as many:
        for path, work in WORKS.items():
            series = alternate({"few": few, "many": many}, work, place.rounds, place.seconds)
            found["paths"][path] = {
                "figures": {variant: one.medians() for variant, one in series.items()},
                "ratio": ratios(series["many"], series["few"]),
            }
            place.say(f"{path}: p99 {found['paths'][path]['ratio']['p99']['median']:.2f} times")
    with psycopg.connect(large) as connection:
        size = connection.execute("SELECT pg_total_relation_size('messages')").fetchone()
    assert size
    found["bytes_per_message"] = round(size[0] / place.large)
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
    table.append(
        ("the same SQL as /msgs, pgbench alone", "", f"{found['pgbench']['median']:.0f}/s", True)
    )
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
    return table
