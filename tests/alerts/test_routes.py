"""Notifications with all receivers set: who, how soon, how often, and ends."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

from observability.conventions import MONITORING_BLIND
from observability.stack.config.receivers import RECEIVERS
from observability.stack.programs.tools import require
from observability.stack.settings import load
from tests.parts import ROOT

CONFIG = ROOT / "deploy/generated/alertmanager.yml"
DOCUMENT: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
SERVICES = tuple(receiver.name for receiver in RECEIVERS)
PAGES, TICKETS = [f"{name}-pages" for name in SERVICES], [*SERVICES]
TOLD = {
    "severity=critical alertname=MiniTwitTargetDown": [*PAGES, "chat"],
    "severity=critical alertname=MiniTwitProbeFailing": [*PAGES, "chat"],
    "severity=warning alertname=MiniTwitDatabaseSlow": [*TICKETS, "chat"],
    "severity=info alertname=MiniTwitTestAlert": [*TICKETS, "chat"],
    "severity=none alertname=MiniTwitDraining1m": ["nobody"],
    f"severity=critical alertname={MONITORING_BLIND}": [*PAGES, "nobody"],
}
# Of pages: first, after a change, again.
SOON, LATE = ("5s", "30s", "4h"), ("30s", "5m", "12h")
WAITS = {
    ("MiniTwitProbeFailing", "api"): "10s",
    ("MiniTwitProbeFailing", "web"): "20s",
    ("MiniTwitErrorRatio", "web"): "20s",
    ("MiniTwitErrorRatio", "api"): "20s",
    ("MiniTwitNoPosts", "api"): "20s",
    ("MiniTwitBurnRate1h", "api"): "20s",
    ("MiniTwitBurnRate6h", "api"): "20s",
}


@pytest.mark.parametrize("labels", TOLD)
@pytest.mark.parametrize("service", ["api", "web"])
def test_who_is_told(labels: str, service: str) -> None:
    amtool = require(["amtool"], load().cache)["amtool"].path
    command = [str(amtool), "config", "routes", "test", f"--config.file={CONFIG}"]
    done = subprocess.run(
        [*command, *labels.split(), f"service={service}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().split(",") == TOLD[labels]


def pages() -> list[dict[str, Any]]:
    """The routes of pages: to the chat, and to each service that may be set."""
    found = [r for r in DOCUMENT["route"]["routes"] if "routes" in r]
    assert len(found) == len(PAGES) + 1
    return found


def paces(route: dict[str, Any]) -> tuple[str, str, str]:
    return route["group_wait"], route["group_interval"], route["repeat_interval"]


def test_pages_are_told_at_once_and_the_rest_together() -> None:
    assert [paces(route) for route in pages()] == [SOON] * (len(PAGES) + 1)
    root = DOCUMENT["route"]
    assert (root["receiver"], *paces(root)) == ("chat", *LATE)
    assert root["group_by"] == ["alertname", "service"]
    [chat] = [route for route in pages() if route["receiver"] == "chat"]
    assert chat["group_by"] == ["alertname", "service", "instance"]
    silent = [route for route in root["routes"] if route["receiver"] == "nobody"]
    waits = {route["group_wait"] for route in silent if "group_wait" in route}
    assert waits == {"1s"}


@pytest.mark.parametrize(("alert", "service"), WAITS)
def test_a_consequence_of_every_page_waits_for_its_cause(alert: str, service: str) -> None:
    amtool = require(["amtool"], load().cache)["amtool"].path
    labels = [f"alertname={alert}", f"service={service}", "severity=critical"]
    for route in pages():
        routes = [{**one, "receiver": one["group_wait"]} for one in route["routes"]]
        names = [{"name": name} for name in {"5s", *(one["receiver"] for one in routes)}]
        config = {"route": {"receiver": "5s", "routes": routes}, "receivers": names}
        done = subprocess.run(
            [str(amtool), "config", "routes", "test", "--config.file=/dev/stdin", *labels],
            input=yaml.safe_dump(config), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == WAITS[alert, service], route["receiver"]


def test_the_watchdog_goes_where_its_silence_is_noticed() -> None:
    [watchdog] = [
        route
        for route in DOCUMENT["route"]["routes"]
        if 'alertname="Watchdog"' in route["matchers"]
    ]
    assert paces(watchdog) == ("1s", "5s", "1ms")


def test_the_end_is_told_to_all_but_the_dead_man_s_switch() -> None:
    for receiver in DOCUMENT["receivers"]:
        for kind, configs in receiver.items():
            if kind != "name":
                told = [config["send_resolved"] for config in configs]
                assert told == [receiver["name"] != "deadman"], receiver["name"]
