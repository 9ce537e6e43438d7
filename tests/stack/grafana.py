"""Grafana's pages as a reader sees them: opened, waited for, judged, and measured.

``python -m tests.stack.grafana [board]`` prints how long the running platform's board takes to
load in a browser, and how many queries it asks.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Response, sync_playwright
from playwright.sync_api import Error as Broken

from observability.dashboard_uids import Board
from observability.stack.local import status
from observability.stack.settings import load
from tests.browser.chromium import launch
from tests.parts import PATIENCE, ROOT, wait_for

WIDTH = 1600
UNIT = 38  # pixels of a line of the grid, with its gap
BARS = 240  # pixels above and below the panels
UNDOCKED = "localStorage.setItem('grafana.navigation.docked', 'false')"
QUERIES = ("/api/ds/query", "/api/datasources/")
NO_DATA = "No data"
WRITTEN = ("stat", "timeseries", "table")  # lines of logs are long on purpose
# What each panel shows now, and whether the page still works on any.
READ = """() => {
    const name = "data-testid Panel header ";
    const panels = [...document.querySelectorAll(`section[data-testid^="${name}"]`)].map(panel => {
        const content = panel.querySelector("[data-testid='data-testid panel content']") ?? panel;
        const text = content.innerText.trim();
        const error = panel.querySelector("[data-testid='data-testid Panel status error']");
        return {
            title: panel.dataset.testid.slice(name.length),
            drawn: text !== "" || content.querySelector("canvas, table, [role=table]") !== null,
            loading: panel.querySelector("[aria-label='Panel loading bar']") !== null,
            error: error === null ? "" : "an error",
            text: text,
        };
    });
    const button = document.querySelector("[data-testid='data-testid RefreshPicker run button']");
    const idle = button !== null && button.getAttribute("aria-label") !== "Cancel";
    return {idle: idle, panels: panels};
}"""

# Whether the panels have taken the width of the screen.
FITS = """() => [...document.querySelectorAll("section[data-testid^='data-testid Panel header ']")]
    .every(panel => panel.getBoundingClientRect().right <= innerWidth)"""

# Texts of these panels that an edge cuts; a legend that is a list must not need scrolling either.
CUT = """([titles, lists]) => {
    const name = "data-testid Panel header ";
    const cut = [];
    for (const panel of document.querySelectorAll(`section[data-testid^="${name}"]`)) {
        const title = panel.dataset.testid.slice(name.length);
        if (!titles.includes(title)) continue;
        const texts = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
        const range = document.createRange();
        while (texts.nextNode()) {
            const text = texts.currentNode;
            if (text.textContent.trim() === "") continue;
            range.selectNodeContents(text);
            const box = range.getBoundingClientRect();
            if (box.width < 2) continue;
            for (let at = text.parentElement; at !== panel.parentElement; at = at.parentElement) {
                const style = getComputedStyle(at), edge = at.getBoundingClientRect();
                const wide = style.overflowX !== "visible" && box.right > edge.right + 1;
                const tall = style.overflowY !== "visible" && box.bottom > edge.bottom + 1;
                if (wide || (tall && lists.includes(title))) {
                    cut.push(`${title}: ${text.textContent.trim().slice(0, 40)}`);
                    break;
                }
            }
        }
    }
    return [...new Set(cut)];
}"""


class Unreadable(AssertionError):
    """A board that is incomplete in time, or a wrong panel; named in the message."""


@dataclass(frozen=True)
class Shown:
    """A panel on the screen."""

    title: str
    drawn: bool
    loading: bool
    error: str
    text: str


def board(uid: str) -> dict[str, Any]:
    """The generated JSON of a board."""
    found: dict[str, Any] = json.loads((ROOT / f"dashboards/generated/{uid}.json").read_text())
    return found


def expected(uid: str) -> list[str]:
    """The titles of the panels that a board shows without opening a row."""
    return sorted(panel["title"] for panel in board(uid)["panels"] if panel["type"] != "row")


def height(uid: str) -> int:
    """Return the height in pixels of the whole board, which must be visible.

    Grafana draws only panels that are on the screen.
    """
    ends = (p["gridPos"]["y"] + p["gridPos"]["h"] for p in board(uid)["panels"])
    return int(max(ends)) * UNIT + BARS


def _fits(panel: dict[str, Any]) -> bool:
    """Whether all that it says has to be seen without scrolling."""
    legend = panel["options"].get("legend", {})
    kinds = ("stat", "timeseries")
    return panel["type"] in kinds and legend.get("placement", "bottom") == "bottom"


class Reader:
    """Somebody with a browser and no account: the anonymous viewer."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        self.page: Page = browser.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.add_init_script(UNDOCKED)  # the menu would take 300 pixels of any width
        self.refused: list[str] = []
        self.page.on("response", self._note)

    def _note(self, response: Response) -> None:
        if response.status >= 400 and urlsplit(response.url).path.startswith(QUERIES):
            self.refused.append(f"{response.status} {response.text()[:200]}")

    def open(self, uid: str, seconds: float = PATIENCE, more: str = "") -> list[Shown]:
        """Open a board and wait until it is complete, without an error."""
        self.refused.clear()
        address = f"{self.address}/d/{uid}?from=now-15m&to=now{more}"
        self.page.goto(address, wait_until="commit")
        return self.wait(uid, seconds)

    def wait(self, uid: str, seconds: float = PATIENCE) -> list[Shown]:
        """Wait until every panel of the board is drawn, and nothing is loading."""
        self._look(uid, WIDTH)
        deadline = time.monotonic() + seconds
        while missing := self._missing(uid):
            if time.monotonic() > deadline:
                raise Unreadable(f"{uid}: not within {seconds:g} s: {'; '.join(missing)}")
            self.page.wait_for_timeout(100)
        shown = self._panels()
        wrong = [f"{panel.title!r} has {panel.error}" for panel in shown if panel.error]
        if wrong:
            raise Unreadable(f"{uid}: {'; '.join([*wrong, *self.refused])}")
        return shown

    def _look(self, uid: str, width: int) -> None:
        """Take a screen that is as high as the board."""
        self.page.set_viewport_size({"width": width, "height": height(uid)})

    def _missing(self, uid: str) -> list[str]:
        shown = self._panels()
        there = sorted(panel.title for panel in shown)
        absent = [title for title in expected(uid) if title not in there]
        said = [f"{title!r} is not there" for title in absent]
        for panel in shown:
            if panel.loading:
                said.append(f"{panel.title!r} is loading")
            elif not (panel.drawn or panel.error):
                said.append(f"{panel.title!r} is blank")
        if not self._idle:
            said.append("the refresh button is busy")
        return said

    def _panels(self) -> list[Shown]:
        try:
            found = self.page.evaluate(READ)
        except Broken:  # the page has just become another
            found = {"idle": False, "panels": []}
        self._idle = bool(found["idle"])
        return [Shown(**panel) for panel in found["panels"]]

    def cut(self, uid: str, width: int) -> list[str]:
        """The texts that stay cut off when the screen is that many pixels wide."""
        if width != WIDTH:
            self._look(uid, width)
            wait_for(f"panels within {width} px", lambda: self.page.evaluate(FITS))
            self.page.wait_for_timeout(1000)  # what has not redrawn yet may not be cut yet
        self.page.evaluate("() => document.fonts.ready.then(() => null)")
        panels = [panel for panel in board(uid)["panels"] if panel["type"] in WRITTEN]
        lists = [panel["title"] for panel in panels if _fits(panel)]
        asked = [[p["title"] for p in panels], lists]
        deadline = time.monotonic() + PATIENCE
        found: list[str] = self.page.evaluate(CUT, asked)
        while found and time.monotonic() < deadline:
            self.page.wait_for_timeout(100)
            found = self.page.evaluate(CUT, asked)
        return found

    def picture(self, folder: Path, name: str) -> None:
        """Keep what is on the screen."""
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png")

    def close(self) -> None:
        """Close the page."""
        self.page.close()


def measure(reader: Reader, uid: str) -> tuple[float, int]:
    """Seconds from the address to the complete board, and the queries that it asked."""
    asked: list[Request] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).path.startswith(QUERIES):
            asked.append(request)

    reader.page.on("request", note)
    began = time.monotonic()
    reader.open(uid)
    took = time.monotonic() - began
    reader.page.remove_listener("request", note)
    return took, sum(_queries(request) for request in asked)


def _queries(request: Request) -> int:
    if request.method != "POST" or not request.post_data:
        return 1
    try:
        return len(list(json.loads(request.post_data).get("queries", [0])))
    except ValueError:
        return 1


def readers(address: str) -> Iterator[Reader]:
    """A reader whose browser ends with it."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        reader = Reader(browser, address)
        try:
            yield reader
        finally:
            reader.close()
            browser.close()


def main(uid: str = Board.OVERVIEW.value) -> None:
    """Open a board cold once, then five times warm, and print what it took."""
    address = f"http://{status.running(load()).address('grafana')}"
    for reader in readers(address):
        try:
            cold, _ = measure(reader, uid)
            warm = [measure(reader, uid) for _ in range(5)]
        except (Unreadable, Broken) as error:
            sys.exit(str(error))
        took = sorted(seconds for seconds, _ in warm)
        print(
            f"{uid}: first {cold:.2f} s; warm median {median(took):.2f} s, "
            f"worst {took[-1]:.2f} s; {max(asked for _, asked in warm)} queries"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
