"""Every dashboard in Grafana itself, as the anonymous viewer reads it: healthy, and in trouble."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Error as Broken
from playwright.sync_api import Route

from dashboards.registry import DASHBOARDS
from observability.dashboard_uids import Board
from observability.stack.programs import tools
from observability.stack.settings import load
from tests.browser.chromium import installed
from tests.parts import ROOT, request, wait_for
from tests.stack.grafana import NO_DATA, Reader, Shown, Unreadable, readers
from tests.stack.panels import EMPTY, traces
from tests.stack.platform import Platform

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(
        tools.find("grafana", load().cache) is None or installed() is None,
        reason="DASHBOARDS NOT TESTED: Grafana or Chromium is not on this machine",
    ),
    pytest.mark.timeout(1200),
]
PICTURES = ROOT / "test-output/grafana"
UIDS = [dashboard.board.value for dashboard in DASHBOARDS]
WIDTHS = (1600, 1280)
ABOUT_TRACES = {Board.TRACE.value}
# What looks back 30 days says nothing yet on a platform that is minutes old, and says so.
YOUNG = {"Error budget left", "Good requests in 30 days"}
# The link to log in carries the address of the page.
TO_TRACE = f"a[href*='{Board.TRACE.path}'][href*='var-trace=']:not([href*=login i])"
# In one step: between two, the board may draw the link again.
CLICK = """link => {
    const address = link.getAttribute("href");
    link.removeAttribute("target");
    link.click();
    return address;
}"""
BRIEF = 10_000  # milliseconds of one try among several
QUERY = "**/api/ds/query*"
PAGED = 'ALERTS{alertstate="firing",severity="critical",service="api"}'


@pytest.fixture(scope="module")
def reader(stack: Platform) -> Iterator[Reader]:
    """One who looks at the whole platform, with requests since a minute or so."""
    wait_for("requests", lambda: stack.prometheus("rate(minitwit_http_requests_total[30s]) > 0"))
    yield from readers(stack.url("grafana"))


@pytest.fixture(scope="module")
def trouble(stack: Platform, reader: Reader) -> Iterator[Reader]:
    """The same reader while api is stopped and someone has been paged."""
    stack.stop("api")
    try:
        wait_for("a page", lambda: stack.prometheus(PAGED))
        yield reader
    finally:
        stack.start("api")
        wait_for("api", lambda: request("GET", stack.url("api") + "/readyz").status == 200)


def traced(stack: Platform) -> bool:
    return "tempo" in stack.supervisor.processes()


def sampled(stack: Platform) -> str:
    """Return the id of a trace that Tempo has had for a while."""
    return wait_for("a trace", lambda: traces(stack, "{ }"))[-1]


def without_data(uid: str, shown: list[Shown]) -> list[str]:
    """The panels that show nothing although they should when all is well."""
    blank = {title for board, title in EMPTY if board == uid} | YOUNG
    return [f"{p.title}: {p.text!r}" for p in shown if NO_DATA in p.text and p.title not in blank]


def test_a_panel_with_an_error_is_named(reader: Reader) -> None:
    answer = {"results": {"A": {"error": "a broken query", "status": 400}}}

    def broken(route: Route) -> None:
        if "up{" in (route.request.post_data or ""):
            route.fulfill(status=400, json=answer)
        else:
            route.continue_()

    reader.page.route(QUERY, broken)
    try:
        with pytest.raises(Unreadable, match=r"minitwit-monitoring: .*'Targets' has .*broken"):
            reader.open(Board.MONITORING.value)
    finally:
        reader.page.unroute(QUERY)


def test_a_page_that_is_half_loaded_is_not_taken_for_a_board(reader: Reader) -> None:
    held: list[Route] = []
    reader.page.route(QUERY, lambda route: held.append(route))
    try:
        with pytest.raises(Unreadable, match=r"minitwit-outside: not within 3 s: .*'Now' is"):
            reader.open(Board.OUTSIDE.value, seconds=3)
    finally:
        for route in held:
            route.abort()
        reader.page.unroute(QUERY)


def test_a_panel_leads_to_the_board_with_more(reader: Reader) -> None:
    reader.open(Board.OVERVIEW.value)
    reader.page.get_by_text("user-login").click()
    reader.page.get_by_text("Open board: outside").click()
    reader.page.wait_for_url(re.compile(Board.OUTSIDE.path))
    reader.wait(Board.OUTSIDE.value)


def test_a_cell_leads_to_its_trace(stack: Platform, reader: Reader) -> None:
    if not traced(stack):
        pytest.skip("TRACES NOT TESTED: Tempo is not on this machine")
    reader.open(Board.TRACE.value)
    opened(reader, clicked(reader))


def test_a_field_of_a_line_leads_to_its_trace(stack: Platform, reader: Reader) -> None:
    if not traced(stack):
        pytest.skip("TRACES NOT TESTED: Tempo is not on this machine")
    panel = reader.page.get_by_test_id("data-testid Panel header Lines").first
    line = panel.get_by_text(re.compile("GET|POST")).first

    def led() -> str:
        """Return the trace; '' if its lines are late or were drawn again."""
        reader.open(Board.LOGS.value, more=f"&var-find={sampled(stack)}")
        with suppress(Broken):
            line.click(timeout=BRIEF)
            return clicked(reader, BRIEF)
        return ""

    opened(reader, wait_for("the link of a line", led))


def test_a_dot_on_a_duration_leads_to_its_trace(stack: Platform, reader: Reader) -> None:
    if not traced(stack):
        pytest.skip("TRACES NOT TESTED: Tempo is not on this machine")
    dot = reader.page.get_by_test_id("data-testid Exemplar marker").last

    def led() -> str:
        """Return the trace; '' if the dot was drawn again meanwhile."""
        reader.open(Board.SERVICE.value)
        with suppress(Broken):
            dot.hover(timeout=BRIEF)
            return clicked(reader, BRIEF)
        return ""

    opened(reader, wait_for("the link of a dot", led))


def clicked(reader: Reader, milliseconds: float | None = None) -> str:
    """Click the link to a trace in this tab; return the trace's id."""
    link = reader.page.locator(TO_TRACE).first
    return str(link.evaluate(CLICK, timeout=milliseconds)).rpartition("=")[2]


def opened(reader: Reader, trace: str) -> None:
    """The page has become the board of that trace, with its spans."""
    reader.page.wait_for_url(re.compile(rf"{Board.TRACE.path}.*var-trace=0*{trace}"))

    def spans() -> bool:
        """From another trace, the panels are there already."""
        shown = {panel.title: panel.text for panel in reader.wait(Board.TRACE.value)}
        return bool(re.search(r"(GET|POST) /", shown["Spans"]))

    wait_for(f"the spans of {trace}", spans)


@pytest.mark.parametrize("uid", UIDS)
def test_every_panel_shows_data_and_all_of_its_text(
    stack: Platform, reader: Reader, uid: str
) -> None:
    if uid in ABOUT_TRACES and not traced(stack):
        pytest.skip("TRACES NOT TESTED: Tempo is not on this machine")
    blank: list[str] = []
    chosen = f"&var-trace={sampled(stack)}" if uid in ABOUT_TRACES else ""

    def complete() -> bool:
        blank[:] = without_data(uid, reader.open(uid, more=chosen))
        return not blank

    try:
        wait_for("data in every panel", complete)
    except AssertionError as error:
        raise Unreadable(f"{uid}: {error}: {'; '.join(blank)}") from error
    for width in WIDTHS:
        cut = reader.cut(uid, width)
        reader.picture(PICTURES, f"{uid}-{width}")
        assert not cut, f"{uid} at {width} px: {'; '.join(cut)}"


@pytest.mark.parametrize("uid", UIDS)
def test_every_board_can_be_read_while_api_is_stopped(trouble: Reader, uid: str) -> None:
    try:
        trouble.open(uid)
    finally:
        trouble.picture(PICTURES, f"{uid}-trouble")


def test_the_overview_says_what_is_wrong_and_since_when(trouble: Reader) -> None:
    shown = {panel.title: panel.text for panel in trouble.open(Board.OVERVIEW.value)}
    wrong = shown["Firing alerts"]
    assert "critical" in wrong and "api" in wrong and re.search(r"ago", wrong), wrong
    assert "✗ DOWN" in shown["User journeys (probes)"]
    assert "✗ none" in shown["Replicas ready"]


def test_an_alert_leads_to_its_runbook(trouble: Reader) -> None:
    trouble.open(Board.OVERVIEW.value)
    link = trouble.page.locator("a[href*='runbooks/']").first
    name = str(link.get_attribute("href")).rpartition("/")[2]
    assert (ROOT / "alerts/runbooks" / name).is_file()


def test_a_viewer_sees_every_board_and_saves_none(stack: Platform) -> None:
    address = stack.url("grafana")
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"dashboard": {"title": "mine", "panels": []}, "overwrite": True}).encode()
    assert request("POST", f"{address}/api/dashboards/db", body, headers).status == 403
    assert request("GET", f"{address}/api/search?type=dash-db").status == 200
