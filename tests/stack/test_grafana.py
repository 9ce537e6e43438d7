"""Each dashboard in Grafana itself, under load: drawn, without an error, nothing without data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from dashboards.registry import DASHBOARDS
from observability.stack.programs import tools
from observability.stack.settings import load
from tests.browser.conftest import FLAGS, installed
from tests.parts import ROOT, wait_for
from tests.stack.panels import EMPTY
from tests.stack.platform import Platform

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        tools.find("grafana", load().cache) is None or installed() is None,
        reason="GRAFANA NOT TESTED: it or Chromium is not on this machine",
    ),
]
PANEL = "section[data-testid^='data-testid Panel header']"
WORKING = "[aria-label='Panel loading bar']"
ERROR = "[data-testid='data-testid Panel status error']"
TALL = {"width": 1920, "height": 6000}  # what is not on the screen is not drawn


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize("uid", [dashboard.board.value for dashboard in DASHBOARDS])
def test_every_panel_is_drawn(stack: Platform, chromium: Browser, uid: str) -> None:
    page = chromium.new_page(viewport=TALL)  # type: ignore[arg-type]
    blank = {title for board, title in EMPTY if board == uid}

    def without_data() -> set[str]:
        page.goto(f"{stack.url('grafana')}/d/{uid}?from=now-15m&to=now&kiosk")
        page.locator(PANEL).first.wait_for()
        page.wait_for_function(f'!document.querySelector("{WORKING}")')
        assert page.locator(ERROR).count() == 0
        found = page.locator(PANEL, has_text="No data").all()
        titles = {str(p.get_attribute("data-testid")).rpartition("header ")[2] for p in found}
        return titles - blank

    wait_for("data in every panel", lambda: not without_data(), 180)
    folder = ROOT / "test-output" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{uid}.png", full_page=True)
    page.close()
