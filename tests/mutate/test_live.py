"""Mutants of a running platform: each has checks that exist, and a verdict."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from alerts.rule_files import all_alerts
from tests.drills.table import DRILLS
from tests.mutate import live, live_table
from tests.mutate.checkout import TimedOut
from tests.mutate.mutant import Mutant
from tests.parts import ROOT

MUTANTS = list(live_table.sites(ROOT))
CHECKS = {live_table.PANELS} | {drill.name for drill in DRILLS}


def test_every_row_has_sites_and_names_checks_that_exist() -> None:
    rows = {live_table.row(live_table.described(ROOT, one)) for one in MUTANTS}
    assert {names for _, names in live_table.ROWS} <= rows
    assert {name for names in rows for name in names} <= CHECKS


def test_an_alert_has_a_drill_that_fires_it_and_a_recording_none() -> None:
    of_rules = next(one for one in MUTANTS if one.file == "alerts/saturation.py")
    for alert in all_alerts():
        for name in live_table.checks(ROOT, of_rules, [alert.name]):
            assert alert.name in next(drill.fires for drill in DRILLS if drill.name == name)
    assert live_table.checks(ROOT, of_rules, ["MiniTwitLoginAttack"]) == ("brute-force",)
    assert live_table.checks(ROOT, of_rules, []) == ()


class Copy:
    """A checkout in which nothing is changed; ``says`` is what the checks print."""

    def __init__(self, status: int, says: str = "", refused: str = "", sound: bool = True) -> None:
        self.status, self.says, self.refused, self.sound = status, says, refused, sound
        self.ran: list[str] = []
        self.is_changed = False

    @contextmanager
    def changed(self, _: Mutant) -> Any:
        self.is_changed = True
        yield
        self.is_changed = False

    def generate(self, _: tuple[str, ...]) -> str:
        return self.refused

    def differs(self, _: Mutant) -> bool:
        return True

    def alerts(self) -> set[str]:
        return {"MiniTwitLoginAttack"}

    def run(self, command: list[str], _: float) -> Any:
        self.ran = command
        if self.status < 0:
            raise TimedOut
        status = 0 if self.sound and not self.is_changed else self.status
        return SimpleNamespace(returncode=status, stdout=self.says)


@pytest.mark.parametrize(
    ("copy", "verdict", "by"),
    [
        (Copy(0, "quiet"), "survived", ""),
        (Copy(1, "1 brute-force\nFAILED brute-force: firing: not within 120 s"), "noticed",
         "brute-force: firing: not within 120 s"),
        (Copy(1, "FAILED brute-force: flaky", sound=False), "undecided",
         "fails without the mutant too: brute-force: flaky"),
        (Copy(-1), "survived", "out of time: brute-force"),
        (Copy(0, refused="dashboards: no such label"), "noticed", "dashboards: no such label"),
    ],
)  # fmt: skip
def test_verdicts(copy: Copy, verdict: str, by: str) -> None:
    of_rules = next(one for one in MUTANTS if one.file == "alerts/saturation.py")
    outcome = live.judge(copy, of_rules)  # type: ignore[arg-type]
    assert outcome
    assert (outcome.verdict, outcome.by) == (verdict, by)
    assert copy.refused or copy.ran[-1] == "brute-force"


def test_its_command_refuses_a_check_that_is_none() -> None:
    done = subprocess.run(
        [*live.CHECKS, "no-drill"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no check is called no-drill" in done.stderr
