"""The stack's configuration speaks of the same targets, pace and datasource as the rules."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from observability.clock import EVALUATE_SECONDS, SCRAPE_SECONDS, duration
from observability.conventions import (
    DEPLOYED_TARGETS,
    MONITORING_TARGETS,
    PROBED_SERVICES,
    PROMETHEUS_UID,
)
from observability.stack.components import TABLE
from observability.stack.targets import PROBES

GENERATED = Path(__file__).parents[2] / "deploy/generated"


def test_scrapes_and_evaluations_are_as_often_as_the_rules_think() -> None:
    pace = yaml.safe_load((GENERATED / "prometheus.yml").read_text())["global"]
    assert pace["scrape_interval"] == duration(SCRAPE_SECONDS)
    assert pace["evaluation_interval"] == duration(EVALUATE_SECONDS)


def test_every_target_that_an_alert_expects_is_scraped() -> None:
    jobs = {component.job for component in TABLE}
    assert {*DEPLOYED_TARGETS, *MONITORING_TARGETS} <= jobs


def test_every_probe_has_an_alert() -> None:
    probed = {probe.service for probe in PROBES}
    assert set(PROBED_SERVICES) <= probed <= {*PROBED_SERVICES, *MONITORING_TARGETS}


def test_the_datasource_of_the_dashboards_is_provisioned() -> None:
    text = (GENERATED / "grafana-datasources.yml").read_text()
    assert PROMETHEUS_UID in re.findall(r"^\s+uid: (\S+)$", text, re.MULTILINE)
