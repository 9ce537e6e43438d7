"""Every alert has its drill, and every drill speaks of alerts that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerts.rule_files import all_alerts
from tests.drills.site import Message, complaint
from tests.drills.table import DRILLS, UNDRILLED, as_said

NAMES = {alert.name for alert in all_alerts()}
RUNBOOKS = Path(__file__).parents[2] / "alerts/runbooks"
GOOD = Message(
    "FIRING", "critical", "api", "MiniTwitTargetDown", "h:5001",
    " - A service of MiniTwit is down. - alerts/runbooks/MiniTwitTargetDown.md",
    "2026-01-01T00:00:00Z [FIRING] critical api: MiniTwitTargetDown",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_alert_is_drilled_or_says_why_not(name: str) -> None:
    drilled = any(name in drill.fires for drill in DRILLS)
    where = "tests/drills/table.py"
    assert drilled or name in UNDRILLED, f"{name}: add a drill, or say why not, in {where}"
    assert not (drilled and name in UNDRILLED), f"{name}: drilled and not drilled in {where}"


def test_what_is_drilled_exists() -> None:
    assert {name for drill in DRILLS for name in drill.declared} | UNDRILLED.keys() <= NAMES
    assert len({drill.name for drill in DRILLS}) == len(DRILLS)
    assert all(len(reason) > 30 for reason in UNDRILLED.values())


def test_runbooks_name_drills_that_prove_their_alert() -> None:
    by_name = {drill.name: drill for drill in DRILLS}
    for page in RUNBOOKS.glob("*.md"):
        for name in re.findall(r"make drill DRILL=([\w-]+)", page.read_text()):
            assert any(alert.startswith(page.stem) for alert in by_name[name].fires), page.name


@pytest.mark.parametrize(
    ("rest", "disk"),
    [
        (" /srv/a/logs - A disk is full. - alerts/runbooks/MiniTwitDiskFull.md", "/srv/a/logs"),
        (" - A disk is full. /srv/a of 127.0.0.1:9 has 0% left; the limit is 5%.", "/srv/a"),
        (GOOD.rest, ""),
    ],
)
def test_an_alert_on_a_disk_names_it_also_when_it_is_over(rest: str, disk: str) -> None:
    assert GOOD._replace(rest=rest).disk == disk


def test_steps_are_compared_in_order_and_their_lines_in_any() -> None:
    said = ("FIRING a", ("FIRING b", "FIRING c"), "RESOLVED a")
    assert as_said(said, ["FIRING a", "FIRING c", "FIRING b", "RESOLVED a"])
    assert not as_said(said, ["FIRING b", "FIRING a", "FIRING c", "RESOLVED a"])
    assert not as_said(said, ["FIRING a", "FIRING b", "FIRING c"])
    assert not as_said(said, ["FIRING a", "FIRING b", "FIRING c", "RESOLVED a", "RESOLVED a"])


def test_what_is_not_exact_says_why() -> None:
    for drill in DRILLS:
        assert bool(drill.loose) == bool(drill.also), drill.name
        assert drill.exact or len(drill.loose) > 20, drill.name


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, ""),
        ({"severity": "warning"}, "severity"),
        ({"rest": " - alerts/runbooks/MiniTwitTargetDown.md"}, "no summary"),
        ({"rest": " - A service of MiniTwit is down."}, "no runbook"),
        ({"text": "2026 " + "x" * 400}, "too long"),
        ({"text": "2026 [FIRING] <no value>"}, "template"),
    ],
)
def test_a_bad_message_is_noticed(change: dict[str, str], wrong: str) -> None:
    found = complaint(GOOD._replace(**change))
    assert wrong in found if wrong else found == ""
