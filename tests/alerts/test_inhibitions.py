"""One cause notifies once: Alertmanager's inhibitions name alerts that exist."""

from __future__ import annotations

import re
from typing import Any

import pytest

from alerts.rule_files import all_alerts
from observability.conventions import MONITORING_BLIND
from tests.alerts.inhibited import MATCHER, rules

RULES = rules()
NAMES = {alert.name for alert in all_alerts()} | {MONITORING_BLIND}
WEB = 'service="web"'


def alert_patterns(rule: dict[str, Any], side: str) -> list[str]:
    """The alternatives that the matchers of one side give for the alert's name."""
    parts = [MATCHER.fullmatch(text) for text in rule[side]]
    found = [p[3] for p in parts if p and p[1] == "alertname" and p[2] in ("=", "=~")]
    return [name for text in found for name in text.split("|")]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["source_matchers"]))
def test_every_name_is_that_of_an_alert(rule: dict[str, Any]) -> None:
    for pattern in [
        *alert_patterns(rule, "source_matchers"),
        *alert_patterns(rule, "target_matchers"),
    ]:
        assert any(re.fullmatch(pattern, name) for name in NAMES), pattern


def test_no_alert_inhibits_itself() -> None:
    """Except that an alert of api may inhibit the same alert of web."""
    for rule in RULES:
        of_api, of_web = 'service="api"' in rule["source_matchers"], WEB in rule["target_matchers"]
        if of_api and of_web:
            continue
        for cause in alert_patterns(rule, "source_matchers"):
            assert not any(re.fullmatch(p, cause) for p in alert_patterns(rule, "target_matchers"))
