"""One mutant on trial: applied, generated anew, checked until a check fails."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Literal

from tests.mutate.checkout import Checkout, TimedOut
from tests.mutate.mutant import Mutant
from tests.mutate.operators import OPERATORS

Verdict = Literal["noticed", "survived", "equivalent", "undecided"]
SECONDS = 240  # for each file of tests
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
# Of these only the cases of alerts that changed are run; their names select them.
BY_ALERT = {"tests/alerts/test_cases.py"}
GOOD = {0, 5}  # pytest's exit status: all passed, no test
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant; ``by`` is what noticed it, or why nothing did."""

    mutant: Mutant
    verdict: Verdict
    by: str = ""


def judge(checkout: Checkout, mutant: Mutant) -> Outcome:
    """Run the checks of a mutant's operator, until the first that fails.

    A check that does not end in time has noticed nothing: the machine may be slow.
    """
    operator = OPERATORS[mutant.operator]
    with checkout.changed(mutant):
        if early := unchecked(checkout, mutant):
            return early
        chosen = ("-k", " or ".join(checkout.alerts())) if "alerts" in operator.generators else ()
        late = []
        for tests in operator.tests(mutant.file):
            try:
                if failed := failure(checkout, tests, *(chosen if tests in BY_ALERT else ())):
                    return Outcome(mutant, "noticed", failed)
            except TimedOut:
                late.append(tests)
        return Outcome(mutant, "survived", f"out of time: {', '.join(late)}" if late else "")


def unchecked(checkout: Checkout, mutant: Mutant) -> Outcome | None:
    """Return the outcome of a mutant that is refused or changes nothing; else None."""
    if refused := checkout.generate(OPERATORS[mutant.operator].generators):
        return Outcome(mutant, "noticed", refused)
    return None if checkout.differs(mutant) else Outcome(mutant, "equivalent")


def failure(checkout: Checkout, tests: str, *options: str) -> str:
    """Run a file of tests; return the name of the test that failed first, twice.

    Once could be by chance, on a machine without time.
    """
    found = _first_failure(checkout, [tests, *options])
    if found and "::" in found and not _first_failure(checkout, [found]):
        return _first_failure(checkout, [tests, *options])
    return found


def _first_failure(checkout: Checkout, arguments: list[str]) -> str:
    done = checkout.run([*PYTEST, *arguments], SECONDS)
    if done.returncode in GOOD:
        return ""
    found = FAILED.search(done.stdout)
    return found[1] if found else " ".join([*arguments, *done.stdout.strip().splitlines()[-1:]])


def broken(checkout: Checkout, names: set[str]) -> list[str]:
    """Return the tests that fail without any mutant: with them nothing can be judged."""
    files = sorted(
        {tests for name in names for row in OPERATORS[name].checks.values() for tests in row}
    )
    return [failed for tests in files if (failed := failure(checkout, tests))]
