"""Each operator finds its sites in a small source, with the expected mutants."""

from __future__ import annotations

import ast
import re

import pytest

from tests.mutate.mutant import made
from tests.mutate.operators import OPERATORS
from tests.mutate.sample import same, stratified
from tests.parts import ROOT

# operator → a source, and what its mutants make of it
CASES: dict[str, tuple[str, list[str]]] = {
    "left-out": (
        "ü = 1; meter.count(c.X)\nmeter.set(catalog.X, 1)\nstop.set()\nx = table.count(y)\n",
        [
            "ü = 1; pass\nmeter.set(catalog.X, 1)\nstop.set()\nx = table.count(y)\n",
            "ü = 1; meter.count(c.X)\npass\nstop.set()\nx = table.count(y)\n",
        ],
    ),
    "doubled": (
        "def f():\n    self.events.emit(X())\n    meter.set(catalog.X, 1)\n",
        [
            "def f():\n    self.events.emit(X())\n    self.events.emit(X())\n"
            "    meter.set(catalog.X, 1)\n"
        ],
    ),
    "label": (
        'emit(Posted("ok" if known else "unknown_author"))\nprint("ok")\n',
        [
            'emit(Posted("unknown_author" if known else "unknown_author"))\nprint("ok")\n',
            'emit(Posted("ok" if known else "invalid"))\nprint("ok")\n',
        ],
    ),
    "threshold": (
        'LIMIT = 0.5\nNAME = "x"\nA = (Objective("a", b, 0.99),)\nx = m > LIMIT\n',
        [
            'LIMIT = 1\nNAME = "x"\nA = (Objective("a", b, 0.99),)\nx = m > LIMIT\n',
            'LIMIT = 0.5\nNAME = "x"\nA = (Objective("a", b, 0.98),)\nx = m > LIMIT\n',
            'LIMIT = 0.5\nNAME = "x"\nA = (Objective("a", b, 0.99),)\nx = m > 2 * LIMIT\n',
        ],
    ),
    "for": ("Alert(for_=10, keep_firing_for=0)\n", ["Alert(for_=3 * 10, keep_firing_for=0)\n"]),
    "window": (
        "w = scale.window(A + B)\nx = BurnRate('a', 6, 1, 3, 4)\n",
        [
            "w = scale.window(2 * (A + B))\nx = BurnRate('a', 6, 1, 3, 4)\n",
            "w = scale.window(A + B)\nx = BurnRate('a', 2 * 6, 1, 3, 4)\n",
            "w = scale.window(A + B)\nx = BurnRate('a', 6, 2 * 1, 3, 4)\n",
        ],
    ),
    "comparison": (
        "x = (a > b) & c\ny = 1 if a > b else 2\n",
        ["x = (a > b) | c\ny = 1 if a > b else 2\n", "x = (a < b) & c\ny = 1 if a > b else 2\n"],
    ),
    "receiver": (
        "route:\n  receiver: chat\n  routes:\n    - receiver: nobody\nz:\n",
        ["route:\n  receiver: nobody\n  routes:\n    - receiver: nobody\nz:\n"],
    ),
    "route": (
        "route:\n  group_by: [alertname, service]\n  matchers: ['severity=\"critical\"']\nz:\n",
        [
            "route:\n  group_by: [alertname]\n  matchers: ['severity=\"critical\"']\nz:\n",
            "route:\n  group_by: [alertname, service]\n  matchers: ['severity=\"warning\"']\nz:\n",
        ],
    ),
    "inhibition": (
        "inhibit_rules:\n  - source_matchers: [a]\n    equal: [alertname, service]\nz:\n",
        [
            "inhibit_rules:\nz:\n",
            "inhibit_rules:\n  - source_matchers: [a]\n    equal: [service]\nz:\n",
        ],
    ),
    "redaction": (
        '_NAMES = (\n    r"a(?:b)c|d|e"\n)\n',
        ['_NAMES = (\n    r"d|e"\n)\n', '_NAMES = (\n    r"a(?:b)c|e"\n)\n'],
    ),
    "unit": ('stat(unit="s")\n', ['stat(unit="bytes")\n']),
    "query": ("x = scoped_rate(c.REGISTRATIONS)\n", ["x = scoped_rate(c.LOGINS)\n"]),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_the_mutants_of_a_small_source(name: str) -> None:
    text, expected = CASES[name]
    mutants = list(made(name, "x", text, OPERATORS[name].find(text)))
    found = [text[: one.start] + one.new + text[one.end :] for one in mutants]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("name", OPERATORS)
def test_each_operator_has_sites_and_tests_that_exist(name: str) -> None:
    operator = OPERATORS[name]
    mutants = list(operator.mutants(ROOT))
    assert len(mutants) > 5
    for mutant in mutants:
        text = (ROOT / mutant.file).read_text()
        assert text[mutant.start : mutant.end] == mutant.old
        changed = text[: mutant.start] + mutant.new + text[mutant.end :]
        if mutant.file.endswith(".py"):
            ast.parse(changed)
        assert operator.tests(mutant.file)
    for row in operator.checks.values():
        assert [tests for tests in row if not (ROOT / tests).is_file()] == []


def test_a_sample_is_repeatable_and_takes_turns() -> None:
    mutants = [one for operator in OPERATORS.values() for one in operator.mutants(ROOT)]
    drawn = stratified(mutants, len(OPERATORS), 7)
    assert {one.operator for one in drawn} == set(OPERATORS)
    assert drawn == stratified(mutants, len(OPERATORS), 7)
    assert drawn == stratified(mutants, 50, 7)[: len(drawn)]
    assert drawn != stratified(mutants, len(OPERATORS), 8)
    assert len(stratified(mutants, 10**6, 7)) == len(mutants)


def test_a_mutant_of_an_earlier_result_is_found_where_it_is_now() -> None:
    mutants = [one for operator in OPERATORS.values() for one in operator.mutants(ROOT)]
    for mutant in stratified(mutants, 40, 7):
        moved = re.sub(r":\d+ ", f":{mutant.line + 1} ", mutant.title, count=1)
        assert same({"operator": mutant.operator, "mutant": mutant.title}, mutants) == mutant
        found = same({"operator": mutant.operator, "mutant": moved}, mutants)
        assert found and (found.file, found.new) == (mutant.file, mutant.new)
    assert same({"operator": "unit", "mutant": "gone.py:1 'a' → 'b'"}, mutants) is None
