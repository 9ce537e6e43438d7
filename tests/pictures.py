"""Draws every dashboard of the running platform: ``make pictures``.

Grafana draws them where it runs, the preview elsewhere; drawn.txt beside them says which.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from dashboards.preview.application import BOARDS
from observability.stack.local import status
from observability.stack.settings import StackError, load
from tests.browser.conftest import FLAGS, installed
from tests.parts import ROOT

WIDTH, HEIGHT = 1600, 1000
LOADING = {
    "Grafana": "[aria-label='Panel loading bar']",
    "the preview": ".panel[data-state=loading]",
}
DEADLINE = 60.0


def main() -> int:
    """Write the pictures; 1 if no platform runs here."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/pictures", help="%(default)s")
    parser.add_argument("--suffix", default="", help="added to each name, such as -trouble")
    options = parser.parse_args()
    try:
        layout = status.running(load())
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    by, component = (
        ("Grafana", "grafana")
        if "grafana" in layout.deployment.runs
        else ("the preview", "preview")
    )
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for uid in sorted(file.stem for file in BOARDS.glob("*.json")):
            address = f"http://{layout.address(component)}"
            draw(page, by, address, uid)
            page.screenshot(path=options.out / f"{uid}{options.suffix}.png")
            print(f"{uid}: drawn by {by}")
        browser.close()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    said = f"Drawn by {by} on {time.strftime('%Y-%m-%d')} at commit {commit}: `make pictures`.\n"
    (options.out / f"drawn{options.suffix}.txt").write_text(said)
    return 0


def draw(page: Page, by: str, address: str, uid: str) -> None:
    """Open a board and wait until nothing loads."""
    way = f"/d/{uid}?from=now-15m&to=now&kiosk" if by == "Grafana" else f"/#board={uid}&range=900"
    page.goto("about:blank")
    page.goto(address + way)
    page.wait_for_load_state("networkidle")
    end = time.monotonic() + DEADLINE
    while page.locator(LOADING[by]).count() and time.monotonic() < end:
        page.wait_for_timeout(200)


if __name__ == "__main__":
    sys.exit(main())
