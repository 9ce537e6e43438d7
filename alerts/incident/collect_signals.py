"""Collects the signals of the table from Prometheus, and has the first mover judged."""

from __future__ import annotations

from alerts.incident import bad_periods
from alerts.incident.detectors import Looked
from alerts.incident.first_mover import Move, Verdict, judge
from alerts.incident.prometheus_api import Prometheus
from alerts.incident.signals import NEWS, SIGNALS
from alerts.incident.time_window import Window
from observability.exporters import UP
from observability.promql.builders import select

BEFORE = 24  # scrape intervals before the first alert: its rule looks back, and waits
AFTER = 1800.0  # seconds after it: what moves later was not first


def first_mover(prometheus: Prometheus, window: Window, alerted: float) -> Verdict:
    """Who moved first; ``alerted`` is when the first alert became active, or 0 without one."""
    anchor = alerted or window.since
    probe = prometheus.raw(select(UP), anchor - 300, min(window.until, anchor + AFTER))
    step = bad_periods.interval(bad_periods.times(probe).values())
    since, until = anchor - BEFORE * step, min(window.until, anchor + AFTER)
    scrapes = bad_periods.times(prometheus.raw(select(UP), since, until))
    looked = Looked(prometheus, since, until, scrapes, step)
    moves = [
        Move(signal.component, signal.kind, signal.words, span)
        for signal in SIGNALS
        for span in signal.judge(prometheus.raw(signal.series, since, until), looked)
    ]
    news = {
        name: sorted(t for one in prometheus.raw(series, since, until) for t, _ in one.samples)
        for name, series in NEWS.items()
    }
    return judge(moves, news, step, since)
