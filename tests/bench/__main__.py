"""The command ``make bench``: costs and limits of MiniTwit, beside references.

Prints a table and writes it to results/bench.json; docs/benchmarks.md shows it. ``--full`` is the
suite ``growth`` alone, with more rounds and five million messages: results/bench-full.json. A suite
that is chosen by its name is written to a file of its own: results/bench-NAME.json.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import results
from tests.bench import (
    footprint,
    mix,
    observed,
    plans,
    reads,
    receivers,
    registrations,
    replicas,
    start,
    telemetry,
    watching,
)
from tests.bench.environment import Environment, environment
from tests.bench.peers import suite as peers
from tests.bench.servers import keep_off
from tests.parts import end_as_by_hand

Rows = list[tuple[str, str, str, bool]]
# name → what is measured, its rows, whether the server gets a core of its own
SUITES: dict[str, tuple[Callable[[Environment], Any], Callable[[Any], Rows], bool]] = {
    "telemetry": (telemetry.measure, telemetry.rows, True),
    "receivers": (receivers.measure, receivers.rows, True),
    "peers": (peers.measure, peers.rows, True),
    "observed": (observed.measure, observed.rows, True),
    "reads": (reads.measure, reads.rows, True),
    "growth": (reads.grow, reads.growth_rows, True),
    "plans": (plans.measure, plans.rows, False),
    "mix": (lambda p: {"closed": mix.closed(p), "open": mix.open_loop(p)}, mix.rows, False),
    "registrations": (registrations.measure, registrations.rows, False),
    "replicas": (replicas.measure, replicas.rows, False),
    "start": (start.measure, start.rows, False),
    "watching": (watching.measure, watching.rows, False),
    "footprint": (footprint.measure, footprint.rows, False),
}

# Only where they are asked for; each has a section of its own in docs/benchmarks.md.
BY_NAME = ("telemetry", "receivers", "peers", "registrations", "watching")


def main() -> int:
    """0 if every bar is met."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("suite", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}")
    parser.add_argument("--full", action="store_true", help="five million messages")
    options = parser.parse_args()
    if unknown := set(options.suite) - set(SUITES):
        parser.error(f"no suite is called {', '.join(sorted(unknown))}")
    usual = [name for name in SUITES if name not in BY_NAME]
    wanted = options.suite or (["growth"] if options.full else usual)
    chosen = [name for name in SUITES if name in wanted]
    end_as_by_hand()
    try:
        found = measure(chosen, options.full)
    except KeyboardInterrupt:
        print("\nbroken off; what ran is stopped", file=sys.stderr)
        return 130
    table = {name: SUITES[name][1](found[name]) for name in chosen if name in found}
    print("\n" + markdown(table))
    if options.suite:
        for name in found.keys() & SUITES.keys():
            results.write(f"bench-{name}", results.stamped({name: found[name]}))
    else:
        results.write("bench-full" if options.full else "bench", results.stamped(found))
    good = len(table) == len(chosen) and all(met for rows in table.values() for *_, met in rows)
    return 0 if good else 1


def measure(chosen: list[str], full: bool) -> dict[str, Any]:
    """The figures of each suite."""
    found: dict[str, Any] = {}
    rounds, seconds, large = (9, 4, 5_000_000) if full else (5, 2, 1_000_000)
    everywhere = os.sched_getaffinity(0)
    began = time.monotonic()
    for name in chosen:
        function, _, pinned = SUITES[name]
        with tempfile.TemporaryDirectory(prefix="minitwit-bench-") as folder:
            if pinned:
                keep_off()
            try:
                with environment(Path(folder), rounds, seconds, large) as where:
                    where.say(f"{name} ...")
                    found[name] = function(where)
            except AssertionError as error:  # what the others found is not lost
                print(f"FAILED {name}: {error}", file=sys.stderr, flush=True)
            finally:
                os.sched_setaffinity(0, everywhere)
    found["seconds"] = round(time.monotonic() - began)
    return found


def markdown(table: dict[str, Rows]) -> str:
    """The table of docs/benchmarks.md; what misses its bar is marked so."""
    lines = ["| what | bar | measured |", "| --- | --- | --- |"]
    for rows in table.values():
        for what, bar, measured, met in rows:
            mark = "" if met else " **missed**"
            lines.append(f"| {what} | {bar} | {measured}{mark} |")
    return "\n".join(lines) + "\n"


def table_of(result: dict[str, Any]) -> str:
    """The table of a result file."""
    return markdown(
        {name: rows(result[name]) for name, (_, rows, _) in SUITES.items() if name in result}
    )


if __name__ == "__main__":
    sys.exit(main())
