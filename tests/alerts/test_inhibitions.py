"""One cause calls once: Alertmanager's inhibitions name alerts and labels that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.registry import all_alerts
from observability.conventions import MONITORING_BLIND

CONFIG = Path(__file__).parents[2] / "deploy/generated/alertmanager.yml"
RULES: list[dict[str, Any]] = yaml.safe_load(CONFIG.read_text())["inhibit_rules"]
NAMES = {alert.name for alert in all_alerts()} | {MONITORING_BLIND}
MATCHER = re.compile(r'(\w+)(=~|=)"(.*)"')


def named(rule: dict[str, Any], side: str) -> list[str]:
    """The alternatives that the matchers of one side give for the alert's name."""
    parts = [MATCHER.fullmatch(text) for text in rule[side]]
    found = [part[3] for part in parts if part and part[1] == "alertname"]
    return [name for text in found for name in text.split("|")]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["source_matchers"]))
def test_every_name_is_that_of_an_alert(rule: dict[str, Any]) -> None:
    for pattern in [*named(rule, "source_matchers"), *named(rule, "target_matchers")]:
        assert any(re.fullmatch(pattern, name) for name in NAMES), pattern


def test_nothing_silences_itself() -> None:
    for rule in RULES:
        for cause in named(rule, "source_matchers"):
            assert not any(re.fullmatch(p, cause) for p in named(rule, "target_matchers"))


def test_a_dead_database_calls_once() -> None:
    """Every alert that its drill sees fire besides is silenced by it."""
    [rule] = [r for r in RULES if "MiniTwitDatabaseDown" in named(r, "source_matchers")]
    for name in ("MiniTwitErrorRatio", "MiniTwitProbeFailing", "MiniTwitBurnRate1h"):
        assert any(re.fullmatch(p, name) for p in named(rule, "target_matchers"))
