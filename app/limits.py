"""How long a client may take to say what it wants, and how much it may say before that.

Without limits, a few thousand clients that send a byte a minute hold every connection there is.
A request that arrives in one piece, as nearly all do, costs two flags and a comparison.
"""

from __future__ import annotations

import json
import secrets
from asyncio import TimerHandle
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app import cycle
from observability import catalog
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter

HEADERS = 100  # no browser and no proxy sends more than a few dozen


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for the head of a request and for its body, bytes for its head."""

    head_seconds: float
    body_seconds: float
    head_bytes: int


def protocol(limits: Limits, meter: Meter, log: Log) -> type[HttpToolsProtocol]:
    """uvicorn's HTTP protocol, within ``limits``; each refusal is counted and logged."""
    cycle.install()
    bound = {"limits": limits, "meter": meter, "log": log}
    return type("LimitedProtocol", (_Limited,), bound)


class _Limited(HttpToolsProtocol):
    limits: Limits
    meter: Meter
    log: Log

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._in_body = False
        self._head_bytes = 0  # of earlier pieces
        self._piece = 0  # bytes of what is being parsed
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A connection on which nothing ever comes is closed without a word."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.limits.head_seconds, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock."""
        self._stop_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; then start the clock if the request is not complete, else stop it."""
        self._piece = len(data)
        super().data_received(data)
        if self._in_head:
            self._head_bytes += self._piece
            if self._head_bytes > self.limits.head_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return
        if self._in_head or self._in_body or self._silent():
            if self._timer is None:
                self._start_timer(self.limits.head_seconds)
        elif self._timer is not None:
            self._stop_timer()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is here: refuse one that is too large, else serve it."""
        self._in_head = False
        if self.transport.is_closing():
            return
        if self._too_large():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        self._in_body = True
        if self._timer is not None:
            self._stop_timer()
            self._start_timer(self.limits.body_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body, unless the request was refused."""
        if self._in_body:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is here."""
        if self._in_body:
            self._in_body = False
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """The answer to what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST)

    def _too_large(self) -> bool:
        """Whether the head is; what came with it, body and all, is looked at first."""
        limit = self.limits.head_bytes
        if self._head_bytes + self._piece > limit:
            size = len(self.url) + sum([len(name) + len(value) for name, value in self.headers])
            return size > limit or len(self.headers) > HEADERS
        return len(self.headers) > HEADERS

    def _silent(self) -> bool:
        """Whether something came that began no request, such as empty lines."""
        served = self.cycle is None or self.cycle.response_complete
        return served and self.timeout_keep_alive_task is None

    def _start_timer(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self._in_body and self.cycle.response_started:
            self.transport.close()  # it has its answer, and sends on
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer in the shape of all errors, and close."""
        if self.transport.is_closing():
            return
        request_id = secrets.token_hex(12)
        body = json.dumps(
            {"status": status.value, "error_msg": status.phrase, "request_id": request_id}
        ).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nx-request-id: {request_id}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        if self._in_body and self.cycle is not None:
            self.cycle.disconnected = True  # whoever waits for the body learns that none comes
            self.cycle.message_event.set()
        self._in_head = self._in_body = False
        self._stop_timer()
        self.transport.write(head.encode() + body)
        self.transport.close()
        method, route = "other", catalog.UNMATCHED
        self.meter.count(catalog.HTTP_REQUESTS, method, route, str(status.value))
        self.log.write(
            "warning",
            "invalid_request",
            "",
            {
                "method": method,
                "route": route,
                "status": status.value,
                "reason": status.phrase,
                "request_id": request_id,
            },
        )
