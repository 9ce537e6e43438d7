"""A client that takes its time, or says too much, is refused; all others are served meanwhile."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.parts import Service, start_service, wait_for

SECONDS = 1.0


@pytest.fixture(scope="module", params=["api", "web"])
def service(
    request: pytest.FixtureRequest, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Either service, with a short patience."""
    folder = tmp_path_factory.mktemp(request.param)
    with start_service(
        request.param,
        folder,
        DATABASE_URL=database_url,
        HEAD_SECONDS=str(SECONDS),
        BODY_SECONDS=str(SECONDS),
        HEAD_BYTES="8192",
    ) as started:
        yield started


def connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2])), timeout=15)


def rest(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    received = b""
    while True:
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:  # it closed with something of ours unread
            return received
        if not chunk:
            return received
        received += chunk


def refused(answer: bytes, status: int) -> str:
    """Assert that this is such an answer, in the pinned shape; its request id."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    parsed = json.loads(body)
    assert parsed["status"] == status
    assert parsed["error_msg"]
    return str(parsed["request_id"])


HALF = [
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"GET /heal",
    b"POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{",
    b"POST /register HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
]


@pytest.mark.parametrize("half", HALF, ids=["header", "line", "body", "chunk"])
def test_a_request_that_does_not_arrive_is_408(service: Service, half: bytes) -> None:
    began = time.monotonic()
    with connect(service) as connection:
        connection.sendall(half)
        request_id = refused(rest(connection), 408)
    assert time.monotonic() - began >= SECONDS * 0.9
    line = wait_for(
        "its log line",
        lambda: next((x for x in service.logs() if x.get("request_id") == request_id), None),
    )
    assert (line["event"], line["status"]) == ("invalid_request", 408)


def test_trickling_does_not_buy_time(service: Service) -> None:
    began = time.monotonic()
    with connect(service) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        connection.settimeout(0.1)
        answer = b""
        while not answer and time.monotonic() - began < 10:
            connection.sendall(b"X-A: b\r\n")
            try:
                answer = connection.recv(1000)
            except TimeoutError:
                continue
    refused(answer, 408)


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"], ids=["nothing", "empty lines"])
def test_a_connection_without_a_request_is_closed(service: Service, sent: bytes) -> None:
    with connect(service) as connection:
        connection.sendall(sent)
        answer = rest(connection)
    assert not answer or refused(answer, 408)


def test_the_second_request_of_a_connection_has_no_more_time_than_the_first(
    service: Service,
) -> None:
    with connect(service) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        first = b""
        while not first.endswith(b"}"):
            first += connection.recv(10_000)
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        refused(rest(connection), 408)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX-Big: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Endless: " + b"x" * 9000,
        b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n",
    ],
    ids=["header", "endless header", "address", "number of headers"],
)
def test_a_head_too_large_is_431(service: Service, head: bytes) -> None:
    with connect(service) as connection:
        connection.sendall(head)
        refused(rest(connection), 431)


def test_what_is_no_http_is_400_in_the_pinned_shape(service: Service) -> None:
    with connect(service) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        refused(rest(connection), 400)


def test_others_are_served_while_two_hundred_dawdle(service: Service) -> None:
    crowd = [connect(service) for _ in range(200)]
    try:
        for connection in crowd:
            connection.sendall(HALF[0])
        assert service.get("/healthz").status == 200
        for connection in crowd:
            refused(rest(connection), 408)
    finally:
        for connection in crowd:
            connection.close()
    assert service.metric("minitwit_http_requests_total", status="408") >= 200


def test_a_large_honest_body_in_pieces_is_taken(service: Service) -> None:
    """Pieces that come in time are one request, whatever their number."""
    body = b"username=&email=&password=" + b"x" * 30_000
    with connect(service) as connection:
        connection.sendall(
            b"POST /register HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" % len(body)
        )
        for start in range(0, len(body), 5000):
            connection.sendall(body[start : start + 5000])
            time.sleep(0.01)
        status = int(rest(connection).split()[1])
    assert status in (200, 400)  # the form again; what is no JSON
