"""One mutant on trial: applied, generated anew, checked until a check fails."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Literal, TypeVar

from tests.mutate.checkout import Checkout, TimedOut
from tests.mutate.mutant import Mutant
from tests.mutate.operators import OPERATORS

Verdict = Literal["noticed", "survived", "equivalent", "undecided"]
Item = TypeVar("Item")
Result = TypeVar("Result")
SECONDS = 480  # for all tests of a mutant
PATIENCE = {"TEST_PATIENCE": os.environ.get("TEST_PATIENCE", "30")}
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
# Of these only the cases of alerts that changed are run.
BY_ALERT = "tests/alerts/test_cases.py"
GOOD = {0, 5}  # pytest's exit status: all passed, no test
# Without the plugins of other packages pytest starts in a quarter of the time.
PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
PYTEST = (sys.executable, "-m", "pytest", "-xq", "-p", "no:cacheprovider", "-p", "pytest_timeout")


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant; ``by`` is what noticed it, or why nothing did."""

    mutant: Mutant
    verdict: Verdict
    by: str = ""


def judge(checkout: Checkout, mutant: Mutant) -> Outcome:
    """Run the tests of a mutant's operator, until the first that fails.

    Tests that do not end in time have noticed nothing: the machine may be slow.
    """
    with checkout.changed(mutant):
        if early := unchecked(checkout, mutant):
            return early
        tests = [
            one
            for file in OPERATORS[mutant.operator].tests(mutant.file)
            for one in (_cases(checkout.alerts()) if file == BY_ALERT else [file])
        ]
        try:
            failed = failure(checkout, tests)
        except TimedOut:
            return Outcome(mutant, "survived", "out of time")
    return Outcome(mutant, "noticed" if failed else "survived", failed)


def _cases(alerts: set[str]) -> list[str]:
    """Return the tests of these alerts' cases."""
    test = f"{BY_ALERT}::test_the_rules_behave_as_the_cases_say"
    return [f"{test}[{name}]" for name in sorted(alerts)]


def unchecked(checkout: Checkout, mutant: Mutant) -> Outcome | None:
    """Return the outcome of a mutant that is refused or changes nothing; else None."""
    if refused := checkout.generate(OPERATORS[mutant.operator].generators):
        return Outcome(mutant, "noticed", refused)
    return None if checkout.differs(mutant) else Outcome(mutant, "equivalent")


def failure(checkout: Checkout, tests: Sequence[str]) -> str:
    """Run tests in this order; return the name of the test that failed first, twice.

    Once could be by chance, on a machine without time.
    """
    found = _first_failure(checkout, tests)
    if found and "::" in found and not _first_failure(checkout, [found]):
        return _first_failure(checkout, tests)
    return found


def _first_failure(checkout: Checkout, tests: Sequence[str]) -> str:
    done = checkout.run([*PYTEST, *tests], SECONDS, **PLUGINS, **PATIENCE)
    if done.returncode in GOOD:
        return ""
    found = FAILED.search(done.stdout)
    return found[1] if found else " ".join([*tests, *done.stdout.strip().splitlines()[-1:]])


def broken(checkouts: Sequence[Checkout], names: set[str]) -> list[str]:
    """Return the tests that fail without any mutant: with them nothing can be judged."""
    rows = sorted({row for name in names for row in OPERATORS[name].checks.values()})
    files = dict.fromkeys(file for row in rows for file in row)
    halves = [list(files)[half :: len(checkouts)] for half in range(len(checkouts))]
    return [failed for failed in side_by_side(checkouts, failure, halves) if failed]


def side_by_side(
    checkouts: Sequence[Checkout], do: Callable[[Checkout, Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Do one thing in each copy at a time; the results are in order."""
    free: SimpleQueue[Checkout] = SimpleQueue()
    for checkout in checkouts:
        free.put(checkout)

    def in_turn(item: Item) -> Result:
        checkout = free.get()
        try:
            return do(checkout, item)
        finally:
            free.put(checkout)

    with ThreadPoolExecutor(len(checkouts)) as pool:
        yield from pool.map(in_turn, items)
