"""``make mutate``: change the monitoring on purpose, and see which check notices."""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time

from tests import results
from tests.mutate import live, report
from tests.mutate.checkout import Checkout, copied
from tests.mutate.mutant import Mutant
from tests.mutate.operators import OPERATORS
from tests.mutate.sample import same, stratified
from tests.mutate.trial import Outcome, broken, judge, side_by_side
from tests.parts import ROOT, end_as_by_hand

COUNT = 130


def main() -> int:
    """Run the command line; exit status 1 if a mutant survived."""
    end_as_by_hand()
    options = _options()
    names = set(options.only or OPERATORS)
    mutants = [one for name in OPERATORS if name in names for one in OPERATORS[name].mutants(ROOT)]
    if options.list:
        for one in mutants:
            print(f"{one.operator:11} {one.title}")
        print(f"{len(mutants)} mutants of {len(names)} operators")
        return 0
    if changes := _uncommitted():
        print(f"mutate: the copy is of the last commit, and these files are not: {changes}")
        return 2
    drawn = stratified(mutants, options.count or COUNT, options.seed)[options.skip :]
    try:
        with copied() as checkouts:
            if options.live:
                return live.run(
                    checkouts[0], options.seed, options.count or live.COUNT, options.minutes
                )
            if options.again:
                return _again(checkouts, mutants)
            if options.baseline and (failing := broken(checkouts, names)):
                print(f"mutate: these fail without any mutant: {', '.join(failing)}")
                return 2
            return _try(checkouts, drawn, options, len(mutants))
    except KeyboardInterrupt:
        print("\nmutate: interrupted; what was judged is kept, the copy is removed")
        return 130


def _try(
    checkouts: list[Checkout], drawn: list[Mutant], options: argparse.Namespace, sites: int
) -> int:
    """Judge the mutants, and keep the result after each."""
    rows = results.read(report.NAME).get("rows", []) if options.skip else []
    end = time.monotonic() + 60 * (options.minutes or math.inf)

    def in_time(checkout: Checkout, mutant: Mutant) -> Outcome | None:
        return judge(checkout, mutant) if time.monotonic() < end else None

    for number, outcome in enumerate(side_by_side(checkouts, in_time, drawn), options.skip + 1):
        if not outcome:
            print(f"{options.minutes:g} minutes are over; go on with --skip {number - 1}")
            break
        rows.append(report.row(outcome))
        print(f"{number}/{options.skip + len(drawn)} {report.line(rows[-1])}", flush=True)
        if not options.only:
            report.keep(results.stamped(report.figures(options.seed, sites, rows)))
    result = report.figures(options.seed, sites, rows)
    print(report.markdown(result), end="")
    return int(result["noticed"] < result["sampled"])


def _again(checkouts: list[Checkout], mutants: list[Mutant]) -> int:
    """Judge the survivors of the result file once more: a test may have been added."""
    result = results.read(report.NAME)
    survivors = [one for one in result["rows"] if one["verdict"] == "survived"]
    found = [(one, mutant) for one in survivors if (mutant := same(one, mutants))]
    outcomes = side_by_side(checkouts, judge, [mutant for _, mutant in found])
    for (one, _), outcome in zip(found, outcomes, strict=True):
        one["again"] = report.row(outcome) | {"commit": results.commit()}
        print(report.line(one["again"]), flush=True)
        report.keep(report.figures(result["seed"], result["sites"], result["rows"]))
    if gone := [one["mutant"] for one in survivors if not same(one, mutants)]:
        print(f"their code is another now: {', '.join(gone)}")
    result = results.read(report.NAME)
    return int(result["noticed_after"] < result["sampled"])


def _uncommitted() -> str:
    command = ["git", "status", "--porcelain", "--", ".", ":!results"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return ", ".join(line[3:] for line in done.stdout.splitlines())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    add = parser.add_argument
    add("--list", action="store_true", help="list all mutants and try none")
    add("--seed", type=int, default=1, metavar="N", help="of the sample; default: %(default)s")
    add("--count", type=int, metavar="N", help=f"how many; default: {COUNT}, live {live.COUNT}")
    add("--live", action="store_true", help="on a running platform: drills and panels notice")
    add("--again", action="store_true", help="judge the survivors of the result file once more")
    add(
        "--only",
        action="append",
        choices=OPERATORS,
        help="this operator alone, without a result file; may be repeated",
    )
    add("--skip", type=int, default=0, metavar="N", help="go on after N of the sample")
    add("--minutes", type=float, default=0, metavar="N", help="begin no mutant after N minutes")
    add(
        "--no-baseline", dest="baseline", action="store_false",
        help="do not run the checks without a mutant first",
    )  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
