"""MonitoringBlind, the alert that inhibits false all-clears while Prometheus is down.

Prometheus sends a firing alert again every 40 s (the first evaluation after RESEND_SECONDS = 39),
with an ``endsAt`` of 4 x max(RESEND_SECONDS, evaluation interval) = 156 s after that. Once
Prometheus is down, Alertmanager therefore resolves each alert 116 to 156 s later, and would send
an all-clear. This alert inhibits them, and neither start nor end of an inhibited alert is sent. It
must be there before 116 s: the switch posts it after 101 s at the latest, which are 5 s until
Alertmanager passes on the last heartbeat, 95 s of silence and 1 s until the switch checks.
"""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from observability.conventions import MONITORING_BLIND, RUNBOOK_BASE
from observability.stack import http_answer

PATIENCE = 3.0  # seconds for a response
LARGEST = 4_000_000  # bytes of a response; the switch may use 32 MB
AGAIN = 20  # posts while one lasts
QUERY = "active=true&silenced=false&inhibited="


class Blindness:
    """Posts and ends the alert at Alertmanager; each post lasts ``hold`` seconds.

    ``login`` is user and password as HTTP's basic authentication takes them, or ''. ``runbooks`` is
    the address of their folder.
    """

    def __init__(
        self, alertmanager: str, login: str, hold: float, runbooks: str = RUNBOOK_BASE
    ) -> None:
        self._login, self._runbooks = login, runbooks
        self._base = f"http://{alertmanager}/api/v2/alerts"
        self._hold = timedelta(seconds=hold)
        self._begin: datetime | None = None
        self._posted = datetime.min.replace(tzinfo=UTC)
        self.open: list[str] = []

    @property
    def posted(self) -> bool:
        """Whether Alertmanager has the alert."""
        return self._begin is not None

    def keep(self) -> None:
        """Post the alert if it is due; the first time, record which alerts fire.

        OSError if Alertmanager is down or refuses it; another error if it is no Alertmanager.
        """
        now = datetime.now(UTC)
        if self._begin and now - self._posted < self._hold / AGAIN:
            return
        if self._begin is None:
            self.open = self._firing(inhibited=False)
        self._post(self._begin or now, now + self._hold)
        self._begin, self._posted = self._begin or now, now

    def firing(self) -> set[str]:
        """Return the firing alerts that this one inhibits."""
        return set(self._firing(inhibited=True))

    def end(self) -> None:
        """End the alert, so that the others are no longer inhibited."""
        if self._begin:
            self._post(self._begin, datetime.now(UTC))
        self._begin, self.open = None, []

    def _firing(self, inhibited: bool) -> list[str]:
        alerts = json.loads(self._call(f"{self._base}?{QUERY}{str(inhibited).lower()}"))
        found = [alert["labels"] for alert in alerts]
        told = [a for a in found if a.get("severity") != "none"]
        others = [a for a in told if a["alertname"] != MONITORING_BLIND]
        pages_first = sorted(others, key=lambda a: (a.get("severity") != "critical", _name(a)))
        return list(dict.fromkeys(map(_name, pages_first)))

    def _post(self, begin: datetime, end: datetime) -> None:
        alert: dict[str, Any] = {
            "labels": {
                "alertname": MONITORING_BLIND, "severity": "critical", "service": "prometheus",
            },
            "annotations": {
                "summary": "Monitoring is blind: Prometheus's heartbeat does not arrive.",
                "impact": "operators: they are told nothing",
                "description": "No other alert is announced, and no all-clear, until it does.",
                "runbook_url": f"{self._runbooks}/Watchdog.md",
            },
            "startsAt": begin.isoformat(),
            "endsAt": end.isoformat(),
        }  # fmt: skip
        self._call(self._base, json.dumps([alert]).encode())

    def _call(self, url: str, body: bytes | None = None) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._login:
            headers["Authorization"] = f"Basic {self._login}"
        call = urllib.request.Request(url, body, headers)  # noqa: S310  # the operator's own address
        return http_answer.body(call, PATIENCE, LARGEST)


def _name(labels: dict[str, str]) -> str:
    return f"{labels['alertname']} of {labels.get('service', '?')}"
