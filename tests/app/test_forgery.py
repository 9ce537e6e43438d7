"""What clients claim about themselves forges no log line and no response."""

from __future__ import annotations

import http.client
import json
import socket
import zlib
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.test_contract import call, path, register
from tests.parts import PATIENCE, PostgresServer, Service, start_service, wait_for
from tests.web.visitor import Visitor, member

FORGED = '{"level": "info", "event": "request", "message": "forged"}'
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@pytest.fixture(params=["api", "web"])
def service(request: pytest.FixtureRequest) -> Service:
    """Either service."""
    found: Service = request.getfixturevalue(request.param)
    return found


def raw(service: Service, *lines: bytes) -> bytes:
    """The answer to a request made of exactly these lines."""
    address = ("127.0.0.1", int(service.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(b"\r\n".join((*lines, b"Connection: close", b"", b"")))
        return b"".join(iter(lambda: connection.recv(65536), b""))


def seen(service: Service, mark: str) -> list[dict[str, object]]:
    """Return the log lines of the request with this id, each parsed."""

    def lines() -> list[dict[str, object]] | None:
        found = service.logs()
        served = [line["request_id"] for line in found if line["event"].endswith("request")]
        return found if mark in served else None

    return wait_for(f"the line of {mark}", lines)


@pytest.mark.parametrize(
    "where",
    [
        b"/x%0A" + FORGED.encode().replace(b" ", b"%20"),
        b"/x%0D%0A%1b[2J%e2%80%a8",
        b"/msgs?latest=%0A" + FORGED.encode().replace(b" ", b"+"),
    ],
    ids=["line", "terminal", "query"],
)
def test_a_path_forges_no_line(service: Service, where: bytes, request: object) -> None:
    mark = f"mark-{zlib.crc32(where):08x}"
    agent = b"User-Agent: " + FORGED.encode()
    answer = raw(service, b"GET " + where + b" HTTP/1.1", b"Host: x", agent,
                 b"X-Request-ID: " + mark.encode())  # fmt: skip
    assert b"x-request-id: " + mark.encode() in answer
    assert all(line.get("message") != "forged" for line in seen(service, mark))
    text = service.log_file.read_text()
    assert text.isascii()
    assert "\x1b" not in text


@pytest.mark.parametrize(
    "identity",
    [b"short", b"has space in it", b"x" * 65, b"tab\there-and-more", b'quote"quote"quote',
     b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", b"<script>alert(1)</script>", b"{}{}{}{}{}"],
)  # fmt: skip
def test_an_id_that_is_none_is_replaced(service: Service, identity: bytes) -> None:
    answer = raw(service, b"GET /nothing-here/at/all HTTP/1.1", b"Host: x",
                 b"X-Request-ID: " + identity)  # fmt: skip
    assert identity not in answer
    head, _, body = answer.partition(b"\r\n\r\n")
    [given] = [line for line in head.split(b"\r\n") if line.startswith(b"x-request-id: ")]
    assert given.partition(b": ")[2] in body, "the error names the request"


@pytest.mark.parametrize(
    "header",
    [b"Host: evil.example", b"X-Forwarded-Host: evil.example", b"Forwarded: host=evil.example",
     b"X-Original-URL: //evil.example/", b"X-Forwarded-Prefix: //evil.example"],
)  # fmt: skip
@pytest.mark.parametrize("where", [b"/", b"/public", b"/login", b"/nobody", b"//evil.example"])
def test_no_answer_repeats_a_made_up_host(service: Service, header: bytes, where: bytes) -> None:
    host = [] if header.startswith(b"Host") else [b"Host: x"]
    answer = raw(service, b"GET " + where + b" HTTP/1.1", *host, header)
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"evil" not in head
    if where != b"//evil.example":
        assert b"evil" not in answer


def test_the_address_in_the_log_is_not_made_up(database_url: str, tmp_path: Path) -> None:
    stranger = "192.0.2.77"
    settings_ = {"TRUSTED_PROXIES": stranger}
    with start_service("api", tmp_path, None, DATABASE_URL=database_url, **settings_) as service:
        mark = "from-far-away"
        service.get("/latest", X_Forwarded_For="203.0.113.9", X_Request_ID=mark)
        assert "203.0.113.9" not in json.dumps(seen(service, mark))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=ANY_TEXT.filter(lambda name: len(name) <= 200), text=ANY_TEXT)
def test_any_name_and_any_text_come_back_as_they_were(api: Service, name: str, text: str) -> None:
    assert register(api, name).status in (204, 400)  # taken by an earlier example
    assert call(api, "POST", path("msgs", name), {"content": text}).status == 204
    [message] = call(api, "GET", path("msgs", name, "?no=1")).json()
    assert (message["user"], message["content"]) == (name, text)


def test_guessing_on_the_web_ends_in_a_429_page(web: Service) -> None:
    visitor = Visitor(web.url)
    pages = [visitor.log_in("nobody guesses this", f"guess {n}") for n in range(11)]
    assert [page.error for page in pages[:10]] == ["Error: Invalid username"] * 10
    assert pages[10].status == 429
    assert int(pages[10].headers["Retry-After"]) > 0
    assert "Too many attempts" in pages[10].error
    assert pages[10].headers["X-Request-ID"] in pages[10].html


def test_a_defect_is_a_500_that_names_the_request_and_nothing_else(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """A missing table is our bug, neither the client's fault nor an outage."""
    url = postgres_server.create_database("defect")
    with (
        start_service("api", tmp_path, DATABASE_URL=url) as api,
        start_service("web", tmp_path, API_URL=api.url) as web,
    ):
        visitor = member(web.url, "Un Lucky")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER TABLE messages RENAME TO gone")
        answer = call(api, "GET", "/msgs")
        body = answer.json()
        assert answer.status == body["status"] == 500
        assert body["error_msg"] == "Internal Server Error"
        assert body["request_id"] == answer.headers["x-request-id"]
        lines = seen(api, body["request_id"])
        assert "unhandled" in [line["event"] for line in lines], "the log says why"
        page = visitor.get("/")
        assert page.status in (500, 503)
        assert page.headers["X-Request-ID"] in page.html
        assert "gone" not in page.html
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER TABLE gone RENAME TO messages")
        assert call(api, "GET", "/msgs").status == http.client.OK
