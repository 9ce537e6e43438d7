"""nginx refuses slow and oversized request headers, while it serves others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.attacks import connect, refused, rest
from tests.deploy.proxy import Entrance, start
from tests.parts import PATIENCE, Service, wait_for

SECONDS = 1


@pytest.fixture(scope="module")
def proxy(
    api: Service, web: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Entrance]:
    """nginx with a short patience for heads."""
    to_api, to_web = (service.url.removeprefix("http://") for service in (api, web))
    folder = tmp_path_factory.mktemp("nginx")
    with start(folder, to_api, to_web, header_seconds=SECONDS) as entrance:
        yield entrance


def lines(proxy: Entrance, status: int) -> int:
    """How many lines of the log have that status."""
    found = [json.loads(line) for line in proxy.log.read_text().splitlines()]
    return sum(line["status"] == status for line in found)


HALF = [
    b"GET /latest HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"GET /lat",
]


@pytest.mark.parametrize("entrance", ["api", "web"])
@pytest.mark.parametrize("half", HALF, ids=["header", "line"])
def test_a_head_that_does_not_arrive_is_given_up(
    proxy: Entrance, half: bytes, entrance: str
) -> None:
    before, began = lines(proxy, 408), time.monotonic()
    with connect(proxy.url(entrance)) as connection:
        connection.sendall(half)
        assert rest(connection) == b""
    assert time.monotonic() - began >= SECONDS * 0.9
    wait_for("its log line", lambda: lines(proxy, 408) > before)


def test_trickling_does_not_buy_time(proxy: Entrance) -> None:
    before = lines(proxy, 408)
    with connect(proxy.url("api")) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        until = time.monotonic() + PATIENCE
        with pytest.raises(OSError):
            while time.monotonic() < until:
                connection.sendall(b"X-A: b\r\n")
                time.sleep(0.05)
    wait_for("its log line", lambda: lines(proxy, 408) > before)


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"], ids=["nothing", "empty lines"])
def test_a_connection_without_a_request_is_closed(proxy: Entrance, sent: bytes) -> None:
    with connect(proxy.url("api")) as connection:
        connection.sendall(sent)
        assert rest(connection) == b""


def test_the_second_request_of_a_connection_has_no_more_time_than_the_first(
    proxy: Entrance,
) -> None:
    with connect(proxy.url("api")) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        first = b""
        while not first.endswith(b"ok\n"):
            first += connection.recv(10_000)
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert rest(connection) == b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Endless: " + b"x" * 9000, 431),
        (b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + (b"A: " + b"b" * 4000 + b"\r\n") * 10 + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
    ids=["header", "endless header", "address", "number of headers", "no HTTP"],
)
def test_a_head_too_large_or_broken_is_refused_before_any_service(
    proxy: Entrance, api: Service, head: bytes, status: int
) -> None:
    before = api.metric("minitwit_http_requests_total")
    with connect(proxy.url("api")) as connection:
        connection.sendall(head)
        answer = rest(connection)
    refused(answer, status)
    assert api.metric("minitwit_http_requests_total") == before


def test_others_are_served_while_two_hundred_dawdle(proxy: Entrance) -> None:
    crowd = [connect(proxy.url("api")) for _ in range(200)]
    try:
        for connection in crowd:
            connection.sendall(HALF[0])
        assert proxy.get("api", "/latest").status == 200
        for connection in crowd:
            assert rest(connection) == b""
    finally:
        for connection in crowd:
            connection.close()
