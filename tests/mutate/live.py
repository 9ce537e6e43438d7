"""``make mutate LIVE=1``: mutants on a running platform; a drill or a panel should notice."""

from __future__ import annotations

import sys
import time

from tests import results
from tests.mutate import live_table, report
from tests.mutate.checkout import Checkout, TimedOut
from tests.mutate.mutant import Mutant
from tests.mutate.operators import OPERATORS
from tests.mutate.sample import stratified
from tests.mutate.trial import Outcome
from tests.parts import ROOT

COUNT = 20
SECONDS = 480  # for a platform and its checks
CHECKS = (sys.executable, "-m", "tests.mutate.live_checks")


def judge(checkout: Checkout, mutant: Mutant) -> Outcome | None:
    """Run a platform of the mutant's code; None if no check is about it."""
    operator = OPERATORS[mutant.operator]
    with checkout.changed(mutant):
        if refused := checkout.generate(operator.generators):
            return Outcome(mutant, "noticed", refused)
        if not checkout.differs(mutant):
            return Outcome(mutant, "equivalent")
        alerts = checkout.alerts() if mutant.operator in live_table.BY_ALERT else ()
        names = live_table.checks(ROOT, mutant, alerts)
        if not names:
            return None
        try:
            done = checkout.run([*CHECKS, *names], SECONDS)
        except TimedOut:
            return Outcome(mutant, "survived", f"out of time: {', '.join(names)}")
    if not done.returncode:
        return Outcome(mutant, "survived")
    said = done.stdout.strip().splitlines() or ["nothing said"]
    return Outcome(mutant, "noticed", said[-1].removeprefix("FAILED "))


def run(checkout: Checkout, seed: int, count: int, minutes: float) -> int:
    """Judge mutants until ``count`` are; those of earlier runs with this seed stay."""
    every = list(live_table.sites(ROOT))
    known = results.read(report.NAME).get("live", {})
    rows = known.get("rows", []) if known.get("seed") == seed else []
    judged = {one["mutant"] for one in rows}
    begun = time.monotonic()
    for mutant in stratified(every, len(every), seed):
        if sum(one["verdict"] != "equivalent" for one in rows) >= count:
            break
        if minutes and time.monotonic() - begun > 60 * minutes:
            print(f"{minutes:g} minutes are over; run it again to go on")
            break
        if mutant.title in judged or not (outcome := judge(checkout, mutant)):
            continue
        rows.append(report.row(outcome))
        print(f"{len(rows)} {report.line(rows[-1])}", flush=True)
        figures = results.stamped(report.figures(seed, len(every), rows))
        report.keep({"live": figures})
    survived = [one for one in rows if one["verdict"] == "survived"]
    print(f"{len(survived)} of {len(rows)} survived on a running platform")
    return int(bool(survived))
