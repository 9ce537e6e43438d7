"""Pages of other sites, loaded in the browser of someone who is signed in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage
from tests.browser.people import join
from tests.parts import Service
from tests.web.visitor import member

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


class Attacker(BaseHTTPRequestHandler):
    """Every page has the same traps; the address of the victim is the query."""

    def do_GET(self) -> None:
        web = self.path.partition("?")[2]
        page = f"""<!doctype html><title>prizes</title>
            <a id=follow href="{web}/Thief/follow">win</a> <a id=logout href="{web}/logout">win</a>
            <form id=post action="{web}/add_message" method=post>
            <input name=text value="forged"></form>
            <img src="{web}/Thief/follow"><iframe src="{web}/public"></iframe>"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def attacker() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Attacker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


# The same address with another port is the same site to a browser, localhost is another.
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_another_site_can_change_nothing(
    new_page: NewPage, web: Service, attacker: int, host: str
) -> None:
    member(web.url, "Thief")
    page = new_page(watched=False)
    join(page, f"Mark of {host}")
    trap = f"http://{host}:{attacker}/?{web.url}"
    for attack in ("#follow", "#logout"):
        page.goto(trap)
        with page.expect_navigation() as navigation:
            page.locator(attack).click()
        assert navigation.value.status == 403, attack
        expect(page.locator("div.problem")).to_contain_text("came from another site")
    page.goto(trap)
    with page.expect_navigation() as navigation:
        page.locator("#post").evaluate("form => form.submit()")
    assert navigation.value.status == 403
    page.goto("/Thief")
    expect(page.locator("div.followstatus")).to_contain_text("You are not yet following this user.")
    page.goto("/")
    expect(page.locator("ul.messages")).to_have_count(0)


def test_no_page_can_frame_ours(new_page: NewPage, web: Service, attacker: int) -> None:
    page = new_page(watched=False)
    page.goto(f"http://localhost:{attacker}/?{web.url}")
    texts = [frame.locator("body").inner_text() for frame in page.frames[1:]]
    assert texts
    assert not any("MiniTwit" in text for text in texts)


def test_the_session_is_out_of_reach_of_scripts(new_page: NewPage) -> None:
    page = new_page()
    join(page, "Ulla")
    assert page.evaluate("document.cookie") == ""
    [session] = [c for c in page.context.cookies() if c["name"] == "minitwit_session"]
    assert (session["httpOnly"], session["sameSite"]) == (True, "Lax")
