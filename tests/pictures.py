"""Draws the running platform: every dashboard, MiniTwit's own page, the chat: ``make pictures``.

Grafana draws the dashboards where it runs, the preview elsewhere; drawn.txt beside them says which.
"""

from __future__ import annotations

import argparse
import html
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from dashboards.preview.application import BOARDS
from observability.stack.local import status
from observability.stack.local.layout import Layout
from observability.stack.settings import StackError, load
from observability.stack.targets import CHANNEL
from tests.browser.chromium import launch
from tests.parts import ROOT
from tests.stack.grafana import Reader

WIDTH, HEIGHT = 1600, 1000
LOADING = ".panel[data-state=loading]"
DEADLINE = 60.0
LINES = 12  # the last ones of the channel
CHAT = (
    "<body style='margin:0;padding:20px;background:#111217;color:#d8d9da;width:1000px'>"
    "<h1 style='font:600 18px sans-serif'>{channel}</h1>"
    "<pre style='font:14px/1.5 monospace;white-space:pre-wrap;overflow-wrap:anywhere'>{text}</pre>"
)


def main() -> int:
    """Write the pictures; 1 if no platform runs here."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("only", nargs="*", help="uids of dashboards, page, chat (default: all)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/pictures", help="%(default)s")
    parser.add_argument("--suffix", default="", help="added to each name, such as -trouble")
    options = parser.parse_args()
    try:
        layout = status.running(load())
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    shown = "grafana" in layout.deployment.components
    by, component = ("Grafana", "grafana") if shown else ("the preview", "preview")
    address = f"http://{layout.address(component)}"
    names = options.only or [*sorted(file.stem for file in BOARDS.glob("*.json")), *OTHERS]
    with sync_playwright() as playwright:
        browser = launch(playwright)
        draw = in_grafana(browser, address) if shown else in_preview(browser, address)
        for name in names:
            file = options.out / f"{name}{options.suffix}.png"
            if name in OTHERS:
                OTHERS[name](browser, layout).screenshot(path=file)
            else:
                save(draw(name), file)
            print(f"{name}: drawn{'' if name in OTHERS else f' by {by}'}", flush=True)
        browser.close()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    said = f"Drawn by {by} on {time.strftime('%Y-%m-%d')} at commit {commit}: `make pictures`.\n"
    (options.out / f"drawn{options.suffix}.txt").write_text(said)
    return 0


def save(page: Page, file: Path, whole: bool = False) -> None:
    """Write the picture of a board; the ``whole`` page, or what a screen shows."""
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.wait_for_timeout(500)  # until it has redrawn
    page.screenshot(path=file, full_page=whole)


def web_page(browser: Browser, layout: Layout) -> Page:
    """Open MiniTwit's public timeline."""
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    page.goto(f"http://{layout.address('web')}/public", wait_until="networkidle")
    return page


def chat(browser: Browser, layout: Layout) -> Page:
    """Show the last lines of the on-call channel, as its log has them."""
    log = layout.settings.run_dir / "logs/chat.log"
    text = "\n".join(log.read_text().splitlines()[-LINES:])
    page = browser.new_page(viewport={"width": 1040, "height": 100})
    page.set_content(CHAT.format(channel=html.escape(CHANNEL), text=html.escape(text)))
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": 1040, "height": height})
    return page


OTHERS = {"page": web_page, "chat": chat}


def in_grafana(browser: Browser, address: str) -> Callable[[str], Page]:
    """Return what opens a board and waits until every panel of it is drawn."""
    reader = Reader(browser, address)

    def draw(uid: str) -> Page:
        reader.open(uid, DEADLINE)
        return reader.page

    return draw


def in_preview(browser: Browser, address: str, seconds: int = 900) -> Callable[[str], Page]:
    """Return what opens a board of the last ``seconds`` and waits until nothing loads."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})

    def draw(uid: str) -> Page:
        page.goto("about:blank")
        page.goto(f"{address}/#board={uid}&range={seconds}")
        page.wait_for_load_state("networkidle")
        end = time.monotonic() + DEADLINE
        while page.locator(LOADING).count() and time.monotonic() < end:
            page.wait_for_timeout(200)
        return page

    return draw


if __name__ == "__main__":
    sys.exit(main())
