"""Renders the report as one page of Markdown, after the post-mortem of Google's SRE book.

What the monitoring knows is filled in; what only people know is left to them.
"""

from __future__ import annotations

from collections.abc import Iterable

from alerts.incident import render_evidence
from alerts.incident.fired_alerts import Alert, FiredAlerts
from alerts.incident.first_mover import Anomaly, Verdict, onset
from alerts.incident.markdown import number, share, table
from alerts.incident.report import Report
from alerts.incident.time_window import clock, span, stamp

FILL = "_To be filled in._"
CAUSES = "_To be filled in. What was seen first says where to begin, not why._"
CAUSED = {"cause": "itself", "symptom": "itself, or a dependency", "load": "its clients"}
LESSONS = ("What went well", "What went wrong", "Where we got lucky")


def render(report: Report) -> str:
    """Render the whole page."""
    parts = [
        _head(report), ("Summary", _summary(report)), ("Impact", _impact(report)),
        ("First seen", first_seen(report.verdict)), ("Root causes", CAUSES), ("Trigger", FILL),
        ("Resolution", _resolution(report)), ("Detection", _detection(report)),
        ("Action items", table(["action item", "type", "owner", "ticket"], [["", "", "", ""]])),
        ("Lessons learned", "\n\n".join(f"### {title}\n\n{FILL}" for title in LESSONS)),
        ("Timeline (UTC)", _timeline(report)),
        ("Supporting information", render_evidence.render(report)),
    ]  # fmt: skip
    return "\n\n".join(
        part if isinstance(part, str) else f"## {part[0]}\n\n{part[1]}" for part in parts
    ) + "\n"  # fmt: skip


def _head(report: Report) -> str:
    alerts = [alert for alert in report.fired.alerts if not alert.before]
    name = f"{alerts[0].name} of {alerts[0].service}" if alerts else "no alert fired"
    rows = [
        ["authors", FILL], ["status", "draft, written by `make incident`"],
        ["time (UTC)", f"{stamp(report.window.since)} to {stamp(report.window.until)}"],
        ["runs at the end", ", ".join(report.running) or "no version is known"],
    ]  # fmt: skip
    return f"# Post-mortem: {name}, {stamp(report.window.since)[:10]}\n\n" + table(["", ""], rows)


def _summary(report: Report) -> str:
    alerts = report.fired.alerts
    failed = sum(row.count for row in report.breakdowns.routes)
    seen = report.verdict.component or "not sure"
    fired = f"{number(len(alerts))} alert{'' if len(alerts) == 1 else 's'} fired"
    begun = (
        f"; the first was active at {clock(report.fired.first_active)}"
        if report.fired.first_active
        else ""
    )
    return (
        f"Within {span(report.window.seconds)} {fired}{begun}. {number(failed)} requests ended in "
        f"a 5xx. First seen: {seen}.\n\n{FILL}"
    )


def _impact(report: Report) -> str:
    head = ["objective", "requests", "bad", "budget left before", "after", "spent"]
    rows = [
        [
            f"{one.objective.name} ({one.objective.target:.1%})", number(one.requests),
            number(one.bad), share(one.before), share(one.after),
            share(one.spent),
        ]
        for one in report.budget
    ]  # fmt: skip
    actions = ", ".join(f"{row.name} {number(row.count)}" for row in report.breakdowns.actions)
    return (
        f"{table(head, rows)}\n\nThe error budget is that of 30 days. What the simulator saw: "
        f"{actions or 'nothing was counted'}.\n\nWhom it hurt, and how: {FILL}"
    )


def first_seen(verdict: Verdict) -> str:
    """Render the first mover or *not sure*, and the first anomaly of each signal."""
    name = f"**{verdict.component}**" if verdict.component else "**Not sure**"
    rows = [
        [
            one.component,
            one.description,
            onset(one.period),
            CAUSED[one.kind],
        ]
        for one in verdict.timeline
    ]
    text = f"{name}: {verdict.reason}."
    if not rows:
        return text
    head = ["component", "signal", "bad since", "caused by"]
    return (
        f"{text}\n\n{table(head, rows)}\n\nA fault travels from database to api, web and outside. "
        "A signal became bad at some moment between two scrapes."
    )


def _resolution(report: Report) -> str:
    alerts = report.fired.alerts
    if still := [alert.name for alert in alerts if not alert.resolved]:
        return f"At the end of this time still firing: {', '.join(dict.fromkeys(still))}.\n\n{FILL}"
    last = max((alert.resolved for alert in alerts), default=0)
    return (f"The last alert ended at {clock(last)}.\n\n" if last else "") + FILL


def _detection(report: Report) -> str:
    rows = [
        [
            clock(one.active), clock(one.fired),
            clock(one.resolved) if one.resolved else "still fires",
            one.name, one.severity, _replica(one), _notified(one, report.fired),
        ]
        for one in report.fired.alerts
    ]  # fmt: skip
    if not rows:
        return "No alert fired that Prometheus evaluates."
    head = ["active since", "fired", "resolved", "alert", "severity", "service", "in the chat"]
    return f"{table(head, rows)}\n\n{_receivers(report.fired)}"


def _replica(alert: Alert) -> str:
    return f"{alert.service} ({alert.instance})" if alert.instance else alert.service


def _notified(alert: Alert, fired: FiredAlerts) -> str:
    if fired.chat is None:
        return "no log of the chat"
    return (
        ", ".join(clock(time) for time in alert.notified)
        or "no: inhibited, silenced, or resolved too soon"
    )


def _receivers(fired: FiredAlerts) -> str:
    sent = [
        f"{name} {number(count)}"
        + (f" ({number(failed)} failed)" if (failed := fired.failed.get(name, 0)) else "")
        for name, count in sorted(fired.sent.items())
    ]
    lines = (
        f"Notifications that Alertmanager sent, by kind of receiver: {', '.join(sent) or 'none'}."
    )
    known = {alert.name for alert in fired.alerts}
    others = dict.fromkeys(one.name for one in fired.chat or () if one.name not in known)
    if others:
        lines += f" Also in the chat, from Loki or before this time: {', '.join(others)}."
    return lines


def _timeline(report: Report) -> str:
    events: list[tuple[float, str]] = []
    for alert in report.fired.alerts:
        what = f"{alert.name} of {alert.service}"
        events.append((alert.fired, f"{what} fires ({alert.severity})"))
        if alert.resolved:
            events.append((alert.resolved, f"{what} is resolved"))
    events += [(one.time, f"chat: {one.status} {one.name} of {one.service}"
                + (f" ({one.instance})" if one.instance else ""))
               for one in report.fired.chat or ()]  # fmt: skip
    events += [(change.time, change.text) for change in report.changes]
    first: dict[str, Anomaly] = {}
    for one in report.verdict.timeline:
        first.setdefault(one.component, one)
    events += [
        (a.period.first_bad, f"first anomaly in {name}: {a.description}")
        for name, a in first.items()
    ]
    return _listed(f"{clock(time)} {words}" for time, words in sorted(events))


def _listed(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items) or "Nothing was recorded."
