"""``make mutate LIVE=1``: mutants on a running platform; a drill or a panel should notice."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from tests import results
from tests.mutate import live_table, report
from tests.mutate.checkout import Checkout, TimedOut
from tests.mutate.mutant import Mutant
from tests.mutate.sample import stratified
from tests.mutate.trial import Outcome, unchecked
from tests.parts import ROOT

COUNT = 20
SECONDS = 480  # for a platform and its checks
CHECKS = (sys.executable, "-m", "tests.mutate.live_checks")
LATE = "out of time"


def judge(checkout: Checkout, mutant: Mutant) -> Outcome | None:
    """Run a platform of the mutant's code; None if no check is about it."""
    with checkout.changed(mutant):
        if early := unchecked(checkout, mutant):
            return early
        alerts = checkout.alerts() if mutant.operator in live_table.BY_ALERT else ()
        names = live_table.checks(ROOT, mutant, alerts)
        if not names:
            return None
        failed = failure(checkout, names)
    if not failed:
        return Outcome(mutant, "survived")
    if failed.startswith(LATE):
        return Outcome(mutant, "survived", failed)
    # A check that fails without the mutant too has noticed nothing.
    check = failed.partition(":")[0]
    if beside := failure(checkout, [name for name in names if name == check]):
        return Outcome(mutant, "undecided", f"fails without the mutant too: {beside}")
    return Outcome(mutant, "noticed", failed)


def failure(checkout: Checkout, names: Sequence[str]) -> str:
    """Run a platform and these checks; return the first that failed, and why."""
    try:
        done = checkout.run([*CHECKS, *names], SECONDS)
    except TimedOut:
        return f"{LATE}: {', '.join(names)}"
    said = done.stdout.strip().splitlines() or ["nothing said"]
    return said[-1].removeprefix("FAILED ") if done.returncode else ""


def run(checkout: Checkout, seed: int, count: int, minutes: float) -> int:
    """Judge mutants until ``count`` are; those of earlier runs with this seed stay."""
    every = list(live_table.sites(ROOT))
    known = results.read(report.NAME).get("live", {})
    rows = known.get("rows", []) if known.get("seed") == seed else []
    judged = {one["mutant"] for one in rows}
    begun = time.monotonic()
    for mutant in stratified(every, len(every), seed):
        if len(report.counted(rows)) >= count:
            break
        if minutes and time.monotonic() - begun > 60 * minutes:
            print(f"{minutes:g} minutes are over; run it again to go on")
            break
        if mutant.title in judged or not (outcome := judge(checkout, mutant)):
            continue
        rows.append(report.row(outcome))
        print(f"{len(rows)} {report.line(rows[-1])}", flush=True)
        report.keep({"live": results.stamped(report.figures(seed, len(every), rows))})
    survived = [one for one in rows if one["verdict"] == "survived"]
    print(f"{len(survived)} of {len(report.counted(rows))} survived on a running platform")
    return int(bool(survived))
