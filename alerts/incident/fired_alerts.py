"""What fired when, and who was told of it."""

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
RUN = 3.5  # evaluations without a sample: then the alert had ended
INTEGRATION = Label("integration")
HEARD_LATE = 300.0  # seconds after an alert began within which a line in the chat is about it


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fired: active ``since``, fired from ``fired`` until ``over`` (0: it still did).

    ``told`` are the times of the lines in the chat that said so. It may have become active
    ``before`` the window, and belongs to an earlier incident then.
    """

    name: str
    severity: str
    service: str
    instance: str
    since: float
    fired: float
    over: float
    told: tuple[float, ...] = ()
    before: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One line of an alert in the chat."""

    time: float
    status: str
    severity: str
    service: str
    name: str
    instance: str


@dataclass(frozen=True, slots=True)
class Alerted:
    """``sent`` and ``failed``: notifications by receiver's kind. ``chat`` is None without a log."""

    alerts: tuple[Alert, ...]
    chat: tuple[Said, ...] | None
    sent: dict[str, float] = field(default_factory=dict)
    failed: dict[str, float] = field(default_factory=dict)

    @property
    def first(self) -> float:
        """When the first alert of the window became active; 0 without one."""
        return min((alert.since for alert in self.alerts if not alert.before), default=0)


def gather(prometheus: Prometheus, window: Window, chat: Path | None) -> Alerted:
    """Ask Prometheus what fired, and the log of the chat what was said."""
    said = tuple(read(chat, window)) if chat else None
    active = prometheus.raw(select(ALERTS_SINCE), window.since, window.until)
    begun = {_key(one.labels): one.samples for one in active}
    found: list[Alert] = []
    firing = select(ALERTS, alertstate="firing", severity=differs("none"))
    for one in prometheus.raw(firing, window.since, window.until):
        for run in runs(one.samples):
            alert = _alert(one.labels, run, begun.get(_key(one.labels), []), window)
            found.append(replace(alert, told=_told(alert, said or ())))
    return Alerted(
        tuple(sorted(found, key=lambda alert: (alert.fired, alert.name))),
        said,
        _by_receiver(prometheus, window, MESSAGES_SENT),
        _by_receiver(prometheus, window, NOTIFICATION_FAILURES),
    )


def _key(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((k, v) for k, v in labels.items() if k != "alertstate")


def _by_receiver(prometheus: Prometheus, window: Window, metric: Metric) -> dict[str, float]:
    counted = total(increase(metric, duration(window.seconds)), INTEGRATION)
    values = prometheus.at(counted, window.until)
    return {labels[INTEGRATION.name]: value for labels, value in values if round(value)}


def runs(samples: Samples) -> list[Samples]:
    """The samples of an alert, one list for each time that it fired."""
    steps = sorted(b - a for (a, _), (b, _) in pairwise(samples))
    step = steps[len(steps) // 2] if steps else EVALUATE_SECONDS
    found: list[Samples] = []
    for sample in samples:
        if found and sample[0] - found[-1][-1][0] <= RUN * step:
            found[-1].append(sample)
        else:
            found.append([sample])
    return found


def _alert(labels: Mapping[str, str], run: Samples, begun: Samples, window: Window) -> Alert:
    """Return one firing of an alert; open if its samples reach the window's end."""
    fired, last = run[0][0], run[-1][0]
    since = next((value for t, value in begun if t >= fired), fired)
    step = max(run[1][0] - fired, 1) if len(run) > 1 else EVALUATE_SECONDS
    return Alert(
        labels["alertname"], labels.get("severity", ""), labels.get("service", ""),
        labels.get("instance", ""), since, fired,
        0 if window.until - last <= RUN * step else last + step,
        before=since < window.since,
    )  # fmt: skip


def _told(alert: Alert, said: Sequence[Said]) -> tuple[float, ...]:
    """When the chat said that it fires."""
    end = (alert.over or alert.fired) + HEARD_LATE
    return tuple(
        one.time
        for one in said
        if one.status == "FIRING"
        and (one.name, one.service) == (alert.name, alert.service)
        and one.instance in ("", alert.instance[:INSTANCE_LENGTH])
        and alert.since - 1 <= one.time <= end
    )


def read(chat: Path, window: Window) -> Iterator[Said]:
    """The alerts' lines of the chat's log within the window, from an older file too."""
    for file in (chat.with_suffix(".log.1"), chat):
        if not file.exists():
            continue
        for line in file.read_text(errors="replace").splitlines():
            if match := LINE.match(line):
                when, status, severity, service, name, instance = match.groups()
                time = datetime.fromisoformat(when).timestamp()
                if window.since <= time <= window.until + 1:
                    yield Said(time, status, severity, service, name, instance or "")
