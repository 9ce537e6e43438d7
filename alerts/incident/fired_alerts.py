"""Which alerts fired when, and which of them were sent to the chat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from alerts.incident.prometheus_api import Prometheus, Samples
from alerts.incident.time_window import Window
from observability.catalog import Label, Metric
from observability.exporters import ALERTS, ALERTS_SINCE, MESSAGES_SENT, NOTIFICATION_FAILURES
from observability.promql.builders import differs, increase, select, total
from observability.time_scale import EVALUATE_SECONDS, duration

# One line of the chat: "2026-01-01T00:00:00Z [FIRING] critical api: MiniTwitTargetDown (...) - ..."
LINE = re.compile(r"(\S+) \[(FIRING|RESOLVED)\] (\w+) (\S+): (\w+)(?: \(([^)]*)\))?")
INSTANCE_LENGTH = 32  # characters of an instance that the chat shows
GAP = 3.5  # evaluations without a sample: then the alert was resolved
INTEGRATION = Label("integration")
CHAT_DELAY = 300.0  # seconds after an alert ended within which a line in the chat is about it


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fired: active since ``active``, fired from ``fired`` until ``resolved``.

    ``resolved`` is 0 if it still fires. ``notified`` holds the times of its lines in the chat. If
    it was active ``before`` the window, it belongs to an earlier incident.
    """

    name: str
    severity: str
    service: str
    instance: str
    active: float
    fired: float
    resolved: float
    notified: tuple[float, ...] = ()
    before: bool = False


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A line in the chat about an alert."""

    time: float
    status: str
    severity: str
    service: str
    name: str
    instance: str


@dataclass(frozen=True, slots=True)
class FiredAlerts:
    """The alerts, the chat's lines about them, and counts of notifications by integration.

    ``chat`` is None without a log of the chat.
    """

    alerts: tuple[Alert, ...]
    chat: tuple[ChatLine, ...] | None
    sent: dict[str, float] = field(default_factory=dict)
    failed: dict[str, float] = field(default_factory=dict)

    @property
    def first_active(self) -> float:
        """When the first alert of the window became active; 0 without one."""
        return min((alert.active for alert in self.alerts if not alert.before), default=0)


def gather(prometheus: Prometheus, window: Window, chat: Path | None) -> FiredAlerts:
    """Query Prometheus for what fired, and read what the chat's log says."""
    lines = tuple(read_chat(chat, window)) if chat else None
    states = prometheus.raw(select(ALERTS_SINCE), window.since, window.until)
    active = {_key(one.labels): one.samples for one in states}
    found: list[Alert] = []
    selector = select(ALERTS, alertstate="firing", severity=differs("none"))
    for one in prometheus.raw(selector, window.since, window.until):
        for firing in firings(one.samples):
            alert = _alert(one.labels, firing, active.get(_key(one.labels), []), window)
            found.append(replace(alert, notified=_notified(alert, lines or ())))
    return FiredAlerts(
        tuple(sorted(found, key=lambda alert: (alert.fired, alert.name))),
        lines,
        _by_integration(prometheus, window, MESSAGES_SENT),
        _by_integration(prometheus, window, NOTIFICATION_FAILURES),
    )


def _key(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((k, v) for k, v in labels.items() if k != "alertstate")


def _by_integration(prometheus: Prometheus, window: Window, metric: Metric) -> dict[str, float]:
    counted = total(increase(metric, duration(window.seconds)), INTEGRATION)
    values = prometheus.instant(counted, window.until)
    return {labels[INTEGRATION.name]: value for labels, value in values if round(value)}


def firings(samples: Samples) -> list[Samples]:
    """Split the samples of an alert: one list for each time that it fired."""
    steps = sorted(b - a for (a, _), (b, _) in pairwise(samples))
    step = steps[len(steps) // 2] if steps else EVALUATE_SECONDS
    found: list[Samples] = []
    for sample in samples:
        if found and sample[0] - found[-1][-1][0] <= GAP * step:
            found[-1].append(sample)
        else:
            found.append([sample])
    return found


def _alert(labels: Mapping[str, str], firing: Samples, active: Samples, window: Window) -> Alert:
    """Return one firing of an alert; open if its samples reach the window's end."""
    fired, last = firing[0][0], firing[-1][0]
    since = next((value for t, value in active if t >= fired), fired)
    step = max(firing[1][0] - fired, 1) if len(firing) > 1 else EVALUATE_SECONDS
    return Alert(
        labels["alertname"], labels.get("severity", ""), labels.get("service", ""),
        labels.get("instance", ""), since, fired,
        0 if window.until - last <= GAP * step else last + step,
        before=since < window.since,
    )  # fmt: skip


def _notified(alert: Alert, lines: Sequence[ChatLine]) -> tuple[float, ...]:
    """Return when the chat said that it fires."""
    end = (alert.resolved or alert.fired) + CHAT_DELAY
    return tuple(
        one.time
        for one in lines
        if one.status == "FIRING"
        and (one.name, one.service) == (alert.name, alert.service)
        and one.instance in ("", alert.instance[:INSTANCE_LENGTH])
        and alert.active - 1 <= one.time <= end
    )


def read_chat(chat: Path, window: Window) -> Iterator[ChatLine]:
    """Yield the chat's lines about alerts within the window; reads a rotated log too."""
    for file in (chat.with_suffix(".log.1"), chat):
        if not file.exists():
            continue
        for line in file.read_text(errors="replace").splitlines():
            if match := LINE.match(line):
                when, status, severity, service, name, instance = match.groups()
                time = datetime.fromisoformat(when).timestamp()
                if window.since <= time <= window.until + 1:
                    yield ChatLine(time, status, severity, service, name, instance or "")
