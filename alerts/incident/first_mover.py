"""Determines the first mover: the component in which an incident began, or *not sure*.

A component is named only if the scrapes rule out every other one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerts.incident.bad_periods import GAP, NO_SAMPLE, BadPeriod
from alerts.incident.signals import DEPENDENCY_ORDER, MONITORING, SERVICES, Kind
from alerts.incident.time_window import clock

QUIET_SCRAPES = 12  # scrape intervals before an anomaly without one in its dependencies
SYMPTOM_SCRAPES = 3  # ... after an anomaly within which a symptom must follow


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One period in which a signal of a component was bad."""

    component: str
    kind: Kind
    description: str
    period: BadPeriod


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first mover, or '' if that is not sure, and the ``reason``.

    ``timeline`` holds the first anomaly of each signal, the earliest first.
    """

    component: str
    reason: str
    timeline: tuple[Anomaly, ...]


def determine(
    anomalies: Sequence[Anomaly], coverage: Mapping[str, Sequence[float]], interval: float,
    since: float,
) -> Verdict:  # fmt: skip
    """Return the first mover among ``anomalies``, which were looked for from ``since`` on.

    ``coverage`` holds the times at which each component was observed, ``interval`` the seconds
    between two scrapes.
    """
    timeline = _timeline(anomalies)
    relevant = tuple(
        a for a in timeline if a.component != MONITORING or a.period.last_good != NO_SAMPLE
    )
    if not interval:
        return Verdict("", "there are too few scrapes", timeline)
    if not relevant:
        return Verdict("", "no signal of the request path was bad", timeline)
    if before := [a.description for a in relevant if a.period.last_good == NO_SAMPLE]:
        text = f"already bad when the analysis began ({clock(since)}): {'; '.join(before)}"
        return Verdict("", text, timeline)
    causes = [a for a in relevant if a.kind == "cause"]
    if not causes:
        return Verdict("", _only_symptoms(relevant), timeline)
    first = min(causes, key=lambda a: a.period.first_bad)
    doubts = (
        _other_cause(first, causes), _earlier_anomaly(first, relevant),
        _failing_dependency(first, anomalies, interval),
        _unobserved_dependency(first, coverage, interval),
        _no_symptom(first, anomalies, interval), _overload(first, anomalies, interval),
    )  # fmt: skip
    if doubt := next((doubt for doubt in doubts if doubt), ""):
        return Verdict("", doubt, timeline)
    below = _dependencies(first.component) if first.component != MONITORING else ()
    rest = f"; {' and '.join(below)} had no anomaly" if below else ""
    return Verdict(first.component, f"{first.description}, {onset(first.period)}{rest}", timeline)


def onset(period: BadPeriod) -> str:
    """Between which two scrapes a period began, for people."""
    if period.last_good == NO_SAMPLE:
        return f"before {clock(period.first_bad)}"
    if clock(period.last_good) == clock(period.first_bad):
        return f"at {clock(period.first_bad)}"
    return f"between {clock(period.last_good)} and {clock(period.first_bad)}"


def _dependencies(component: str) -> tuple[str, ...]:
    """The components that ``component`` depends on; the monitoring watches all of them."""
    if component == MONITORING:
        return DEPENDENCY_ORDER
    return DEPENDENCY_ORDER[: DEPENDENCY_ORDER.index(component)]


def _timeline(anomalies: Sequence[Anomaly]) -> tuple[Anomaly, ...]:
    """The first undoubted anomaly of each signal, by time, then along the dependencies."""
    found: dict[tuple[str, str], Anomaly] = {}
    for one in sorted(anomalies, key=lambda a: (a.period.first_bad, a.period.last_good)):
        if not one.period.doubtful:
            found.setdefault((one.component, one.description), one)
    rank = {name: number for number, name in enumerate((*DEPENDENCY_ORDER, MONITORING))}
    return tuple(sorted(found.values(), key=lambda a: (a.period.first_bad, rank[a.component])))


def _only_symptoms(timeline: Sequence[Anomaly]) -> str:
    first = timeline[0]
    same = [a for a in timeline if a.period.last_good < first.period.first_bad]
    text = " and ".join(dict.fromkeys(a.description for a in same))
    return f"{text} {onset(first.period)}, which the component or a dependency may cause"


def _other_cause(first: Anomaly, causes: Sequence[Anomaly]) -> str:
    """Another component's cause that may have been earlier."""
    for one in causes:
        if one.component != first.component and one.period.last_good < first.period.first_bad:
            when = clock(first.period.first_bad)
            return f"{first.description} and {one.description} within the same scrapes ({when})"
    return ""


def _earlier_anomaly(first: Anomaly, timeline: Sequence[Anomaly]) -> str:
    """A signal that certainly was bad earlier."""
    for one in timeline:
        if one.component != MONITORING and one.period.first_bad <= first.period.last_good:
            when = clock(one.period.first_bad)
            return f"{one.description} at {when}, before {first.description}"
    return ""


def _failing_dependency(first: Anomaly, anomalies: Sequence[Anomaly], interval: float) -> str:
    """An anomaly of a dependency around that time, even a doubtful one."""
    since = first.period.last_good - QUIET_SCRAPES * interval
    until = first.period.first_bad + SYMPTOM_SCRAPES * interval
    for one in anomalies:
        near = one.period.last_bad >= since and one.period.last_good < until
        if one.component in _dependencies(first.component) and near:
            return _but_also(first, one)
    return ""


def _unobserved_dependency(
    first: Anomaly, coverage: Mapping[str, Sequence[float]], interval: float
) -> str:
    """A dependency that was not observed before and after."""
    if first.component == MONITORING:
        return ""
    good, bad = first.period.last_good, first.period.first_bad
    for name in _dependencies(first.component):
        before = any(good - GAP * interval <= t <= good + interval for t in coverage[name])
        after = any(bad - interval <= t <= bad + GAP * interval for t in coverage[name])
        if not (before and after):
            return f"{first.description}, but {name} was not observed at that time"
    return ""


def _no_symptom(first: Anomaly, anomalies: Sequence[Anomaly], interval: float) -> str:
    """No symptom followed, so that perhaps only the scrape failed."""
    if first.component in (MONITORING, DEPENDENCY_ORDER[-1]):
        return ""
    begin, end = first.period.last_good, first.period.first_bad + SYMPTOM_SCRAPES * interval
    if any(a.kind == "symptom" and begin <= a.period.first_bad <= end for a in anomalies):
        return ""
    when = onset(first.period)
    return f"{first.description} {when}, but there is no symptom: perhaps only the scrape failed"


def _overload(first: Anomaly, anomalies: Sequence[Anomaly], interval: float) -> str:
    """A service that does not answer may be overloaded by its clients."""
    if first.component not in SERVICES:
        return ""
    since = first.period.last_good - QUIET_SCRAPES * interval
    for one in anomalies:
        near = one.period.last_bad >= since and one.period.last_good < first.period.first_bad
        if one.kind == "load" and near:
            return _but_also(first, one)
    return ""


def _but_also(first: Anomaly, other: Anomaly) -> str:
    return f"{first.description}, but also {other.description} ({onset(other.period)})"
