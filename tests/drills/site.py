"""A platform for drills: many times as fast, with queries to its components."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from alerts.draining import DRAINING
from alerts.rule_files import all_alerts
from observability.stack.local.up import absent
from tests.parts import Answer, request
from tests.stack.platform import Platform

# A line of the chat: "2026-01-01T00:00:00Z [FIRING] critical api: MiniTwitTargetDown (...) - ..."
LINE = re.compile(r"\S+ \[(FIRING|RESOLVED)\] (\w+) (\S+): (\w+)(?: \(([^)]*)\))?(.*)")
# Its mount point, if it is on a disk: in the description or, when it is over, before the summary.
DISK = re.compile(r"^ (/\S+) - | (/\S+) of \S+ has ")
QUIET = "Watchdog"
MADE_UP = "Drill"  # an alert that no rule fires: there is something to say
UNHEARD = {QUIET, *DRAINING}  # nobody is told of them


class Message(NamedTuple):
    """One message of the channel, parsed."""

    status: str
    severity: str
    service: str
    name: str
    instance: str
    rest: str
    text: str

    @property
    def disk(self) -> str:
        """The mount point that an alert on a disk names; '' of other alerts."""
        found = DISK.search(self.rest)
        return (found[1] or found[2]) if found else ""


class Site(Platform):
    """A platform; ``small`` puts the JSON logs on a disk of 24 MB (needs root)."""

    def __init__(self, run_dir: Path, scale: float, small: bool = False) -> None:
        super().__init__(run_dir, scale)
        self.scale = scale
        if scale > 1:
            # A locked statement takes two seconds at any pace, but probes come that much sooner.
            self.environment["POOL_SIZE"] = "20"
        self.small = self.run_dir / "logs/json" if small else None
        if self.small:
            self.small.mkdir(parents=True)
            command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(self.small)]
            subprocess.run(command, check=True)

    def down(self) -> None:
        """Stop, and take the small disk away."""
        try:
            super().down()
        finally:
            if self.small:
                subprocess.run(["umount", str(self.small)], check=False)
                self.small = None

    @property
    def logs_are_kept(self) -> bool:
        """Whether Loki and Promtail are here."""
        return not absent(self.settings, ("loki", "promtail"))

    def database(self) -> psycopg.Connection[Any]:
        """A session of one's own, which commits each statement."""
        url = (self.run_dir / "secrets/owner_url").read_text()
        return psycopg.connect(url, autocommit=True, application_name="drill")

    def send(self, method: str, path: str, body: object, service: str = "api") -> Answer:
        """A request as the simulator makes them; text is sent as it is."""
        data = body if isinstance(body, str) else json.dumps(body)
        headers = {
            "Authorization": "Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh",
            "Content-Type": "application/json",
        }
        return request(method, self.url(service) + path, data.encode(), headers)

    def active(self, unheard: bool = False) -> dict[str, str]:
        """Every alert that Prometheus or Loki's ruler has: its worst state.

        Those that nobody is told of are there only if asked for, the Watchdog never.
        """
        found: dict[str, str] = {}
        sources = [self.url("prometheus") + "/api/v1/alerts"]
        if self.logs_are_kept and self.process("loki").state == "RUNNING":
            sources.append(self.url("loki") + "/prometheus/api/v1/alerts")
        for source in sources:
            answer = request("GET", source)
            if answer.status != 200:
                if "loki" in source or self.url("loki") in source:
                    continue  # it has just been started
                raise AssertionError(f"{source}: {answer.status}: no answer is no good news")
            for alert in answer.json()["data"]["alerts"]:
                if self.elsewhere(alert["labels"].get("mountpoint", "")):
                    continue
                name, state = alert["labels"]["alertname"], alert["state"]
                if found.get(name) != "firing":
                    found[name] = state
        left_out = {QUIET} if unheard else UNHEARD
        return {name: state for name, state in found.items() if name not in left_out}

    def fired_within(self, seconds: float) -> set[str]:
        """Every alert that Prometheus saw firing in the last ``seconds``."""
        query = f'max_over_time(ALERTS{{alertstate="firing"}}[{max(1, round(seconds))}s])'
        return {labels["alertname"] for labels, _ in self.prometheus(query)} - UNHEARD

    def messages(self, since: int = 0) -> list[Message]:
        """Return the messages on alerts in the channel, from line ``since`` on."""
        lines = self.chat_lines()[since:]
        found = [(LINE.fullmatch(line), line) for line in lines]
        parsed = (Message._make([*(p or "" for p in m.groups()), line]) for m, line in found if m)
        return [message for message in parsed if not self.elsewhere(message.disk)]

    def elsewhere(self, disk: str) -> bool:
        """Whether a disk is one of another test on this machine, which may fill it."""
        temporary = disk.startswith(f"{tempfile.gettempdir()}/")
        return temporary and not disk.startswith(f"{self.run_dir}/")

    def unsaid(self) -> int:
        """Return how many alerts the relay has not sent yet: it limits its rate."""
        from prometheus_client.parser import text_string_to_metric_families

        answer = request("GET", self.url("relay") + "/metrics")
        families = text_string_to_metric_families(answer.body.decode())
        found: dict[str, float] = {}
        for sample in (sample for family in families for sample in family.samples):
            found[sample.name] = found.get(sample.name, 0) + sample.value
        begin = time.gmtime(found.get("process_start_time_seconds", 0))
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", begin)
        said = sum(line >= since for line in self.chat_lines() if LINE.fullmatch(line))
        lost = found.get("irc_send_msg_errors_total", 0)
        return round(found.get("webhook_handled_alerts_total", said) - lost - said)

    def standing(self) -> set[tuple[str, str, str]]:
        """Return name, service and instance of alerts without an all-clear in the chat."""
        found: set[tuple[str, str, str]] = set()
        for message in self.messages():
            key = (message.name, message.service, message.instance)
            (found.add if message.status == "FIRING" else found.discard)(key)
        return found

    def held(self) -> set[tuple[str, str]]:
        """Name and service of the alerts that Alertmanager takes for firing, inhibited or not."""
        answer = request("GET", self.url("alertmanager") + "/api/v2/alerts", None, self.login)
        found = [alert["labels"] for alert in json.loads(answer.body or b"[]")]
        return {(labels["alertname"], labels["service"]) for labels in found}


def complaint(message: Message) -> str:
    """What is wrong with the text of a message; '' if nothing is."""
    known = {alert.name: alert for alert in all_alerts()}
    alert = known[message.name]
    _, _, said = message.text.partition(" ")
    wrong = {
        "too long for one line": len(said.encode()) >= 400,
        f"severity {message.severity}": message.severity != alert.severity,
        "no summary": alert.summary not in message.rest,
        "no runbook": alert.runbook_file not in message.rest,
        "a template shows through": "{{" in said or "<no value>" in said,
    }
    return "; ".join(text for text, is_so in wrong.items() if is_so)
