"""Request bodies that are slow or too large are refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from app.limits import BodyLimits, Limits
from tests.attacks import connect, refused, rest
from tests.parts import PATIENCE, Service, start_service, wait_for

SECONDS = 1.0
BYTES = 40_000


Limited = Callable[[float], AbstractContextManager[Service]]


@pytest.fixture(scope="module", params=["api", "web"])
def limited(
    request: pytest.FixtureRequest, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Limited:
    """Starts either service, with so many seconds for a body."""
    folder = tmp_path_factory.mktemp(request.param)
    own = {"DATABASE_URL": database_url, "BODY_BYTES": f"{BYTES}"}
    return lambda seconds: start_service(
        request.param, folder, port=None, BODY_SECONDS=f"{seconds:g}", **own
    )


@pytest.fixture(scope="module")
def service(limited: Limited) -> Iterator[Service]:
    """Has a short patience."""
    with limited(SECONDS) as started:
        yield started


@pytest.fixture(scope="module")
def patient(limited: Limited) -> Iterator[Service]:
    """Has time for bodies that arrive however slowly."""
    with limited(PATIENCE) as started:
        yield started


HEAD = b"POST /register HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HALF = [
    HEAD + b"Content-Length: 50\r\n\r\n{",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    HEAD + b"Content-Length: 50\r\n\r\n",
]


@pytest.mark.parametrize("half", HALF, ids=["body", "chunk", "nothing"])
def test_a_body_that_does_not_arrive_is_408(service: Service, half: bytes) -> None:
    began = time.monotonic()
    with connect(service.url) as connection:
        connection.sendall(half)
        answer = rest(connection)
    assert time.monotonic() - began >= SECONDS * 0.9
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    head = answer.partition(b"\r\n\r\n")[0].decode().lower()
    request_id = head.partition("x-request-id: ")[2].split()[0]
    if service.name == "api":
        assert refused(answer, 408)["request_id"] == request_id
    line = wait_for(
        "its log line",
        lambda: next((x for x in service.logs() if x.get("request_id") == request_id), None),
    )
    assert (line["event"], line["status"], line["route"]) == ("invalid_request", 408, "/register")


def test_trickling_does_not_buy_time(service: Service) -> None:
    began = time.monotonic()
    with connect(service.url) as connection:
        connection.sendall(HEAD + b"Content-Length: 5000\r\n\r\n")
        connection.settimeout(0.1)
        answer = b""
        while not answer and time.monotonic() - began < PATIENCE:
            connection.sendall(b"x")
            try:
                answer = connection.recv(1000)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_without_end_is_413(patient: Service) -> None:
    with connect(patient.url) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        piece = b"1000\r\n" + b"x" * 4096 + b"\r\n"
        try:
            for _ in range(1 + BYTES // 4096):
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it had heard enough
        assert rest(connection).startswith(b"HTTP/1.1 413 ")


def test_a_large_honest_body_in_pieces_is_taken(patient: Service) -> None:
    """Pieces that come in time are one request, whatever their number."""
    body = b"username=&email=&password=" + b"x" * 30_000
    with connect(patient.url) as connection:
        connection.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 5000):
            connection.sendall(body[start : start + 5000])
            time.sleep(0.01)
        status = int(rest(connection).split()[1])
    assert status in (200, 400)  # the form again; what is no JSON


def test_once_the_body_is_complete_nothing_is_late() -> None:
    """A handler may wait for the client to leave, as a streaming answer does."""
    messages: list[Any] = [{"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}]
    got: list[str] = []

    async def receive() -> Any:
        message = messages.pop(0)
        if message["type"] == "http.disconnect":
            await asyncio.sleep(0.05)
        return message

    async def app(scope: Any, receive: Any, send: Any) -> None:
        got.extend([(await receive())["type"], (await receive())["type"]])

    asyncio.run(BodyLimits(app, Limits(0.01, 10))({"type": "http"}, receive, receive))  # type: ignore[arg-type]
    assert got == ["http.request", "http.disconnect"]


def test_what_is_late_or_too_large_fails_in_the_handler() -> None:
    async def slow() -> Any:
        await asyncio.sleep(5)

    async def large() -> Any:
        return {"type": "http.request", "body": b"x" * 11, "more_body": True}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    for receive, status in ((slow, 408), (large, 413)):
        with pytest.raises(HTTPException) as caught:
            asyncio.run(BodyLimits(app, Limits(0.01, 10))({"type": "http"}, receive, receive))  # type: ignore[arg-type]
        assert caught.value.status_code == status
