"""The command ``make alert-test``: sends an alert to every receiver, reports delivery."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from observability.dashboard_uids import Board
from observability.stack import http_answer
from observability.stack.config.receivers import RECEIVERS
from observability.stack.local import logins
from observability.stack.local.layout import Layout
from observability.stack.local.table import GREEN, RED, show
from observability.stack.settings import StackError

NAME = "MiniTwitTestAlert"
TIMEOUT_SECONDS = 45.0
COUNTER_LINE = re.compile(r"alertmanager_notification_requests(_failed)?_total{(.*)} (\S+)")
CHAT, DELIVERED = "chat", "delivered"


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """Address and headers of Alertmanager."""

    url: str
    headers: Mapping[str, str]

    def ask(self, path: str, body: bytes | None = None) -> str:
        """Send a request, with ``body`` as JSON if given; return the text.

        ``StackError`` if Alertmanager does not answer.
        """
        headers = {**self.headers, "Content-Type": "application/json"}
        call = urllib.request.Request(self.url + path, body, headers)  # noqa: S310
        try:
            return http_answer.body(call, timeout=10).decode(errors="replace")
        except urllib.error.HTTPError as error:
            raise StackError(
                f"Alertmanager refuses the request: {http_answer.refusal(error)}"
            ) from None
        except OSError as error:
            raise StackError(f"Alertmanager does not answer ({error}). Is it up? make up") from None


def run(layout: Layout) -> int:
    """Return 0 if each receiver accepted it, else 1; ``StackError`` without an Alertmanager."""
    alertmanager = Alertmanager(
        f"http://{layout.address('alertmanager')}",
        logins.headers(layout.settings.secrets, "alertmanager"),
    )
    chat = layout.settings.logs / "chat.log"
    expected = [
        receiver.integration
        for receiver in RECEIVERS
        if all((layout.settings.secrets / name).exists() for name in receiver.secrets)
    ]
    before, test_id = counts(alertmanager), datetime.now(UTC).strftime("%H%M%S%f")
    begin = datetime.now(UTC)
    send(alertmanager, layout, test_id, begin, begin + timedelta(minutes=5))
    print(
        f"Sent {NAME} {test_id}; waiting for {CHAT}{''.join(f', {name}' for name in expected)} ..."
    )
    results = _wait(alertmanager, chat, test_id, set(expected), before)
    send(alertmanager, layout, test_id, begin, datetime.now(UTC))  # over
    rows = [(name, results.get(name, "nothing heard")) for name in (CHAT, *expected)]
    good = {name: result == DELIVERED for name, result in rows}
    show(("receiver", "result"), [(GREEN if good[row[0]] else RED, row) for row in rows])
    return 0 if all(good.values()) else 1


def _wait(
    alertmanager: Alertmanager,
    chat: Path,
    test_id: str,
    names: set[str],
    before: dict[tuple[str, str], float],
) -> dict[str, str]:
    """Return the result by receiver, as far as it is known in time."""
    found: dict[str, str] = {}
    refused: dict[str, str] = {}
    end = time.monotonic() + TIMEOUT_SECONDS
    while found.keys() < {CHAT, *names} and time.monotonic() < end:
        time.sleep(0.5)
        now = counts(alertmanager)
        for name in names - found.keys():
            tried, failed = (
                now.get((kind, name), 0) - before.get((kind, name), 0) for kind in ("", "_failed")
            )
            if tried > failed:
                found[name] = DELIVERED
            elif failed:
                refused[name] = f"FAILED {failed:.0f} times: Alertmanager's log says why"
        if chat.exists() and test_id in chat.read_text():
            found[CHAT] = DELIVERED
    return refused | found


def send(
    alertmanager: Alertmanager, layout: Layout, test_id: str, begin: datetime, end: datetime
) -> None:
    """Send the alert to Alertmanager; one that has ended is an all-clear."""
    alert = {
        "labels": {
            "alertname": NAME, "severity": "critical", "service": "test", "instance": test_id,
        },
        "annotations": {
            "summary": "This is a test, nothing is wrong.",
            "impact": "nobody",
            "description": "Somebody tests whether alerts arrive: make alert-test.",
            "runbook_url": f"{layout.deployment.runbook_base}/README.md",
            "dashboard_url": f"{layout.deployment.grafana_url}{Board.MONITORING.path}",
        },
        "startsAt": begin.isoformat(),
        "endsAt": end.isoformat(),
    }  # fmt: skip
    alertmanager.ask("/api/v2/alerts", json.dumps([alert]).encode())


def counts(alertmanager: Alertmanager) -> dict[tuple[str, str], float]:
    """Return attempts ('') and failures ('_failed') of external receivers, by integration."""
    text = alertmanager.ask("/metrics")
    found: dict[tuple[str, str], float] = {}
    for kind, labels, value in COUNTER_LINE.findall(text):
        pairs = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if pairs.get("receiver_name") not in ("deadman", "chat"):
            key = (kind, pairs["integration"])
            found[key] = found.get(key, 0) + float(value)
    return found
