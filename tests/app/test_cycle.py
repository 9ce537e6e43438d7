"""An answer is the same to the byte as uvicorn's own way would have written it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.cycle import Cycle

UVICORN = RequestResponseCycle.__mro__[-2]  # its own class, whether or not ours was installed
LENGTH, TYPE = (b"content-length", b"2"), (b"content-type", b"application/json")
ID = (b"x-request-id", b"0af7651916cd43dd8448eb211c80319c")


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.data, self.closed = b"", False

    def write(self, data: bytes) -> None:
        self.data += data

    def close(self) -> None:
        self.closed = True


def cycle_of(kind: Any, transport: Any, method: str = "GET", keep: bool = True) -> Any:
    """A request that has been read, and is answered with a date, as uvicorn's own are."""
    return kind(
        scope={"method": method}, transport=transport, flow=FlowControl(transport),
        logger=logging.getLogger(), access_logger=logging.getLogger(), access_log=False,
        default_headers=[(b"date", b"Wed, 25 Nov 2026 03:40:00 GMT")],
        message_event=asyncio.Event(), expect_100_continue=False, keep_alive=keep,
        on_response=lambda: None,
    )  # fmt: skip


def answer(kind: Any, method: str, keep: bool, status: int, headers: Any, body: bytes) -> Any:
    """What goes over the wire, and whether the connection is closed then; or what is raised."""
    transport: Any = Transport()

    async def run() -> None:
        cycle = cycle_of(kind, transport, method, keep)
        start = {"type": "http.response.start", "status": status}
        await cycle.send(start | ({"headers": headers} if headers is not None else {}))
        await cycle.send({"type": "http.response.body", "body": body})

    try:
        asyncio.run(run())
    except Exception as error:
        return type(error), str(error), transport.data
    return transport.data, transport.closed


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, [LENGTH, TYPE, ID], b"[]"),
        (404, [ID, LENGTH], b"{}"),
        (204, [ID], b""),
        (304, None, b""),
        (200, [TYPE, ID], b"[]"),  # in chunks
        (200, None, b"[]"),
        (302, [LENGTH, (b"location", b"/public")], b"ok"),
        (200, [LENGTH, (b"Connection", b"close")], b"ok"),
        (200, [LENGTH, TYPE, ID], b"longer than it says"),
        (200, [LENGTH, TYPE, ID], b""),
        (200, [LENGTH, (b"set-cookie", b"a\r\nset-cookie: b")], b"ok"),
        (200, [LENGTH, (b"bad name", b"a")], b"ok"),
    ],
)
def test_the_bytes_are_the_same(
    method: str, keep: bool, status: int, headers: Any, body: bytes
) -> None:
    arguments = (method, keep, status, headers, body)
    assert answer(Cycle, *arguments) == answer(UVICORN, *arguments)


def test_what_the_service_answers_is_written_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the date that uvicorn adds: none of it is looked at by uvicorn's own way."""
    monkeypatch.setattr(UVICORN, "send", None)
    start = {"type": "http.response.start", "status": 200, "headers": [LENGTH, TYPE, ID]}
    transport: Any = Transport()
    asyncio.run(cycle_of(Cycle, transport).send(start))
    assert transport.data.startswith(b"HTTP/1.1 200 OK\r\ndate: Wed, ")


def test_a_header_that_would_split_the_answer_is_refused() -> None:
    split = [LENGTH, (b"location", b"/\r\n\r\nmore")]
    assert answer(Cycle, "GET", True, 302, split, b"ok")[0] is RuntimeError
