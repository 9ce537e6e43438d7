"""Checks that each component's signal arrives, which a running process does not prove.

Every check returns a ``CheckResult``. What does not respond makes a check fail, never pass; what is
not part of this platform is not asked.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg

from observability.exporters import NOTIFICATION_FAILURES, PG_UP, PROBE_SUCCESS
from observability.stack.components import Component
from observability.stack.irc.client import Connection
from observability.stack.local import databases
from observability.stack.local.layout import DASHBOARDS, Layout
from observability.stack.local.ready import get_json
from observability.stack.targets import CHANNEL, CHATLOG_NICK, PROBES, RELAY_NICK

SOON = 10.0  # seconds: rules that are evaluated less often are not waited for
SIMULATOR_PATIENCE = 3.0  # seconds in which the simulator must act


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check; ``pending`` may still become ``ok`` by itself.

    ``scraped``: when Prometheus scraped the sample that made the result bad, in seconds since the
    epoch; None if the check asked the component itself.
    """

    state: Literal["ok", "pending", "bad"]
    text: str
    scraped: float | None = None

    def settled(self, since: float) -> bool:
        """Return whether the result is final for a command that began at ``since``.

        A sample that is older than the command may show a fault that is over.
        """
        if self.state == "bad" and self.scraped is not None:
            return self.scraped >= since
        return self.state != "pending"


def check(layout: Layout, component: Component) -> CheckResult:
    """Return the worst result of a component's checks."""
    checks = [*CHECKS.get(component.name, ())]
    if component.job and "prometheus" in layout.deployment.components:
        checks.insert(0, lambda layout: target(layout, component.job))
    found = [_guarded(one, layout) for one in checks]
    for state in ("bad", "pending"):
        for result in found:
            if result.state == state:
                return result
    return CheckResult(
        "ok",
        ", ".join(result.text for result in found) or ("ended well" if component.once else "runs"),
    )


def _guarded(one: Callable[[Layout], CheckResult], layout: Layout) -> CheckResult:
    try:
        return one(layout)
    except (OSError, http.client.HTTPException, psycopg.Error, ValueError) as error:
        return CheckResult("bad", f"check failed: {error or type(error).__name__}")
    except (KeyError, IndexError, TypeError, AttributeError):  # another program has the port
        return CheckResult("bad", "check failed: it answers with other JSON than expected")


def prometheus(layout: Layout, path: str, **query: str) -> Any:
    """Return the ``data`` of Prometheus's response; ValueError if the query failed."""
    answer = get_json(layout.address("prometheus"), f"/api/v1/{path}", **query)
    if answer.get("status") != "success":
        raise ValueError(answer.get("error", "no answer"))
    return answer["data"]


def samples(layout: Layout, query: str) -> list[tuple[Mapping[str, str], float]]:
    """Return labels and value of each sample of an instant query."""
    result = prometheus(layout, "query", query=query)["result"]
    return [(row["metric"], float(row["value"][1])) for row in result]


def oldest_scrape(layout: Layout, selector: str, condition: str = "") -> float | None:
    """Return when the oldest sample meeting ``condition`` was scraped, in epoch seconds."""
    times = samples(layout, scrape_times(selector, condition))
    return min((at for _, at in times), default=None)


def scrape_times(selector: str, condition: str) -> str:
    """Return PromQL for the scrape times of the samples that meet ``condition``.

    timestamp() of anything but a selector is the time of the query.
    """
    return f"timestamp({selector}) and ({selector} {condition})"


def target(layout: Layout, job: str) -> CheckResult:
    """Check that Prometheus scrapes the job."""
    targets = prometheus(layout, "targets", state="active")["activeTargets"]
    mine = [t for t in targets if t["labels"]["job"] == job]
    if not targets:  # discovery starts some seconds after Prometheus
        return CheckResult("pending", "Prometheus has found no targets yet")
    if not mine:
        return CheckResult("bad", "no target in Prometheus")
    down = [t for t in mine if t["health"] == "down"]
    if down:
        last = min(datetime.fromisoformat(t["lastScrape"]).timestamp() for t in down)
        return CheckResult("bad", f"target down: {down[0]['lastError']}", last)
    if any(t["health"] == "unknown" for t in mine):
        return CheckResult("pending", "waiting for the first scrape")
    return CheckResult("ok", "scraped")


def rules(layout: Layout) -> CheckResult:
    """Check that all rule files are loaded and every rule evaluates."""
    files = {str(path) for path in layout.rules.glob("*.yml")}
    groups = prometheus(layout, "rules")["groups"]
    if not files:
        return CheckResult("bad", "no rule files; make dashboards generates them")
    if missing := files - {group["file"] for group in groups}:
        return CheckResult("bad", f"not loaded: {', '.join(sorted(missing))}")
    all_rules = [rule for group in groups for rule in group["rules"]]
    if broken := [rule["name"] for rule in all_rules if rule["health"] == "err"]:
        return CheckResult("bad", f"rule fails: {', '.join(broken[:3])}")
    quick = [rule for group in groups if group["interval"] <= SOON for rule in group["rules"]]
    if any(rule["health"] == "unknown" for rule in quick):
        return CheckResult("pending", "rules not evaluated yet")
    return CheckResult("ok", f"{len(all_rules)} rules healthy")


def notifications(layout: Layout) -> CheckResult:
    """Check that Prometheus knows the Alertmanager, and that what it sends there arrives."""
    if "prometheus" not in layout.deployment.components:
        return CheckResult("ok", "runs")
    known = prometheus(layout, "alertmanagers")["activeAlertmanagers"]
    if not any(layout.address("alertmanager") in one["url"] for one in known):
        return CheckResult("bad", "Prometheus does not know it")
    failures = samples(layout, f"sum(increase({NOTIFICATION_FAILURES}[5m]))")
    if not failures:
        return CheckResult("pending", "no notifications counted yet")
    if failures[0][1] > 0:
        return CheckResult("bad", "notifications failed within 5 minutes")
    return CheckResult("ok", "Prometheus sends to it, none failed")


def probes(layout: Layout) -> CheckResult:
    """Check that every probe succeeds."""
    if "prometheus" not in layout.deployment.components:
        return CheckResult("ok", "runs")
    expected = {probe.name for probe in PROBES if probe.asked in layout.deployment.components}
    seen = {labels["probe"]: value for labels, value in samples(layout, str(PROBE_SUCCESS))}
    if failing := sorted(expected & {name for name, value in seen.items() if value != 1}):
        text = f"probe fails: {', '.join(failing)}"
        return CheckResult("bad", text, oldest_scrape(layout, str(PROBE_SUCCESS), "!= 1"))
    if missing := sorted(expected - seen.keys()):
        return CheckResult("pending", f"no result yet: {', '.join(missing)}")
    return CheckResult("ok", f"{len(expected)} probes succeed")


def database(layout: Layout) -> CheckResult:
    """Check that the database exists, and that the exporter, and so Prometheus, sees it."""
    if not databases.exists(layout):
        return CheckResult("bad", f"no database {databases.name(layout)}; make up tells more")
    if not {"prometheus", "postgres-exporter"} <= layout.deployment.components:
        return CheckResult("ok", "runs")
    seen = samples(layout, str(PG_UP))
    if not seen:
        return CheckResult("pending", "waiting for the exporter")
    if seen[0][1] == 1:
        return CheckResult("ok", "seen")
    return CheckResult("bad", "the exporter reports it down", oldest_scrape(layout, str(PG_UP)))


def visit(layout: Layout) -> Connection:
    """Connect to the chat under a nick of its own."""
    password = (layout.settings.secrets / "chat_password").read_text()
    nick = f"status-{time.monotonic_ns() % 10**9}"
    return Connection(layout.address("ngircd"), nick, password)


def present(nick: str) -> Callable[[Layout], CheckResult]:
    """Return the check that ``nick`` is in the channel."""

    def one(layout: Layout) -> CheckResult:
        with visit(layout) as chat:
            there = nick in chat.members(CHANNEL)
        return (
            CheckResult("ok", f"in {CHANNEL}")
            if there
            else CheckResult("pending", f"not in {CHANNEL} yet")
        )

    return one


def channel(layout: Layout) -> CheckResult:
    """Check that the chat server accepts a client, and has the channel."""
    with visit(layout) as chat:
        return CheckResult("ok", f"{len(chat.members(CHANNEL))} in {CHANNEL}")


def simulator(layout: Layout) -> CheckResult:
    """Check that the simulator's latest id advances."""
    deadline = time.monotonic() + SIMULATOR_PATIENCE
    first = get_json(layout.address("api"), "/latest")["latest"]
    while time.monotonic() < deadline:
        time.sleep(0.1)
        latest = get_json(layout.address("api"), "/latest")["latest"]
        if latest != first:
            return CheckResult("ok", f"latest id {latest}")
    return CheckResult("bad", f"latest id stays at {first}")


def lines(layout: Layout) -> CheckResult:
    """Check that log lines of the services arrive."""
    query = 'sum(count_over_time({service=~".+"}[5m]))'
    answer = get_json(layout.address("loki"), "/loki/api/v1/query", query=query)
    found = answer["data"]["result"]
    if not found:
        return CheckResult("pending", "no lines yet")
    return CheckResult("ok", f"{found[0]['value'][1]} lines in 5 minutes")


def dashboards(layout: Layout) -> CheckResult:
    """Check that Grafana serves every generated dashboard."""
    expected = len(list(DASHBOARDS.glob("*.json")))
    served = len(get_json(layout.address("grafana"), "/api/search", type="dash-db"))
    if served < expected:
        return CheckResult("pending", f"{served} of {expected} dashboards")
    return CheckResult("ok", f"{served} dashboards")


CHECKS: Mapping[str, tuple[Callable[[Layout], CheckResult], ...]] = {
    "prometheus": (rules,),
    "alertmanager": (notifications,),
    "blackbox": (probes,),
    "postgres": (database,),
    "ngircd": (channel,),
    "relay": (present(RELAY_NICK),),
    "chatlog": (present(CHATLOG_NICK),),
    "load": (simulator,),
    "loki": (lines,),
    "grafana": (dashboards,),
}
