"""The stack's configuration speaks of the same targets, pace and datasource as the rules."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from alerts.objectives import DAY, PERIOD
from observability.conventions import (
    BYTES_A_SAMPLE,
    DEPLOYED_TARGETS,
    MONITORING_TARGETS,
    PROBED_SERVICES,
    PROMETHEUS_UID,
    RETENTION_DAYS,
    RETENTION_GIGABYTES,
    SAMPLES_A_SECOND,
)
from observability.stack.components import COMPONENTS, TABLE
from observability.stack.targets import PROBES
from observability.time_scale import EVALUATE_SECONDS, SCRAPE_SECONDS, duration

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "deploy/generated"


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


def test_thirty_days_are_thirty_days() -> None:
    """Neither the time nor the size of what Prometheus keeps cuts the longest window short."""
    assert RETENTION_DAYS * DAY > PERIOD
    wanted = RETENTION_DAYS * DAY * SAMPLES_A_SECOND * BYTES_A_SAMPLE
    assert 1.2 * wanted < RETENTION_GIGABYTES * 1e9
    flags = [f"retention.time={RETENTION_DAYS}d", f"retention.size={RETENTION_GIGABYTES}GB"]
    started = " ".join(COMPONENTS["prometheus"].command)
    for text in (started, *((ROOT / name).read_text() for name in ("compose.yaml", "stack.yml"))):
        assert all(f"--storage.tsdb.{flag}" in text for flag in flags)


def test_the_datasource_of_the_dashboards_is_provisioned() -> None:
    text = (GENERATED / "grafana-datasources.yml").read_text()
    assert PROMETHEUS_UID in re.findall(r"^\s+uid: (\S+)$", text, re.MULTILINE)
