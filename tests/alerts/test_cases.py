"""Every alert has a case that fires, with its annotations, and one that stays silent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.rule_files import all_alerts, render
from tests.alerts.conftest import Promtool
from tests.alerts.excerpt import CASES, write

ROOT = Path(__file__).parents[2]
NAMES = [alert.name for alert in all_alerts()]
NEVER_SILENT = {"Watchdog": "it must always fire"}
OWN_ANNOTATIONS = {alert.name: set(alert.annotations) for alert in all_alerts()}
ANNOTATIONS = {"summary", "impact", "description", "runbook_url", "dashboard_url"}


def outcomes(name: str) -> list[list[dict[str, Any]]]:
    """Return the alerts that each test in the alert's file expects, at any time."""
    path = CASES / f"{name}.yml"
    assert path.is_file(), f"{name} has no case: write {path.relative_to(ROOT)}"
    document = yaml.safe_load(path.read_text())
    return [
        [expected for at in test["alert_rule_test"] for expected in at["exp_alerts"]]
        for test in document["tests"]
        if {at["alertname"] for at in test["alert_rule_test"]} == {name}
    ]


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_case_that_fires_and_one_that_does_not(name: str) -> None:
    found = outcomes(name)
    fired = [expected for case in found for expected in case]
    assert fired, f"{name}: no case in which it fires"
    assert name in NEVER_SILENT or [] in found, f"{name}: no case in which it stays silent"
    for expected in fired:
        assert {"severity", "service"} <= set(expected["exp_labels"])
        assert set(expected["exp_annotations"]) == ANNOTATIONS | OWN_ANNOTATIONS[name]


def test_there_is_no_case_of_an_alert_that_is_gone() -> None:
    gone = {path.stem for path in CASES.iterdir()} - set(NAMES)
    assert not gone, f"delete from {CASES.relative_to(ROOT)}: {', '.join(sorted(gone))}"


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_behave_as_the_cases_say(name: str, promtool: Promtool, tmp_path: Path) -> None:
    assert outcomes(name)
    done = promtool("test", "rules", write(name, render(), tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("alert", "old", "new"),
    [
        ("MiniTwitTargetDown", "== 0", "== 2"),
        ("MiniTwitProbeFailing", "for: 15s", "for: 1h"),
        ("MiniTwitErrorRatio", "> 0.2", "> 20"),
        ("MiniTwitErrorRatio", "> 0.05", "> 0.01"),
        ("MiniTwitErrorRatio", "the limit is 5%", "the limit is 6%"),
    ],
)
def test_the_cases_notice_a_changed_rule(
    alert: str, old: str, new: str, promtool: Promtool, tmp_path: Path
) -> None:
    rules = render()
    assert old in rules["alerts.yml"]
    changed = {name: text.replace(old, new) for name, text in rules.items()}
    case = write(alert, changed, tmp_path)
    assert promtool("test", "rules", case).returncode == 1


def tripled(text: str, name: str) -> str:
    """The rules with three times the ``for`` of an alert."""
    document = yaml.safe_load(text)
    for rule in (rule for group in document["groups"] for rule in group["rules"]):
        if rule.get("alert") == name:
            number, unit = re.fullmatch(r"(\d+)(\w+)", rule["for"]).groups()  # type: ignore[union-attr]
            rule["for"] = f"{3 * int(number)}{unit}"
    return yaml.safe_dump(document)


WITH_FOR = [alert.name for alert in all_alerts() if alert.for_]


# Cases of burn rates are days long: `make mutate` changes their `for`.
@pytest.mark.parametrize("name", [one for one in WITH_FOR if "BurnRate" not in one])
def test_the_cases_notice_a_tripled_for(name: str, promtool: Promtool, tmp_path: Path) -> None:
    changed = {file: tripled(text, name) for file, text in render().items()}
    assert promtool("test", "rules", write(name, changed, tmp_path)).returncode == 1
