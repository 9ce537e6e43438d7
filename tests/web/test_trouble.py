"""When api is away, slow or overwhelmed: a friendly page, soon, and counted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.parts import Service, free_port, postgres_server, start_service, wait_for
from tests.web.visitor import Page, Visitor, member

ERRORS = "minitwit_upstream_errors_total"
BODIES = {
    429: b'{"status": 1, "error_msg": "slow down"}',
    # A timeline with half a character, which no page can hold.
    0: rb"""{"viewer": null, "profile": null, "following": null, "older": null,
        "messages": [{"user": "u", "text": "\ud800", "pub_date": 1}]}""",
}


def check(page: Page, retry_after: str = "1") -> None:
    assert page.status == 503
    assert page.headers["Retry-After"] == retry_after
    assert page.page.find("div.body > div.problem > h2")[0].text == "Back in a moment"
    assert page.headers["X-Request-ID"] in page.html


def test_api_refuses_connections(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with start_service("web", tmp_path, API_URL=url) as web:
        known = web.get("/metrics").body
        assert b'minitwit_upstream_request_duration_seconds_count{operation="log_in"} 0' in known
        visitor = Visitor(web.url)
        check(visitor.get("/public"))
        check(visitor.log_in("anyone"))
        assert web.metric(ERRORS, reason="refused") == 2
        assert visitor.get("/login").status == 200, "what needs no api still works"
        operations = "minitwit_upstream_request_duration_seconds_count"
        assert web.metric(operations, operation="log_in") == 1


def test_api_is_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with start_service("web", tmp_path, API_URL=url, PAGE_TIMEOUT="1") as web:
            check(Visitor(web.url).get("/public"))
            assert web.metric(ERRORS, reason="timeout") == 1


class Upstream(BaseHTTPRequestHandler):
    """Answers as its address says: /503/… with that status, /0/… with a page of nonsense."""

    protocol_version = "HTTP/1.1"
    statuses = (429, 500, 503)

    def do_GET(self) -> None:
        status = int(self.path.split("/")[1])
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = BODIES.get(status, b"no JSON")
        self.send_response(status or 200)
        self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("status", [200, 301, 500, 503])
def test_answers_that_are_no_use(upstream: str, tmp_path: Path, status: int) -> None:
    with start_service("web", tmp_path, API_URL=f"{upstream}/{status}") as web:
        page = Visitor(web.url).get("/public")
        check(page, page.headers["Retry-After"])
        assert web.metric(ERRORS, reason="status_5xx") == 1
        [line] = wait_for(
            "its line", lambda: [x for x in web.logs() if x["event"] == "upstream_error"]
        )
        assert line["request_id"] == page.headers["X-Request-ID"]


STRANGE = (
    b"{}",
    b'{"token": null, "messages": null}',
    b"""{"token": 5, "viewer": null, "profile": null, "following": null, "older": null,
        "messages": [{"user": "u", "text": "t", "pub_date": "soon"}]}""",
    b"""{"token": [], "viewer": null, "profile": null, "following": null, "older": null,
        "messages": ["hello"]}""",
    b"""{"token": {}, "viewer": 5, "profile": null, "following": null, "older": null,
        "messages": []}""",
)


def test_another_server_of_json_is_no_api(
    upstream: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_service("web", tmp_path, API_URL=f"{upstream}/200") as web:
        visitor = Visitor(web.url)
        for number, body in enumerate(STRANGE, 1):
            monkeypatch.setitem(BODIES, 200, body)
            check(visitor.get("/public"))
            check(visitor.log_in("anyone"))
            assert web.metric(ERRORS, reason="status_5xx") == 2 * number
        assert not visitor.cookies


def test_too_many_attempts(upstream: str, tmp_path: Path) -> None:
    with start_service("web", tmp_path, API_URL=f"{upstream}/429") as web:
        visitor = Visitor(web.url)
        page = visitor.log_in("Guesser")
        assert (page.status, page.headers["Retry-After"]) == (429, "7")
        assert "Too many attempts" in page.error
        assert 'value="Guesser"' in page.html
        page = visitor.get("/public")
        assert (page.status, page.headers["Retry-After"]) == (429, "7")


def test_a_defect_of_our_own_is_a_page_that_names_the_request(
    upstream: str, tmp_path: Path
) -> None:
    with start_service("web", tmp_path, API_URL=f"{upstream}/0") as web:
        page = Visitor(web.url).get("/public")
        assert page.status == 500
        assert page.page.find("div.body > div.problem > h2")[0].text == "Something broke"
        assert page.headers["X-Request-ID"] in page.html
        assert "Traceback" not in page.html
        assert "TypeError" not in page.html
        identity = page.headers["X-Request-ID"]
        wait_for(
            "the line that says why",
            lambda: (
                identity
                in [line["request_id"] for line in web.logs() if line["event"] == "unhandled"]
            ),
        )


def test_database_away_and_back(tmp_path: Path) -> None:
    with postgres_server() as server:
        url = server.create_database("away")
        with (
            start_service("api", tmp_path, DATABASE_URL=url, POOL_TIMEOUT="5") as api,
            start_service("web", tmp_path, API_URL=api.url) as web,
        ):
            visitor = member(web.url, "Patient")
            server.stop()
            check(visitor.get("/"))
            check(visitor.form("/add_message", text="lost?"))
            check(visitor.get("/logout"))
            server.start()
            wait_for("the timeline", lambda: visitor.get("/").status == 200)
            assert visitor.get("/").messages == [], "still signed in, and nothing half done"


def test_the_id_of_a_request_reaches_api(web: Service, api: Service) -> None:
    identity = "from-the-browser"
    assert Visitor(web.url).get("/public", X_Request_ID=identity).status == 200
    wait_for("api's line", lambda: identity in [line.get("request_id") for line in api.logs()])
