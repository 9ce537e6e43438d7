"""The record of the drills, results/drill.json: the last three runs of each, of which commit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tests import results
from tests.drills.run import Row
from tests.drills.table import DRILLS

RUNS = 3  # of each alert, the newest last
PROVES = {(drill.name, drill.what, alert) for drill in DRILLS for alert in drill.fires}
Entry = dict[str, Any]


def added(before: Entry, rows: list[Row], failures: dict[str, str], commit: str) -> Entry:
    """Return the record with these runs; ``failures`` are by drill, until it passes again.

    What a drill no longer proves, or proved by another fault, is left out.
    """
    found = [*before.get("rows", ()), *(asdict(row) | {"commit": commit} for row in rows)]
    kept = [row for row in found if (row["drill"], row["fault"], row["alert"]) in PROVES]
    over = {row.drill for row in rows} | failures.keys()
    names = {drill.name for drill in DRILLS}
    failed = [one for one in before.get("failures", ()) if one["drill"] in names - over]
    failed += [{"drill": d, "commit": commit, "failed": why} for d, why in failures.items()]
    return {"rows": newest(kept), "failures": failed}


def newest(rows: list[Entry]) -> list[Entry]:
    """Return the last runs of each alert, in the order of the drills."""
    by_alert = {
        (drill.name, alert): [r for r in rows if (r["drill"], r["alert"]) == (drill.name, alert)]
        for drill in DRILLS
        for alert in drill.fires
    }
    return [row for same in by_alert.values() for row in same[-RUNS:]]


def write(rows: list[Row], failures: dict[str, str]) -> None:
    """Add these runs to the record."""
    record = added(results.read("drill"), rows, failures, results.commit())
    results.write("drill", {"machine": results.machine(), **record})


def markdown(record: Entry) -> str:
    """Return the table for the documentation: of the runs the slowest, and their commits."""
    lines = ["| alert | fault | fires | in the chat | all-clear | runs |", "| --- " * 6 + "|"]
    rows = record["rows"]
    for drill, alert in dict.fromkeys((row["drill"], row["alert"]) for row in rows):
        same = [row for row in rows if (row["drill"], row["alert"]) == (drill, alert)]
        firing, chat, resolved = (
            f"{max(row[key] for row in same):.0f} s" for key in ("firing", "chat", "resolved")
        )
        fault, times = same[-1]["fault"], f"{firing} | {chat} | {resolved}"
        lines.append(f"| {alert} | {fault} | {times} | {commits(same)} |")
    lines += [f"\n`{one['drill']}` failed when it was run last: {one['failed']}."
              for one in record["failures"]]  # fmt: skip
    return "\n".join(lines) + "\n"


def commits(rows: list[Entry]) -> str:
    """Return how many runs there are of each commit."""
    parts = [row["commit"].partition("+") for row in rows]
    short = [f"{commit[:7]}{plus}{changes}" for commit, plus, changes in parts]
    return ", ".join(f"{short.count(one)} of {one}" for one in dict.fromkeys(short))
