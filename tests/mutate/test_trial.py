"""A mutant that no check notices is reported; one that changes nothing is not counted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutate import checkout, report, trial
from tests.mutate.checkout import Checkout, TimedOut
from tests.mutate.mutant import Mutant, made
from tests.mutate.operators import Operator
from tests.mutate.trial import Outcome, judge

SOURCE = "LIMIT = 1\nUNTESTED = 2\n"
CHECK = "import source\n\ndef test_limit() -> None:\n    assert source.LIMIT == 1\n"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    """A repository of one module, one generated file and one test."""
    root = tmp_path / "copy"
    (root / "alerts/generated").mkdir(parents=True)
    (root / "source.py").write_text(SOURCE)
    (root / "test_source.py").write_text(CHECK)
    (root / "generate.py").write_text(
        "import source\n"
        "if source.LIMIT > 5: raise SystemExit('a limit above 5')\n"
        "open('alerts/generated/x', 'w').write(str(source.LIMIT))\n"
    )
    (root / "alerts/generated/x").write_text("1")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *arguments], cwd=root, check=True)
    (tmp_path / "original").mkdir()
    (tmp_path / "original/source.py").write_text(SOURCE)
    monkeypatch.setattr(checkout, "ROOT", tmp_path / "original")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    operator = Operator("x", lambda _: iter(()), (), {"": ("test_source.py",)}, ("generate",))
    monkeypatch.setattr(trial, "OPERATORS", {"x": operator})
    yield Checkout(root)
    assert (root / "source.py").read_text() == SOURCE, "restored"


def mutant(old: str, new: str) -> Mutant:
    start = SOURCE.index(old)
    [found] = made("x", "source.py", SOURCE, iter([(start, start + len(old), new)]))
    return found


def test_verdicts(copy: Checkout) -> None:
    noticed = judge(copy, mutant("1", "2"))
    assert (noticed.verdict, noticed.by) == ("noticed", "test_source.py::test_limit")
    assert judge(copy, mutant("2", "3")).verdict == "survived"
    assert judge(copy, mutant("2", "(2)")).verdict == "equivalent"
    refused = judge(copy, mutant("1", "9"))
    assert (refused.verdict, refused.by) == ("noticed", "generate: a limit above 5")


def test_a_check_without_an_end_has_noticed_nothing(
    copy: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object) -> str:
        raise TimedOut

    monkeypatch.setattr(trial, "failure", late)
    outcome = judge(copy, mutant("1", "2"))
    assert (outcome.verdict, outcome.by) == ("survived", "out of time")


def test_what_takes_too_long_is_ended_with_all_that_it_started(copy: Checkout) -> None:
    with pytest.raises(TimedOut):
        copy.run(["sh", "-c", "sleep 600"], 0.2)


def test_a_survivor_is_reported_and_what_is_equivalent_is_not_counted() -> None:
    made_up = Mutant("threshold", "alerts/x.py", 0, 1, "a|b", "2", 7)
    outcomes = [
        Outcome(made_up, "survived"), Outcome(made_up, "noticed", "t"),
        Outcome(made_up, "equivalent"),
    ]  # fmt: skip
    result = report.figures(1, 9, map(report.row, outcomes))
    assert (result["sampled"], result["noticed"], result["equivalent"]) == (2, 1, 1)
    table = report.markdown(result)
    assert "| all | | 2 | 1 (50.0%) | 1 (50.0%) |" in table
    assert "| threshold: `alerts/x.py:7 'a\\|b' → '2'` | a test is missing |" in table
    assert "| 2 | 1 | 1 |" in table
    assert report.markdown(report.figures(1, 9, []))


def test_what_an_added_test_notices_is_counted_apart() -> None:
    made_up = Mutant("threshold", "alerts/x.py", 0, 1, "1", "2", 7)
    row = report.row(Outcome(made_up, "survived"))
    row["again"] = report.row(Outcome(made_up, "noticed", "tests/x.py::test_y"))
    result = report.figures(1, 9, [row])
    assert (result["noticed"], result["noticed_after"]) == (0, 1)
    table = report.markdown(result | {"live": report.figures(1, 9, [row])})
    assert table.count("| all | | 1 | 0 (0.0%) | 1 (100.0%) |") == 2
    assert "| threshold: `alerts/x.py:7 '1' → '2'` | `tests/x.py::test_y` |" in table
