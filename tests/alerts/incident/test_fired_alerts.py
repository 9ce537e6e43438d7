"""Which alerts belong to an incident, and which lines of the chat are about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alerts.incident import fired_alerts
from alerts.incident.fired_alerts import FiredAlerts
from alerts.incident.prometheus_api import Prometheus
from alerts.incident.time_window import Window, stamp

NOW = 1_800_000_000.0
WINDOW = Window(NOW, NOW + 600)
LABELS = {"alertname": "MiniTwitErrorRatio", "severity": "critical", "service": "api"}


def series(labels: dict[str, str], begin: float, end: float, value: float) -> dict[str, Any]:
    times = range(round(begin), round(end) + 1, 5)
    return {"metric": labels, "values": [[t, str(value)] for t in times]}


def gathered(
    firing: list[tuple[float, float]], since: float, chat: Path | None = None
) -> FiredAlerts:
    state = {**LABELS, "alertstate": "firing"}

    def get(address: str) -> Any:
        query = parse_qs(urlsplit(address).query)["query"][0]
        if query.startswith("ALERTS_FOR_STATE"):
            return {"data": {"result": [series(LABELS, NOW, NOW + 600, since)]}}
        found = []
        if query.startswith("ALERTS{"):
            values = [v for a, b in firing for v in series(state, a, b, 1)["values"]]
            found = [{"metric": state, "values": values}]
        return {"data": {"result": found}}

    return fired_alerts.gather(Prometheus("", get), WINDOW, chat)


def test_an_alert_begins_fires_and_ends() -> None:
    [alert] = gathered([(NOW + 100, NOW + 160)], NOW + 90).alerts
    assert (alert.active, alert.fired, alert.resolved) == (NOW + 90, NOW + 100, NOW + 165)
    assert gathered([(NOW + 100, NOW + 600)], NOW + 90).alerts[0].resolved == 0, "it still fires"


def test_it_fires_twice_if_it_ended_between() -> None:
    found = gathered([(NOW + 100, NOW + 160), (NOW + 300, NOW + 310)], NOW + 90)
    assert [alert.fired for alert in found.alerts] == [NOW + 100, NOW + 300]


def test_what_became_active_before_the_window_is_of_an_earlier_incident() -> None:
    """A burn rate stays pending for long, and may fire during another incident."""
    found = gathered([(NOW + 100, NOW + 160)], NOW - 200)
    assert found.alerts[0].before
    assert found.first_active == 0
    assert gathered([(NOW + 100, NOW + 160)], NOW + 90).first_active == NOW + 90


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[FIRING] critical api: MiniTwitErrorRatio - Too many", True),
        ("[RESOLVED] critical api: MiniTwitErrorRatio - Too many", False),
        ("[FIRING] critical web: MiniTwitErrorRatio - Too many", False),
        ("[FIRING] critical api: MiniTwitNoPosts - none", False),
        ("<somebody> [FIRING] critical api: MiniTwitErrorRatio", False),
    ],
)
def test_the_chat_was_told(tmp_path: Path, line: str, told: bool) -> None:
    (chat := tmp_path / "chat.log").write_text(f"{stamp(NOW + 104)} {line}\nnonsense\n")
    [alert] = gathered([(NOW + 100, NOW + 160)], NOW + 90, chat).alerts
    assert alert.notified == ((NOW + 104,) if told else ())
