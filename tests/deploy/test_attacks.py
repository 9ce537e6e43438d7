"""nginx refuses slow and oversized request headers, while it serves others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.attacks import connect, refused, rest
from tests.deploy.proxy import RunningProxy, start
from tests.parts import PATIENCE, Service, wait_for

SECONDS = 3


@pytest.fixture(scope="module")
def proxy(
    api: Service, web: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProxy]:
    """nginx with a short timeout for request headers."""
    to_api, to_web = (service.url.removeprefix("http://") for service in (api, web))
    folder = tmp_path_factory.mktemp("nginx")
    with start(folder, to_api, to_web, header_seconds=SECONDS) as proxy:
        yield proxy


def lines(proxy: RunningProxy, status: int) -> int:
    """Return how many lines of the log have that status."""
    found = [json.loads(line) for line in proxy.log.read_text().splitlines()]
    return sum(line["status"] == status for line in found)


HALF = [
    b"GET /latest HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"GET /lat",
]


@pytest.mark.parametrize("port", ["api", "web"])
@pytest.mark.parametrize("half", HALF, ids=["header", "line"])
def test_incomplete_headers_time_out(proxy: RunningProxy, half: bytes, port: str) -> None:
    before, began = lines(proxy, 408), time.monotonic()
    with connect(proxy.url(port)) as connection:
        connection.sendall(half)
        assert rest(connection) == b""
    assert time.monotonic() - began >= SECONDS * 0.9
    wait_for("its log line", lambda: lines(proxy, 408) > before)


def test_trickled_headers_time_out_too(proxy: RunningProxy) -> None:
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
def test_a_connection_without_a_request_is_closed(proxy: RunningProxy, sent: bytes) -> None:
    with connect(proxy.url("api")) as connection:
        connection.sendall(sent)
        assert rest(connection) == b""


def test_the_second_request_of_a_connection_has_no_more_time_than_the_first(
    proxy: RunningProxy,
) -> None:
    with connect(proxy.url("api")) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        first = b""
        while not first.endswith(b"ok\n"):
            chunk = connection.recv(10_000)
            assert chunk, first
            first += chunk
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
def test_large_or_broken_headers_are_refused_before_any_service(
    proxy: RunningProxy, api: Service, head: bytes, status: int
) -> None:
    before = api.metric("minitwit_http_requests_total")
    with connect(proxy.url("api")) as connection:
        connection.sendall(head)
        answer = rest(connection)
    refused(answer, status)
    assert api.metric("minitwit_http_requests_total") == before


def test_others_are_served_beside_two_hundred_slow_clients(proxy: RunningProxy) -> None:
    slow = []
    try:
        for _ in range(200):
            slow.append(connect(proxy.url("api")))
            slow[-1].sendall(HALF[0])
        assert proxy.get("api", "/latest").status == 200
        for connection in slow:
            assert rest(connection) == b""
    finally:
        for connection in slow:
            connection.close()
