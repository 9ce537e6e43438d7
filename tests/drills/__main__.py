"""The command ``make drill``: injects faults, and waits for alert and all-clear.

Prints a table and adds the runs to results/drill.json, each with its commit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.drills import record
from tests.drills.run import DrillFailed, Row, run
from tests.drills.site import Site
from tests.drills.table import DRILLS, Drill
from tests.parts import end_as_by_hand


def main() -> int:
    """0 if all passed."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    names = [drill.name for drill in DRILLS]
    parser.add_argument("drill", nargs="*", metavar="DRILL", help=f"one of: {', '.join(names)}")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="one after the other")
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    options = parser.parse_args()
    if unknown := sorted(set(options.drill) - set(names)):
        parser.error(f"no drill is called {', '.join(unknown)}; there are {', '.join(names)}")
    chosen = [d for d in DRILLS if not options.drill or d.name in options.drill]
    if options.list:
        for drill in chosen:
            print(f"{drill.name:22} {drill.what} → {', '.join(drill.fires)}")
        return 0
    end_as_by_hand()
    try:
        return drills(chosen, options.times)
    except KeyboardInterrupt:
        print("\nbroken off; what ran is stopped", file=sys.stderr)
        return 130


def drills(chosen: list[Drill], times: int) -> int:
    """Run them, each ``times`` times, and record those that ran; 0 if all passed.

    Each has a platform of its own: Prometheus repeats for 15 minutes, at any pace, that an alert is
    over, Alertmanager makes its group anew each time, and what joins a group waits less.
    """
    begin = time.monotonic()
    rows: list[Row] = []
    failures: dict[str, str] = {}
    try:
        for number in range(times):
            for drill in chosen:
                with running_site(drill.scale, drill.small) as site:
                    rows += attempt(drill, site, number + 1, failures)
    finally:  # also of a run that is broken off
        show(rows)
        print(f"{len(rows)} proven, {len(failures)} failed, {time.monotonic() - begin:.0f} s")
        for name, failure in failures.items():
            print(f"FAILED {name}: {failure}", file=sys.stderr)
        if rows or failures:
            record.write(rows, failures)
    return 1 if failures else 0


def attempt(drill: Drill, site: Site, number: int, failures: dict[str, str]) -> list[Row]:
    """One drill; what went wrong goes to ``failures``."""
    print(f"{number} {drill.name}: {drill.what} ...", flush=True)
    try:
        if drill.logs and not site.logs_are_kept:
            raise DrillFailed("Loki and Promtail are not built: make tools")
        found = run(drill, site)
    except AssertionError as error:
        failures[drill.name] = str(error)
        print(f"    FAILED {error}", flush=True)
        return []
    for row in found:
        print(f"    {row.alert}: firing {row.firing:g} s, room {row.chat:g} s, "
              f"all-clear {row.resolved:g} s", flush=True)  # fmt: skip
    return found


@contextmanager
def running_site(scale: float, small: bool = False, **environment: str) -> Iterator[Site]:
    """A whole platform of its own, at this pace, with these settings."""
    with tempfile.TemporaryDirectory(prefix="minitwit-drill-") as folder:
        Path(folder).chmod(0o755)
        site = Site(Path(folder) / "run", scale, small)
        site.environment |= environment
        try:
            site.up()
            yield site
        finally:
            site.down()


def show(rows: list[Row]) -> None:
    """The table, for people."""
    print(f"\n{'alert':34} {'fault':46} {'firing':>7} {'room':>6} {'all-clear':>9}")
    for row in rows:
        print(f"{row.alert:34} {row.fault[:46]:46} {row.firing:7.1f} {row.chat:6.1f} "
              f"{row.resolved:9.1f}")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
