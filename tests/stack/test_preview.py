"""The preview on a platform under load: every panel drawn or explained, its numbers Prometheus'."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from dashboards.registry import DASHBOARDS
from tests.browser.chromium import launch, provide
from tests.parts import PATIENCE, ROOT, request, wait_for
from tests.stack.panels import EMPTY, get
from tests.stack.platform import Platform

# Its browser may have to be installed first.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
BOARDS = [dashboard.board.value for dashboard in DASHBOARDS]
EXPLAINED = {"unsupported", "absent"}  # a kind that only Grafana draws; no Loki here
PANEL = "details[open] .panel, main > .grid .panel"
# A panel's values and the addresses that it asked for them, of the same moment.
SHOWN = """panel => [
    [...panel.querySelectorAll(".value")].map(one => one.dataset.value),
    JSON.parse(panel.dataset.urls),
]"""


@pytest.fixture(scope="module")
def address(stack: Platform) -> Iterator[str]:
    """Return the preview's URL: the platform's where there is no Grafana, or ours."""
    url = stack.url("preview")
    command = [sys.executable, "-m", "observability.stack", "preview"]
    environment = {**os.environ, **stack.environment}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for("the preview", lambda: request("GET", url).status == 200)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Chromium, which ends with this module: its driver keeps an event loop running."""
    provide(pytestconfig)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on a wide screen."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    page.close()


def states(page: Page) -> dict[str, str]:
    """What became of each panel: loading, ok, empty, absent, unsupported or error."""
    panels = page.locator(PANEL)
    found = panels.evaluate_all("all => all.map(p => [p.dataset.panel, p.dataset.state])")
    return dict(found)


def show(page: Page, address: str, uid: str) -> dict[str, str]:
    """Open a board with all its rows and wait until each panel has its answer."""
    page.goto("about:blank")
    page.goto(f"{address}/#board={uid}&range=900&open=all")
    page.locator(".panel").first.wait_for()
    wait_for("all answers", lambda: "loading" not in states(page).values())
    return states(page)


@pytest.mark.parametrize("uid", BOARDS)
def test_every_panel_is_drawn_or_says_why_not(
    stack: Platform, address: str, page: Page, uid: str
) -> None:
    quiet = {title for board, title in EMPTY if board == uid}
    deadline = time.monotonic() + PATIENCE

    def amiss() -> dict[str, str]:
        return {
            title: state
            for title, state in show(page, address, uid).items()
            if state != "ok"
            and state not in EXPLAINED
            and not (state == "empty" and title in quiet)
        }

    while (wrong := amiss()) and time.monotonic() < deadline:
        continue
    assert not wrong, f"{uid}: {wrong}"


@pytest.mark.parametrize("uid", BOARDS)
def test_numbers_are_those_of_prometheus(
    stack: Platform, address: str, page: Page, uid: str
) -> None:
    show(page, address, uid)
    compared = 0
    for panel in page.locator(PANEL).all():
        if panel.get_attribute("data-kind") in ("timeseries", "stat") and asks_prometheus(panel):
            what = f"Prometheus's numbers in {panel.get_attribute('data-panel')}"
            wait_for(what, partial(agrees, stack, panel))
            compared += 1
    assert compared or uid in ("minitwit-logs", "minitwit-trace")


def asks_prometheus(panel: Locator) -> bool:
    return "/data/prometheus/" in (panel.get_attribute("data-urls") or "")


def agrees(stack: Platform, panel: Locator) -> bool:
    """Whether each series' last value is Prometheus's; the page asks anew every 30 seconds."""
    texts, urls = panel.evaluate(SHOWN)
    return sorted(float(text) for text in texts if text) == answered(stack, urls)


def answered(stack: Platform, urls: list[str]) -> list[float]:
    """The last value of each series by Prometheus, asked for the same time."""
    last: list[float] = []
    for url in urls:
        parts = urllib.parse.urlsplit(url)
        path = parts.path.replace("/data/prometheus/", "/api/v1/")
        query = dict(urllib.parse.parse_qsl(parts.query))
        for series in get(stack, "prometheus", path, **query)["result"]:
            values = [float(v) for _, v in series.get("values") or [series["value"]]]
            last += [v for v in values if not math.isnan(v)][-1:]
    return sorted(last)


def test_a_narrow_screen_shows_it_whole(address: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page.set_default_timeout(PATIENCE * 1000)
    show(page, address, BOARDS[0])
    size: Any = page.evaluate("() => [document.body.scrollWidth, innerWidth]")
    assert size[0] <= size[1]
    page.close()


def test_the_keyboard_refreshes(address: str, page: Page) -> None:
    show(page, address, BOARDS[0])
    with page.expect_request("**/data/prometheus/**"):
        page.keyboard.press("r")
