"""Queries the signals of the table from Prometheus, and determines the first mover."""

from __future__ import annotations

from alerts.incident import bad_periods
from alerts.incident.detectors import Scrapes
from alerts.incident.first_mover import Anomaly, Verdict, determine
from alerts.incident.prometheus_api import Prometheus
from alerts.incident.signals import COVERAGE, SIGNALS
from alerts.incident.time_window import Window
from observability.exporters import UP
from observability.promql.builders import select

# Scrape intervals before the first alert became active: its expression has a range.
LOOKBACK_SCRAPES = 24
HORIZON_SECONDS = 1800.0  # after it: what goes wrong later was not first


def first_mover(prometheus: Prometheus, window: Window, first_active: float) -> Verdict:
    """Return the first mover; ``first_active``: when the first alert became active, or 0."""
    anchor = first_active or window.since
    until = min(window.until, anchor + HORIZON_SECONDS)
    probe = prometheus.raw(select(UP), anchor - 300, until)
    interval = bad_periods.scrape_interval(bad_periods.scrape_times(probe).values())
    since = anchor - LOOKBACK_SCRAPES * interval
    times = bad_periods.scrape_times(prometheus.raw(select(UP), since, until))
    scrapes = Scrapes(prometheus, since, until, times, interval)
    anomalies = [
        Anomaly(signal.component, signal.kind, signal.description, period)
        for signal in SIGNALS
        for period in signal.detect(prometheus.raw(signal.series, since, until), scrapes)
    ]
    coverage = {
        name: sorted(t for one in prometheus.raw(series, since, until) for t, _ in one.samples)
        for name, series in COVERAGE.items()
    }
    return determine(anomalies, coverage, interval, since)
